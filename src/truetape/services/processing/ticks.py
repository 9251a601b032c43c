"""What a segment of a stream says, as those are told who watch it: numbers only, in the order in which it was said."""

from __future__ import annotations

import polars as pl

from truetape.domain.messages import StreamCaptured, TicksHeard
from truetape.domain.wire import pack
from truetape.services.processing.streamed import Said


def ticks_heard(message: StreamCaptured, found: Said) -> TicksHeard | None:
    """Return the trades and quotes of a segment; None if it says none. Corrections and cancels are no trades."""
    trades = found.trades.filter(pl.col("correction") == "")
    quotes = found.quotes
    if trades.is_empty() and quotes.is_empty():
        return None
    names = pl.concat([trades["instrument_id"].unique(), quotes["instrument_id"].unique()]).unique().sort()
    who = pl.col("instrument_id").cast(pl.Enum(names)).to_physical().cast(pl.UInt32).alias("who")
    when = pl.col("ts_event", "ts_known").cast(pl.Int64)
    ids = pl.concat_str([pl.col("venue").fill_null(""), "trade_id"], separator=":").hash().alias("ids")
    return TicksHeard(
        provider=message.provider,
        connection=message.connection,
        number=message.number,
        ts_known=message.ts_known,
        instruments=tuple(names),
        trades=pack(trades.select(who, when, "price", ids)),
        quotes=pack(quotes.select(who, when, "bid", "ask")),
        simulated=message.simulated,
    )
