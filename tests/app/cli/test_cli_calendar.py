"""truetape calendar and truetape correct on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["calendar", *arguments], env={"COLUMNS": "200"})


def told(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_people_see_the_usual_hours_and_what_is_special() -> None:
    """New York around its independence day: an early close and a closure, and by what it is known."""
    shown = run("xnys", "--from", "2024-07-01", "--to", "2024-07-12").stdout

    assert shown.startswith("XNYS from 2024-07-01 to 2024-07-12: 9 sessions, on the clock of America/New_York\n")
    assert "  usually 09:30 to 16:00\n" in shown
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if "2024-07-0" in line]
    assert [
        ["2024-07-03", "Wed", "other hours", "09:30", "13:00", "", ""],
        ["2024-07-04", "Thu", "closed", "", "", "", ""],
    ] == rows[1:]
    assert "2 days that are special\nby exchange_calendars " in shown


def test_hours_that_changed_stand_one_under_the_other() -> None:
    """Tokyo trades for half an hour longer since November 2024; its lunch is told too."""
    lines = run("XTKS", "--from", "2024-10-29", "--to", "2024-11-08").stdout.splitlines()

    assert [
        "  usually 09:00 to 15:00, with a break from 11:30 to 12:30 (2024-10-29 to 2024-11-01)",
        "  usually 09:00 to 15:30, with a break from 11:30 to 12:30 (2024-11-05 to 2024-11-08)",
    ] == lines[1:3]
    assert "1 day that is special" in lines


@pytest.mark.parametrize(
    ("as_of", "days", "words"),
    [
        pytest.param("2012-10-28", [29, 30, 31], None, id="nobody knew of the storm"),
        pytest.param("2012-10-29T12:00Z", [30, 31], ["Hurricane Sandy: decided late on the Sunday before"], id="one"),
        pytest.param(
            "2012-11-01",
            [31],
            ["Hurricane Sandy: decided late on the Sunday before", "Hurricane Sandy: a second day"],
            id="both days",
        ),
    ],
)
def test_a_calendar_as_it_was_expected(as_of: str, days: list[int], words: list[str] | None) -> None:
    """The closures of October 2012 come one after another, each with why."""
    found = told("XNAS", "--from", "2012-10-29", "--to", "2012-10-31", "--as-of", as_of)

    assert [f"2012-10-{day}" for day in days] == [one["session"] for one in found["sessions"]]
    assert (words or []) == [one["why"] for one in found["special"]]
    assert as_of == found["as_of"]


def test_sessions_as_json_are_instants_in_utc() -> None:
    """With lunch, and null where nobody told more."""
    found = told("XHKG", "--from", "2024-06-14", "--to", "2024-06-14")

    assert ("XHKG", "Asia/Hong_Kong", "2024-06-14", "2024-06-14") == tuple(
        found[name] for name in ("mic", "zone", "from", "to")
    )
    none = dict.fromkeys(("known", "why", "source"))
    instants = {"open": "01:30", "close": "08:00", "break_start": "04:00", "break_end": "05:00"}
    assert [
        {"session": "2024-06-14", **{name: f"2024-06-14T{at}:00Z" for name, at in instants.items()}, **none}
    ] == found["sessions"]


def test_corrections_of_ones_own_count(tmp_path: Path) -> None:
    """A file with a closure and an early close, which the table tells with their reasons."""
    file = tmp_path / "own.csv"
    file.write_text(
        "mic,session,what,close,why,source,known\n"
        "XNYS,2024-07-09,closed,,a storm,me,\n"
        "XNYS,2024-07-10,open,13:00,snow,me,2024-07-08\n"
    )

    shown = run("XNYS", "--from", "2024-07-08", "--to", "2024-07-12", "--corrections", str(file)).stdout

    assert "4 sessions" in shown
    assert "a storm" in shown
    assert "snow (known since 2024-07-09 00:00 UTC)" in shown


def test_instants_are_answered_and_one_closed_one_is_exit_code_1(tmp_path: Path) -> None:
    """Open until before the close; futures are open over midnight; nobody knows of the year 1700."""
    half_day = told("XNYS", "is-open", "2024-07-03T16:59:59Z", "2024-07-03T17:00Z", "1700-01-01")["answers"]
    assert [True, False, None] == [one["open"] for one in half_day]
    assert {
        "at": "2024-07-03T17:00:00Z",
        "open": False,
        "session": None,
        "previous": "2024-07-03",
        "next": "2024-07-05",
    } == half_day[1]
    instants = tmp_path / "instants.txt"
    instants.write_text("2024-07-01T23:00Z\n\n2024-07-06T12:00Z\n")
    night = told("CMES", "is-open", f"@{instants}")["answers"]
    assert [(True, "2024-07-02"), (False, None)] == [(one["open"], one["session"]) for one in night]

    closed, open_ = (run("XNYS", "is-open", f"2024-07-03T{hour}:00Z") for hour in (18, 15))
    assert (1, 0) == (closed.exit_code, open_.exit_code)
    assert "closed" in closed.stdout
    assert run("24/7", "is-open", "now").exit_code == 0


def test_bars_to_be_expected() -> None:
    """Half a day of New York has four bars of an hour, the last half an hour long; none is expected on the holiday."""
    found = told("XNYS", "bars", "2024-07-03", "2024-07-05", "--timeframe", "1h")

    assert 4 == found["count"]
    assert [f"2024-07-03T{hour}:30:00Z" for hour in (13, 14, 15, 16)] == found["ts_event"]
    shown = run("24-7", "bars", "2024-07-03", "2024-07-05", "--timeframe", "1h").stdout
    assert "24-7: 48 bars of 1h, from 2024-07-03T00:00:00Z to 2024-07-04T23:00:00Z\n" == shown
    assert "XNYS: 0 bars of 1d\n" == run("XNYS", "bars", "2024-07-06", "2024-07-07").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["NOPE"], "mic was 'NOPE'. No calendar is known for this MIC."),
        (["XNYS", "--from", "2024-07-02", "--to", "2024-07-01"], "It is later than --to, which was 2024-07-01."),
        (["XTKS", "--from", "1980-01-01", "--to", "1980-01-02"], "The calendar of XTKS reaches from 1997-01-01"),
        (["XNYS", "is-closed", "now"], "The question was 'is-closed'. Ask is-open or bars, or nothing."),
        (["XNYS", "is-open"], "Name instants such as 2024-07-03T17:30Z, or `now`."),
        (["XNYS", "is-open", "2024-07-03T17:30"], "The zone is missing."),
        (["XNYS", "bars", "2024-07-03"], "Write two instants: the first inclusive, the last exclusive."),
        (["XNYS", "bars", "2024-07-03", "2024-07-04", "--timeframe", "7m"], "timeframe was '7m'. Write one of 1m"),
        (["XNYS", "--corrections", "none.csv"], "none.csv"),
    ],
)
def test_what_is_refused_on_calendars(arguments: list[str], words: str) -> None:
    """In one sentence, with exit code 2."""
    result = run(*arguments)

    assert 2 == result.exit_code
    assert words in result.stderr.replace("\n", " ")


def test_a_platform_keeps_what_it_is_told_and_tells_it(tmp_path: Path) -> None:
    """A folder of the demo's kind is corrected by a command; what it keeps is asked with --data."""
    import asyncio

    from truetape.app.run import Platform
    from truetape.app.settings import Settings
    from truetape.domain.messages import DeclaredListing

    async def declare() -> None:
        from datetime import date

        listing = DeclaredListing(symbol="A", mic="XNAS")
        settings = Settings(
            data=tmp_path / "data", start=date(2024, 6, 3), end=date(2024, 6, 14), instruments=(listing,)
        )
        async with Platform(settings, command="test") as platform:
            await platform.recover()
            await platform.declare()

    asyncio.run(declare())
    data = ("--data", str(tmp_path / "data"))
    words = ["correct", "XNAS", "2024-06-11", "closed", "--why", "a storm", "--source", "me", *data]

    said = CliRunner().invoke(app, words)
    assert said.stdout.startswith("XNAS on 2024-06-11: closed, known since 2")
    shown = run("XNAS", "--from", "2024-06-03", "--to", "2024-06-14", *data)
    assert "XNAS from 2024-06-03 to 2024-06-14: 9 sessions" in shown.stdout
    assert "2024-06-11" in shown.stdout
    gone = run("XTKS", *data)
    assert "under [calendars]. Kept: XNAS." in gone.stderr.replace("\n", " ")
    assert 2 == run("XNAS", "--from", "2019-01-01", "--to", "2019-02-01", *data).exit_code
    assert 2 == run("XNAS", "--from", "0001-01-01", "--to", "9999-12-31", "--as-of", "2000-01-01", *data).exit_code
