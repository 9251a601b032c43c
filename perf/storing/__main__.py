"""Measure how bars are kept, beside peers: `python -m perf.storing --bars 1000000` for a quick look."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from perf.__main__ import table
from perf.measure import Figure, figure, keep, sheet
from perf.storing import asking, questdb, writing
from perf.storing.filling import Say, fill, opened
from perf.storing.market import MINUTES, Market
from perf.storing.peers import Arctic, Peer, arrival, parquet
from perf.storing.warm import warm_bytes
from truetape.adapters.read_segments import SegmentedStore, held
from truetape.app.segments import SEGMENTS, name_of

DAYS = 2_500
MINUTE_DAYS = 60
MANY_DAYS = 10
ARCTIC_SYMBOLS = 300


def main(words: list[str]) -> int:
    """Fill stores of the sizes asked for, measure, keep and print; return 1 if a bar falls short."""
    asked = _arguments(words)
    console = Console()
    begun = time.monotonic()
    figures: list[Figure] = []
    with console.status("beginning") as status:

        def say(words: str) -> None:
            status.update(f"{time.monotonic() - begun:.0f} s: {words}")

        with tempfile.TemporaryDirectory(dir=asked.folder, ignore_cleanup_errors=True) as folder:
            for one in _measured(Path(folder), asked, say):
                said = f"{one.name}: {one.ours:,.4g} {one.unit}, {one.ratio} of {one.peer_name}"
                console.print(said, highlight=False)
                figures.append(one)
    keep(sheet("storing", figures))
    console.print(table(list(figures)))
    console.print(f"{time.monotonic() - begun:.0f} s", highlight=False)
    return 0 if all(one.holds for one in figures) else 1


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-store", description=__doc__)
    parser.add_argument("--bars", type=int, default=25_000_000, help="daily bars, of 2,500 days")
    parser.add_argument("--minutes", type=int, default=50_000_000, help="minute bars, of 60 days; 0 for none")
    parser.add_argument("--many", type=int, default=1_000_000, help="instruments of the large market; 0 for none")
    parser.add_argument("--folder", default=os.environ.get("TMPDIR", "/tmp"), help="where 40 GB are free")
    return parser.parse_args(words)


def _measured(folder: Path, asked: argparse.Namespace, say: Say) -> Iterator[Figure]:
    daily = Market(max(1, asked.bars // DAYS), DAYS)
    minutes = Market(max(1, asked.minutes // MINUTE_DAYS // MINUTES), MINUTE_DAYS, "1m") if asked.minutes else None
    fill(folder / "data", [daily, *([minutes] if minutes else [])], say=say)
    yield from _reading(folder, daily, say)
    if minutes:
        yield from _minutes(folder, minutes, say)
    yield from _room(folder, daily)
    say("sixteen clients")
    yield writing.mixed_load(folder / "data", daily)
    say("commits beside raw inserts")
    yield writing.versioned_write(folder / "data", daily, folder / "scratch.duckdb")
    if asked.many:
        yield from _many(folder, Market(asked.many, MANY_DAYS), daily, say)


def _reading(folder: Path, market: Market, say: Say) -> Iterator[Figure]:
    path = folder / "data" / "truetape.duckdb"
    arrived = folder / f"arrival_{market.timeframe}.duckdb"
    arrival(path, arrived, market, say=say)
    say("Parquet files")
    parquet(path, folder / f"by_instrument_{market.timeframe}.parquet", market.timeframe)
    parquet(arrived, folder / f"by_day_{market.timeframe}.parquet", market.timeframe)
    for_one, for_day, clustered = asking.peers_of(folder, market)
    if questdb.is_there():
        say("QuestDB")
        peer = questdb.QuestDb(folder / "questdb", folder / f"by_day_{market.timeframe}.parquet", market.timeframe)
        for_one.append(peer)
        for_day.append(peer)
    say("ArcticDB")
    try:
        for_one.append(Arctic(folder / "arctic", market, symbols=ARCTIC_SYMBOLS))
    except ImportError:
        say("ArcticDB is not installed")
    say("reading")
    store = opened(folder / "data", read_only=True)
    yield asking.one_instrument(store, market, for_one)
    yield asking.one_day(store, market, for_day)
    yield asking.newest(store, market, clustered)
    yield asking.as_of(store, market)
    yield asking.adjusted(folder / "data", market)
    _give_back(store, for_one, for_day)


def _minutes(folder: Path, market: Market, say: Say) -> Iterator[Figure]:
    arrival(folder / "data" / "truetape.duckdb", folder / "arrival_1m.duckdb", market, say=say)
    for_one, for_day, _ = asking.peers_of(folder, market)
    store = opened(folder / "data", read_only=True)
    say("reading minutes")
    yield asking.one_instrument(store, market, for_one)
    yield asking.one_day(store, market, for_day)
    _give_back(store, for_one, for_day)


def _give_back(store: SegmentedStore, *peers: list[Peer]) -> None:
    asyncio.run(store.close())
    for one in (one for some in peers for one in some):
        one.close()


def _room(folder: Path, market: Market) -> Iterator[Figure]:
    """The bytes of a daily bar, as it is mapped and as it is in the warm tier."""
    data = folder / "data"
    found = [one for one in held(data / SEGMENTS, store=name_of(data / "truetape.duckdb")) if one.timeframe == "1d"]
    hot = sum(one.size for one in found) / sum(one.rows for one in found)
    warm = warm_bytes(folder / "warm.parquet", market)
    for name, a_bar, bar in (("bytes_of_a_daily_bar_hot", hot, 72.0), ("bytes_of_a_daily_bar_warm", warm, 16.0)):
        yield figure(name, unit="bytes", ours=a_bar, peer=bar, peer_name="the bar itself", bar=1.0, better="lower")


def _many(folder: Path, market: Market, few: Market, say: Say) -> Iterator[Figure]:
    """A market of very many instruments beside the one of few: the same questions about single instruments."""
    fill(folder / "many", [market], say=say)
    say("reading of very many instruments")
    yield from asking.many_beside_few(folder / "many", market, folder / "data", few)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
