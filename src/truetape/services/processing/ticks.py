"""What a segment of a stream says, as those are told who watch it: numbers only, in the order in which it was said."""

from __future__ import annotations

import numpy as np
import polars as pl

from truetape.domain.messages import StreamCaptured, TicksHeard
from truetape.services.processing.streamed import Said


def ticks_heard(message: StreamCaptured, found: Said) -> TicksHeard | None:
    """Return the trades and quotes of a segment; None if it says none. Corrections and cancels are no trades.

    An id of a trade is told as a hash of it and its venue.
    """
    trades, quotes, places = found.trades, found.quotes, dict[str, int]()
    if len(trades) and (trades["correction"] != "").any():
        trades = trades.filter(pl.col("correction") == "")
    if trades.is_empty() and quotes.is_empty():
        return None
    return TicksHeard(
        provider=message.provider,
        connection=message.connection,
        number=message.number,
        ts_known=message.ts_known,
        trades=(*_columns(trades, places), _floats(trades, "price"), _ids(trades)),
        quotes=(*_columns(quotes, places), _floats(quotes, "bid"), _floats(quotes, "ask")),
        instruments=tuple(places),
        simulated=message.simulated,
    )


def _columns(rows: pl.DataFrame, places: dict[str, int]) -> list[bytes]:
    """Return whom rows are about, when they happened and when they were known; new instruments get a place."""
    who = [places.setdefault(one, len(places)) for one in rows["instrument_id"].to_list()]
    return [np.array(who, np.int32).tobytes(), *(rows[name].to_numpy().tobytes() for name in ("ts_event", "ts_known"))]


def _ids(trades: pl.DataFrame) -> bytes:
    ids = map(hash, zip(trades["venue"].to_list(), trades["trade_id"].to_list(), strict=True))
    return np.fromiter(ids, np.int64, len(trades)).tobytes()


def _floats(rows: pl.DataFrame, name: str) -> bytes:
    return rows[name].to_numpy().astype(np.float64).tobytes()  # a null becomes NaN
