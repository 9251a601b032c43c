"""The whole platform hears a stream of the sandbox: stored minutes equal history, also when it is played again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from small_platform import DAYS, declared_settings, tape
from truetape.adapters.data_folder import ARCHIVE
from truetape.adapters.file_archive import FileArchive
from truetape.app.run import Platform, replay
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import Dataset, read
from truetape.app.sandbox.intraday import minutes
from truetape.app.settings import ProviderSettings, Settings
from truetape.app.stream_replay import replay as replay_stream
from truetape.domain.messages import StreamCaptured
from truetape.ports.store import Selection

VALUES = ["instrument_id", "ts_event", "open", "high", "low", "close", "volume"]
MINUTES = Selection(equal={"timeframe": ("1m",)})


def listening(dataset: Path, data: Path, url: str) -> Settings:
    given = {
        "providers": {"alpaca": ProviderSettings(base_url=f"{url}/alpaca", key="sandbox", secret="sandbox")},
        "streams": {"alpaca": ("trades",)},
    }
    return msgspec.structs.replace(declared_settings(data, sandbox_url=url), **given)


def truth(dataset: Dataset, platform_listings: dict[str, str]) -> pl.DataFrame:
    """Return the minutes of the last day of both listings, as the sandbox's history has them."""
    parts = [
        minutes(dataset.series[symbol].bars.filter(pl.col("ts_event").dt.date() == DAYS[-1])).with_columns(
            pl.lit(instrument).alias("instrument_id")
        )
        for symbol, instrument in platform_listings.items()
    ]
    return pl.concat(parts).select(VALUES).sort("instrument_id", "ts_event")


async def hear(platform: Platform, enough: Callable[[], Any]) -> None:
    """Listen until it is enough, and stop as a platform that is stopped does."""
    work = asyncio.create_task(platform.rooms.ingestion.listen())
    async with asyncio.timeout(30):
        while not await enough():  # noqa: ASYNC110  the store has no event for this
            await asyncio.sleep(0.05)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    await platform.parts.bus.drain()


async def stored(platform: Platform, table: str, selection: Selection = Selection()) -> pl.DataFrame:
    return await platform.parts.store.read(table, selection)


async def started(settings: Settings, stack: contextlib.AsyncExitStack) -> Platform:
    platform = await stack.enter_async_context(Platform(settings, command="truetape up"))
    await platform.recover()
    await platform.declare()
    return platform


async def test_minutes_of_a_stream_equal_history(tmp_path: Path) -> None:
    """Trades come over a socket, are archived and become bars; a second process goes on; a replay has the same rows."""
    dataset = read(tape(tmp_path))
    sandbox = Sandbox(dataset, speed=4000.0)
    url = await sandbox.start()
    data = tmp_path / "live" / "data"
    settings = listening(tmp_path, data, url)
    try:
        async with contextlib.AsyncExitStack() as stack:
            platform = await started(settings, stack)
            await hear(platform, lambda: _count(platform, "trades", 1000))
            first = len(await stored(platform, "trades"))
        async with contextlib.AsyncExitStack() as stack:
            platform = await started(settings, stack)
            await hear(platform, lambda: _count(platform, "bars", 600))
            trades, bars = await stored(platform, "trades"), await stored(platform, "bars", MINUTES)
            listings = await stored(platform, "listings")
            tally = platform.rooms.ingestion.live.tally["alpaca"]
    finally:
        await sandbox.stop()

    assert first > 0
    assert trades.select("instrument_id", "trade_id").n_unique() == len(trades)
    history = truth(dataset, dict(listings.select("symbol", "instrument_id").iter_rows()))
    whole = _heard_whole(trades, history)
    found = bars.join(whole, on=["instrument_id", "ts_event"], how="semi").select(VALUES)
    assert len(found) > 300
    assert found.equals(history.join(found, on=["instrument_id", "ts_event"], how="semi"))
    assert (tally.connected, tally.segments > 0) == (1, True)
    await _replayed_alike(tmp_path, data, trades, bars)


async def _count(platform: Platform, table: str, least: int) -> bool:
    selection = MINUTES if table == "bars" else Selection()
    return len(await stored(platform, table, selection)) >= least


def _heard_whole(trades: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Return the minutes of which every share was heard: nobody listened between the two processes."""
    heard = trades.with_columns(pl.col("ts_event").dt.truncate("1m")).group_by("instrument_id", "ts_event")
    volumes = heard.agg(pl.col("size").sum().alias("heard"))
    return history.join(volumes, on=["instrument_id", "ts_event"]).filter(pl.col("heard") == pl.col("volume"))


async def _replayed_alike(tmp_path: Path, data: Path, trades: pl.DataFrame, bars: pl.DataFrame) -> None:
    """Hold that the archive gives the same rows again, and that its segments are captures."""
    report = await replay(data, tmp_path / "again")
    assert (0, 0) == (report.rejected, report.buried)
    settings = Settings(data=tmp_path / "again", simulated=True, start=DAYS[0], end=DAYS[-1])
    async with Platform(settings, command="look") as platform:
        assert trades.equals(await stored(platform, "trades"))
        again = await stored(platform, "bars", MINUTES)
    assert bars.drop("version").equals(again.drop("version"))
    archive = FileArchive(data / ARCHIVE, read_only=True)
    segments = [entry for entry in archive.journal() if isinstance(entry, StreamCaptured) and entry.frames]
    path = tmp_path / "segment.txt"
    path.write_bytes(b"".join(archive.get(entry.key) for entry in segments))
    rows = replay_stream([str(path)], provider="alpaca").rows
    assert len(trades) == sum(row.records for row in rows if row.channel == "trades")
