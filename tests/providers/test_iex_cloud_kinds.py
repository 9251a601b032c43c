"""IEX Cloud's actions, quotes, symbols, trades and rates, read by value."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.iex_cloud import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "iex_cloud"
ASK = Ask(kind="actions", symbol="ACME")
ACTIONS = ("symbol", "ex_date", "type", "value", "currency", "basis", "declared_date", "record_date", "pay_date")
LISTED = ("symbol", "name", "exchange", "mic", "asset_class", "currency", "status")
QUOTED = ("price", "bid", "bid_size", "ask", "ask_size", "open", "high", "low", "previous_close", "volume", "currency")


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def recorded(recordings: Path, name: str) -> bytes:
    return (recordings / "iex_cloud" / "iextrading4j" / "rest" / f"{name}.json").read_bytes()


def at(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def test_dividends() -> None:
    """Cash may be written as text; what is paid in shares, or has no date or amount, is left out."""
    frame = check(decode.actions(golden("dividends.json"), ASK), DECODED["actions"], kind="actions")
    assert frame.select(ACTIONS).rows() == [
        ("ACME", date(1999, 3, 8), "special_dividend", 2.5, "USD", "raw", None, None, None),
        (
            *("ACME", date(2024, 3, 11), "dividend", 0.24, "USD", "raw"),
            *(date(2024, 1, 30), date(2024, 3, 12), date(2024, 4, 1)),
        ),
    ]


def test_splits() -> None:
    """Seven new shares for one old by the factors, two for one by the ratio alone, which is old shares for one new."""
    frame = decode.actions(golden("splits.json"), ASK)
    assert frame.select("ex_date", "type", "value").rows() == [
        (date(2005, 2, 28), "split", 2.0),
        (date(2014, 6, 9), "split", 7.0),
    ]


def test_quote() -> None:
    """A price of 0 is no ask."""
    frame = check(decode.quotes(golden("quote.json"), ASK), DECODED["quotes"], kind="quotes")
    assert frame.select("symbol", "ts_event", *QUOTED).rows() == [
        ("ACME", at(1709931600123), 187.5, 187.25, 300.0, None, None, 187.15, 188.0, 186.5, 187.0, 1000.0, "USD"),
    ]
    without = golden("quote.json").replace(b"1709931600123", b"null")
    assert check(decode.quotes(without, ASK), DECODED["quotes"], kind="quotes").is_empty()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "stock/QuoteResponse",
            ("AAPL", at(1510942738831), 170.39, 166.18, 100.0, 172.0, 315.0, 170.89, 170.78, 169.71, 171.1, 13529933.0),
        ),
        (
            "v1/alternative/CryptoResponse",
            (
                *("BTCUSDT", at(1541618875327), 6576.4, 6576.4, 0.60331, 6578.77, 0.490818),
                *(6491.05, 6615.15, 6475.6, 6492.73, 15436.65675),
            ),
        ),
    ],
)
def test_recorded_quotes_by_value(recordings: Path, name: str, expected: tuple[object, ...]) -> None:
    """Bid and ask of a share are those on IEX, of a coin the market's."""
    frame = decode.quotes(recorded(recordings, name), ASK)
    assert frame.select("symbol", "ts_event", *QUOTED[:-1]).rows() == [expected]


def test_symbols() -> None:
    """A symbol that is not enabled is no longer traded; codes that we do not know stay without a meaning."""
    frame = check(decode.listings(golden("symbols.json"), ASK), DECODED["listings"], kind="listings")
    assert frame.select(*LISTED, "figi", "cik").rows() == [
        ("ACME", "Acme Inc.", "NYS", "XNYS", "equity", "USD", "active", "BBG000000001", "0000320193"),
        ("GONE", None, "ODD", None, None, None, "delisted", None, None),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "refdata/SymbolsResponse",
            [
                ("A", "Agilent Technologies Inc.", "SYN", None, "equity", "USD", "active"),
                ("AA", "Alcoa Corporation", "SYN", None, "equity", "USD", "active"),
            ],
        ),
        (
            "v1/refdata/SymbolsResponse",
            [("A", "Agilent Technologies Inc.", "NYS", "XNYS", "equity", "USD", "active")],
        ),
        (
            "v1/refdata/ExchangeSymbolsResponse",
            [("TDE-LN", "Telefonica SA", "LON", "XLON", "equity", "EUR", "active")],
        ),
        ("v1/refdata/RegionSymbolsResponse", [("TDE-LN", "Telefonica SA", "LON", "XLON", "equity", "EUR", "active")]),
        (
            "v1/refdata/OtcSymbolsResponse",
            [("AAAG", "AAA Century Group USA Inc.", "OTC", None, "equity", "USD", "active")],
        ),
        (
            "v1/refdata/MutualFundsSymbolsResponse",
            [
                (
                    *("1SSEMYM1-MM", "Moltifondo de Prevision 3 Banorte Generali Siefore SA de CV 1", "MEX"),
                    *("XMEX", "fund", "MXN", "active"),
                )
            ],
        ),
        ("v1/refdata/CryptoSymbolsResponse", [("BTCUSD", "Bitcoin to USD", None, None, "crypto", "USD", "active")]),
    ],
)
def test_recorded_symbols_by_value(recordings: Path, name: str, expected: list[tuple[object, ...]]) -> None:
    """Every list of symbols has one shape, from the first API to the last."""
    assert decode.listings(recorded(recordings, name), ASK).select(LISTED).rows() == expected


def test_trades() -> None:
    """Marks of a trade are its conditions; trades are sorted by symbol and moment."""
    frame = check(decode.trades(golden("trades.json"), ASK), DECODED["trades"], kind="trades")
    columns = ("symbol", "ts_event", "price", "size", "trade_id", "conditions", "venue", "currency")
    crossed = "OutsideRegularHours,SinglePriceCross,TradeThroughExempt"
    assert frame.select(columns).rows() == [
        ("ABBA", at(1709908200999), 1.5, 100.0, "9", crossed, "IEXG", "USD"),
        ("ACME", at(1709908200123), 187.15, 100.0, None, None, "IEXG", "USD"),
        ("ACME", at(1709908200124), 187.16, 1.0, "2", "ISO,OddLot", "IEXG", "USD"),
    ]


def test_recorded_trades_by_value(recordings: Path) -> None:
    """One trade of the first API."""
    frame = decode.trades(recorded(recordings, "marketdata/TradesResponse"), ASK)
    assert frame.select("symbol", "ts_event", "price", "size", "trade_id", "conditions").rows() == [
        ("SNAP", at(1510961576182), 12.835, 100.0, "364415895", None)
    ]


def test_rates() -> None:
    """A pair without a rate is left out."""
    frame = check(decode.fx_rates(golden("rates.json"), ASK), DECODED["fx_rates"], kind="fx_rates")
    assert frame.rows() == [("USD", "CAD", at(1709931600000), 1.3487, None, None)]
    many = decode.fx_rates(b"[" + golden("rates.json") + b"]", ASK)
    assert many.equals(frame)


@pytest.mark.parametrize("name", ["LatestCurrencyRatesResponse", "CurrencyConversionResponse"])
def test_recorded_rates_by_value(recordings: Path, name: str) -> None:
    """Rates and conversions both tell what one unit costs."""
    frame = decode.fx_rates(recorded(recordings, f"v1/forex/{name}"), ASK)
    assert frame.select("base", "quote", "ts_event", "rate").rows() == [("USD", "GBP", at(1288282222000), 0.755)]


def test_recorded_minutes_of_the_last_api(recordings: Path) -> None:
    """Dates with dashes; half past nine in New York is 13:30 UTC in summer."""
    frame = decode.bars(recorded(recordings, "v1/stock/IntradayPricesResponse"), ASK)
    assert frame.select("timeframe", "ts_event", "open", "high", "low", "close", "volume", "basis").rows() == [
        ("1m", datetime(2019, 5, 30, 13, 30, tzinfo=UTC), 177.9, 178.42, 177.75, 178.36, 16428.0, "raw")
    ]


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        (decode.actions, b"[]"),
        (decode.listings, b"[]"),
        (decode.trades, b"{}"),
        (decode.trades, b'{"ACME":[]}'),
        (decode.fx_rates, b"[]"),
        (decode.fx_rates, b"null"),
    ],
)
def test_nothing_is_an_empty_frame(reader: Decode, body: bytes) -> None:
    """No rows are an answer without rows."""
    assert reader(body, ASK).is_empty()


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.actions, golden("dividends.json").replace(b'"2.5"', b'"much"'), "amount was 'much'"),
        (decode.actions, golden("dividends.json").replace(b"2024-03-11", b"11 March"), "ex_date was '11 March'"),
        (decode.actions, golden("dividends.json").replace(b"2024-04-01", b"April"), "payment_date was 'April'"),
        (decode.actions, golden("splits.json").replace(b"0.5", b"0"), "None, None and 0.0"),
        (decode.actions, golden("splits.json").replace(b'"fromFactor": 1', b'"fromFactor": -1'), "-1.0, 7.0"),
        (decode.actions, b'[{"exDate":"2005-02-28","toFactor":2}]', "None, 2.0 and None"),
        (decode.quotes, golden("quote.json").replace(b'"symbol"', b'"sym"'), "`symbol`"),
        (decode.quotes, golden("quote.json").replace(b"1709931600123", b"1709931600123000"), "latestUpdate"),
        (decode.listings, golden("symbols.json").replace(b"true", b'"yes"'), "isEnabled"),
        (decode.trades, golden("trades.json").replace(b'"price": 1.5, ', b""), "`price`"),
        (decode.fx_rates, golden("rates.json").replace(b"1.3487", b'"1.3487"'), "rate"),
    ],
)
def test_drift_of_other_kinds_is_named(reader: Decode, body: bytes, named: str) -> None:
    """A body of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize("reader", [decode.actions, decode.quotes, decode.listings, decode.trades, decode.fx_rates])
def test_plain_words_are_a_refusal(reader: Decode) -> None:
    """Every endpoint refuses in one line of text."""
    with pytest.raises(ProviderRefused) as caught:
        reader(b"You have exceeded your allotted message quota. Please enable pay-as-you-go to regain access", ASK)
    assert caught.value.failure.failure_class is FailureClass.QUOTA
