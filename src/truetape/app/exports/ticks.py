"""Trades and quotes for other programs: a day of one instrument at a time, to the nanosecond.

Tables hold what was told, corrections included. Engines get the trades that stand, each once, so all of an instrument
must be told by one provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from truetape.app.exports.dbn import DbnSink, fixed
from truetape.app.exports.nautilus import NautilusSink, identity_of, stamped, wide
from truetape.app.exports.order import Order
from truetape.app.exports.receipts import Origin
from truetape.app.exports.series import NO_VOLUME, Member, Series
from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS, iso, parse_instant
from truetape.services.processing.tape import standing

if TYPE_CHECKING:
    from truetape.app.library import Session

TRADE: Final = np.dtype(
    [
        ("length", "u1"),  # of the record, in words of 4 bytes
        ("rtype", "u1"),
        ("publisher_id", "<u2"),
        ("instrument_id", "<u4"),
        ("ts_event", "<u8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("action", "S1"),
        ("side", "S1"),
        ("flags", "u1"),
        ("depth", "u1"),
        ("ts_recv", "<u8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)
SIDES: Final = {"buy": b"B", "sell": b"A"}  # of the aggressor; N where it is not known
AGGRESSORS: Final = {"buy": 1, "sell": 2}

_WHOLE_DAY: Final = len("2005-02-28")
_MOST_SIZE: Final = (1 << 32) - 1
_ONE_SIDED: Final = "Quotes without a bid or an ask that were left out: {}."
_UNSTANDING: Final = "Rows that corrected or cancelled trades, or were corrected, cancelled or repeated: {}."


def tick_series(session: Session, order: Order, member: Member, origin: Origin) -> Iterator[Series]:
    """Yield the trades or quotes of an instrument: day by day for a file, all at once for an engine's folder."""
    assert order.start
    assert order.end
    start = parse_instant(order.start, parameter="--start")
    end = parse_instant(order.end, parameter="--end") + (DAY_NS if len(order.end) == _WHOLE_DAY else 0)
    step = end - start if order.form == "nautilus" else DAY_NS
    ask = session.trades if order.kind == "trades" else session.quotes
    edges = [*range(start - start % DAY_NS if step == DAY_NS else start, end, step), end]
    for begins, ends in pairwise(edges):
        rows = ask(
            member.instrument_id,
            start=iso(max(begins, start)),
            end=iso(ends),
            provider=order.provider,
            as_of=origin.as_of,
        )
        yield Series(
            member=member,
            timeframe="",
            basis="raw",
            bars=rows.with_columns(pl.lit(member.asked).alias("symbol")),
            actions=pl.DataFrame(),
            closes=pl.DataFrame(),
        )


class DbnTradeSink(DbnSink):
    """One DBN file of trades; `ts_recv` is when they became known, `sequence` their place in the series."""

    record = TRADE

    def records(self, series: Series) -> Any:
        """Return the trades that stand as records, without what all records have."""
        trades = standing_trades(series)
        self._losses.count(_UNSTANDING, len(series.bars) - len(trades))
        records = np.zeros(len(trades), TRADE)
        records["ts_event"] = trades["ts_event"].to_physical().to_numpy()
        records["price"] = fixed(trades["price"], symbol=series.member.symbol)
        sizes = self.whole(trades["size"])
        if len(sizes) and sizes.max() > _MOST_SIZE:
            fix = f"A trade of DBN has at most {_MOST_SIZE} units."
            raise BadInput(parameter=f"A size of {series.member.symbol}", value=int(sizes.max()), fix=fix)
        records["size"] = sizes
        records["action"] = b"T"
        records["side"] = [SIDES.get(side or "", b"N") for side in trades["side"]]
        records["ts_recv"] = trades["ts_known"].to_physical().to_numpy()
        records["sequence"] = np.arange(len(trades))
        return records


class NautilusTickSink(NautilusSink):
    """A folder for ParquetDataCatalog with trades or quotes: they are known when they happen."""

    def add(self, series: Series) -> int:
        """Write the trades or quotes of an instrument, and the instrument itself."""
        return self._trades(series) if "trade_id" in series.bars.columns else self._quotes(series)

    def _trades(self, series: Series) -> int:
        import pyarrow as pa

        trades = standing_trades(series)
        self._losses.count(_UNSTANDING, len(series.bars) - len(trades))
        decimals = self.described(series.member, [trades["price"]], [trades["size"]])
        symbol = series.member.symbol
        columns = {
            "price": wide(trades["price"], decimals[0], symbol=symbol),
            "size": wide(trades["size"], decimals[1], symbol=symbol),
            "aggressor_side": pa.array([AGGRESSORS.get(side or "", 0) for side in trades["side"]], pa.uint8()),
            "trade_id": pa.array(trades["trade_id"].to_list(), pa.string()),
        }
        return self._ticks("trade_tick", series.member, trades, columns, decimals)

    def _quotes(self, series: Series) -> int:
        one_provider(series)
        quotes = series.bars.filter(pl.col("bid").is_not_null() & pl.col("ask").is_not_null())
        self._losses.count(_ONE_SIDED, len(series.bars) - len(quotes))
        sizes = [quotes[name].fill_null(0.0) for name in ("bid_size", "ask_size")]
        self._losses.count(NO_VOLUME, quotes.select(pl.col("bid_size", "ask_size").null_count()).sum_horizontal()[0])
        decimals = self.described(series.member, [quotes["bid"], quotes["ask"]], sizes)
        symbol = series.member.symbol
        columns = {
            "bid_price": wide(quotes["bid"], decimals[0], symbol=symbol),
            "ask_price": wide(quotes["ask"], decimals[0], symbol=symbol),
            "bid_size": wide(sizes[0], decimals[1], symbol=symbol),
            "ask_size": wide(sizes[1], decimals[1], symbol=symbol),
        }
        return self._ticks("quote_tick", series.member, quotes, columns, decimals)

    def _ticks(
        self, kind: str, member: Member, rows: pl.DataFrame, columns: dict[str, Any], decimals: tuple[int, int]
    ) -> int:
        if len(rows):
            labels = {
                "instrument_id": identity_of(member),
                "price_precision": str(decimals[0]),
                "size_precision": str(decimals[1]),
            }
            stamps = rows["ts_event"].to_physical().to_numpy()
            first, last = int(stamps[0]), int(stamps[-1])
            self.write(kind, identity_of(member), stamped(columns, stamps), labels, first=first, last=last)
        return len(rows)


def standing_trades(series: Series) -> pl.DataFrame:
    """Return the trades of a series that stand, as corrected, in the order of time.

    Raises:
        BadInput: Several providers told them.
    """
    one_provider(series)
    columns = TABLES["trades"].columns
    place = pl.int_range(pl.len(), dtype=pl.UInt32).alias("place")
    missing = [pl.lit("").alias(name) for name in ("instrument_id", "payload")]
    rows = series.bars.with_columns(place, *missing).select([pl.col(name).cast(columns[name]) for name in columns])
    return standing(rows, sales={})


def one_provider(series: Series) -> None:
    """Accept a series that one provider told.

    Raises:
        BadInput: Several did.
    """
    told = series.bars["provider"].unique().sort().to_list()
    if len(told) > 1:
        fix = "Each told the same market: choose one with --provider."
        raise BadInput(parameter=f"The providers of {series.member.symbol}", value=", ".join(told), fix=fix)
