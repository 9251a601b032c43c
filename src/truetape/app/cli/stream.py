"""truetape stream: live feeds on plain files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.terminal import Json, call, write_json

if TYPE_CHECKING:
    from truetape.app.stream_replay import BookState, Report

NUMBERS: Final = ("messages", "records", "stale", "gaps", "right", "wrong")
PADDINGS: Final = ("<", "<", *[">"] * len(NUMBERS), "<")
ROWS_SHOWN: Final = 200

stream = typer.Typer(
    name="stream",
    help="Read recorded live feeds as a live socket would be read.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@stream.callback()
def _streams() -> None:
    pass


@stream.command()
def replay(
    captures: Annotated[
        list[str], typer.Argument(metavar="CAPTURE...", help="Recorded captures, plain or gzip; - is standard input.")
    ],
    *,
    provider: Annotated[str, typer.Option(metavar="NAME", help="Whose stream it is.")],
    as_json: Json = False,
) -> None:
    """Say what recorded captures of a live feed hold, per channel and symbol.

    Several captures are read together in order of time, such as snapshots
    over REST and the updates that go on from them. Counted are messages,
    records, stale updates dropped, gaps, and checksums right and wrong; the
    last state of each book follows, with --json in full.
    """
    from truetape.app.stream_replay import replay as replayed

    report = call(partial(replayed, captures, provider=provider), as_json=as_json)
    if as_json:
        write_json(report)
    else:
        _show(report)


def _show(report: Report) -> None:
    """Print a line for each row, never cut, and below them what holds for all."""
    lines: list[tuple[str, ...]] = [("channel", "symbol", *NUMBERS, "book")] if report.rows else []
    for row in report.rows[:ROWS_SHOWN]:
        checksums = (row.checksums_right, row.checksums_wrong)
        numbers = (row.messages, row.records, row.stale, row.gaps, *checksums)
        lines.append((row.channel, row.symbol, *(f"{number:,}" for number in numbers), _book(row.book)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = zip(PADDINGS, line, widths, strict=True)
        typer.echo("  ".join(f"{cell:{padding}{width}}" for padding, cell, width in padded).rstrip())
    for fact in _facts(report):
        typer.echo(fact)


def _book(book: BookState | None) -> str:
    if book is None:
        return ""
    if not book.whole:
        return "waits for a snapshot"
    bid, ask = (f"{side[0][0]} x {side[0][1]}" if side else "none" for side in (book.bids, book.asks))
    return f"{bid} | {ask}, {book.bid_levels:,} + {book.ask_levels:,} levels"


def _facts(report: Report) -> list[str]:
    """Return what holds for all rows together, a sentence for each line."""
    rows = report.rows
    totals = [
        f"{sum(row.messages for row in rows):,} messages",
        f"{sum(row.records for row in rows):,} records",
        f"{sum(row.stale for row in rows):,} stale",
        f"{sum(row.gaps for row in rows):,} gaps",
    ]
    right, wrong = (sum(getattr(row, name) for row in rows) for name in ("checksums_right", "checksums_wrong"))
    if right or wrong:
        totals += [f"{right:,} checksums right", f"{wrong:,} wrong"]
    lines = ", ".join(f"{count:,} {kind}" for kind, count in report.lines.items())
    told = ", ".join(f"{count:,} {what}" for what, count in report.told.items())
    facts = [
        f"{report.provider}: {', '.join(totals)}; {report.first} to {report.last}.",
        f"Lines: {lines}.",
        *([f"The provider said: {told}."] if told else []),
        *report.words,
    ]
    hidden = max(0, len(rows) - ROWS_SHOWN)
    if hidden or report.left_out:
        facts.append(f"{hidden:,} more rows with --json; {report.left_out:,} records of further symbols not counted.")
    return facts
