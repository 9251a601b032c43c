"""Kill -9 at any moment while a stream is heard: nothing that was journalled is lost, and no trade is there twice."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from pathlib import Path

import polars as pl
import pytest
from listen_job import listen, listening
from store_contents import contents

from lengths import usually
from small_platform import tape
from truetape.adapters.data_folder import ARCHIVE
from truetape.adapters.file_archive import FileArchive
from truetape.app.run import Platform, replay
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read
from truetape.domain.captures import heard
from truetape.domain.messages import StreamCaptured
from truetape.domain.ticks import Trade
from truetape.providers.alpaca.feed import make

CHAINS, KILLS = usually(1, long=10), 4
SEGMENT = b"StreamCaptured"
LONGEST_S = 30.0
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["listen_job", "warm_forks"])
VALUES = ["instrument_id", "timeframe", "ts_event", "open", "high", "low", "close", "volume", "flags"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(CHAINS))
async def test_a_stream_survives_kills(seed: int, tmp_path: Path) -> None:
    """Four kills at seeded moments; then what is stored is what the archive holds, once, and a replay says the same."""
    moments = random.Random(seed)
    data = tmp_path / "live" / "data"
    sandbox = Sandbox(read(tape(tmp_path)), speed=1500.0)
    url = await sandbox.start()
    listening(data, url)
    try:
        for number in range(KILLS):
            process = FORKS.Process(target=listen, args=(data, url))
            process.start()
            if number:  # the first one may be killed before it hears anything
                await _heard_more(data)
            await asyncio.sleep(moments.uniform(0.0, 1.0))
            process.kill()
            await asyncio.to_thread(process.join)
        async with Platform(listening(data, url), command="truetape up") as platform:
            await platform.recover()
            await platform.declare()
            await platform.settle()
    finally:
        await sandbox.stop()
    stored = contents(data)
    trades = stored["trades"]

    assert len(trades) > 100
    assert sorted(archived(data)) == sorted(trades.select("instrument_id", "trade_id").iter_rows())
    await replay(data, tmp_path / "again")
    again = contents(tmp_path / "again")
    assert trades.equals(again["trades"])
    minutes = [one["bars"].filter(pl.col("timeframe") == "1m").select(VALUES) for one in (stored, again)]
    assert minutes[0].equals(minutes[1])
    assert len(minutes[0]) > 10


async def _heard_more(data: Path) -> None:
    """Return when another segment of the stream is in the journal."""
    journal = data / ARCHIVE / "journal.jsonl"
    before = journal.read_bytes().count(SEGMENT) if journal.exists() else 0
    async with asyncio.timeout(LONGEST_S):
        while not journal.exists() or journal.read_bytes().count(SEGMENT) == before:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.1)


def archived(data: Path) -> set[tuple[str, str]]:
    """Return the instruments and ids of the trades in the archive's segments that the journal names."""
    archive = FileArchive(data / ARCHIVE, read_only=True)
    feed, found = make(), set()
    for segment in (entry for entry in archive.journal() if isinstance(entry, StreamCaptured)):
        ticks = [tick for line in heard(archive.get(segment.key)) for tick in feed.receive(line.frame, line.ts_known)]
        found |= {(segment.instruments[tick.symbol], tick.trade_id) for tick in ticks if isinstance(tick, Trade)}
    return found
