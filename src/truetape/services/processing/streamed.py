"""What a segment of a stream says, as rows: trades, quotes and the provider's own minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
import polars as pl

from truetape.domain.captures import heard
from truetape.domain.identity import round_id
from truetape.domain.messages import BatchNormalized, StreamCaptured
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.ticks import Bar, Quote, Tick, Trade
from truetape.domain.wire import pack

Receive = Callable[[str | bytes, int], Sequence[Tick]]
Fetched = Callable[[str, bytes, int], Sequence[Tick]]

ID_OF_PAYLOAD: Final = 16  # characters of a payload's key in the ids of trades that have none


class Wound(msgspec.Struct, frozen=True, array_like=True):
    """What was not heard of an instrument: from `since` to `until`, UTC nanoseconds, both inclusive."""

    instrument_id: str
    since: int
    until: int


@dataclass(frozen=True)
class Said:
    """What one segment says; frames of the tables of the same names."""

    trades: pl.DataFrame
    quotes: pl.DataFrame
    bar_claims: pl.DataFrame  # the provider's own minutes, where its trades are not heard

    @classmethod
    def nothing(cls) -> Said:
        """Return what a segment says that nobody can read."""
        return cls(*(empty(TABLES[name].columns) for name in ("trades", "quotes", "bar_claims")))


def said(lines: bytes, message: StreamCaptured, *, receive: Receive, fetched: Fetched, feed: str) -> Said:
    """Return what the lines of a segment say.

    Args:
        lines: In the form of domain.captures.
        message: What is known of them.
        receive: Reads a frame that came at an instant; the feed goes on where the segment before it ended.
        fetched: Reads the answer of a URL.
        feed: What the provider's numbers come from.
    """
    trades: list[Trade] = []
    quotes: list[Quote] = []
    bars: list[Bar] = []
    known = message.instruments
    for ts_known, frame, url in heard(lines):
        ticks = fetched(url, frame, ts_known) if url and isinstance(frame, bytes) else receive(frame, ts_known)
        for tick in ticks:
            if isinstance(tick, Trade):
                if tick.symbol in known:
                    trades.append(tick)
            elif isinstance(tick, Quote):
                if tick.symbol in known:
                    quotes.append(tick)
            elif isinstance(tick, Bar) and tick.symbol in known:
                bars.append(tick)
    own = bars if "trades" not in message.channels else []
    asked = quotes if "quotes" in message.channels else []
    return Said(_trades(trades, message), _quotes(asked, message), _bars(own, message, feed))


def wounds(message: StreamCaptured) -> list[Wound]:
    """Return what was not heard, of each instrument that it is about."""
    found: dict[tuple[str, int, int], None] = {}
    for gap in message.gaps:
        whom = message.instruments.values() if not gap.symbol else (message.instruments.get(gap.symbol, ""),)
        for instrument in whom:
            if instrument:
                found[instrument, gap.since or gap.ts_event, gap.ts_event] = None
    return [Wound(*one) for one in found]


def _trades(trades: list[Trade], message: StreamCaptured) -> pl.DataFrame:
    """Return rows of the table trades; a trade without an id of its own is known by its place."""
    if not trades:
        return empty(TABLES["trades"].columns)
    known, head = message.instruments, message.key[:ID_OF_PAYLOAD]
    columns: dict[str, Sequence[object] | pl.Series] = {
        "instrument_id": [known[one.symbol] for one in trades],
        "ts_event": [one.ts_event for one in trades],
        "price": [one.price for one in trades],
        "size": [one.size for one in trades],
        "trade_id": [one.trade_id or f"{head}:{place}" for place, one in enumerate(trades)],
        "conditions": [one.conditions for one in trades],
        "side": [one.side for one in trades],
        "venue": [one.venue for one in trades],
        "correction": [one.correction for one in trades],
        "place": pl.int_range(len(trades), dtype=pl.UInt32, eager=True),
    }
    rows = _filled("trades", columns, message)
    return rows.with_columns(pl.col("conditions", "side").replace("", None))


def _quotes(quotes: list[Quote], message: StreamCaptured) -> pl.DataFrame:
    """Return rows of the table quotes; of several at one instant the last is meant."""
    if not quotes:
        return empty(TABLES["quotes"].columns)
    names = ("ts_event", "bid", "bid_size", "ask", "ask_size", "price", "volume")
    columns: dict[str, list[object]] = {name: [getattr(one, name) for one in quotes] for name in names}
    columns["instrument_id"] = [message.instruments[one.symbol] for one in quotes]
    rows = _filled("quotes", columns, message)
    return rows.unique(["instrument_id", "ts_event"], keep="last", maintain_order=True)


def _bars(bars: list[Bar], message: StreamCaptured, feed: str) -> pl.DataFrame:
    """Return rows of the table bar_claims: minutes, of several tellings the last."""
    minutes = [one for one in bars if one.timeframe == "1m"]
    if not minutes:
        return empty(TABLES["bar_claims"].columns)
    names = ("ts_event", "open", "high", "low", "close", "volume", "running")
    columns: dict[str, list[object]] = {name: [getattr(one, name) for one in minutes] for name in names}
    columns["instrument_id"] = [message.instruments[one.symbol] for one in minutes]
    same = {"timeframe": "1m", "basis": "raw", "feed": feed}
    rows = _filled("bar_claims", columns, message, **same)
    return rows.unique(["instrument_id", "ts_event"], keep="last", maintain_order=True)


def _filled(
    table: str, columns: Mapping[str, Sequence[object] | pl.Series], message: StreamCaptured, **same: str
) -> pl.DataFrame:
    """Return `columns` as rows of `table` that all have the origin of `message`; what is not given is null."""
    origin = {
        "provider": message.provider,
        "payload": message.key,
        "simulated": message.simulated,
        "ts_known": message.ts_known,
        **same,
    }
    wanted = TABLES[table].columns
    given = pl.DataFrame(
        [
            pl.Series(name, values, dtype=pl.Int64 if wanted[name] == INSTANT else wanted[name])
            for name, values in columns.items()
        ]
    )
    return given.select(
        [
            (pl.col(name) if name in columns else pl.lit(origin.get(name))).cast(dtype).alias(name)
            for name, dtype in wanted.items()
        ]
    )


def minute_claims(
    made: pl.DataFrame, message: StreamCaptured, *, feed: str, currencies: Mapping[str, str | None]
) -> pl.DataFrame:
    """Return minutes that were built of trades as rows of the table bar_claims.

    Args:
        made: As Minutes.told returns them.
        message: The segment because of which they are told.
        feed: What the provider's numbers come from.
        currencies: By instrument.
    """
    columns = {name: made[name] for name in made.columns}
    money = [currencies.get(one) for one in made["instrument_id"]]
    same = {"timeframe": "1m", "basis": "raw", "feed": feed}
    return _filled("bar_claims", {**columns, "currency": money}, message, **same)


def settled(claims: pl.DataFrame, before: pl.DataFrame, *, message: StreamCaptured, torn: pl.DataFrame) -> pl.DataFrame:
    """Return those of `claims` that say something new.

    What a torn minute lacks may have been healed meanwhile: then the whole minute stands, unless it was torn just now.

    Args:
        claims: Rows of bar_claims of the provider of `message`.
        before: The newest claims of every provider about the same minutes.
        message: The segment.
        torn: The minutes (instrument_id, ts_event) of which something turned out not to have been heard.
    """
    key, values = ["instrument_id", "ts_event"], ["open", "high", "low", "close", "volume", "running"]
    own = before.filter(pl.col("provider") == message.provider).select(
        *key, *(pl.col(name).alias(f"old_{name}") for name in values), pl.lit(value=True).alias("known")
    )
    just_torn = torn.select(*key, pl.lit(value=True).alias("just_torn"))
    judged = claims.join(own, on=key, how="left", maintain_order="left").join(
        just_torn, on=key, how="left", maintain_order="left"
    )
    same = pl.all_horizontal([pl.col(name).eq_missing(pl.col(f"old_{name}")) for name in values])
    healed = pl.col("running") & ~pl.col("old_running") & pl.col("just_torn").is_null()
    stays = pl.col("known").fill_null(value=False) & (same | healed.fill_null(value=False))
    return judged.filter(~stays).select(claims.columns)


def segment_row(message: StreamCaptured, found: Said, told: pl.DataFrame, torn: Sequence[Wound]) -> pl.DataFrame:
    """Return the row of the table segments that says that `message` is kept.

    Args:
        message: The segment.
        found: What it says.
        told: The minutes (rows of bar_claims) that are told because of it.
        torn: What was not heard.
    """
    row = {
        "provider": message.provider,
        "connection": message.connection,
        "number": message.number,
        "ts_event": message.ts_known,
        "payload": message.key,
        "frames": message.frames,
        "trades": len(found.trades),
        "quotes": len(found.quotes),
        "gaps": msgspec.json.encode(torn).decode() if torn else "",
        "told_from": told["ts_event"].min(),
        "told_to": told["ts_event"].max(),
        "ended": message.ended,
        "ts_known": message.ts_known,
        "simulated": message.simulated,
    }
    columns = TABLES["segments"].columns
    return pl.DataFrame({name: pl.Series([row[name]]).cast(dtype) for name, dtype in columns.items()})


def minutes_batch(rows: pl.DataFrame, claims: pl.DataFrame) -> BatchNormalized:
    """Return the message that tells the minutes of one instrument.

    Args:
        rows: Of bar_claims: what is new, of one provider.
        claims: What all providers claim of the same minutes, in raw basis.
    """
    days, newest = rows["ts_event"].dt.date(), rows.sort("ts_known").row(-1, named=True)
    instrument, first, last = newest["instrument_id"], days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    question = f"stream@{newest['provider']}"
    return BatchNormalized(
        kind="bars",
        round_id=round_id(instrument=instrument, kind=question, timeframe="1m", start=first, end=last),
        instrument_id=instrument,
        timeframe="1m",
        start=first,
        end=last,
        ts_known=int(rows["ts_known"].cast(pl.Int64).max()),  # type: ignore[arg-type]
        providers=tuple(claims["provider"].unique().sort()),
        frame=pack(claims),
        last=False,  # a stream has no end, and no round to be marked
        simulated=newest["simulated"],
    )
