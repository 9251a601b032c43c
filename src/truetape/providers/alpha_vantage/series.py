"""Alpha Vantage's series, taken apart: stamps and fields of a JSON or CSV body, and what its meta data say of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import OHLC, Payload
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.pairs import halves
from truetape.domain.time import TIMEFRAMES
from truetape.providers.alpha_vantage.classify import by_body

PROVIDER: Final = "alpha_vantage"
MISSING: Final = ("None", "-", "")
ZONE: Final = "US/Eastern"
PERIODS: Final = {"daily": "1d", "weekly": "1w", "monthly": "1mo"}
KNOWN: Final = {*OHLC, "volume", "adjusted close", "dividend amount", "split coefficient"}
KEPT_BODIES: Final = 4  # parsed, for the next reader of the same body
CLOSES: Final = "16:00:00"
NEVER: Final = "24:00:00"  # when a day of currencies and coins ends

_NUMBER: Final = re.compile(r"^\d+[.:] *")
_MINUTES: Final = re.compile(r"\((\d+)min\)")

T = TypeVar("T")
Text = str | None | msgspec.UnsetType

_NUMBERED: Final = {
    "open": "1. open",
    "high": "2. high",
    "low": "3. low",
    "close": "4. close",
    "volume": "5. volume",
    "adjusted": "5. adjusted close",
    "later_volume": "6. volume",
    "dividend": "7. dividend amount",
    "split": "8. split coefficient",
}


class _Row(msgspec.Struct, rename=_NUMBERED, gc=False):
    """A row of any series whose fields are numbered as we know them: read in half the time of a dictionary."""

    open: Text = msgspec.UNSET
    high: Text = msgspec.UNSET
    low: Text = msgspec.UNSET
    close: Text = msgspec.UNSET
    volume: Text = msgspec.UNSET
    adjusted: Text = msgspec.UNSET
    later_volume: Text = msgspec.UNSET
    dividend: Text = msgspec.UNSET
    split: Text = msgspec.UNSET


_COLUMNS: Final[dict[str, Callable[[Iterable[_Row]], list[Text]]]] = {
    "1. open": lambda rows: [row.open for row in rows],
    "2. high": lambda rows: [row.high for row in rows],
    "3. low": lambda rows: [row.low for row in rows],
    "4. close": lambda rows: [row.close for row in rows],
    "5. volume": lambda rows: [row.volume for row in rows],
    "5. adjusted close": lambda rows: [row.adjusted for row in rows],
    "6. volume": lambda rows: [row.later_volume for row in rows],
    "7. dividend amount": lambda rows: [row.dividend for row in rows],
    "8. split coefficient": lambda rows: [row.split for row in rows],
}

_BODY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_META: Final = msgspec.json.Decoder(dict[str, object])
_ROWS: Final = msgspec.json.Decoder(dict[str, dict[str, object]])
_NUMBERED_ROWS: Final = msgspec.json.Decoder(dict[str, _Row])


@dataclass(frozen=True)
class Series:
    """A series with its fields by their bare names, newest first or not."""

    symbol: str
    pair: tuple[str, str]  # base and quote as the body names them; empty for shares
    timeframe: str
    zone: str
    refreshed: str  # when the newest row was made, in `zone`; a date alone if its session was over
    closes: str  # when a day's session is over, in `zone`
    currency: str | None
    stamps: Sequence[str]
    fields: Mapping[str, Callable[[], Sequence[Any]]]  # read on demand: actions need two of eight


def read(payload: Payload, ask: Ask) -> Series | None:
    """Return the series of a body, None for an empty object.

    `ask` gives the symbol and the timeframe of a CSV body, which names neither.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a series.
    """
    if payload.body[:9].lower() == b"timestamp":
        return _from_csv(payload, ask)
    parts = parts_of(payload)
    if not parts:
        return None
    key = next((key for key in parts if "Time Series" in key), None)
    if key is None:
        raise payload.defect(f"there was no time series among the fields {', '.join(sorted(parts))[:200]}")
    meta = _meta(payload, parts.get("Meta Data"))
    names, rows = within(payload, key, parts[key], _rows_of)
    return _from_json(payload, ask, key=key, meta=meta, names=names, rows=rows)


def parts_of(payload: Payload) -> dict[str, msgspec.Raw]:
    """Return the fields of a body that is a JSON object.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is no object.
    """
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    return payload.parse(_BODY)


def within(payload: Payload, field: str, raw: msgspec.Raw, decode: Callable[[bytes], T]) -> T:
    """Return what `decode` makes of a part of the body.

    Raises:
        UndecodablePayload: It is of another shape; the reason names `field`.
    """
    part = Payload(provider=payload.provider, kind=payload.kind, body=bytes(raw))
    try:
        return part.parsed(decode)
    except UndecodablePayload as error:
        raise payload.defect(f"in the field {field}: {error.reason}") from None


def numbers(payload: Payload, series: Series, field: str) -> pl.Series:
    """Return a field of the series as numbers, all null if the series lacks it.

    Raises:
        UndecodablePayload: A row lacks it, or a text is no finite number.
    """
    if field not in series.fields:
        return pl.Series([None], dtype=pl.Float64).new_from_index(0, len(series.stamps))
    return payload.numbers(series.fields[field](), field=field, missing=MISSING)


def bare(name: str) -> str:
    """Return a key without its number: "5. adjusted close" is adjusted close."""
    return _NUMBER.sub("", name)


def currency(symbol: str) -> str | None:
    """Return what prices of `symbol` are in, as far as it tells: the quote of a pair, USD for one without a suffix."""
    pair = halves(symbol)
    if pair:
        return pair[1]
    return "USD" if symbol and "." not in symbol else None


@lru_cache(maxsize=KEPT_BODIES)
def _rows_of(body: bytes) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the field names of the first row, and all rows, which nobody changes.

    Bars and actions of one body are read one after the other.
    """
    names = _first_names(body)
    rows: dict[str, Any] = (_NUMBERED_ROWS if _COLUMNS.keys() >= set(names) else _ROWS).decode(body)
    return names, rows


def _first_names(body: bytes) -> tuple[str, ...]:
    start = body.find(b"{", 1)
    try:
        return tuple(_META.decode(body[start : body.find(b"}", start) + 1]))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()


def _from_json(
    payload: Payload, ask: Ask, *, key: str, meta: dict[str, str], names: Sequence[str], rows: dict[str, Any]
) -> Series:
    fields = {bare(name): partial(_column, payload, rows, name) for name in names}
    unknown = fields.keys() - KNOWN
    if unknown and not fields.keys() >= KNOWN:
        raise payload.defect(f"the field {min(unknown)} is not known, and {min(KNOWN - fields.keys())} was missing")
    base, quote = meta.get("from symbol") or meta.get("digital currency code", ""), meta.get("to symbol", "")
    quote = quote or meta.get("market code", "")
    symbol = meta.get("symbol") or base + quote or ask.symbol
    return Series(
        symbol=symbol,
        pair=(base, quote),
        timeframe=_timeframe(payload, key),
        zone=meta.get("time zone", ZONE),
        refreshed=meta.get("last refreshed", ""),
        closes=NEVER if quote else CLOSES,
        currency=quote or currency(symbol),
        stamps=list(rows),
        fields=fields,
    )


def _from_csv(payload: Payload, ask: Ask) -> Series:
    payload.bounded()
    text = payload.body.decode("utf-8", errors="replace")
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise payload.defect(f"it was no CSV: {error}") from None
    if any(len(row) != len(header) for row in rows):
        raise payload.defect(f"a line had another number of fields than the {len(header)} of the header")
    columns: list[Sequence[str]] = list(zip(*rows, strict=True)) or [()] * len(header)
    stamps, *values = columns
    names = [name.strip().replace("_", " ") for name in header[1:]]
    return Series(
        symbol=ask.symbol,
        pair=halves(ask.symbol) or ("", ""),
        timeframe=ask.timeframe if ask.timeframe in TIMEFRAMES else "1d",
        zone="UTC" if halves(ask.symbol) else ZONE,
        refreshed="",
        closes=CLOSES,
        currency=currency(ask.symbol),
        stamps=stamps,
        fields={name: partial(tuple, texts) for name, texts in zip(names, values, strict=True)},
    )


def _column(payload: Payload, rows: dict[str, Any], name: str) -> list[Any]:
    if isinstance(next(iter(rows.values())), _Row):
        column = _COLUMNS[name](rows.values())
    else:
        column = [row.get(name, msgspec.UNSET) for row in rows.values()]
    if msgspec.UNSET in column:
        raise payload.defect(f"the field {name} was missing in a row")
    return column


def _meta(payload: Payload, raw: msgspec.Raw | None) -> dict[str, str]:
    if raw is None:
        raise payload.defect("the field Meta Data was missing")
    meta = within(payload, "Meta Data", raw, _META.decode)
    return {bare(name).lower(): value for name, value in meta.items() if isinstance(value, str)}


def _timeframe(payload: Payload, key: str) -> str:
    minutes = _MINUTES.search(key)
    if minutes:
        timeframe = "1h" if minutes[1] == "60" else f"{minutes[1]}m"
    else:
        timeframe = next((short for word, short in PERIODS.items() if word in key.lower()), key)
    if timeframe not in TIMEFRAMES:
        raise payload.defect(f"the period of the field {key[:40]} is not known")
    return timeframe
