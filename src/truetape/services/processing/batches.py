"""What a closed round has to tell: the newest claims of its range in raw basis, about actions and about bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from truetape.domain.messages import BatchNormalized, RoundClosed
from truetape.domain.wire import pack
from truetape.services.processing.lapsing import LAPSED, WHAT, still_told
from truetape.services.processing.normalize import known_splits, latest_claims, raw_actions, raw_bars
from truetape.services.processing.rates import RATES, told_rates


def round_batches(
    message: RoundClosed, older: Mapping[str, pl.DataFrame], parts: Sequence[Mapping[str, pl.DataFrame]]
) -> tuple[BatchNormalized, ...]:
    """Return the batch about actions, then the one about bars, which has the actions of all dates beside it.

    A round about exchange rates has one batch.

    Args:
        message: The round.
        older: What was claimed before, by table: action_claims and bar_claims.
        parts: What each payload of the round says, by table.
    """
    if message.kind == RATES:
        return (_batch(message, RATES, told_rates(message, older, parts)),)
    claims = {
        table: pl.concat([frame, *(part[table] for part in parts if table in part)]) for table, frame in older.items()
    }
    newest = latest_claims(claims["action_claims"], key=WHAT, captured=message.captured)
    actions = still_told(newest)
    bars = latest_claims(claims["bar_claims"], key=("ts_event",), captured=message.captured)
    splits = known_splits(actions)
    raw = raw_actions(actions, splits)
    in_range = raw.filter(pl.col("ex_date").is_between(message.start, message.end))
    return (
        _batch(message, "actions", in_range, last=False, lapsed=_lapsed_now(newest, message)),
        _batch(
            message,
            "bars",
            raw_bars(bars, splits, actions=actions),
            actions=pack(raw) if message.timeframe == "1d" and len(raw) else b"",
        ),
    )


def _lapsed_now(newest: pl.DataFrame, message: RoundClosed) -> bytes:
    """Return the actions of the round's range that its answers no longer tell; nothing if there are none."""
    gone = newest.filter(
        pl.col("basis") == LAPSED,
        pl.col("payload").is_in(message.captured),
        pl.col("ex_date").is_between(message.start, message.end),
    )
    return pack(gone) if len(gone) else b""


def _batch(
    message: RoundClosed,
    kind: str,
    frame: pl.DataFrame,
    *,
    actions: bytes = b"",
    last: bool = True,
    lapsed: bytes = b"",
) -> BatchNormalized:
    return BatchNormalized(
        kind=kind,
        round_id=message.round_id,
        instrument_id=message.instrument_id,
        timeframe=message.timeframe,
        start=message.start,
        end=message.end,
        ts_known=message.ts_known,
        providers=tuple(dict.fromkeys(message.providers)),
        frame=pack(frame),
        last=last,
        simulated=message.simulated,
        actions=actions,
        lapsed=lapsed,
    )
