"""Yahoo's quotes, index levels, capital gains and regular sessions, read by value."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.providers.yahoo import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "yahoo"
ASK = Ask(kind="quotes", symbol="")
NUMBERS = ("price", "bid", "bid_size", "ask", "ask_size", "open", "high", "low", "previous_close", "volume")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


RECORDED_ROWS = [
    # file, row, symbol, ts_event, currency, price, bid, its size, ask, its size, open, high, low, before, volume
    ("quote-AAPL-BABA", 0, "AAPL", at(2025, 2, 14, 21), "USD",
     244.6, 244.44, 200.0, 253.37, 100.0, 241.07, 245.41, 241.0, 241.53, 40896227.0),
    ("quote-AAPL-BABA", 1, "BABA", at(2025, 2, 14, 21, 0, 2), "USD",
     124.73, 124.75, 1200.0, 124.97, 1800.0, 126.59, 126.8, 120.495, 119.54, 52086273.0),
    ("quote-BTC-USD", 0, "BTC-USD", at(2025, 2, 17, 10, 53), "USD",
     96077.45, None, None, None, None, 96137.88, 96581.79, 95934.96, 96137.88, 21228961792.0),
    ("quote-EURUSD=X", 0, "EURUSD=X", at(2025, 2, 17, 10, 54, 43), "USD",
     1.0489877, 1.0489877, None, 1.0484378, None, 1.0494281, 1.0508617, 1.0474495, 1.0495383, 0.0),
    ("quote-OCDO.L-10am", 0, "OCDO.L", at(2021, 2, 16, 10, 26, 45), "GBp",
     2621.46, 2622.0, None, 2623.0, None, 2664.0, 2677.0, 2620.0, 2651.0, 127760.0),
    ("quote-SOHO", 0, "SOHO", at(2025, 2, 14, 21), "USD",
     0.8401, None, None, None, None, 0.84, 0.8624, 0.84, 0.8363, 6532.0),
    ("quote-MSFT-fields-beta", 0, "MSFT", at(2025, 2, 14, 21), None,
     408.43, None, None, None, None, None, None, None, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "expected"), [(row[0], row[1], row[2:]) for row in RECORDED_ROWS])
def test_recorded_quotes_by_value(recordings: Path, name: str, row: int, expected: tuple[object, ...]) -> None:
    """US sizes are in lots of a hundred, a bid or ask of 0 is none, and fields that were not asked for are null."""
    body = (recordings / "yahoo" / "quote_v7" / f"{name}.json").read_bytes()
    found = check(decode.quotes(body, ASK), DECODED["quotes"], kind="quotes").row(row, named=True)
    assert [found[key] for key in ("symbol", "ts_event", "currency")] == list(expected[:3])
    assert [found[key] for key in NUMBERS] == list(expected[3:])


@pytest.mark.parametrize(
    ("name", "symbols"),
    [
        ("quoteCombine-AAPL-NONEXIST", ["AAPL"]),
        ("quoteCombine-AAPL-TSLA", ["AAPL", "TSLA"]),
        ("quoteCombine-NONEXIST", []),
        ("quote-AAPL220121C00025000", []),
        ("quote-SI", []),
        ("quote-BRKS", []),
    ],
)
def test_recorded_quotes_of_unknown_symbols(recordings: Path, name: str, symbols: list[str]) -> None:
    """A symbol that Yahoo does not know is left out, and one without a last trade has no quote."""
    frame = decode.quotes((recordings / "yahoo" / "quote_v7" / f"{name}.json").read_bytes(), ASK)
    assert frame["symbol"].to_list() == symbols


def test_every_recorded_quote_is_read(recordings: Path) -> None:
    """Each answer of the quote endpoint is a frame whose prices are those of the body."""
    files = sorted((recordings / "yahoo" / "quote_v7").glob("*.json"))
    for file in files:
        rows = json.loads(file.read_bytes())["quoteResponse"]["result"]
        told = [row["regularMarketPrice"] for row in rows if "regularMarketPrice" in row]
        assert decode.quotes(file.read_bytes(), ASK)["price"].to_list() == told
    assert len(files) >= 30


@pytest.mark.parametrize(
    ("name", "symbol", "moment", "price", "high", "before"),
    [
        ("chart-AAPL", "AAPL", at(2025, 3, 24, 13, 51, 33), 220.003, 221.021, None),
        ("GSPC_1m_2022-03-18", "^GSPC", at(2022, 3, 23, 13, 55, 46), 4480.11, None, 4511.61),
        ("chart-BTC-USD-2020-01-01-to-2020-01-03", "BTC-USD", at(2025, 2, 20, 11, 44), 97208.17, 97372.1, None),
        ("chart-EURUSD=X-2020-01-01-to-2020-01-03", "EURUSD=X", at(2025, 2, 20, 11, 46, 42), 1.0436, 1.0449, None),
    ],
)
def test_recorded_charts_tell_the_last_trade(
    recordings: Path, name: str, symbol: str, moment: datetime, price: float, high: float | None, before: float | None
) -> None:
    """Whatever span a chart covers, its meta data tell the present price; the close before only where it says so."""
    found = decode.quotes((recordings / "yahoo" / "chart_v8" / f"{name}.json").read_bytes(), ASK).row(0, named=True)
    expected = (symbol, moment, price, high, before)
    assert tuple(found[key] for key in ("symbol", "ts_event", "price", "high", "previous_close")) == expected


def test_a_chart_of_one_session_begins_with_the_close_before() -> None:
    """Only then is the chart's previous close that of the session before."""
    found = decode.quotes(golden("chart_of_a_fund.json"), ASK)
    assert found.rows() == [
        ("FUNDX", at(2024, 3, 12, 20, 0, 1), 12.5, *[None] * 5, 12.5, 12.25, 12.25, 0.0, "USD"),
    ]
    longer = golden("chart_of_a_fund.json").replace(b'"range": "1d"', b'"range": "5d"')
    assert decode.quotes(longer, ASK)["previous_close"].to_list() == [None]


def test_rows_of_quotes() -> None:
    """Prices are the decimals that 32 bits stand for; what has no last trade is left out."""
    frame = check(decode.quotes(golden("quotes.json"), ASK), DECODED["quotes"], kind="quotes")
    assert frame.rows() == [
        ("ACME", at(2024, 3, 8, 21), 187.5, 187.25, 300.0, 187.75, None, 187.15, 188.0, 186.5, 187.0, 1000.0, "USD"),
        ("ACME.L", at(2024, 3, 11, 16, 30), 107.0, 106.5, 200.0, None, None, *[None] * 5, "GBp"),
    ]


def test_no_quotes_are_an_empty_frame() -> None:
    """An answer about unknown symbols alone has no rows."""
    frame = decode.quotes(b'{"quoteResponse":{"result":[],"error":null}}', ASK)
    assert check(frame, DECODED["quotes"], kind="quotes").is_empty()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{}", "neither a chart nor a quoteResponse"),
        (b'{"quoteResponse":{"result":null,"error":null}}', "result was null"),
        (golden("quotes.json").replace(b"187.75", b'"187.75"'), "ask"),
        (golden("quotes.json").replace(b"1709931600", b"1e30"), "regularMarketTime"),
        (b'{"chart":{"result":[{}]}}', "`meta`"),
        (b"<html>hello</html>", "malformed"),
    ],
)
def test_drift_of_quotes_is_named(body: bytes, named: str) -> None:
    """Quotes of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        decode.quotes(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (b'{"quoteResponse":{"result":null,"error":{"code":"internal-error","description":"x"}}}', "transient"),
        (b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}', "auth"),
        (b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}', "permanent"),
        (b"Too Many Requests\r\n", "throttled"),
    ],
)
def test_refused_quotes(body: bytes, failure_class: str) -> None:
    """The error object may stand in any envelope."""
    with pytest.raises(ProviderRefused) as caught:
        decode.quotes(body, ASK)
    assert caught.value.failure.failure_class is FailureClass(failure_class)


@pytest.mark.parametrize(
    ("name", "count", "last"),
    [
        ("GSPC_1d_2022-01", 22, ("^GSPC", at(2022, 2, 1), 4546.54, "USD")),
        ("GSPC_1m_2022-03-18", 390, ("^GSPC", at(2022, 3, 18, 19, 59), 4462.85, "USD")),
        ("IXIC_1wk_2020-06", 6, ("^IXIC", at(2020, 7, 6), 10433.65, "USD")),
    ],
)
def test_recorded_index_levels_by_value(recordings: Path, name: str, count: int, last: tuple[object, ...]) -> None:
    """The closes of an index are its levels."""
    body = (recordings / "yahoo" / "chart_v8" / f"{name}.json").read_bytes()
    frame = check(decode.index_levels(body, ASK), DECODED["index_levels"], kind="index_levels")
    assert (len(frame), frame.row(-1)) == (count, last)


def test_a_share_has_no_index_levels() -> None:
    """What is no index has none, and neither has an empty answer."""
    for body in (golden("chart_of_a_fund.json"), b'{"chart":{"result":[],"error":null}}'):
        assert check(decode.index_levels(body, ASK), DECODED["index_levels"], kind="index_levels").is_empty()


def test_capital_gains() -> None:
    """Funds pay them beside dividends, sometimes in a currency of their own."""
    frame = check(decode.actions(golden("chart_of_a_fund.json"), ASK), DECODED["actions"], kind="actions")
    assert frame.select("ex_date", "type", "value", "currency").rows() == [
        (date(2024, 3, 8), "capital_gain", 1.5, "USD"),
        (date(2024, 3, 12), "capital_gain", 0.25, "CAD"),
        (date(2024, 3, 12), "dividend", 0.15, "USD"),
    ]


@pytest.mark.parametrize(
    ("end", "days", "running"),
    [
        (None, [8, 12], True),
        (date(2024, 3, 12), [8, 12], True),
        (date(2024, 3, 11), [8, 12], False),
    ],
)
def test_a_live_row_that_was_not_asked_for_is_left_out(end: date | None, days: list[int], running: bool) -> None:
    """The running session comes along with bars of the past; its row at the open is the provider's own."""
    frame = decode.bars(golden("chart_null_and_live.json"), Ask(kind="bars", symbol="", end=end))
    assert frame["ts_event"].dt.day().to_list() == days
    assert frame["high"][-1] == (190.1 if running else 189.0)


def test_minutes_outside_the_session_are_left_out() -> None:
    """London trades from 8:00 to 16:30; the live row at the close joins its hour, a day without a session stays."""
    frame = decode.bars(golden("chart_of_minutes.json"), ASK)
    assert frame.select("ts_event", "close", "volume").rows() == [
        (at(2024, 3, 8, 8), 2.0, 20.0),
        (at(2024, 3, 8, 16), 3.0, 30.0),
        (at(2024, 3, 9, 8), 5.0, 50.0),
        (at(2024, 3, 11, 8), 7.0, 70.0),
        (at(2024, 3, 11, 16), 8.0, 80.0),
    ]


@pytest.mark.parametrize("sessions", [{"regular": [[{"start": 1709884800, "end": 1709915400}]]}, {"pre": []}, [], None])
def test_sessions_come_in_several_shapes(sessions: Any) -> None:
    """Charts with pre- and post-market rows list their sessions by kind; no session leaves every row in."""
    body = json.loads(golden("chart_of_minutes.json"))
    body["chart"]["result"][0]["meta"] |= {"tradingPeriods": sessions, "regularMarketTime": 1}
    count = 7 if isinstance(sessions, dict) and "regular" in sessions else 9
    assert len(decode.bars(json.dumps(body).encode(), ASK)) == count
