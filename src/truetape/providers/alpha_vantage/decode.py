"""Alpha Vantage's series, read: bars as traded, the adjusted close beside them, and the actions of each day."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import OHLC, Payload, ascending, decoded, label, traded
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.schema import DECODED, empty
from truetape.domain.time import TIMEFRAMES
from truetape.providers.alpha_vantage.classify import by_body

PROVIDER: Final = "alpha_vantage"
MISSING: Final = ("None", "-", "")
ZONE: Final = "US/Eastern"
CLOSES: Final = "16:00:00"
PERIODS: Final = {"daily": "1d", "weekly": "1w", "monthly": "1mo"}
KNOWN: Final = {*OHLC, "volume", "adjusted close", "dividend amount", "split coefficient"}
KEPT_BODIES: Final = 4  # parsed, for the next reader of the same body
TRUNCATIONS: Final = {"1w": "1w", "1mo": "1mo"}

_NUMBER: Final = re.compile(r"^\d+[.:] *")
_MINUTES: Final = re.compile(r"\((\d+)min\)")
_BODY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_META: Final = msgspec.json.Decoder(dict[str, object])
_ROWS: Final = msgspec.json.Decoder(dict[str, dict[str, object]])

T = TypeVar("T")


@dataclass(frozen=True)
class _Series:
    """A series with its fields by their bare names, newest first or not."""

    symbol: str
    timeframe: str
    zone: str
    refreshed: str  # when the newest row was made, in `zone`; a date alone if its session was over
    currency: str | None
    stamps: Sequence[str]
    fields: Mapping[str, Callable[[], Sequence[Any]]]  # read on demand: actions need two of eight


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the bars of a series: schema DECODED["bars"], ascending.

    Daily, weekly and monthly bars are in raw basis; the provider labels the longer ones with their last session, which
    becomes the Monday of the week or the first of the month. Intraday bars are adjusted for splits and dividends unless
    asked otherwise, which the body does not tell: basis all. Fields that the body lacks are null, but prices must be
    there. `ask` gives the symbol and the timeframe of a CSV body, which names neither.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a series.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    series = _series(payload, ask)
    if series is None or not series.stamps:
        return empty(DECODED["bars"])
    missing = [name for name in OHLC if name not in series.fields]
    if missing:
        raise payload.defect(f"the field {missing[0]} was missing")
    names = {**{name: name for name in OHLC}, "volume": "volume", "adj_close": "adjusted close"}
    columns = {name: _numbers(payload, series, field) for name, field in names.items()}
    rows = ascending(traded(pl.DataFrame({"ts_event": _starts(payload, series), **columns})), by="ts_event")
    return decoded(
        "bars",
        {**rows.to_dict(), "running": _running(series, rows)},
        symbol=series.symbol,
        timeframe=series.timeframe,
        currency=series.currency,
        basis="raw" if series.timeframe in PERIODS.values() else "all",
    )


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the dividends and splits of a daily adjusted series: schema DECODED["actions"], basis raw, ascending.

    A dividend of 0 and a split coefficient of 1 mean none. Series without those fields, and longer ones, whose rows do
    not tell the ex-date, have no actions.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a series.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    series = _series(payload, ask)
    if series is None or not series.stamps or series.timeframe != "1d":
        return empty(DECODED["actions"])
    ex_date = payload.dates(series.stamps, field="stamp")
    parts = []
    for kind, field, none in (("dividend", "dividend amount", 0.0), ("split", "split coefficient", 1.0)):
        value = _numbers(payload, series, field)
        rows = pl.DataFrame({"ex_date": ex_date, "value": value}).filter(pl.col("value") != none)
        if kind == "split" and (rows["value"] <= 0).any():
            raise payload.defect(f"a value of {field} was not positive")
        parts.append(rows.with_columns(pl.lit(kind).alias("type")))
    found = pl.concat(parts).unique(["ex_date", "type"], keep="last").sort("ex_date", "type")
    return decoded("actions", found.to_dict(), symbol=series.symbol, currency=series.currency, basis="raw")


def _series(payload: Payload, ask: Ask) -> _Series | None:
    """Return the series of the body, None for an empty object; raise what else it is."""
    if payload.body[:9].lower() == b"timestamp":
        return _from_csv(payload, ask)
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    parts = payload.parse(_BODY)
    if not parts:
        return None
    key = next((key for key in parts if "Time Series" in key), None)
    if key is None:
        raise payload.defect(f"there was no time series among the fields {', '.join(sorted(parts))[:200]}")
    meta = _meta(payload, parts.get("Meta Data"))
    rows = _within(payload, key, parts[key], _rows_of)
    return _from_json(payload, ask, key=key, meta=meta, rows=rows)


@lru_cache(maxsize=KEPT_BODIES)
def _rows_of(body: bytes) -> dict[str, dict[str, Any]]:
    """Return the rows of a series, which nobody changes: bars and actions of one body are read one after the other."""
    return _ROWS.decode(body)


def _from_json(
    payload: Payload, ask: Ask, *, key: str, meta: dict[str, str], rows: dict[str, dict[str, Any]]
) -> _Series:
    first: dict[str, Any] = next(iter(rows.values()), {})
    fields = {_bare(name): partial(_column, payload, rows, name) for name in first}
    unknown = fields.keys() - KNOWN
    if unknown and not fields.keys() >= KNOWN:
        raise payload.defect(f"the field {min(unknown)} is not known, and {min(KNOWN - fields.keys())} was missing")
    symbol = meta.get("symbol") or meta.get("from symbol", "") + meta.get("to symbol", "") or ask.symbol
    return _Series(
        symbol=symbol,
        timeframe=_timeframe(payload, key),
        zone=meta.get("time zone", ZONE),
        refreshed=meta.get("last refreshed", ""),
        currency=meta.get("to symbol") or _currency(symbol),
        stamps=list(rows),
        fields=fields,
    )


def _from_csv(payload: Payload, ask: Ask) -> _Series:
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
    return _Series(
        symbol=ask.symbol,
        timeframe=ask.timeframe if ask.timeframe in TIMEFRAMES else "1d",
        zone=ZONE,
        refreshed="",
        currency=_currency(ask.symbol),
        stamps=stamps,
        fields={name: partial(tuple, texts) for name, texts in zip(names, values, strict=True)},
    )


def _column(payload: Payload, rows: dict[str, dict[str, Any]], name: str) -> list[Any]:
    try:
        return [row[name] for row in rows.values()]
    except KeyError:
        raise payload.defect(f"the field {name} was missing in a row") from None


def _numbers(payload: Payload, series: _Series, field: str) -> pl.Series:
    """Return a field of the series as numbers, all null if the series lacks it."""
    if field not in series.fields:
        return pl.Series([None], dtype=pl.Float64).new_from_index(0, len(series.stamps))
    return payload.numbers(series.fields[field](), field=field, missing=MISSING)


def _within(payload: Payload, field: str, raw: msgspec.Raw, decode: Callable[[bytes], T]) -> T:
    part = Payload(provider=payload.provider, kind=payload.kind, body=bytes(raw))
    try:
        return part.parsed(decode)
    except UndecodablePayload as error:
        raise payload.defect(f"in the field {field}: {error.reason}") from None


def _meta(payload: Payload, raw: msgspec.Raw | None) -> dict[str, str]:
    if raw is None:
        raise payload.defect("the field Meta Data was missing")
    meta = _within(payload, "Meta Data", raw, _META.decode)
    return {_bare(name).lower(): value for name, value in meta.items() if isinstance(value, str)}


def _bare(name: str) -> str:
    """Return a key without its number: "5. adjusted close" is adjusted close."""
    return _NUMBER.sub("", name)


def _timeframe(payload: Payload, key: str) -> str:
    minutes = _MINUTES.search(key)
    if minutes:
        timeframe = "1h" if minutes[1] == "60" else f"{minutes[1]}m"
    else:
        timeframe = next((short for word, short in PERIODS.items() if word in key.lower()), key)
    if timeframe not in TIMEFRAMES:
        raise payload.defect(f"the period of the field {key[:40]} is not known")
    return timeframe


def _currency(symbol: str) -> str | None:
    """Return USD for a symbol without an exchange suffix; the body does not tell the currency of others."""
    return "USD" if symbol and "." not in symbol else None


def _starts(payload: Payload, series: _Series) -> pl.Series:
    if series.timeframe not in PERIODS.values():
        return _instants(payload, series)
    days = payload.dates(series.stamps, field="stamp")
    every = TRUNCATIONS.get(series.timeframe)
    return label(days.dt.truncate(every) if every else days)


def _instants(payload: Payload, series: _Series) -> pl.Series:
    """Return the instants of wall-clock stamps; the hour that comes twice in autumn counts the first time."""
    texts = payload.series(series.stamps, pl.String(), field="stamp")
    payload.dates([stamp[:10] for stamp in series.stamps], field="stamp")
    walls = texts.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ns", strict=False)
    try:
        local = walls.dt.replace_time_zone(series.zone, ambiguous="earliest", non_existent="null")
    except pl.exceptions.PolarsError:
        raise payload.defect(f"the time zone was {series.zone[:40]!r}, no IANA zone") from None
    if local.null_count():
        raise payload.defect(f"the stamp {str(texts.filter(local.is_null())[0])[:40]!r} was no time of day")
    return local.dt.convert_time_zone("UTC")


def _running(series: _Series, rows: pl.DataFrame) -> pl.Series:
    """Return whether each bar was unfinished: the newest daily one, if it was refreshed before its session's close."""
    flags = pl.Series([False]).new_from_index(0, len(rows))
    day, _, time = series.refreshed.partition(" ")
    if series.timeframe == "1d" and len(rows) and time and time < CLOSES:
        last: datetime = rows["ts_event"][-1]
        flags[-1] = last.date().isoformat() == day
    return flags
