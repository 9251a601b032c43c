"""FRED's observations, read: each value with the days on which it stood, from JSON or XML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Payload, decoded, label
from truetape.domain.errors import ProviderRefused
from truetape.domain.markup import elements
from truetape.domain.schema import DECODED, empty
from truetape.providers.fred.classify import by_body
from truetape.providers.fred.names import pair

PROVIDER: Final = "fred"
MISSING: Final = "."
EVER: Final = "1776-07-04"
OPEN_END: Final = "9999-12-31"


class _Observation(msgspec.Struct):
    date: str
    value: str
    realtime_start: str
    realtime_end: str


class _Series(msgspec.Struct):
    realtime_end: str
    observations: list[_Observation]


_SERIES: Final = msgspec.json.Decoder(_Series)


@dataclass(frozen=True)
class _Texts:
    """The columns of a body as texts, and the last day of the window that was asked for."""

    last: str
    date: list[str]
    value: list[str]
    start: list[str]
    end: list[str]


def observations(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return schema DECODED["observations"], ascending by period and then by vintage.

    A value of a dot is null: not published, or withdrawn. A value that stood on the last day of the window that was
    asked for still stands: its known_to is null, as is the known_from of one that stood since ever. The symbol is that
    of `ask`, since the body does not name the series.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor observations.
    """
    payload = Payload(provider=PROVIDER, kind="observations", body=body)
    rows = _rows(payload).sort("period", "known_from", maintain_order=True)
    return decoded("observations", rows.to_dict(), symbol=ask.symbol or None)


def index_levels(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return schema DECODED["index_levels"], ascending: of each day the value that was published last, without gaps.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor observations.
    """
    rows = _newest(Payload(provider=PROVIDER, kind="index_levels", body=body))
    columns = {"ts_event": label(rows["period"]), "level": rows["value"]}
    return decoded("index_levels", columns, symbol=ask.symbol or None)


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return schema DECODED["fx_rates"], ascending: noon rates in New York, whose currencies the symbol of `ask` names.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor observations, or the series is no exchange rate.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    rows = _newest(payload)
    currencies = pair(ask.symbol)
    if currencies is None:
        raise payload.defect(f"the series {ask.symbol[:40]!r} is no exchange rate")
    columns = {"ts_event": label(rows["period"]), "rate": rows["value"]}
    return decoded("fx_rates", columns, base=currencies[0], quote=currencies[1])


def _newest(payload: Payload) -> pl.DataFrame:
    """Return the last vintage of each period, without periods that have no value."""
    rows = _rows(payload).sort("period", "known_from", maintain_order=True)
    return rows.unique("period", keep="last", maintain_order=True).filter(pl.col("value").is_not_null())


def _rows(payload: Payload) -> pl.DataFrame:
    """Return period, value, known_from and known_to of each observation, in the order of the body."""
    texts = _from_xml(payload) if payload.body[:64].lstrip()[:1] == b"<" else _from_json(payload)
    schema = {name: dtype for name, dtype in DECODED["observations"].items() if name != "symbol"}
    if not texts.date:
        return empty(schema)
    until = payload.series(texts.end, pl.String(), field="realtime_end")
    columns = {
        "period": payload.dates(texts.date, field="date"),
        "value": payload.numbers(texts.value, field="value", missing=(MISSING,)),
        "known_from": _known_from(payload, texts.start),
        "stands": until >= min(texts.last, OPEN_END),
        "until": until,
    }
    ended = until.filter(~columns["stands"])
    payload.dates(ended, field="realtime_end")
    known_to = pl.when("stands").then(None).otherwise(pl.col("until").str.to_date("%Y-%m-%d", strict=False))
    return pl.DataFrame(columns).with_columns(known_to.alias("known_to")).select(list(schema))


def _known_from(payload: Payload, texts: list[str]) -> pl.Series:
    """Return the days since which values stand; null where that is since ever."""
    days = payload.series(texts, pl.String(), field="realtime_start")
    payload.dates(days.filter(days != EVER), field="realtime_start")
    return days.set(days == EVER, None).str.to_date("%Y-%m-%d", strict=False)


def _from_json(payload: Payload) -> _Texts:
    series = payload.parse_or_refuse(_SERIES, by_body)
    rows = series.observations
    return _Texts(
        last=series.realtime_end,
        date=[one.date for one in rows],
        value=[one.value for one in rows],
        start=[one.realtime_start for one in rows],
        end=[one.realtime_end for one in rows],
    )


def _from_xml(payload: Payload) -> _Texts:
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    found = elements(payload, names=("observations", "observation"))
    if not found or found[0][0] != "observations":
        raise payload.defect("the element observations was missing")
    try:
        rows = [one for name, one in found if name == "observation"]
        return _Texts(
            last=found[0][1]["realtime_end"],
            date=[one["date"] for one in rows],
            value=[one["value"] for one in rows],
            start=[one["realtime_start"] for one in rows],
            end=[one["realtime_end"] for one in rows],
        )
    except KeyError as error:
        raise payload.defect(f"the attribute {error.args[0]} was missing") from None
