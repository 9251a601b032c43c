"""Reading: one instrument, one day, the newest of many, as known earlier, adjusted; each beside every peer."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import truetape as tt
from perf.measure import Figure, figure
from perf.storing.filling import opened
from perf.storing.market import BACKFILLED, Market
from perf.storing.peers import Arctic, Duckdb, ParquetFiles, Peer
from truetape.adapters.read_segments import SegmentedStore
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection

ROUNDS = 60
NEWEST = 5_000
NEWEST_MS = 5.0
Read = Callable[[Any], pl.DataFrame]


def one_instrument(store: SegmentedStore, market: Market, peers: Sequence[Peer]) -> Figure:
    """All bars of one instrument, ever others, in turns with the peers."""
    names = _some(market.names)
    calls: dict[str, Read] = {"": _reader(store, lambda name: _of(market, name))}
    calls |= {one.name: one.one for one in peers}
    _same_rows(calls, names[0], by="ts_event")
    taken = _in_turns(calls, names, own={one.name: one.held for one in peers if isinstance(one, Arctic)})
    return _beside(f"one_instrument_{market.timeframe}", taken, bar=0.5)


def one_day(store: SegmentedStore, market: Market, peers: Sequence[Peer]) -> Figure:
    """The bars of all instruments on one day, ever others, in turns with the peers."""
    days = _some(market.sessions)
    calls: dict[str, Read] = {"": _reader(store, lambda day: _on(market, day))}
    calls |= {one.name: one.day for one in peers}
    _same_rows(calls, days[0], by="instrument_id")
    return _beside(f"one_day_{market.timeframe}", _in_turns(calls, days), bar=1.0)


def newest(store: SegmentedStore, market: Market, peer: Duckdb) -> Figure:
    """The newest bars of up to 5,000 instruments."""
    chosen = [sorted(_some(market.names, count=NEWEST, seed=seed)) for seed in range(10)]
    calls: dict[str, Read] = {"": _newest_reader(store, market), peer.name: peer.newest}
    _same_rows(calls, chosen[0], by="instrument_id")
    taken = _in_turns(calls, chosen)
    told = {f"{name} {seconds * 1e3:.1f} ms": taken[""] / seconds for name, seconds in taken.items() if name}
    return figure(
        f"newest_of_{len(chosen[0])}",
        unit="ms",
        ours=taken[""] * 1e3,
        peer=NEWEST_MS,
        peer_name="the bar itself",
        bar=1.0,
        better="lower",
        beside=told,
    )


def as_of(store: SegmentedStore, market: Market) -> Figure:
    """One instrument as it was known in the middle of the newest year, beside as it is known now."""
    at = BACKFILLED + 180 * DAY_NS
    calls: dict[str, Read] = {
        "": _reader(store, lambda name: replace(_of(market, name), as_of=at)),
        "the same, as known now": _reader(store, lambda name: _of(market, name)),
    }
    return _beside("as_of", _least(calls, _some(market.names)), bar=1.3)


def adjusted(folder: Path, market: Market) -> Figure:
    """One instrument adjusted for splits and dividends, beside raw, both through the library."""
    with tt.open(folder) as session:
        calls: dict[str, Read] = {
            "": lambda symbol: session.bars(symbol, adjustment="all"),
            "the same, raw": session.bars,
        }
        return _beside("adjusted", _least(calls, _some(list(market.symbols.values()))), bar=1.25)


def many_beside_few(many: Path, market: Market, few: Path, beside: Market) -> Iterator[Figure]:
    """Questions about single instruments, and about 5,000, to a market of very many instruments and to one of few."""
    large, small = opened(many, read_only=True), opened(few, read_only=True)
    start = market.sessions[0]
    calls: dict[str, Callable[[SegmentedStore, Market], Read]] = {
        "bars": lambda store, held: _reader(store, lambda name: replace(_of(held, name), start=start)),
        "instruments": lambda store, _: _reader(store, _entry, table="instruments"),
        "newest": _newest_reader,
    }
    for name, call in calls.items():
        ours, theirs = call(large, market), call(small, beside)
        about, known = _some(market.names), _some(beside.names)
        if name == "newest":
            about, known = ([sorted(_some(one.names, count=NEWEST, seed=7))] * 10 for one in (market, beside))
        asked = {"": about, "the same of few": known}
        taken = _in_turns({"": ours, "the same of few": theirs}, about, own=asked)
        yield _beside(f"many_{name}", taken, bar=2.0)
    with tt.open(many) as session, tt.open(few) as other:
        symbols = {"": _some(list(market.symbols.values())), "the same of few": _some(list(beside.symbols.values()))}
        reads: dict[str, Read] = {
            "": lambda symbol: session.bars(symbol, start=start),
            "the same of few": lambda symbol: other.bars(symbol, start=start),
        }
        yield _beside("many_by_symbol", _in_turns(reads, symbols[""], own=symbols), bar=2.0)


def _entry(name: str) -> Selection:
    return Selection(equal={"instrument_id": (name,)})


def _newest_reader(store: SegmentedStore, market: Market) -> Read:
    loop = asyncio.new_event_loop()
    return lambda names: loop.run_until_complete(store.latest(names, timeframe=market.timeframe))


def peers_of(folder: Path, market: Market) -> tuple[list[Peer], list[Peer], Duckdb]:
    """Return the peers for one instrument, those for one day, and that for the newest bars."""
    timeframe = market.timeframe
    clustered = Duckdb("raw DuckDB by instrument", folder / "data" / "truetape.duckdb", timeframe)
    arrived = Duckdb("raw DuckDB in arrival order", folder / f"arrival_{timeframe}.duckdb", timeframe)
    for_one: list[Peer] = [clustered, arrived]
    for_day: list[Peer] = [clustered, arrived]
    for path, peers, name in (
        (folder / f"by_instrument_{timeframe}.parquet", for_one, "Parquet+Polars by instrument"),
        (folder / f"by_day_{timeframe}.parquet", for_day, "Parquet+Polars by day"),
    ):
        if path.exists():
            peers.append(ParquetFiles(name, path, timeframe))
    return for_one, for_day, clustered


def _reader(store: SegmentedStore, selection: Callable[[Any], Selection], *, table: str = "bars") -> Read:
    loop = asyncio.new_event_loop()
    return lambda about: loop.run_until_complete(store.read(table, selection(about)))


def _of(market: Market, name: str) -> Selection:
    return Selection(equal={"instrument_id": (name,), "timeframe": (market.timeframe,)})


def _on(market: Market, day: date) -> Selection:
    return Selection(equal={"timeframe": (market.timeframe,)}, start=day, end=day)


def _some(values: Sequence[Any], *, count: int = ROUNDS, seed: int = 7) -> list[Any]:
    chosen = np.random.default_rng(seed).permutation(len(values))[:count]
    return [values[place] for place in chosen]


def _in_turns(calls: dict[str, Read], about: list[Any], *, own: dict[str, list[Any]] | None = None) -> dict[str, float]:
    """Return the median seconds of each call, each about ever others, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    questions = {name: itertools.cycle((own or {}).get(name, about)) for name in calls}
    for name, call in calls.items():
        call(next(questions[name]))
    for _ in range(len(about)):
        for name, call in calls.items():
            asked = next(questions[name])
            start = time.perf_counter()
            call(asked)
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def _least(calls: dict[str, Read], about: list[Any]) -> dict[str, float]:
    """Return the least seconds of each call, in turns: of two ways of ours, whose difference other work would hide.

    Each question is asked once before, so that neither way is the one that finds the disk's pages and the memory cold.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for asked in about:
        for call in calls.values():
            call(asked)
        for name, call in calls.items():
            start = time.perf_counter()
            call(asked)
            taken[name].append(time.perf_counter() - start)
    return {name: min(times) for name, times in taken.items()}


def _beside(name: str, taken: dict[str, float], *, bar: float) -> Figure:
    """Return our time beside the fastest peer's; the others are told."""
    ours = taken[""]
    others = sorted(((seconds, peer) for peer, seconds in taken.items() if peer))
    fastest, peer = others[0]
    return figure(
        name,
        unit="ms",
        ours=ours * 1e3,
        peer=fastest * 1e3,
        peer_name=peer,
        bar=bar,
        better="lower",
        beside={other: ours / seconds for seconds, other in others[1:]},
    )


def _same_rows(calls: dict[str, Read], about: Any, *, by: str) -> None:
    """Hold every peer to the same number of rows and the same closes."""
    ours = calls[""](about).sort(by)
    for name, call in calls.items():
        if name != Arctic.name:
            theirs = call(about).sort(by)
            assert ours.columns == theirs.columns, name
            assert ours["close"].equals(theirs["close"]), name
