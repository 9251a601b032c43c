"""Rules of the trade: what no bar, quote, trade or action can be."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from evidence_doubles import around, bars, broken, found, moment

GOOD: dict[str, float | None] = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100.0}


def bar(**changes: float | None) -> pl.DataFrame:
    values = {**GOOD, **changes}
    return bars([values["close"]], **{name: [value] for name, value in values.items()})


def quote(**changes: float | None) -> pl.DataFrame:
    values: dict[str, Any] = {"price": 10.0, "bid": 9.9, "ask": 10.1, "bid_size": 5.0, "ask_size": 5.0, "volume": 7.0}
    row = {"instrument_id": "a", "provider": "p", "ts_event": moment("2024-06-03 14:00"), **values, **changes}
    return pl.DataFrame([row], schema_overrides=dict.fromkeys(values, pl.Float64))


def trade(**changes: float | None) -> pl.DataFrame:
    row = {"instrument_id": "a", "provider": "p", "ts_event": moment("2024-06-03 14:00"), "price": 10.0, "size": 5.0}
    return pl.DataFrame([{**row, **changes}], schema_overrides={"price": pl.Float64, "size": pl.Float64})


def action(kind: str, value: float | None) -> pl.DataFrame:
    row = {"instrument_id": "a", "provider": "p", "ex_date": date(2024, 6, 3), "type": kind, "value": value}
    return pl.DataFrame([row], schema_overrides={"value": pl.Float64})


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param({"low": 0.0}, "low", 0.0, id="zero"),
        pytest.param({"close": -10.5}, "close", -10.5, id="negative"),
        pytest.param({"high": float("inf")}, "high", float("inf"), id="infinite"),
        pytest.param({"volume": -1.0}, "volume", -1.0, id="negative volume"),
    ],
)
def test_a_price_is_a_positive_number(changes: dict[str, float], field: str, value: float) -> None:
    """The first column that is wrong is named with its value."""
    (row,) = found("not_positive", bar(**changes)).rows(named=True)

    assert (row["field"], row["value"], row["expected_low"], row["severity"]) == (field, value, 0.0, "error")
    assert row["explanation"] == f"the {field} is {value}, which is no number that it can be"


def test_no_number_is_no_price() -> None:
    """NaN is not missing."""
    assert broken("not_positive", bar(open=float("nan"))) == [0]
    assert broken("not_positive", bar(open=None, volume=None)) == []
    assert broken("not_positive", bar(volume=0.0)) == []


@pytest.mark.parametrize(
    ("kind", "records", "field"),
    [
        pytest.param("quotes", quote(price=-1.0), "price", id="a quote's price"),
        pytest.param("quotes", quote(bid_size=-1.0), "bid_size", id="a size of a quote"),
        pytest.param("quotes", quote(bid=0.0), None, id="nobody bids"),
        pytest.param("trades", trade(size=0.0), "size", id="a trade of nothing"),
        pytest.param("trades", trade(), None, id="a good trade"),
        pytest.param("actions", action("dividend", 0.0), "value", id="a dividend of nothing"),
        pytest.param("actions", action("dividend", 0.5), None, id="a good dividend"),
    ],
)
def test_other_records_have_numbers_too(kind: str, records: pl.DataFrame, field: str | None) -> None:
    """What may be 0 depends on the record kind."""
    assert found("not_positive", records, kind=kind)["field"].to_list() == ([field] if field else [])


@pytest.mark.parametrize(
    ("changes", "field", "low", "high"),
    [
        pytest.param({"high": 10.4}, "high", 10.5, None, id="a high below the close"),
        pytest.param({"low": 10.1}, "low", None, 10.0, id="a low above the open"),
        pytest.param({"high": 8.0}, "low", None, 8.0, id="a high below the low"),
        pytest.param({"high": None, "low": 10.1}, "low", None, 10.0, id="the high unknown"),
    ],
)
def test_the_high_is_the_greatest_price(
    changes: dict[str, float | None], field: str, low: float | None, high: float | None
) -> None:
    """The price that must be moved is named, with how far it must go at least."""
    (row,) = found("ohlc_order", bar(**changes)).rows(named=True)

    assert (row["field"], row["expected_low"], row["expected_high"]) == (field, low, high)
    assert (row["repair"], row["repair_value"]) == ("set_field", high if low is None else low)


def test_the_last_bit_of_a_float_breaks_no_order() -> None:
    """10.5 less 1e-12 is 10.5; missing prices are not judged."""
    assert broken("ohlc_order", bar(high=10.5 - 1e-12, low=10.0)) == []
    assert broken("ohlc_order", bar(open=None, high=None, low=None)) == []


def test_a_bar_has_one_unit() -> None:
    """A high of a hundred times the low is cents among dollars; the limit can be moved; 0 has no unit."""
    assert broken("mixed_units", bar(high=900.0)) == [0]
    assert broken("mixed_units", bar(high=440.0)) == []
    assert broken("mixed_units", bar(high=440.0), times=40.0) == [0]
    assert broken("mixed_units", bar(low=0.0)) == []


def test_the_close_is_there() -> None:
    """Nothing else is needed of a bar."""
    assert broken("no_close", bar(close=None)) == [0]
    assert broken("no_close", bar(open=None)) == []


@pytest.mark.parametrize(
    ("changes", "increment", "expected"),
    [
        pytest.param({}, 0.01, [], id="cents"),
        pytest.param({"low": 9.002}, 0.01, [("low", 9.002, 9.0)], id="a fifth of a cent"),
        pytest.param({"close": 10.52, "high": 11.1}, 0.05, [("close", 10.52, 10.5)], id="two cents of five"),
        pytest.param({"close": 66.86000061035156, "high": 70.0}, 0.01, [], id="a 32-bit float"),
        pytest.param({"close": None}, 0.01, [], id="missing"),
        pytest.param({"close": 10.123, "high": 11.1}, None, [], id="no increment is known"),
    ],
)
def test_prices_keep_the_increment(
    changes: dict[str, float | None], increment: float | None, expected: list[tuple[str, float, float]]
) -> None:
    """The nearest multiple is expected; what a 32-bit float cannot say better is not judged."""
    rows = found("off_tick", bar(**changes), around(increment=increment))

    assert [
        (row[0], row[1], round(row[2], 9)) for row in rows.select("field", "value", "expected_low").rows()
    ] == expected


def test_volumes_keep_the_lot() -> None:
    """A lot of 100; where no lot is known nothing is judged; trades have sizes."""
    assert broken("off_lot", bar(volume=1250.0), around(lot=100.0)) == [0]
    assert broken("off_lot", bar(volume=1200.0), around(lot=100.0)) == []
    assert broken("off_lot", bar(volume=0.5), around()) == []
    assert found("off_lot", trade(size=5.0), around(lot=10.0), kind="trades")["field"].to_list() == ["size"]


def test_a_venue_may_limit_a_sessions_move() -> None:
    """A tenth of the close before, as in Shanghai; a split moves the close before; without a limit all is well."""
    moves = bars([10.0, 11.0, 12.2, 6.1])
    split = around(actions=[(moves["ts_event"][3].date(), "split", 2.0)])

    assert broken("price_limit", moves) == []
    assert broken("price_limit", moves, share=0.1) == [2, 3]
    assert broken("price_limit", moves, split, share=0.1) == [2]


def test_no_venue_trades_so_much() -> None:
    """The limit can be moved."""
    assert broken("implausible_volume", bar(volume=1e16)) == [0]
    assert broken("implausible_volume", bar(volume=1e9)) == []
    assert broken("implausible_volume", trade(size=11.0), kind="trades", most=10.0) == [0]


def test_the_average_price_is_within_the_bar() -> None:
    """The bar goes from 9 to 11; most providers have no such price."""
    assert broken("vwap_outside", bar(vwap=11.5)) == [0]
    assert broken("vwap_outside", bar(vwap=10.7)) == []
    assert broken("vwap_outside", bar()) == []


def test_quotes_do_not_cross() -> None:
    """A locked market is rare but right; an ask of 0 is none."""
    assert broken("crossed", quote(bid=10.2), kind="quotes") == [0]
    assert broken("crossed", quote(bid=10.1), kind="quotes") == []
    assert broken("crossed", quote(bid=10.2, ask=0.0), kind="quotes") == []


def test_a_spread_is_a_part_of_the_price() -> None:
    """From 5 to 15 is a whole price apart."""
    assert broken("wide_spread", quote(bid=5.0, ask=15.0), kind="quotes") == [0]
    assert broken("wide_spread", quote(), kind="quotes") == []


def test_a_split_is_of_few_new_shares() -> None:
    """5000 for 1 is a typing error; a dividend of 5000 may be yen."""
    assert broken("ratio_implausible", action("split", 5000.0), kind="actions") == [0]
    assert broken("ratio_implausible", action("split", 0.0001), kind="actions") == [0]
    assert broken("ratio_implausible", action("split", 20.0), kind="actions") == []
    assert broken("ratio_implausible", action("dividend", 5000.0), kind="actions") == []
