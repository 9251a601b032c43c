"""Corrections of calendars on a running platform: by HTTP, by command and by file, and told again by a replay."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from structlog.testing import capture_logs

import truetape as tt
from truetape.app.calendar_settings import Calendars
from truetape.app.correcting import correct, correct_here
from truetape.app.library_remote import RemoteSource
from truetape.app.run import Platform, replay
from truetape.app.settings import Settings
from truetape.domain.errors import BadInput
from truetape.domain.messages import DeclaredListing
from truetape.ports.store import Selection
from truetape.services.api.calendars import Corrected, NewCorrection

TUESDAY, WEDNESDAY = date(2024, 6, 11), date(2024, 6, 12)
STORM = NewCorrection(session="2024-06-11", what="closed", why="a storm", source="notice")
EARLY = NewCorrection(
    session="2024-06-12", what="open", close="13:00", why="a parade", source="notice", known="2024-06-01"
)
HEADER = "mic,session,what,close,known,why,source\n"


def settings(data: Path, *, corrections: str = "") -> Settings:
    return Settings(
        data=data,
        start=date(2024, 6, 3),
        end=date(2024, 6, 14),
        port=0,
        instruments=(DeclaredListing(symbol="AAPL", mic="XNAS"),),
        calendars=Calendars(corrections=corrections),
    )


async def test_a_running_platform_takes_corrections_and_a_replay_tells_them_again(tmp_path: Path) -> None:
    """A closure by HTTP and an early close by command stand in the calendar, with why; another store gets the same."""
    data = tmp_path / "data"
    async with Platform(settings(data), command="test") as platform:
        url = await platform.serve()
        await platform.recover()
        await platform.declare()
        before = await asyncio.to_thread(calendar_of, url)
        told = await asyncio.to_thread(corrected_at, url)
        again = await correct(data, "XNAS", EARLY)
        found = await asyncio.to_thread(calendar_of, url)
        with pytest.raises(BadInput, match="close"):
            await correct(data, "XNAS", msgspec.structs.replace(STORM, close="13:00"))
    await replay(data, tmp_path / "again")

    assert ("XNAS", "2024-06-11", "closed") == (told.mic, told.session, told.what)
    assert "2024-06-02T00:00:00Z" == again.known
    assert (10, 9) == (len(before), len(found))
    assert TUESDAY not in found["session"]
    (early,) = found.filter(found["why"].is_not_null()).to_dicts()
    assert (WEDNESDAY, "2024-06-12 17:00", "a parade") == (
        early["session"],
        f"{early['close']:%Y-%m-%d %H:%M}",
        early["why"],
    )
    assert {*found["zone"]} == {"America/New_York"}
    assert found.equals(calendar_of(tmp_path / "again"))


async def test_the_operators_file_is_told_once_and_read_again_while_it_runs(tmp_path: Path) -> None:
    """What is added to it later counts too; if it cannot be read then, the platform says so and goes on."""
    file = tmp_path / "own.csv"
    file.write_text(HEADER + "XNYS,2024-06-11,closed,,2024-06-01,a storm,notice\n")
    async with Platform(settings(tmp_path / "data", corrections=str(file)), command="test") as platform:
        await platform.recover()
        await platform.declare()
        first = platform.parts.store.version()
        await platform.declare()
        assert first == platform.parts.store.version()
        file.write_text(file.read_text() + "XNYS,2024-06-12,closed,,,a parade,notice\n")
        await platform.declare()
        file.write_text(HEADER + "XNYS,2024-06-12,holiday,,,,\n")
        with capture_logs() as logs:
            await platform.declare()
        sessions = (await platform.parts.store.read("sessions"))["session"].to_list()

    assert [TUESDAY, WEDNESDAY] == [day for day in (TUESDAY, WEDNESDAY) if day not in sessions]
    (warning,) = [log for log in logs if log["event"] == "calendars.corrections_unreadable"]
    assert "own.csv, line 2, what was 'holiday'" in warning["reason"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(
            "XNYS,2024-06-11,closed,,2199-01-01,w,s", "known of XNYS on 2024-06-11 was .*lies ahead", id="ahead"
        ),
        pytest.param("NOPE,2024-06-11,closed,,,w,s", "mic was 'NOPE'", id="an unknown venue"),
    ],
)
async def test_a_file_that_cannot_be_is_refused_at_the_start(tmp_path: Path, line: str, words: str) -> None:
    """Nothing is told of it, and the error names the line's value."""
    file = tmp_path / "own.csv"
    file.write_text(HEADER + line + "\n")
    async with Platform(settings(tmp_path / "data", corrections=str(file)), command="test") as platform:
        with pytest.raises(BadInput, match=words):
            await platform.declare()


async def test_without_a_running_platform_the_command_writes_itself(tmp_path: Path) -> None:
    """A data folder that nobody owns is opened for it, also of a venue that nobody trades on yet."""
    data = tmp_path / "data"
    async with Platform(settings(data), command="test"):
        pass

    told = await correct(data, "24-7", STORM)

    assert ("24-7", "closed") == (told.mic, told.what)


async def test_a_platform_without_an_end_keeps_the_sessions_to_come(tmp_path: Path) -> None:
    """Until the end of next year, of venues without instruments too; a closure that lies ahead is known before."""
    today = datetime.now(UTC).date()
    kept = Calendars(venues=("XTKS",))
    own = msgspec.structs.replace(settings(tmp_path / "data"), start=date(today.year, 1, 1), end=None, calendars=kept)
    async with Platform(own, command="test") as platform:
        await platform.recover()
        await platform.declare()
        store = platform.parts.store
        before = await store.read("sessions", Selection(start=today + timedelta(days=1)))
        ahead = before.filter(pl.col("mic") == "XTKS")["session"][5]
        await correct_here(platform, "XTKS", msgspec.structs.replace(STORM, session=str(ahead)))
        after = await store.read("sessions", Selection(equal={"mic": ("XTKS",)}, start=ahead, end=ahead))

    assert {"XNAS", "XTKS"} == {*before["mic"]}
    assert today.year + 1 == before["session"].max().year  # type: ignore[union-attr]
    assert after.is_empty()


def corrected_at(url: str) -> Corrected:
    with closing(RemoteSource(url)) as server:
        return server.correct("xnas", STORM)


def calendar_of(where: str | Path) -> pl.DataFrame:
    with tt.open(where) as session:
        return session.calendar("XNAS")
