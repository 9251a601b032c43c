"""The bank's rates and series, read: the files of all currencies, and the data portal's tables."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Payload, decoded, label
from truetape.domain.drift import names_differ, words
from truetape.domain.errors import ProviderRefused
from truetape.domain.markup import elements
from truetape.domain.tables import ends_whole, rows
from truetape.domain.unpacking import unpacked
from truetape.providers.ecb.classify import ROOT, by_body

PROVIDER: Final = "ecb"
EURO: Final = "EUR"
MISSING: Final = "N/A"

_CURRENCY: Final = "^[A-Z]{3}$"
_LONG_DATE: Final = "%d %B %Y"
_ISO_LENGTH: Final = len("2024-03-08")
_FIRST_DAYS: Final = {  # of a part of a year
    **{f"-Q{number}": f"-{number * 3 - 2:02}-01" for number in range(1, 5)},
    **{f"-{letter}{number}": f"-{number * 6 - 5:02}-01" for number in (1, 2) for letter in "SH"},
    **{f"-{number:02}": f"-{number:02}-01" for number in range(1, 13)},
    "": "-01-01",
}


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - every body names its currencies
    """Return schema DECODED["fx_rates"], ascending by day and currency: what one euro cost, fixed at 14:15 of the day.

    Days on which a currency was not quoted are left out.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor rates.
    """
    payload = unpacked(Payload(provider=PROVIDER, kind="fx_rates", body=body))
    found = _fixings(payload).filter(pl.col("rate").is_not_null())
    wrong = found.filter(~pl.all_horizontal(pl.col("base", "quote").str.contains(_CURRENCY)))
    if not wrong.is_empty():
        raise payload.defect(f"a currency was {(wrong['base'][0] + '/' + wrong['quote'][0])[:40]!r}")
    found = found.unique(["base", "quote", "day"], keep="last").sort("day", "base", "quote")
    return decoded("fx_rates", {"ts_event": label(found["day"]), **found.drop("day").to_dict()})


def observations(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body names its series
    """Return schema DECODED["observations"], ascending, of a table of the data portal.

    The symbol is flow/key. Since when a value stands is not told.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a table, or a period is none.
    """
    payload = Payload(provider=PROVIDER, kind="observations", body=body)
    table = _table(payload, needed=("KEY", "TIME_PERIOD", "OBS_VALUE"))
    found = pl.DataFrame(
        {
            "symbol": table["KEY"].str.replace(".", "/", literal=True),
            "period": _periods(payload, table["TIME_PERIOD"]),
            "value": payload.numbers(table["OBS_VALUE"], field="OBS_VALUE", missing=("NaN",)),
        }
    )
    found = found.unique(["symbol", "period"], keep="last").sort("symbol", "period")
    return decoded("observations", found.to_dict())


def _fixings(payload: Payload) -> pl.DataFrame:
    """Return day, base, quote and rate of each fixing, in the order of the body."""
    if payload.body.startswith(b"Date,"):
        return _from_wide(payload)
    if payload.body.startswith(b"KEY,"):
        return _from_portal(payload)
    _refuse(payload)
    found = elements(payload, names=("Envelope", "Cube"))
    if not found or found[0][0] != ROOT.decode():
        raise payload.defect("it was no list of reference rates")
    days, quotes, texts, day = [], [], [], ""
    for _name, attributes in found:
        day = attributes.get("time", day)
        if "currency" in attributes:
            days.append(day)
            quotes.append(attributes["currency"])
            texts.append(attributes.get("rate", ""))
    return pl.DataFrame(
        {
            "day": payload.dates(days, field="time"),
            "base": pl.Series([EURO], dtype=pl.String).new_from_index(0, len(days)),
            "quote": pl.Series(quotes, dtype=pl.String),
            "rate": payload.numbers(texts, field="rate"),
        }
    )


def _from_wide(payload: Payload) -> pl.DataFrame:
    table = _whole_rows(payload)
    long = table.unpivot(index="Date", variable_name="quote", value_name="rate").filter(pl.col("rate").is_not_null())
    return long.select(
        _days(payload, long["Date"]).alias("day"),
        pl.lit(EURO).alias("base"),
        "quote",
        payload.numbers(long["rate"], field="a currency", missing=(MISSING,)).alias("rate"),
    )


def _from_portal(payload: Payload) -> pl.DataFrame:
    table = _table(payload, needed=("CURRENCY", "CURRENCY_DENOM", "TIME_PERIOD", "OBS_VALUE"))
    return table.select(
        payload.dates(table["TIME_PERIOD"], field="TIME_PERIOD").alias("day"),
        pl.col("CURRENCY_DENOM").alias("base"),
        pl.col("CURRENCY").alias("quote"),
        payload.numbers(table["OBS_VALUE"], field="OBS_VALUE", missing=("NaN",)).alias("rate"),
    )


def _table(payload: Payload, *, needed: tuple[str, ...]) -> pl.DataFrame:
    _refuse(payload)
    table = _whole_rows(payload)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise payload.defect(f"the column {missing[0]} was missing{words(names_differ(needed, table.columns))}")
    unnamed = [name for name in needed if name != "OBS_VALUE" and table[name].null_count()]
    if unnamed:
        raise payload.defect(f"the column {unnamed[0]} had an empty cell")
    return table


def _whole_rows(payload: Payload) -> pl.DataFrame:
    if not ends_whole(payload.body):
        raise payload.defect("its last line was cut")
    return rows(payload)


def _days(payload: Payload, texts: pl.Series) -> pl.Series:
    """Return ISO dates, or those of the file of one day: 21 November 2026."""
    if (texts.str.len_bytes() == _ISO_LENGTH).fill_null(value=True).all():
        return payload.dates(texts, field="Date")
    spelled = texts.str.to_date(_LONG_DATE, strict=False).cast(pl.String)
    return payload.dates(spelled.zip_with(spelled.is_not_null(), texts), field="Date")


def _periods(payload: Payload, texts: pl.Series) -> pl.Series:
    """Return the first day of each day, week, month, quarter, half or whole year."""
    year, rest = texts.str.slice(0, 4), texts.str.slice(4)
    firsts = year + rest.replace_strict(_FIRST_DAYS, default=None, return_dtype=pl.String)
    weeks = (texts + "-1").str.to_date("%G-W%V-%u", strict=False).cast(pl.String)
    known = firsts.zip_with(firsts.is_not_null(), weeks)
    return payload.dates(known.zip_with(known.is_not_null(), texts), field="TIME_PERIOD")


def _refuse(payload: Payload) -> None:
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
