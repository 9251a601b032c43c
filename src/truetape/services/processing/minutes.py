"""Minutes out of trades: the same whatever the order and the portions in which the trades come.

Trades are rows of schema.TABLES["trades"]; which of them stand is told by `tape`. A minute without trades has no bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from truetape.domain.sales import Sale
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.time import DAY_NS, NANOSECONDS
from truetape.services.processing.streamed import Wound
from truetape.services.processing.tape import NAME, folded, nameless, standing

MINUTE_NS: Final = 60 * NANOSECONDS
GRACE_NS: Final = 2 * NANOSECONDS  # after its end, in which trades of a minute still come
SKEW_NS: Final = 5 * NANOSECONDS  # by which a venue's clock may be before ours; more is a mistake
KEPT_NS: Final = 2 * MINUTE_NS  # before the present minute, of which trades are kept in memory
WOUNDS_NS: Final = 2 * DAY_NS  # for which gaps are remembered
MOST_WOUNDS: Final = 100_000  # gaps that are remembered
MOST_ROWS: Final = 2_000_000  # trades in memory; of more, the older ones are read from the store

KEYS: Final = {"instrument_id": pl.String(), "ts_event": INSTANT}
_MADE: Final = {**KEYS, **{name: pl.Float64() for name in ("open", "high", "low", "close", "volume")}}
BARS: Final = {**_MADE, "running": pl.Boolean()}


@dataclass(frozen=True)
class Due:
    """What must be told now, and what must be read from the store to do so."""

    keys: pl.DataFrame  # minutes: instrument_id and ts_event
    torn: pl.DataFrame  # those of them in which something was not heard, as was just noticed
    older: tuple[str, ...] = ()  # instruments whose trades of earlier times are needed
    since: int = 0  # from when on they are, UTC nanoseconds


@dataclass(frozen=True)
class Minutes:
    """What one provider's stream has said lately. Each segment makes a new one: nothing changes if it fails."""

    trades: tuple[pl.DataFrame, ...] = ()
    kept_from: int = 0  # trades of this minute and later are all here
    frontier: int = 0  # minutes before it have been told; 0: none yet
    lag: int | None = None  # by how much news come later than they happen, at the least
    wounds: tuple[Wound, ...] = ()
    most_rows: int = MOST_ROWS

    def take(self, trades: pl.DataFrame, wounds: Sequence[Wound], *, now_ns: int) -> tuple[Minutes, Due]:
        """Return the state with `trades` and `wounds`, heard at `now_ns`, and what is to be told for them.

        A minute is due when the clock of the venue is past it; earlier ones, when a trade of theirs came late, was
        corrected or cancelled, or when something of them turns out not to have been heard.
        """
        lag = _least(self.lag, now_ns, trades)
        frontier = self.frontier
        if lag is not None:
            frontier = max(frontier, _floor(now_ns - lag - GRACE_NS))
        before = self.frontier or min(self.kept_from or frontier, _earliest(trades, frontier))
        held = (*self.trades, trades) if len(trades) else self.trades
        every_wound = (*self.wounds, *wounds)[-MOST_WOUNDS:] if wounds else self.wounds
        grown = replace(self, trades=held, lag=lag, frontier=frontier, wounds=every_wound)
        touched, lost = _touched(held, trades)
        late = touched.filter(pl.col("ts_event").cast(pl.Int64) < before)
        torn = _torn(held, wounds, until=before)
        fresh = _between(held, before, frontier) if frontier > before else empty(KEYS)
        keys = pl.concat([late, torn, fresh]).unique(maintain_order=True)
        return grown, _due(keys, torn, lost, kept_from=self.kept_from)

    def told(self, due: Due, stored: pl.DataFrame, *, sales: Mapping[str, Sale]) -> pl.DataFrame:
        """Return the bars of what is due, with `running` where something of the minute was not heard.

        Args:
            due: As `take` returned it together with this state.
            stored: Trades of the store that are needed besides.
            sales: What trades count for, by condition.
        """
        if due.keys.is_empty() and not due.older:
            return empty(BARS)
        rows = pl.concat([empty(TABLES["trades"].columns), *self.trades, stored])
        wanted = due.keys
        if due.older:  # the minutes of what was corrected are known only now
            fixed = _fixed_minutes(rows.filter(pl.col("instrument_id").is_in(due.older)), rows)
            wanted = pl.concat([wanted, fixed]).unique(maintain_order=True)
        is_fix = pl.col("correction") != ""
        minutes = wanted.rename({"ts_event": "minute"})
        plain = rows.filter(~is_fix).with_columns(_minute()).join(minutes, on=["instrument_id", "minute"], how="semi")
        made = bars(pl.concat([plain.drop("minute"), rows.filter(is_fix)]), sales=sales)
        return made.with_columns(_is_torn(made, self.wounds))

    def trimmed(self) -> Minutes:
        """Return the state without trades that are told for long, and without too many."""
        kept_from = max(self.kept_from, self.frontier - KEPT_NS)
        state = self
        if kept_from > self.kept_from:
            state = replace(self, kept_from=kept_from, trades=_since(self.trades, kept_from))
        for later in (self.frontier, _newest(state.trades), _newest(state.trades) + MINUTE_NS):
            if sum(len(frame) for frame in state.trades) > state.most_rows and later > state.kept_from:
                state = replace(state, kept_from=later, trades=_since(state.trades, later))
        if state is self:
            return self
        return replace(state, wounds=tuple(one for one in state.wounds if one.until >= self.frontier - WOUNDS_NS))


def restored(trades: pl.DataFrame, wounds: Sequence[Wound], *, first_ns: int) -> Minutes:
    """Return the state in which a process that ended left what it had kept in the store.

    Args:
        trades: Of the provider, of the last day or two.
        wounds: What was not heard of them.
        first_ns: The first trade that is heard now, UTC nanoseconds.
    """
    since = _floor(first_ns) - KEPT_NS
    if not trades.is_empty():
        since = min(since, max(_newest((trades,)) - MINUTE_NS, 0))
    return Minutes(trades=_since((trades,), since), kept_from=max(since, 0), wounds=tuple(wounds))


def bars(trades: pl.DataFrame, *, sales: Mapping[str, Sale]) -> pl.DataFrame:
    """Return a bar for each instrument and minute of `trades`, ordered by them.

    A trade counts for what its conditions allow; a minute in which no trade may make a price has no bar.

    Returns:
        instrument_id, ts_event (the start of the minute), open, high, low, close, volume.
    """
    rows = standing(trades, sales=sales)
    made = folded(rows.with_columns(_minute()), by=["instrument_id", "minute"])
    found = made.filter(pl.col("high").is_not_null()).rename({"minute": "ts_event"})
    return found.select([pl.col(name).cast(dtype) for name, dtype in _MADE.items()]).sort(list(KEYS))


def _touched(held: Sequence[pl.DataFrame], trades: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the minutes that `trades` change, and the corrections among them whose trade is not among `held`."""
    fixes = trades.filter(pl.col("correction") != "")
    plain = _minutes(trades.filter(pl.col("correction") == ""))
    if fixes.is_empty():
        return plain, fixes
    rows = pl.concat(list(held))
    known = rows.filter(pl.col("correction") == "").select(NAME).unique()
    lost = fixes.filter(~nameless(fixes)).join(known, on=NAME, how="anti")
    return pl.concat([plain, _fixed_minutes(fixes, rows)]).unique(maintain_order=True), lost


def _torn(held: Sequence[pl.DataFrame], wounds: Sequence[Wound], *, until: int) -> pl.DataFrame:
    """Return the minutes before `until` in which `wounds` lie and something was traded, as far as they are held."""
    if not wounds or not held:
        return empty(KEYS)
    found = _minutes(pl.concat(list(held)))
    return found.filter(_is_torn(found, wounds), pl.col("ts_event").cast(pl.Int64) < until)


def _between(held: Sequence[pl.DataFrame], first: int, last: int) -> pl.DataFrame:
    """Return the minutes from `first` (inclusive) to `last` (exclusive) in which something was traded."""
    if not held:
        return empty(KEYS)
    found = _minutes(pl.concat([frame.filter(pl.col("correction") == "") for frame in held]))
    at = pl.col("ts_event").cast(pl.Int64)
    return found.filter(at >= first, at < last)


def _fixed_minutes(fixes: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the minutes of the trades among `rows` that corrections and cancels among `fixes` are about."""
    about = fixes.filter(pl.col("correction") != "")
    plain = rows.filter(pl.col("correction") == "")
    named = plain.join(about.select(NAME).unique(), on=NAME, how="semi")
    at_once = about.filter(nameless(about))
    return pl.concat([_minutes(named), _minutes(at_once)]).unique(maintain_order=True)


def _minutes(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("instrument_id", _minute().alias("ts_event")).unique(maintain_order=True)


def _minute() -> pl.Expr:
    at = pl.col("ts_event").cast(pl.Int64)
    return (at - at % MINUTE_NS).cast(INSTANT).alias("minute")


def _is_torn(rows: pl.DataFrame, wounds: Sequence[Wound]) -> pl.Series:
    """Return true for each of the minutes `rows` in which one of `wounds` lies."""
    by_instrument: dict[str, list[tuple[int, int]]] = {}
    for one in wounds:
        by_instrument.setdefault(one.instrument_id, []).append((_floor(one.since), one.until))
    at = rows["ts_event"].cast(pl.Int64)
    torn = [
        any(since <= minute <= until for since, until in by_instrument.get(instrument, ()))
        for instrument, minute in zip(rows["instrument_id"], at, strict=True)
    ]
    return pl.Series("running", torn, dtype=pl.Boolean)


def _due(keys: pl.DataFrame, torn: pl.DataFrame, lost: pl.DataFrame, *, kept_from: int) -> Due:
    """Return what is due; what lies before `kept_from`, and what is lost, needs the store."""
    early = keys.filter(pl.col("ts_event").cast(pl.Int64) < kept_from)
    older = tuple(sorted({*early["instrument_id"], *lost["instrument_id"]}))
    begins = [*early["ts_event"].cast(pl.Int64), *(lost["ts_event"].cast(pl.Int64) - DAY_NS)]
    return Due(keys, torn, older, max(0, min(begins, default=0)))


def _since(trades: Sequence[pl.DataFrame], since: int) -> tuple[pl.DataFrame, ...]:
    kept = (frame.filter(pl.col("ts_event").cast(pl.Int64) >= since) for frame in trades)
    return tuple(frame for frame in kept if not frame.is_empty())


def _newest(trades: Sequence[pl.DataFrame]) -> int:
    """Return the latest minute of `trades`; 0 without any."""
    return max((_floor(int(frame["ts_event"].cast(pl.Int64).max() or 0)) for frame in trades), default=0)  # type: ignore[arg-type]


def _earliest(trades: pl.DataFrame, otherwise: int) -> int:
    found = trades["ts_event"].cast(pl.Int64).min()
    return _floor(found) if isinstance(found, int) else otherwise


def _least(lag: int | None, now_ns: int, trades: pl.DataFrame) -> int | None:
    newest = trades.filter(pl.col("correction") == "")["ts_event"].cast(pl.Int64).max()
    if not isinstance(newest, int):
        return lag
    found = max(now_ns - newest, -SKEW_NS)
    return found if lag is None else min(lag, found)


def _floor(instant_ns: int) -> int:
    return instant_ns - instant_ns % MINUTE_NS
