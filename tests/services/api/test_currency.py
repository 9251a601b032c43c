"""Bars in another currency: which fixing each uses, and that none was out later than the bar ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pipeline_doubles import BothTimes
from room_doubles import Unchanged, rows
from truetape.domain.errors import BadInput
from truetape.domain.time import from_datetime
from truetape.services.api.currency import FX, InCurrency, fx_used, in_currency
from truetape.services.api.reading import Reading

THURSDAY, FRIDAY, MONDAY = date(2024, 3, 7), date(2024, 3, 8), date(2024, 3, 11)
KNOWN = datetime(2024, 3, 12, tzinfo=UTC)


def rate(pair: str, day: date, value: float, *, fixing: str = "ecb", version: int = 1) -> pl.DataFrame:
    """A golden rate; the second version of one is known a day later."""
    base, _, quote = pair.partition("/")
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    known = KNOWN + timedelta(days=version - 1)
    about = {"base": base, "quote": quote, "fixing": fixing, "ts_event": [at], "rate": value, "provider": fixing}
    return rows("fx_rates", **about, version=version, ts_known=known, simulated=False)


RATES = [
    rate("EUR/USD", THURSDAY, 1.09),
    rate("EUR/USD", FRIDAY, 1.10),
    rate("EUR/USD", MONDAY, 1.08),
    rate("EUR/GBP", FRIDAY, 0.85),
    rate("EUR/USD", FRIDAY, 1.2, fixing="close"),
    rate("USD/CHF", FRIDAY, 0.9, fixing="fed_noon"),
    rate("EUR/USD", MONDAY, 1.07, version=2),
]
CLOSES = {"XNAS": 21, "XTKS": 6}  # o'clock UTC


def read_at(as_of: int | None) -> Reading:
    """A reading of the rates and of the hours of two venues, as known at `as_of`."""
    hours = [
        rows(
            "sessions",
            mic=mic,
            session=[day],
            close=datetime(day.year, day.month, day.day, hour, tzinfo=UTC),
            ts_known=KNOWN,
        )
        for mic, hour in CLOSES.items()
        for day in (THURSDAY, FRIDAY, MONDAY)
    ]
    store = BothTimes(fx_rates=pl.concat(RATES), sessions=pl.concat(hours))
    return Reading(store, changes=Unchanged(), version=0, as_of=as_of, told=0)


@pytest.fixture
def reading() -> Reading:
    return read_at(None)


def bars(*moments: str, currency: str = "USD", price: float = 110.0) -> pl.DataFrame:
    """Bars labelled with `moments`, all prices the same."""
    at = pl.Series("ts_event", moments).str.to_datetime(time_unit="ns", time_zone="UTC")
    return pl.DataFrame({"ts_event": at, **dict.fromkeys(("open", "high", "low", "close"), price)}).with_columns(
        volume=pl.lit(7.0), currency=pl.lit(currency)
    )


def days(found: InCurrency) -> list[date | None]:
    return found.bars["fx_fixed"].to_list()


@pytest.mark.parametrize(
    ("mic", "timeframe", "fixing", "moment", "fixed"),
    [
        ("XNAS", "1d", "ecb", "2024-03-08 00:00", FRIDAY),  # New York closes at 21:00 UTC, the bank tells at 15:00
        ("XTKS", "1d", "ecb", "2024-03-08 00:00", THURSDAY),  # Tokyo has closed nine hours before
        ("XTKS", "1d", "ecb", "2024-03-11 00:00", FRIDAY),  # and over the weekend
        ("XPAR", "1d", "ecb", "2024-03-08 00:00", FRIDAY),  # whose hours are not known: the day ends at midnight
        ("XNAS", "1m", "ecb", "2024-03-08 14:58", THURSDAY),  # ends at 14:59
        ("XNAS", "1m", "ecb", "2024-03-08 14:59", FRIDAY),  # ends as the rate comes out
        ("XNAS", "1h", "ecb", "2024-03-08 14:00", FRIDAY),
        ("XNAS", "1w", "ecb", "2024-03-04 00:00", FRIDAY),
        ("XNAS", "1d", "close", "2024-03-11 00:00", FRIDAY),  # closes of a day are out when it has ended
        ("XNAS", "1d", "", "2024-03-08 00:00", FRIDAY),  # the bank's, which come first
    ],
)
async def test_no_bar_sees_a_fixing_of_later(
    reading: Reading, mic: str, timeframe: str, fixing: str, moment: str, fixed: date
) -> None:
    """The newest fixing that was out when the bar ended is used."""
    found = await in_currency(reading, bars(moment), mic=mic, timeframe=timeframe, currency="EUR", fixing=fixing)

    assert [fixed] == days(found)
    rate = {("ecb", THURSDAY): 1.09, ("ecb", FRIDAY): 1.10, ("close", FRIDAY): 1.2}[fixing or "ecb", fixed]
    row = found.bars.row(0, named=True)
    assert pytest.approx(110.0 / rate) == row["close"] == row["open"] == row["high"] == row["low"]
    assert ("EUR", 7.0, "1/(EUR/USD)", fixing or "ecb") == tuple(
        row[name] for name in ("currency", "volume", "fx_path", "fx_fixing")
    )


async def test_a_currency_takes_the_first_fixing_that_leads_there(reading: Reading) -> None:
    """Francs are told by New York alone here, pounds across the euro, and of yen nothing is known."""
    day = bars("2024-03-08 00:00")
    francs = await in_currency(reading, day, mic="XNAS", timeframe="1d", currency="CHF")
    pounds = await in_currency(reading, day, mic="XNAS", timeframe="1d", currency="GBp")

    assert ("fed_noon", "USD/CHF", 0.9) == francs.bars.select("fx_fixing", "fx_path", "fx_rate").row(0)
    assert ("ecb", "1/(EUR/USD) x EUR/GBP") == pounds.bars.select("fx_fixing", "fx_path").row(0)
    assert pytest.approx(110 / 1.10 * 0.85 * 100) == pounds.bars["close"][0]
    with pytest.raises(BadInput, match=r"No rate between USD and JPY is known. Name the pair under .*backfill USD/JPY"):
        await in_currency(reading, day, mic="XNAS", timeframe="1d", currency="JPY")
    with pytest.raises(BadInput, match=r"No rate between USD and CHF is known by the fixing ecb."):
        await in_currency(reading, day, mic="XNAS", timeframe="1d", currency="CHF", fixing="ecb")


async def test_parts_need_no_rate(reading: Reading) -> None:
    """Pence become pounds and marks euros without a fixing; days before the first one have no price."""
    pence = await in_currency(
        reading, bars("2024-03-08 00:00", currency="GBp"), mic="XLON", timeframe="1d", currency="GBP"
    )
    marks = await in_currency(
        reading, bars("2001-03-08 00:00", currency="DEM"), mic="XETR", timeframe="1d", currency="EUR"
    )
    early = await in_currency(reading, bars("2001-03-08 00:00"), mic="XNAS", timeframe="1d", currency="EUR")

    assert (pytest.approx(1.1), None, "") == pence.bars.select("close", "fx_fixing", "fx_path").row(0)
    assert (pytest.approx(110 / 1.95583), None, "1/(EUR/DEM)") == marks.bars.select(
        "close", "fx_fixing", "fx_path"
    ).row(0)
    assert (None, None, "EUR") == early.bars.select("close", "fx_rate", "currency").row(0)
    used = fx_used([early, pence], currency="EUR")
    assert used is not None
    assert (1, (), (), None) == (used.missing, used.fixings, used.paths, used.known)


async def test_what_is_known_later_changes_nothing_then(reading: Reading) -> None:
    """The bank's correction of Monday's rate was known a day later."""
    monday = bars("2024-03-11 00:00")
    then = read_at(from_datetime(KNOWN))
    about = {"mic": "XNAS", "timeframe": "1d", "currency": "EUR"}

    now, before = await in_currency(reading, monday, **about), await in_currency(then, monday, **about)

    assert [pytest.approx(1 / 1.07)] == now.bars["fx_rate"].to_list()
    assert [pytest.approx(1 / 1.08)] == before.bars["fx_rate"].to_list()
    told = fx_used([now], currency="EUR")
    assert told is not None
    assert ("EUR", ("ecb",), ("1/(EUR/USD)",), 0, 0, "2024-03-13T00:00:00Z") == (
        told.currency,
        told.fixings,
        told.paths,
        told.oldest_days,
        told.missing,
        told.known,
    )


async def test_no_bars_have_the_columns_all_the_same(reading: Reading) -> None:
    """An empty answer has the columns of a full one; an answer in no other currency tells of no rates."""
    none = await in_currency(reading, bars("2024-03-08 00:00").clear(), mic="X", timeframe="1d", currency="EUR")

    assert (0, list(FX)) == (len(none.bars), none.bars.columns[-len(FX) :])
    assert fx_used([], currency="") is None
