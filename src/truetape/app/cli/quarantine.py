"""`truetape quarantine`: claims that were kept out, the evidence about them, and decisions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, Data, Json, call, err, out, run, write_json

if TYPE_CHECKING:
    import polars as pl

Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
Target = Annotated[str, typer.Argument(metavar="ID", help="Id, as the list gives it.")]
Why = Annotated[str, typer.Option("--why", help="The reason; it stands in the audit.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who decides; else your name on this machine.")]
Instrument = Annotated[str | None, typer.Option("--instrument", help="Symbols or instrument ids, comma separated.")]
ProviderName = Annotated[str | None, typer.Option("--provider", help="Whose claims.")]
State = Annotated[str | None, typer.Option("--state", help="What was decided about it.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="The most rows to print; JSON has all.")]
SHOWN: Final = 50

quarantine = typer.Typer(
    name="quarantine",
    help="List quarantined claims, look at the evidence, and accept, correct or reject them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@quarantine.command(name="list")
def list_claims(
    *,
    instrument: Instrument = None,
    provider: ProviderName = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why: hundredfold, stale, disagrees, ...")] = None,
    state: State = None,
    limit: Limit = SHOWN,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List claims that were kept out of the vote or lost it, the newest first."""
    given = {"symbols": instrument, "provider": provider, "reason": reason, "state": state}
    columns = ("id", "symbol", "ts_event", "provider", "reason", "close", "state")
    give_list("quarantine", given, columns, data=data, url=url, limit=limit, as_json=as_json)


@quarantine.command()
def show(target: Target, *, data: Data = Path("data"), url: Url = None, as_json: Json = False) -> None:
    """Show the evidence about one claim: all claims of the bar, neighbours, checks, versions, decisions."""
    give_case(target, data=data, url=url, as_json=as_json)


@quarantine.command()
def accept(
    target: Target,
    *,
    why: Why,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make the claim the golden row, whatever the vote says."""
    give_decision(target, "accept", why=why, actor=actor, data=data, url=url, as_json=as_json)


@quarantine.command()
def reject(
    target: Target,
    *,
    why: Why,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Keep the claim out for good, however often the provider makes it."""
    give_decision(target, "reject", why=why, actor=actor, data=data, url=url, as_json=as_json)


@quarantine.command()
def undo(
    target: Target,
    *,
    why: Why,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take back what was decided about the claim; history keeps both."""
    give_decision(target, "undo", why=why, actor=actor, data=data, url=url, as_json=as_json)


@quarantine.command()
def correct(  # noqa: PLR0913  one parameter for each option
    target: Target,
    *,
    why: Why,
    open_: Annotated[float | None, typer.Option("--open", help="True open, as traded; else as claimed.")] = None,
    high: Annotated[float | None, typer.Option("--high")] = None,
    low: Annotated[float | None, typer.Option("--low")] = None,
    close: Annotated[float | None, typer.Option("--close")] = None,
    volume: Annotated[float | None, typer.Option("--volume")] = None,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make golden what is true: the claim with the values that you give, as traded."""
    typed = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    values = {name: value for name, value in typed.items() if value is not None}
    give_decision(target, "correct", why=why, actor=actor, values=values, data=data, url=url, as_json=as_json)


def give_list(
    name: str,
    given: Mapping[str, str | None],
    columns: tuple[str, ...],
    *,
    data: Path,
    url: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Print the rows of the list `name`: as JSON all of them, else `columns` of the first `limit`."""
    from truetape.app import library

    def asked() -> pl.DataFrame:
        with library.open(url or data) as session:
            wanted: Any = given
            return session.quarantine(**wanted) if name == "quarantine" else session.repairs(**wanted)

    rows = call(asked, as_json=as_json)
    if as_json:
        from truetape.services.api.render import written

        typer.echo(written(rows).write_json())
        return
    for line in _lines(rows.head(limit), columns) if len(rows) else ():
        typer.echo(line)
    more = f"; the first {limit:,} are shown" if len(rows) > limit else ""
    err().print(f"{len(rows):,} in the list{more}.", markup=False)


def give_case(target: str, *, data: Path, url: str | None, as_json: bool) -> None:
    """Print the evidence about the claim or repair `target`."""
    from truetape.app import library
    from truetape.services.api.cases import ClaimCase, RepairCase
    from truetape.services.api.narrate_cases import narrate_claim, narrate_repair

    def asked() -> ClaimCase | RepairCase:
        with library.open(url or data) as session:
            return session.case(target)

    case = call(asked, as_json=as_json)
    if as_json:
        write_json(case)
    else:
        typer.echo(narrate_repair(case) if isinstance(case, RepairCase) else narrate_claim(case), nl=False)


def give_decision(
    target: str,
    action: str,
    *,
    why: str,
    actor: str | None,
    data: Path,
    url: str | None,
    as_json: bool,
    values: dict[str, float] | None = None,
) -> None:
    """Take the decision `action` about `target`, and print its id."""
    from truetape.app.desk import decide, decide_at
    from truetape.services.api.ruling import Ruling

    ruling = Ruling(action=action, why=why, actor=actor or this_user(), values=values or {})
    if url:
        taken = call(lambda: decide_at(url, target, ruling), as_json=as_json)
    else:
        file = Path(os.environ.get("TRUETAPE_CONFIG", DEFAULT_PATH))
        taken = run(decide(data, target, ruling, file=file), as_json=as_json)
    if as_json:
        write_json(taken)
    else:
        out().print(f"{taken.decision_id}: {taken.action} {taken.target}", markup=False, highlight=False)


def this_user() -> str:
    """Return the name of whoever runs the command."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _lines(rows: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Return a table of `columns`, one line for each row, as wide as it must be: a line is for a pipe too."""
    cells = [[name.replace("ts_event", "date") for name in columns]]
    cells += [[_cell(value) for value in row] for row in rows.select(columns).iter_rows()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text[:16].removesuffix(" 00:00") if text[4:5] == "-" else text
