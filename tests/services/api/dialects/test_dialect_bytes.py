"""What the dialects write, compared with bodies written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl
import pytest

from truetape.domain.schema import DECODED
from truetape.services.api.dialects import alpha_vantage, finnhub, iex_cloud, numbers, yahoo

NO_ACTIONS = pl.DataFrame(schema=DECODED["actions"])
VALUES = ("open", "high", "low", "close", "volume", "adj_close")


def bars(*rows: tuple[date, tuple[float | None, ...]], basis: str = "split", running: bool = False) -> pl.DataFrame:
    """Daily bars of ACME; `running` says whether the last one is."""
    dicts = [
        {
            "symbol": "ACME",
            "timeframe": "1d",
            "ts_event": datetime(day.year, day.month, day.day, tzinfo=UTC),
            **dict(zip(VALUES, values, strict=True)),
            "currency": "USD",
            "basis": basis,
            "running": running and number == len(rows) - 1,
        }
        for number, (day, values) in enumerate(rows)
    ]
    return pl.DataFrame(dicts, schema=DECODED["bars"])


def actions(*rows: tuple[date, str, float, str], basis: str = "split") -> pl.DataFrame:
    return pl.DataFrame([("ACME", *row, basis, *[None] * 4) for row in rows], schema=DECODED["actions"], orient="row")


FRIDAY, MONDAY = date(2024, 3, 8), date(2024, 3, 11)
TWO = bars((FRIDAY, (187.15, 188, 186.5, 187.5, 1000, 187.25)), (MONDAY, (188.5, 190.1, None, 188.25, 900.5, None)))
NONE = TWO.clear()


def result(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)["chart"]["result"][0]
    return found


def test_yahoo_writes_32_bit_prices_at_the_sessions_open() -> None:
    """New York's clocks went forward between the two: 14:30 UTC, then 13:30."""
    found = result(yahoo.chart(TWO, NO_ACTIONS))
    assert found["timestamp"] == [1709908200, 1710163800]
    assert found["indicators"] == {
        "quote": [
            {
                "open": [187.14999389648438, 188.5],
                "high": [188.0, 190.10000610351562],
                "low": [186.5, None],
                "close": [187.5, 188.25],
                "volume": [1000, 900.5],
            }
        ],
        "adjclose": [{"adjclose": [187.25, None]}],
    }
    assert "events" not in found
    meta = found["meta"]
    assert (meta["symbol"], meta["currency"], meta["dataGranularity"]) == ("ACME", "USD", "1d")
    assert (meta["exchangeTimezoneName"], meta["timezone"], meta["gmtoffset"]) == ("America/New_York", "EDT", -14400)
    assert meta["regularMarketTime"] == 1710187200  # 16:00 in New York
    assert meta["currentTradingPeriod"]["regular"] == {
        "timezone": "EDT",
        "start": 1710163800,
        "end": 1710187200,
        "gmtoffset": -14400,
    }


def test_yahoo_stamps_a_running_bar_with_its_last_trade() -> None:
    """The last stamp is the market time, before the session's end."""
    found = result(yahoo.chart(bars((MONDAY, (1, 1, 1, 1, 1, 1)), running=True), NO_ACTIONS))
    assert found["timestamp"] == [found["meta"]["regularMarketTime"]] == [1710175500]  # 12:45 in New York


def test_yahoo_weeks_begin_at_local_midnight() -> None:
    """Also where the clocks skip midnight, as in Sao Paulo on 2018-11-04."""
    sunday = bars((date(2018, 11, 4), (1, 1, 1, 1, 1, 1)), running=True)
    found = result(yahoo.chart(sunday, NO_ACTIONS, zone="America/Sao_Paulo", timeframe="1w"))
    assert found["timestamp"] == [1541300400]  # 03:00 UTC: 01:00 in Sao Paulo, the first hour that there was
    assert found["meta"]["dataGranularity"] == "1wk"


def test_yahoo_minutes_have_no_adjusted_close() -> None:
    """Intraday stamps are the bars' starts."""
    found = result(yahoo.chart(TWO, NO_ACTIONS, timeframe="5m"))
    assert found["timestamp"] == [1709856000, 1710115200]
    assert list(found["indicators"]) == ["quote"]


def test_yahoo_opens_when_told() -> None:
    """Sydney's session of the 8th opens at 10:00, on the 7th in UTC."""
    found = result(yahoo.chart(TWO[:1], NO_ACTIONS, zone="Australia/Sydney", opens=time(10)))
    assert found["timestamp"] == [1709852400]


def test_yahoo_writes_nothing_as_a_result_without_stamps() -> None:
    """The symbol is the one that was asked for."""
    found = result(yahoo.chart(NONE, NO_ACTIONS, symbol="ACME"))
    assert "timestamp" not in found
    assert found["indicators"] == {"quote": [{}]}
    assert found["meta"]["symbol"] == "ACME"


def test_yahoo_writes_actions_by_their_stamp() -> None:
    """Dividends of one day add up, splits multiply, and a foreign currency is written beside the amount."""
    told = actions(
        (FRIDAY, "dividend", 0.25, "USD"),
        (FRIDAY, "dividend", 0.5, "USD"),
        (MONDAY, "dividend", 1.0, "CAD"),
        (MONDAY, "split", 2.0, "USD"),
        (MONDAY, "split", 1.5, "USD"),
    )
    assert result(yahoo.chart(TWO, told))["events"] == {
        "dividends": {
            "1709908200": {"amount": 0.75, "date": 1709908200},
            "1710163800": {"amount": 1.0, "date": 1710163800, "currency": "CAD"},
        },
        "splits": {"1710163800": {"date": 1710163800, "numerator": 3, "denominator": 1, "splitRatio": "3:1"}},
    }


def test_yahoo_failures() -> None:
    """The error object stands in the envelope of the endpoint."""
    assert json.loads(yahoo.failure("Not Found", "No data")) == {
        "chart": {"result": None, "error": {"code": "Not Found", "description": "No data"}}
    }
    assert list(json.loads(yahoo.failure("Unauthorized", "Invalid Crumb", envelope="finance"))) == ["finance"]


def test_alpha_vantage_writes_strings_newest_first() -> None:
    """Keys are numbered, prices have four decimals or as many as it takes, missing ones are None."""
    body = json.loads(alpha_vantage.daily(TWO))
    assert body == {
        "Meta Data": {
            "1. Information": "Daily Prices (open, high, low, close) and Volumes",
            "2. Symbol": "ACME",
            "3. Last Refreshed": "2024-03-11",
            "4. Output Size": "Full size",
            "5. Time Zone": "US/Eastern",
        },
        "Time Series (Daily)": {
            "2024-03-11": {
                "1. open": "188.5000",
                "2. high": "190.1000",
                "3. low": "None",
                "4. close": "188.2500",
                "5. volume": "900.5",
            },
            "2024-03-08": {
                "1. open": "187.1500",
                "2. high": "188.0000",
                "3. low": "186.5000",
                "4. close": "187.5000",
                "5. volume": "1000",
            },
        },
    }
    assert list(body["Time Series (Daily)"]) == ["2024-03-11", "2024-03-08"]


def test_alpha_vantage_writes_actions_beside_the_bars() -> None:
    """No dividend is 0, no split is 1; an unfinished session shows in the time of the last refresh."""
    told = actions((FRIDAY, "split", 2.0, "USD"), (MONDAY, "dividend", 0.24, "USD"), basis="raw")
    frame = bars((FRIDAY, (1, 1, 1, 1, None, 1)), (MONDAY, (1, 1, 1, 0.000012, 2, None)), running=True)
    body = json.loads(alpha_vantage.daily_adjusted(frame, told))
    assert body["Meta Data"]["3. Last Refreshed"] == "2024-03-11 12:45:00"
    found = {day: list(row.items())[3:] for day, row in body["Time Series (Daily)"].items()}
    assert found == {
        "2024-03-11": [
            ("4. close", "0.000012"),
            ("5. adjusted close", "None"),
            ("6. volume", "2"),
            ("7. dividend amount", "0.2400"),
            ("8. split coefficient", "1.0"),
        ],
        "2024-03-08": [
            ("4. close", "1.0000"),
            ("5. adjusted close", "1.0000"),
            ("6. volume", "None"),
            ("7. dividend amount", "0.0000"),
            ("8. split coefficient", "2.0"),
        ],
    }


def test_alpha_vantage_writes_nothing_as_an_empty_series() -> None:
    """The symbol is the one that was asked for."""
    body = json.loads(alpha_vantage.daily(NONE, symbol="ACME"))
    assert (body["Meta Data"]["2. Symbol"], body["Time Series (Daily)"]) == ("ACME", {})


@pytest.mark.parametrize(
    ("write", "key"),
    [
        (alpha_vantage.note, "Note"),
        (alpha_vantage.information, "Information"),
        (alpha_vantage.error_message, "Error Message"),
        (finnhub.failure, "error"),
    ],
)
def test_words(write: Callable[[str], bytes], key: str) -> None:
    """Refusals are one sentence under their key."""
    assert json.loads(write("Enough.")) == {key: "Enough."}


def test_finnhub_writes_parallel_arrays() -> None:
    """Whole numbers have no decimals, as Finnhub writes them."""
    assert finnhub.candle(TWO) == (
        b'{"c":[187.5,188.25],"h":[188,190.1],"l":[186.5,null],"o":[187.15,188.5],"v":[1000,900.5],'
        b'"t":[1709856000,1710115200],"s":"ok"}'
    )
    assert finnhub.candle(NONE) == b'{"s":"no_data"}'


def quotes(price: float | None, previous: float | None) -> pl.DataFrame:
    moment = datetime(2024, 3, 8, 21, 0, 0, 500_000, tzinfo=UTC)
    row = {"symbol": "ACME", "ts_event": moment, "price": price, "previous_close": previous, "currency": "USD"}
    session = {"open": 187.15, "high": 188.0, "low": 186.5, "volume": None}
    return pl.DataFrame([row | session], schema=DECODED["quotes"])


def test_finnhub_writes_a_quote() -> None:
    """The change is in currency and per cent; without a price before there is none."""
    assert finnhub.quote(quotes(187.5, 187.0)) == (
        b'{"c":187.5,"d":0.5,"dp":0.2674,"h":188.0,"l":186.5,"o":187.15,"pc":187.0,"t":1709931600}'
    )
    for price, previous in ((187.5, None), (187.5, 0.0), (None, 187.0)):
        body = json.loads(finnhub.quote(quotes(price, previous)))
        assert (body["c"], body["pc"], body["d"], body["dp"]) == (price, previous, None, None)
    zeros = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}
    assert json.loads(finnhub.quote(quotes(1, 1).clear())) == zeros


def test_iex_cloud_writes_three_prices_in_a_row() -> None:
    """Changes are those of the split-adjusted close, since the row before and since the first."""
    split = bars((FRIDAY, (93.5, 94, 93.25, 93.75, 2000, None)), (MONDAY, (94.25, 95.05, None, 94.125, 1801, None)))
    full = bars((FRIDAY, (93, 94, 93, 93.5, 2000, None)), (MONDAY, (94, 95, None, 94, 1801, None)))
    first, second = json.loads(iex_cloud.chart(TWO, split=split, full=full))
    assert first == {
        "id": "HISTORICAL_PRICES",
        "subkey": "",
        "uOpen": 187.15,
        "uHigh": 188,
        "uLow": 186.5,
        "uClose": 187.5,
        "uVolume": 1000,
        "open": 93.5,
        "high": 94,
        "low": 93.25,
        "close": 93.75,
        "volume": 2000,
        "fOpen": 93,
        "fHigh": 94,
        "fLow": 93,
        "fClose": 93.5,
        "fVolume": 2000,
        "change": 0.0,
        "changePercent": 0.0,
        "changeOverTime": 0.0,
        "marketChangeOverTime": 0.0,
        "date": "2024-03-08",
        "label": "Mar 8, 24",
        "symbol": "ACME",
        "key": "ACME",
        "updated": 1709942400000,
    }
    assert (second["date"], second["change"], second["changePercent"], second["uLow"]) == (
        "2024-03-11",
        0.375,
        0.004,
        None,
    )
    assert second["changeOverTime"] == pytest.approx(0.004)
    assert iex_cloud.chart(NONE, split=NONE, full=NONE) == b"[]"


def test_iex_cloud_has_no_change_since_a_price_of_zero() -> None:
    """A quotient that is not finite is written as no change."""
    split = bars((FRIDAY, (0, 0, 0, 0, 0, None)), (MONDAY, (1, 1, 1, 1, 1, None)))
    second = json.loads(iex_cloud.chart(TWO, split=split, full=split))[1]
    assert (second["change"], second["changePercent"], second["changeOverTime"]) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(4.0, (4, 1)), (1.5, (3, 2)), (0.1, (1, 10)), (1.05, (21, 20)), (1.23456789, (1.23456789, 1))],
)
def test_ratio(value: float, expected: tuple[float, float]) -> None:
    """A split is written in whole shares where it can be."""
    assert numbers.ratio(value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.5, "1.5000"), (1e-7, "0.0000001"), (123456.789012, "123456.789012"), (1e16, "10000000000000000.0000")],
)
def test_text(value: float, text: str) -> None:
    """Decimals are written out, never in powers of ten."""
    assert numbers.text(value, places=4) == text
    assert float(text) == value
