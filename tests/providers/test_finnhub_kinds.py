"""Finnhub's ticks, actions, symbols and exchange rates, read by value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.finnhub import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "finnhub"
ASK = Ask(kind="trades", symbol="ACME")
ACTIONS = ("symbol", "ex_date", "type", "value", "currency", "basis", "declared_date", "record_date", "pay_date")


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def at(milliseconds: int) -> datetime:
    return datetime(2024, 3, 8, 14, 30, 0, milliseconds * 1000, tzinfo=UTC)


def test_ticks() -> None:
    """Ticks of one moment keep their order, and those without size are no trades."""
    frame = check(decode.trades(golden("ticks.json"), ASK), DECODED["trades"], kind="trades")
    assert frame.select("symbol", "ts_event", "price", "size", "conditions", "venue", "currency").rows() == [
        ("ACME", at(100), 187.1, 50.5, None, "T", "USD"),
        ("ACME", at(123), 187.15, 100.0, "1", "P", "USD"),
        ("ACME", at(123), 187.16, 1.0, "1,12", "D", "USD"),
    ]


def test_ticks_without_venues_and_conditions() -> None:
    """Both may be left out; so may everything but moment, price and size."""
    frame = decode.trades(b'{"t":[1709908200000],"p":[1.5],"v":[2]}', Ask(kind="trades", symbol="VOD.L"))
    assert frame.rows() == [("VOD.L", at(0), 1.5, 2.0, None, None, None, None, None)]


@pytest.mark.parametrize("body", [b"[]", b" [] ", b'{"s":"ACME","count":0,"total":0}', b'{"t":[],"p":[],"count":3}'])
def test_a_day_without_ticks_is_an_empty_frame(body: bytes) -> None:
    """No ticks are an answer without rows."""
    assert check(decode.trades(body, ASK), DECODED["trades"], kind="trades").is_empty()


def test_dividends() -> None:
    """The cash is that paid then; empty dates are unknown, and a dividend without an amount is none."""
    frame = check(decode.actions(golden("dividends.json"), ASK), DECODED["actions"], kind="actions")
    assert frame.select(ACTIONS).rows() == [
        ("ACME", date(1999, 3, 8), "dividend", 0.2, None, "raw", None, None, None),
        (
            *("ACME", date(2024, 3, 11), "dividend", 0.24, "USD", "raw"),
            *(date(2024, 1, 30), date(2024, 3, 12), date(2024, 4, 1)),
        ),
    ]


def test_splits() -> None:
    """Two new shares for one old, and one for ten; a row without a symbol has that of the ask."""
    frame = decode.actions(golden("splits.json"), ASK)
    assert frame.select("symbol", "ex_date", "type", "value").rows() == [
        ("ACME", date(2001, 6, 18), "split", 0.1),
        ("ACME", date(2024, 3, 12), "split", 2.0),
    ]


def test_symbols() -> None:
    """The list is that of the US where no exchange is named, and empty texts are unknown."""
    columns = ("symbol", "name", "exchange", "mic", "asset_class", "currency", "status", "isin", "figi")
    frame = check(
        decode.listings(golden("symbols.json"), Ask(kind="listings", symbol="")), DECODED["listings"], kind=""
    )
    assert frame.select(columns).rows() == [
        ("ACME", "ACME INC", "US", "XNYS", "equity", "USD", "active", "US0000000001", "BBG000000001"),
        ("GOLD", "GOLD TRUST", "US", "ARCX", "etf", "USD", "active", None, None),
        ("ODD", None, "US", None, None, None, "active", None, None),
    ]
    london = decode.listings(golden("symbols.json"), Ask(kind="listings", symbol="L"))
    assert set(london["exchange"]) == {"L"}


def test_recorded_symbols_by_value(recordings: Path) -> None:
    """Old lists tell symbols and names alone."""
    frame = decode.listings((recordings / "finnhub" / "kevwk314_stock_symbols.json").read_bytes(), ASK)
    assert frame.select("symbol", "name", "mic").rows() == [
        ("A", "AGILENT TECHNOLOGIES INC", None),
        ("AA", "ALCOA CORP", None),
        ("AAAU", "PERTH MINT PHYSICAL GOLD ETF", None),
    ]


def test_recorded_crypto_symbols_by_value(recordings: Path) -> None:
    """Symbols of coin exchanges come in the same shape."""
    frame = decode.listings((recordings / "finnhub" / "kevwk314_crypto_symbols.json").read_bytes(), ASK)
    assert frame["symbol"].to_list() == ["ETHBTC", "BINANCE:LTCBTC", "BINANCE:BNBBTC"]


@pytest.mark.parametrize("reader", [decode.actions, decode.listings])
def test_an_empty_list_is_an_empty_frame(reader: Decode, recordings: Path) -> None:
    """Finnhub answers an unknown symbol with an empty list."""
    body = (recordings / "finnhub" / "errors" / "unknown_symbol_empty_array_200.json").read_bytes()
    assert reader(body, ASK).is_empty()


@pytest.mark.parametrize("more", [{"start": date(2024, 3, 8)}, {"end": date(2024, 3, 8)}, {"page": "2024-03-08"}])
def test_exchange_rates_are_those_of_the_day_that_was_asked_for(more: dict[str, date]) -> None:
    """The body tells no day; every quote is kept where only a base was named, in alphabetical order."""
    rows = [("GBP", 0.8512), ("JPY", 161.12), ("USD", 1.0942)]
    day = datetime(2024, 3, 8, tzinfo=UTC)
    for symbol, kept in (("EUR", rows), ("OANDA:EUR_USD", rows[2:]), ("OANDA:EUR_CHF", [])):
        frame = decode.fx_rates(golden("rates.json"), Ask(kind="fx_rates", symbol=symbol, **more))  # type: ignore[arg-type]
        expected = [("EUR", quote, day, rate, None, None) for quote, rate in kept]
        assert check(frame, DECODED["fx_rates"], kind="fx_rates").rows() == expected


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.trades, golden("ticks.json").replace(b'"p"', b'"q"'), "p was missing"),
        (decode.trades, golden("ticks.json").replace(b'"x": ["P", ', b'"x": ['), "x had 4 values, the stamps had 5"),
        (decode.trades, golden("ticks.json").replace(b"1709908200100", b"1709908200100000"), "$.t"),
        (decode.trades, golden("ticks.json").replace(b'["1"]', b"[1]"), "$.c"),
        (decode.trades, b'{"type":"ping"}', "t was missing"),
        (decode.actions, golden("dividends.json").replace(b"2024-03-11", b"11 March"), "date was '11 March'"),
        (decode.actions, golden("dividends.json").replace(b"2024-04-01", b"April"), "pay_date was 'April'"),
        (decode.actions, golden("dividends.json").replace(b"0.24", b'"0.24"'), "amount"),
        (decode.actions, golden("splits.json").replace(b'"fromFactor": 10', b'"fromFactor": 0'), "0.0 and 1.0"),
        (decode.actions, golden("splits.json").replace(b'"toFactor": 2', b'"toFactor": -2'), "1.0 and -2.0"),
        (decode.actions, golden("splits.json").replace(b'"toFactor": 2', b'"toFactor": null'), "1.0 and None"),
        (decode.actions, b'[{"date":"2024-03-08","fromFactor":1e-300,"toFactor":1e300}]', "1e-300 and 1e+300"),
        (decode.listings, golden("symbols.json").replace(b'"symbol": "ODD"', b'"sym": "ODD"'), "`symbol`"),
        (decode.listings, b"{}", "Expected `array`"),
        (decode.fx_rates, golden("rates.json").replace(b"base", b"of"), "`base`"),
        (decode.fx_rates, golden("rates.json"), "day of the question was ''"),
    ],
)
def test_drift_of_other_kinds_is_named(reader: Decode, body: bytes, named: str) -> None:
    """A body of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize("reader", [decode.trades, decode.actions, decode.listings, decode.fx_rates])
def test_an_error_is_refused(reader: Decode) -> None:
    """A plan without the endpoint is told so."""
    with pytest.raises(ProviderRefused) as caught:
        reader(b'{"error":"You don\'t have access to this resource."}', ASK)
    assert caught.value.failure.failure_class is FailureClass.ENTITLEMENT
