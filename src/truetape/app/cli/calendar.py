"""`truetape calendar`: when a venue trades; and `truetape correct`: what its calendar does not know."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, FINDINGS, Config, Data, Json, call, out, run, write_json

if TYPE_CHECKING:
    import polars as pl

    from truetape.app.calendars import CalendarView

QUESTIONS: Final = ("is-open", "bars")
UNDATED: Final = "Days without a date since when they were known are told as if they had been known always."
MOST_DAYS: Final = 60  # special days that are shown in a table
MOST_LABELS: Final = 100_000  # bars that are told one by one
LARGEST_FILE: Final = 64 << 20

Mic = Annotated[str, typer.Argument(help="The venue, ISO 10383; 24-7 for one that never closes.")]
Question = Annotated[
    str | None, typer.Argument(metavar="[is-open|bars]", help="Ask about instants, or which bars are to be expected.")
]
Values = Annotated[
    list[str] | None, typer.Argument(metavar="[INSTANT]...", help="With a zone; `now`; or @FILE, one on each line.")
]
First = Annotated[str | None, typer.Option("--from", help="First day, inclusive; else this year's.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day, inclusive; else this year's.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As it was expected at this instant, or date.")]
Own = Annotated[
    str | None, typer.Option("--corrections", metavar="FILE", help="Corrections of your own: CSV, Parquet.")
]
Folder = Annotated[Path | None, typer.Option("--data", help="Ask what is kept in this data folder.")]
Url = Annotated[str | None, typer.Option(help="Ask what a running platform keeps.")]
Timeframe = Annotated[str, typer.Option(help="Of the bars: 1m, 5m, 15m, 30m, 1h, 1d, 1w or 1mo.")]


def calendar(  # noqa: PLR0913  one parameter for each option
    mic: Mic,
    question: Question = None,
    values: Values = None,
    *,
    first: First = None,
    last: Last = None,
    as_of: AsOf = None,
    corrections: Own = None,
    timeframe: Timeframe = "1d",
    as_json: Json = False,
    data: Folder = None,
    url: Url = None,
) -> None:
    """Show when a venue trades, and which of its days are special.

    `truetape calendar XNYS is-open now` tells whether it is open; of one
    instant the exit code is 1 unless it is. `truetape calendar XNYS bars
    START END --timeframe 1h` tells which bars are to be expected from START
    to before END. Without --data or --url the answer comes from rules and
    dated corrections, and needs no platform.
    """
    asked = {"first": first, "last": last, "as_of": as_of, "corrections": corrections, "source": url or data}
    mic = mic.upper() if mic.lower() != "us_futures" else mic.lower()
    if question is None:
        view = call(lambda: _view(mic, asked, _days(first, last)), as_json=as_json)
        _show(view, as_of, as_json=as_json)
    elif question == "bars":
        call(lambda: _bars(mic, values or [], asked, timeframe, as_json=as_json), as_json=as_json)
    else:
        is_open = call(lambda: _is_open(mic, question, values or [], asked, as_json=as_json), as_json=as_json)
        if is_open in ([False], [None]):
            raise typer.Exit(FINDINGS)


def correct(  # noqa: PLR0913  one parameter for each option
    mic: Mic,
    day: Annotated[str, typer.Argument(help="The session's date.")],
    what: Annotated[str, typer.Argument(metavar="closed|open|no_break", help="What it is.")],
    *,
    why: Annotated[str, typer.Option(help="Why.")],
    source: Annotated[str, typer.Option(help="Who says so.")],
    open: Annotated[str, typer.Option("--open", help="Time of the venue's clock; else as on every day.")] = "",  # noqa: A002
    close: Annotated[str, typer.Option("--close", help="As --open.")] = "",
    break_start: Annotated[str, typer.Option(help="When trading stops for lunch.")] = "",
    break_end: Annotated[str, typer.Option(help="When it goes on.")] = "",
    known: Annotated[str, typer.Option(help="Since when it was known: an instant, or a date for its end.")] = "",
    as_json: Json = False,
    data: Data = Path("data"),
    config: Config = DEFAULT_PATH,
) -> None:
    """Correct a day of a venue's calendar: a closure, other hours, or no break.

    The platform that runs on the data folder takes it at once; without one
    it is written here. What was known before stays readable.
    """
    from truetape.app.correcting import correct as tell
    from truetape.services.api.calendars import NewCorrection

    wanted = NewCorrection(
        session=day, what=what, why=why, source=source, open=open, close=close,
        break_start=break_start, break_end=break_end, known=known,
    )  # fmt: skip
    told = run(tell(data, mic.upper(), wanted, file=config if config.is_file() else None), as_json=as_json)
    if as_json:
        write_json(told)
    else:
        _say(f"{told.mic} on {told.session}: {told.what}, known since {told.known}.")


def _say(words: str) -> None:
    out().print(words, markup=False, highlight=False, soft_wrap=True)


def _days(first: str | None, last: str | None) -> tuple[date, date]:
    from truetape.domain.errors import BadInput
    from truetape.domain.time import parse_day

    year = datetime.now(UTC).year
    start = parse_day(first, parameter="--from") if first else date(year, 1, 1)
    end = parse_day(last, parameter="--to") if last else date(max(year, start.year), 12, 31)
    if start > end:
        raise BadInput(parameter="--from", value=str(start), fix=f"It is later than --to, which was {end}.")
    return start, end


def _view(mic: str, asked: dict[str, Any], days: tuple[date, date]) -> CalendarView:
    from truetape.app import calendars, library
    from truetape.app.correcting import read_file

    start, end = days
    if asked["source"] is not None:
        with library.open(asked["source"]) as session:
            before, after = calendars.around(start, end)
            rows = session.calendar(mic, start=before, end=after, as_of=asked["as_of"])
        return calendars.kept(mic, rows, start=start, end=end, source=f"what is kept at {asked['source']}")
    own = {"corrections": read_file(asked["corrections"])} if asked["corrections"] else {}
    return calendars.computed(mic, start=start, end=end, as_of=_instant(asked["as_of"], "--as-of"), **own)


def _instant(text: str | None, parameter: str) -> int | None:
    from truetape.services.api.query import read_instant

    return None if text is None else read_instant(text, parameter=parameter)


def _instants(values: list[str]) -> list[int]:
    import time

    from truetape.domain.errors import BadInput
    from truetape.services.api.query import read_instant

    texts = _lines(values[0][1:]) if len(values) == 1 and values[0].startswith("@") else values
    if not texts:
        raise BadInput(parameter="INSTANT", value="", fix="Name instants such as 2024-07-03T17:30Z, or `now`.")
    return [time.time_ns() if one == "now" else read_instant(one, parameter="INSTANT") for one in texts]


def _lines(path: str) -> list[str]:
    from truetape.app.plain_files.content import read_bytes

    text = read_bytes(path, most=LARGEST_FILE).decode("utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _is_open(mic: str, question: str, values: list[str], asked: dict[str, Any], *, as_json: bool) -> list[bool | None]:
    import polars as pl

    from truetape.app.calendars import answers, days_of
    from truetape.domain.errors import BadInput
    from truetape.domain.kinds import INSTANT

    if question not in QUESTIONS:
        raise BadInput(parameter="The question", value=question, fix=f"Ask {' or '.join(QUESTIONS)}, or nothing.")
    stamps = _instants(values)
    view = _view(mic, asked, days_of(stamps))
    told = answers(view, pl.Series(stamps, dtype=pl.Int64).cast(INSTANT))
    if as_json:
        write_json({"mic": mic, "zone": view.zone, "answers": _records(told)})
    else:
        _print_answers(told, view)
    is_open: list[bool | None] = told["open"].to_list()
    return is_open


def _bars(mic: str, values: list[str], asked: dict[str, Any], timeframe: str, *, as_json: bool) -> None:
    import polars as pl

    from truetape.app.calendars import days_of
    from truetape.domain.errors import BadInput
    from truetape.domain.kinds import INSTANT

    if len(values) != 2:  # noqa: PLR2004  from one to the other
        fix = "Write two instants: the first inclusive, the last exclusive."
        raise BadInput(parameter="START END", value=" ".join(values), fix=fix)
    start, end = _instants(values)
    view = _view(mic, asked, days_of([start, max(start, end - 1)]))
    (since, until) = (pl.Series([one], dtype=pl.Int64).cast(INSTANT) for one in (start, end))
    count = view.hours.bar_count(since, until, timeframe=timeframe)[0]
    labels = view.hours.bar_labels(start, end, timeframe=timeframe) if count else pl.Series([], dtype=INSTANT)
    if as_json:
        told = _texts(labels.head(MOST_LABELS))
        write_json({"mic": mic, "timeframe": timeframe, "count": count, "ts_event": told})
        return
    words = "not all of these days are known" if count is None else f"{count:,} bars of {timeframe}"
    ends = f", from {_texts(labels.head(1))[0]} to {_texts(labels.tail(1))[0]}" if len(labels) else ""
    _say(f"{mic}: {words}{ends}")


def _texts(instants: pl.Series) -> list[str]:
    return instants.dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_list()


def _records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    import polars as pl
    import polars.selectors as cs

    return frame.with_columns(cs.datetime().dt.strftime("%Y-%m-%dT%H:%M:%SZ"), cs.date().cast(pl.String)).to_dicts()


def _print_answers(told: pl.DataFrame, view: CalendarView) -> None:
    from rich.table import Table

    words = {True: "open", False: "closed", None: "not known"}
    table = Table(header_style="dim")
    for name in ("at (UTC)", "", "session", "previous", "next"):
        table.add_column(name, no_wrap=True)
    for at, is_open, *days in told.with_columns(told["at"].dt.strftime("%Y-%m-%d %H:%M:%S")).iter_rows():
        table.add_row(at, words[is_open], *(str(day) if day else "-" for day in days))
    out().print(table)
    _say(f"{view.mic} on the clock of {view.zone}; {view.source}")


def _show(view: CalendarView, as_of: str | None, *, as_json: bool) -> None:
    from truetape.app.calendars import special_days

    special = special_days(view)
    about = {"mic": view.mic, "zone": view.zone, "source": view.source, "as_of": as_of, "from": str(view.start),
             "to": str(view.end)}  # fmt: skip
    if as_json:
        write_json({**about, "sessions": _records(view.sessions), "special": _records(special)})
        return
    known = f", as expected at {as_of}" if as_of else ""
    head = f"{view.mic} from {view.start} to {view.end}{known}: {len(view.sessions):,} sessions"
    _say(f"{head}, on the clock of {view.zone}")
    for line in _usual_lines(view):
        _say(f"  {line}")
    if len(special):
        _print_special(special)
    left = f"; {len(special) - MOST_DAYS:,} of them only with --json" if len(special) > MOST_DAYS else ""
    _say(f"{len(special):,} day{'s' * (len(special) != 1)} that {'are' if len(special) != 1 else 'is'} special{left}")
    _say(f"by {view.source}")
    if as_of:
        _say(UNDATED)


def _usual_lines(view: CalendarView) -> list[str]:
    import polars as pl

    from truetape.app.calendars import usual_hours

    usual = usual_hours(view).filter("usual", pl.col("session").is_between(view.start, view.end))
    hours = pl.struct("open", "close", "break_start", "break_end")
    runs = usual.group_by(hours.rle_id().alias("run"), maintain_order=True).agg(
        pl.col("open", "close", "break_start", "break_end", "session").first(), pl.col("session").last().alias("last")
    )
    lines = []
    for _, opens, closes, pause, resumes, first, last in runs.iter_rows():
        lunch = f", with a break from {pause} to {resumes}" if pause else ""
        when = f" ({first} to {last})" if len(runs) > 1 else ""
        lines.append(f"usually {opens} to {closes}{lunch}{when}")
    return lines


def _print_special(special: pl.DataFrame) -> None:
    from rich.table import Table

    shown = special.head(MOST_DAYS)
    table = Table(header_style="dim")
    for name in ("day", "", "what", "open", "close", "break", "why"):
        table.add_column(name, no_wrap=name != "why")
    for row in shown.iter_rows(named=True):
        pause = f"{row['break_start']} to {row['break_end']}" if row["break_start"] else ""
        since = f" (known since {row['known']:%Y-%m-%d %H:%M} UTC)" if row["known"] else ""
        why = f"{row['why'] or ''}{since}"
        table.add_row(str(row["day"]), f"{row['day']:%a}", row["what"], row["open"], row["close"], pause, why)
    out().print(table)
