"""The corpus: windows of real series, half of them with one fault each, half of them clean, as several providers say.

A *panel* is one window of 260 sessions over several series of one universe, so that a detector that wants to may
compare instruments with their market. A *case* is one series of a panel; its instrument_id says nothing about it.
With three providers each says the truth with the small differences that real vendors have (see `_as_told`); one of
them, drawn by chance, has the fault. With one provider the truth itself is told, or the fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from perf.quality.calendar import sessions
from perf.quality.faults import EDGE, KINDS, Fault, Tape, split
from perf.quality.real import NOT_CLEAN, PRICES, Real

WINDOW: Final = 260
PROVIDERS: Final = ("amber", "birch", "cedar")
CLEAN: Final = "clean"
_TOGETHER: Final = timedelta(days=10)  # windows of a panel begin within so many days
_SPLIT_SHARE: Final = 0.25  # of clean cases that have a declared split, rightly applied
_SPLITS: Final = (1.5, 2.0, 3.0, 4.0, 7.0, 10.0, 0.5, 0.1)
_VOLUME_OF: Final = {"amber": 1.0, "birch": 1.04, "cedar": 0.97}  # more or fewer venues are counted


@dataclass(frozen=True, eq=False)
class Case:
    """One series of a panel: what each provider says, and where the fault is, if there is one."""

    name: str
    panel: int
    universe: str
    half: str
    kind: str  # a key of faults.KINDS, or CLEAN
    severity: float
    told: dict[str, Tape]  # by provider
    culprit: str
    fault: Fault | None


def cases(real: Sequence[Real], *, seeds: int, providers: int, first_seed: int = 0) -> list[Case]:
    """Return a corpus: each kind of fault in each severity `seeds` times, and as many clean cases.

    Args:
        real: The series to draw from.
        seeds: How often each severity of each kind is put in.
        providers: 1 or 3.
        first_seed: Where the numbers for the chance begin; the same number gives the same corpus.
    """
    random = np.random.default_rng([first_seed, providers])
    wanted = [(kind, severity) for kind, (_, all_) in KINDS.items() for severity in all_ for _ in range(seeds)]
    todo = [*wanted, *[(CLEAN, 0.0)] * len(wanted)]
    random.shuffle(todo)
    found: list[Case] = []
    panel = 0
    while todo:
        left: list[tuple[str, float]] = []
        for one, window in _panel(real, random):
            if not todo:
                break
            kind, severity = todo.pop()
            made = _case(one, window, kind, severity, random, names=PROVIDERS[:providers])
            if made is None:
                left.append((kind, severity))
            else:
                found.append(replace(made, name=f"case{len(found):05d}", panel=panel))
        todo = left + todo
        panel += 1
    return found


def bars(all_: Sequence[Case]) -> pl.DataFrame:
    """Return what all providers say of all cases: instrument_id, provider, timeframe, ts_event, OHLCV."""
    frames = [
        _frame(tape).with_columns(
            pl.lit(case.name).alias("instrument_id"), pl.lit(name).alias("provider"), pl.lit("1d").alias("timeframe")
        )
        for case in all_
        for name, tape in case.told.items()
    ]
    return pl.concat(frames)


def actions(all_: Sequence[Case]) -> pl.DataFrame:
    """Return the actions that each provider declares: instrument_id, provider, ex_date, type, value."""
    rows = [
        (case.name, name, ts, type_, value)
        for case in all_
        for name, tape in case.told.items()
        for type_, declared in (("split", tape.splits), ("dividend", tape.dividends))
        for ts, value in declared
    ]
    frame = pl.DataFrame(rows, schema=["instrument_id", "provider", "ts", "type", "value"], orient="row")
    return frame.select(
        "instrument_id",
        "provider",
        pl.from_epoch("ts", time_unit="ns").dt.date().alias("ex_date"),
        "type",
        pl.col("value").cast(pl.Float64),
    )


def _panel(real: Sequence[Real], random: np.random.Generator) -> Iterator[tuple[Real, pl.DataFrame]]:
    """Yield the series that have a whole clean window of the drawn year, each with its window."""
    one = real[int(random.integers(len(real)))]
    last = len(one.bars) - WINDOW
    if last < 1:
        return
    start: date = one.bars["date"][int(random.integers(last))]
    for each in (other for other in real if other.universe == one.universe):
        window = each.bars.filter(pl.col("date") >= start).head(WINDOW)
        if len(window) == WINDOW and window["date"][0] - start < _TOGETHER and _is_clean(each, window):
            yield each, window


def _is_clean(one: Real, window: pl.DataFrame) -> bool:
    """Return whether each session of the window has a bar with volume, and its source no known fault there."""
    days = window["date"]
    known = NOT_CLEAN.get((one.universe, one.symbol), ())
    return (
        days.to_list() == sessions(days[0], days[-1])["session"].to_list()
        and not any(days[0] <= day <= days[-1] for day in known)
        and bool((window["volume"] > 0).all())
    )


def _case(
    one: Real, window: pl.DataFrame, kind: str, severity: float, random: np.random.Generator, *, names: Sequence[str]
) -> Case | None:
    """Return the case, its name and panel still to be given; None if the series has nothing that the fault needs."""
    tape = _tape(one, window)
    fault: Fault | None = None
    truth = tape
    if kind == CLEAN:
        if random.random() < _SPLIT_SHARE:
            truth = split(tape, int(random.integers(EDGE, WINDOW - EDGE)), float(random.choice(_SPLITS)))
    else:
        fault = KINDS[kind][0](tape, random, severity)
        if fault is None:
            return None
        truth = fault.truth or tape
    culprit = names[int(random.integers(len(names)))]
    told = {name: truth if len(names) == 1 else _as_told(truth, name, random) for name in names}
    if fault is not None:
        told[culprit] = fault.tape
    return Case("", 0, one.universe, one.half, kind, severity, told, culprit, fault)


def _tape(one: Real, window: pl.DataFrame) -> Tape:
    stamps = window["date"].cast(pl.Datetime("ns")).cast(pl.Int64)
    declared = one.actions.filter(pl.col("ex_date").is_between(window["date"][0], window["date"][-1]))
    by_type = {
        kind: tuple(
            (int(ts), float(value))
            for ts, value in declared.filter(pl.col("type") == kind)
            .select(pl.col("ex_date").cast(pl.Datetime("ns")).cast(pl.Int64), "value")
            .iter_rows()
        )
        for kind in ("split", "dividend")
    }
    prices = window.select(PRICES).to_numpy().T.copy()
    return Tape(stamps.to_numpy(), prices, window["volume"].to_numpy().copy(), by_type["split"], by_type["dividend"])


def _as_told(tape: Tape, name: str, random: np.random.Generator) -> Tape:
    """Return the tape as a vendor without faults tells it.

    The differences follow those between LEAN's and Yahoo's Apple, 1998-2021, as shares of the bar's range: the open
    differs on most days (median 0.6 %, 95 % below 8 %), the close on half of them (95 % below 6 %), high and low on
    one in ten; volumes by a constant share and 2 %. No price differs by more than half a percent.
    """
    count = len(tape.ts)
    prices = tape.prices.copy()
    span = np.maximum(prices[1] - prices[2], 0.01)
    for which, (share, scale) in enumerate(((0.6, 0.025), (0.1, 0.05), (0.1, 0.05), (0.5, 0.02))):
        off = random.laplace(0, scale, count) * span * (random.random(count) < share)
        prices[which] += np.clip(off, -0.005 * prices[which], 0.005 * prices[which])
    places = 4 if float(prices.min()) < 1 else 2
    prices = np.maximum(np.round(prices, places), 10.0**-places)
    prices[1], prices[2] = prices.max(axis=0), prices.min(axis=0)
    traded = np.round(tape.volume * _VOLUME_OF[name] * np.exp(random.normal(0, 0.02, count)))
    return replace(tape, prices=prices, volume=np.maximum(traded, 1.0))


def _frame(tape: Tape) -> pl.DataFrame:
    stamps = pl.Series(tape.ts).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    columns = {name: tape.prices[which] for which, name in enumerate(PRICES)}
    return pl.DataFrame({"ts_event": stamps, **columns, "volume": tape.volume})
