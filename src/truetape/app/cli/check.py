"""truetape check: what is wrong with a file of prices, without server or configuration."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from truetape.app.cli.terminal import FINDINGS, Json, out, refuse, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from truetape.app.plain_files import Checked

DAY_WIDTH: Final = 10
INSTANT_WIDTH: Final = 16
SHOWN: Final = 3  # findings of one check in the table; the rest is counted
COLOURS: Final = {"error": "bold red", "warning": "yellow", "note": "dim"}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: `place` and `date` as in the file, `column` by the file's own header."""

    severity: str
    check: str
    symbol: str
    place: str
    date: str
    column: str | None
    value: float | None
    expected: tuple[float | None, float | None]  # least and greatest, inclusive; null: there is no such bound
    explanation: str
    repair: str | None  # what is suggested
    repair_value: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a file."""

    file: str
    rows: int
    timeframe: str
    first: str
    last: str
    counts: dict[str, int]  # by severity
    findings: tuple[Found, ...]


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or Parquet with a date and a close at least.")],
    *,
    timeframe: Annotated[str | None, typer.Option(metavar="T", help="1m to 1mo; told by the rows if absent.")] = None,
    venue: Annotated[
        str | None, typer.Option(metavar="MIC", help="Where it trades: the bars must keep its calendar.")
    ] = None,
    currency: Annotated[str | None, typer.Option(metavar="C", help="Its currency, if you know.")] = None,
    checks: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Checks of your own, in .py files.")] = None,
    as_json: Json = False,
) -> None:
    """List what is wrong with a file of prices.

    Columns are recognized by their names, the timeframe and the price
    increment by the rows. Exit code 0: no errors, though there may be
    warnings and notes; 1: errors were found; 2: the file was not readable.
    """
    try:
        found = _checked(file, checks, timeframe=timeframe, venue=venue, currency=currency)
    except BadInput as error:
        refuse(error, as_json=as_json)
    told = report(file, found)
    if as_json:
        write_json(told)
    else:
        _tell(told)
    if told.counts["error"]:
        raise typer.Exit(FINDINGS)


def _checked(
    file: str, folder: Path | None, *, timeframe: str | None, venue: str | None, currency: str | None
) -> Checked:
    from truetape.app import plain_files
    from truetape.app.user_checks import user_checks

    own = user_checks(folder)
    return plain_files.checked(
        plain_files.read_sheet(file),
        timeframe=timeframe,
        venue=venue,
        currency=currency,
        now=time.time_ns(),
        user_checks=own,
    )


def report(file: str, found: Checked) -> Report:
    """Return what was found in `file` as it is told."""
    counts = dict(found.findings.group_by("severity").len().iter_rows())
    return Report(
        file=file,
        rows=found.rows,
        timeframe=found.timeframe,
        first=found.first,
        last=found.last,
        counts={severity: counts.get(severity, 0) for severity in COLOURS},
        findings=tuple(_found(row) for row in found.findings.iter_rows(named=True)),
    )


def _found(row: dict[str, Any]) -> Found:
    return Found(
        severity=row["severity"],
        check=row["check"],
        symbol=row["instrument_id"],
        place=row["place"],
        date=row["date"],
        column=row["field"],
        value=row["value"],
        expected=(row["expected_low"], row["expected_high"]),
        explanation=row["explanation"],
        repair=row["repair"],
        repair_value=row["repair_value"],
    )


def _tell(told: Report) -> None:
    if told.findings:
        out().print(_table(told))
    counts = ", ".join(f"{count} {severity}{'s' * (count != 1)}" for severity, count in told.counts.items())
    typer.echo(f"{counts} in {told.rows} bars of {told.timeframe} from {told.first} to {told.last}: {told.file}")


def _table(told: Report) -> Any:
    from rich.table import Table

    symbols = len({one.symbol for one in told.findings}) > 1
    table = Table(header_style="dim")
    for name in ("", "check", *(["symbol"] if symbols else []), "where", "date"):
        table.add_column(name, no_wrap=True)
    table.add_column("what", overflow="fold")
    width = DAY_WIDTH if told.timeframe in ("1d", "1w", "1mo") else INSTANT_WIDTH
    for same in _groups(told.findings):
        for one in same[:SHOWN]:
            symbol = [one.symbol] if symbols else []
            table.add_row(
                one.severity,
                one.check,
                *symbol,
                one.place,
                one.date[:width],
                one.explanation,
                style=COLOURS[one.severity],
            )
        if len(same) > SHOWN:
            blank = ["", ""] if symbols else [""]
            table.add_row(
                "", same[0].check, *blank, "", f"and {len(same) - SHOWN} more of these", style=COLOURS[same[0].severity]
            )
    return table


def _groups(findings: tuple[Found, ...]) -> list[list[Found]]:
    """Return `findings` by check, the checks in the order of their first."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in findings:
        groups.setdefault((one.severity, one.check), []).append(one)
    return list(groups.values())
