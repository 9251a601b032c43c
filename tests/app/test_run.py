"""The platform in one process: started, stopped, replayed, and kept going where nobody answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp
import msgspec
import pytest

from small_platform import SESSIONS, acquired, declared_settings
from truetape.adapters.data_folder import ARCHIVE, DataFolder, read_owner
from truetape.adapters.file_archive import FileArchive
from truetape.app.run import Platform, last_full_day, replay, up
from truetape.app.settings import ProviderSettings, Settings
from truetape.domain.errors import BadInput, CorruptArchive, FolderInUse, PortInUse, WrongFolder
from truetape.domain.messages import BatchGraded, InstrumentsDeclared, RawCaptured, RoundClosed
from truetape.ports.archive import Attempted

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(acquired(tmp_path_factory.mktemp("run") / "data"))


def lonely(data: Path, **more: object) -> Settings:
    """Settings whose two providers nobody answers for."""
    given = {
        "data": data,
        "port": 0,
        "simulated": False,
        "providers": {
            "yahoo": ProviderSettings(base_url=NOBODY),
            "finnhub": ProviderSettings(base_url=NOBODY, key="k3y", plan="market_data"),
        },
        "attempts": 1,
        "refresh_s": 0.2,
        **more,
    }
    return msgspec.structs.replace(declared_settings(data, sandbox_url=NOBODY), **given)


def entries(data: Path, kind: type[object]) -> list[object]:
    return [one for one in FileArchive(data / ARCHIVE, read_only=True).journal() if isinstance(one, kind)]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2024, 3, 1, 0, 0, tzinfo=UTC), date(2024, 2, 29)),
        (datetime(2024, 3, 1, 23, 59, 59, tzinfo=UTC), date(2024, 2, 29)),
        (datetime(2024, 3, 2, 0, 0, tzinfo=UTC), date(2024, 3, 1)),
    ],
)
def test_the_last_full_day(moment: datetime, day: date) -> None:
    """The day before the present one in UTC has ended everywhere."""
    assert day == last_full_day(int(moment.timestamp()) * 10**9)


async def test_what_was_acquired(folder: Path) -> None:
    """Every session of both listings is golden, agreed on by all, and one declaration is in the journal."""
    async with Platform(declared_settings(folder, sandbox_url=NOBODY), command="test") as platform:
        bars = await platform.parts.store.read("bars")

    assert 2 * SESSIONS == len(bars)
    assert {"consensus"} == set(bars["method"])
    assert 1 == len(entries(folder, InstrumentsDeclared))


async def test_the_same_declaration_is_recorded_once(folder: Path) -> None:
    """A second start with the same settings plans nothing, asks nobody, and records nothing."""
    before = list(FileArchive(folder / ARCHIVE, read_only=True).journal())
    async with Platform(declared_settings(folder, sandbox_url=NOBODY), command="test") as platform:
        await platform.recover()
        not_yet = platform.readiness()
        await platform.declare()
        await platform.acquire()
        ready = platform.readiness()
        planned = platform.rooms.ingestion.tally.rounds_planned

    assert ({"start": "the rooms are still planning"}, {}, 0) == (not_yet, ready, planned)
    assert before == list(FileArchive(folder / ARCHIVE, read_only=True).journal())


async def test_other_settings_are_declared(tmp_path: Path) -> None:
    """Settings that changed are recorded beside the former ones; without an end the last full day is it."""
    today = date.min
    for end in (date(2012, 3, 1), None):
        async with Platform(lonely(tmp_path, end=end), command="test") as platform:
            await platform.recover()
            await platform.declare()
            today = last_full_day(platform.parts.clock.now_ns())

    ends = [one.end for one in entries(tmp_path, InstrumentsDeclared) if isinstance(one, InstrumentsDeclared)]
    assert [date(2012, 3, 1), today] == ends


async def test_readiness_names_what_is_wrong(tmp_path: Path) -> None:
    """A provider that has not delivered is named with its words, and so are messages that could not be handled."""
    async with Platform(lonely(tmp_path), command="test") as platform:
        await platform.recover()
        await platform.declare()
        await platform.acquire()
        batch = BatchGraded(
            kind="bars",
            round_id="rnd_1",
            instrument_id="ins_1",
            timeframe="1d",
            start=date(2012, 1, 2),
            end=date(2012, 1, 2),
            ts_known=1,
            providers=(),
            golden=b"no frame",
            quarantined=b"",
            findings=b"",
        )
        await platform.parts.bus.publish(batch)
        await platform.settle()
        found = platform.readiness()

    assert {"provider yahoo", "provider finnhub", "dead letters"} == set(found)
    assert "127.0.0.1:9" in found["provider yahoo"]
    assert "1 messages could not be handled" == found["dead letters"]


async def test_a_folder_is_free_again_where_its_store_cannot_be_opened(tmp_path: Path) -> None:
    """A start that is refused leaves no lock behind."""
    DataFolder.open(tmp_path, simulated=False).close()
    (tmp_path / "truetape.duckdb").write_bytes(b"no database" * 1000)

    with pytest.raises(WrongFolder, match="truetape replay"):
        await Platform(lonely(tmp_path), command="test").__aenter__()

    assert read_owner(tmp_path) is None


async def answers(address: str, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(address + path) as answer:
        return answer.status, await answer.text()


async def while_up(
    settings: Settings, look: Callable[[Platform, list[str]], Awaitable[None]], *, troubles: int = 2
) -> list[str]:
    """Run `up`, let `look` at it once so many troubles were told, stop it, and return what was told."""
    told: list[str] = []
    started: list[Platform] = []
    running = asyncio.create_task(up(settings, on_start=started.append, on_trouble=told.append))
    try:
        async with asyncio.timeout(20):
            while len(told) < troubles:  # noqa: ASYNC110 - what is told has no event
                await asyncio.sleep(0.02)
            await look(started[0], told)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    return told


async def test_up_without_a_network(tmp_path: Path) -> None:
    """It says which provider failed how, serves on, tries again, and gives the folder back when it is stopped."""

    async def look(platform: Platform, _: list[str]) -> None:
        rounds = platform.rooms.ingestion.tally.rounds_planned
        while platform.rooms.ingestion.tally.rounds_unanswered < 2 * rounds:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
        assert 200 == (await answers(platform.address, "/healthz"))[0]
        status, text = await answers(platform.address, "/v1/instruments")
        assert ({"AAA", "BBB"}, 200) == ({one["symbol"] for one in json.loads(text)["instruments"]}, status)
        status, text = await answers(platform.address, "/readyz")
        assert (200, "degraded") == (status, json.loads(text)["status"])
        assert {"provider yahoo", "provider finnhub"} == set(json.loads(text)["troubles"])

    told = await while_up(lonely(tmp_path), look)

    assert ["finnhub", "yahoo"] == sorted(words.partition(" failed: ")[0] for words in told)
    assert all("127.0.0.1:9" in words for words in told)
    assert all(words.endswith("It is asked again later; what is stored stays available.") for words in told)
    assert "k3y" not in (tmp_path / "truetape.log").read_text() + str(entries(tmp_path, Attempted)) + str(told)
    assert read_owner(tmp_path) is None


async def test_up_outlives_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    """Where nothing can be recorded, the platform says so once, serves on, and waits."""
    log = tmp_path / "truetape.log"

    async def look(platform: Platform, told: list[str]) -> None:
        platform.settings = msgspec.structs.replace(platform.settings, start=date(2012, 1, 4))
        platform.parts.archive.close()
        while "platform.waiting" not in log.read_text() or not any(  # noqa: ASYNC110 - as above
            "Make room" in words for words in told
        ):
            await asyncio.sleep(0.02)
        assert 200 == (await answers(platform.address, "/healthz"))[0]
        assert "ingestion" in platform.readiness()

    told = await while_up(lonely(tmp_path), look)

    reason = f"The store at {tmp_path / 'archive' / 'journal.jsonl'} could not be used: it is not open for writing."
    wanted = f"{reason} Make room on the disk; work waits, goes on by itself, and loses nothing."
    assert [wanted] == [words for words in told if "Make room" in words]


async def test_up_on_a_busy_port(tmp_path: Path) -> None:
    """A port that is taken is refused before anything is asked, and the folder is free again."""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port}"):
            await up(lonely(tmp_path, port=port))

    assert ([], None) == (entries(tmp_path, InstrumentsDeclared), read_owner(tmp_path))


async def test_one_process_for_one_folder(tmp_path: Path) -> None:
    """A second platform on a folder is refused with the name of the first."""
    async with Platform(lonely(tmp_path), command="truetape up"):
        with pytest.raises(FolderInUse, match=r"truetape up"):
            await Platform(lonely(tmp_path), command="truetape demo").__aenter__()


async def test_live_data_stay_out_of_simulated_ones(folder: Path) -> None:
    """A platform on live providers refuses a folder of simulated data."""
    with pytest.raises(WrongFolder, match="simulated"):
        await up(lonely(folder))


async def test_replay(folder: Path, tmp_path: Path) -> None:
    """Every entry is told again in its order; the rows, the journal and the payloads come out the same."""
    steps: list[int] = []
    report = await replay(folder, tmp_path / "again", on_progress=steps.append)
    before, after = (FileArchive(one / ARCHIVE, read_only=True) for one in (folder, tmp_path / "again"))
    recorded = list(before.journal())

    assert recorded == list(after.journal())
    assert [] == list(after.scrub())
    assert (8, 2, 0, 0) == (report.captures, report.rounds, report.rejected, report.buried)
    assert [number for number, one in enumerate(recorded, 1) if not isinstance(one, Attempted)] == steps
    assert {RawCaptured, RoundClosed, InstrumentsDeclared, Attempted} == {type(one) for one in recorded}
    found = []
    for data in (folder, tmp_path / "again"):
        async with Platform(declared_settings(data, sandbox_url=NOBODY), command="test") as platform:
            found.append({name: await platform.parts.store.read(name) for name in ("bars", "actions", "factors")})
    assert all(frame.equals(found[1][name]) for name, frame in found[0].items())


async def test_what_replay_refuses(folder: Path, tmp_path: Path) -> None:
    """Neither a folder without an archive, nor a target with something in it, nor a file as target."""
    (tmp_path / "file").write_text("mine")
    for source, target, words in (
        (tmp_path, tmp_path / "new", "--data was .* It is no data folder"),
        (folder, tmp_path, "--into was .* The folder is not empty"),
        (folder, tmp_path / "file", "--into was .* It is no folder"),
    ):
        with pytest.raises(BadInput, match=words):
            await replay(source, target)

    assert not (tmp_path / "new").exists()


@pytest.fixture
def damaged(folder: Path, tmp_path: Path) -> Path:
    """A payload whose last byte is missing, in a copy of the folder."""
    shutil.copytree(folder, tmp_path / "copy")
    payload = next((tmp_path / "copy" / ARCHIVE / "payloads").glob("*/*.zst"))
    payload.write_bytes(payload.read_bytes()[:-1])
    return payload


async def test_replay_of_a_damaged_payload(damaged: Path, tmp_path: Path) -> None:
    """A payload that is not what was put ends the replay with the file's name, and frees the target."""

    with pytest.raises(CorruptArchive, match=damaged.name):
        await replay(tmp_path / "copy", tmp_path / "again")

    assert read_owner(tmp_path / "again") is None
