"""Bars of trades by time, number, volume and money: by hand, against a plain loop, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_doubles import NOW, filled
from truetape.domain.errors import BadInput
from truetape.domain.sales import NOTHING, RANGE_ONLY, VOLUME_ONLY
from truetape.domain.schema import TABLES, empty
from truetape.domain.spans import endless_spans
from truetape.domain.time import NANOSECONDS
from truetape.services.processing.trade_bars import TRADE_BARS, money_bars, tick_bars, time_bars, volume_bars

SALES = {"I": VOLUME_ONLY, "Z": RANGE_ONLY, "M": NOTHING}
DAY = endless_spans(date(2024, 6, 10), end=date(2024, 6, 10))
FIELDS = ("open", "high", "low", "close", "volume")
Row = tuple[Any, ...]  # seconds after 2024-06-10T00:00Z, price, size, and where it differs, conditions and instrument


def trades(*rows: Row) -> pl.DataFrame:
    given_ = {
        "instrument_id": [row[4] if len(row) > 4 else "ins_a" for row in rows],
        "ts_event": [NOW + round(row[0] * NANOSECONDS) for row in rows],
        "provider": "p",
        "price": [float(row[1]) for row in rows],
        "size": [float(row[2]) for row in rows],
        "trade_id": [str(number) for number in range(len(rows))],
        "conditions": [row[3] if len(row) > 3 else None for row in rows],
        "side": None,
        "venue": "X",
        "correction": "",
        "currency": None,
        "payload": "k" * 64,
        "place": list(range(len(rows))),
        "ts_known": NOW,
        "simulated": False,
    }
    return filled("trades", len(rows), given_)


def told(made: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Number, first and last second, open, high, low, close, volume, trades, and whether it runs."""
    seconds = [((made[name].to_physical() - NOW) / NANOSECONDS).to_list() for name in ("ts_event", "ts_last")]
    values = [made[name].to_list() for name in (*FIELDS, "trades", "running")]
    return list(zip(made["number"].to_list(), *seconds, *values, strict=True))


FIVE = ((1, 10, 100), (2, 12, 50), (3, 9, 400), (4, 11, 25), (5, 8, 10))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda rows: tick_bars(rows, count=2, sales=SALES),
            [(0, 1, 2, 10, 12, 10, 12, 150, 2, False), (1, 3, 4, 9, 11, 9, 11, 425, 2, False),
             (2, 5, 5, 8, 8, 8, 8, 10, 1, True)],
        ),
        (  # the third trade alone is more than two bars: it closes the one, whole, and the next begins with nothing
            lambda rows: volume_bars(rows, volume=200, sales=SALES),
            [(0, 1, 3, 10, 12, 9, 9, 550, 3, False), (1, 4, 5, 11, 11, 8, 8, 35, 2, True)],
        ),
        (  # 1000 and 600; then 3600; then 275 and 80
            lambda rows: money_bars(rows, money=1600, sales=SALES),
            [(0, 1, 2, 10, 12, 10, 12, 150, 2, False), (1, 3, 3, 9, 9, 9, 9, 400, 1, False),
             (2, 4, 5, 11, 11, 8, 8, 35, 2, True)],
        ),
        (
            lambda rows: time_bars(rows, every=timedelta(seconds=3), spans=DAY, sales=SALES),
            [(0, 0, 2, 10, 12, 10, 12, 150, 2, False), (1, 3, 5, 9, 11, 8, 8, 435, 3, False)],
        ),
    ],
    ids=["ticks", "volume", "money", "time"],
)  # fmt: skip
def test_bars_are_what_hands_make_of_the_trades(
    make: Callable[[pl.DataFrame], pl.DataFrame], expected: list[tuple[Any, ...]]
) -> None:
    """In any order of the rows; the trade that fills a bar closes it, and is not split."""
    assert expected == told(make(trades(*FIVE)))
    assert expected == told(make(trades(*FIVE).reverse()))
    assert TRADE_BARS == dict(make(trades(*FIVE)).schema)


def test_conditions_decide_what_fills_a_bar_and_what_prices_it() -> None:
    """An odd lot fills and makes no price; what repeats a trade does neither; late trades make no open and close."""
    rows = trades((1, 99, 1, "I"), (2, 50, 500, "M"), (3, 10, 1), (4, 15, 1, "Z"), (5, 11, 1), (6, 77, 1, "I"))

    made = tick_bars(rows, count=2, sales=SALES)

    expected = [
        (0, 1, 3, 10, 10, 10, 10, 2, 2, False),
        (1, 4, 5, 11, 15, 11, 11, 2, 2, False),
        (2, 6, 6, None, None, None, None, 1, 1, True),
    ]
    assert expected == told(made)
    assert [109.0, 26.0, 77.0] == made["money"].to_list()
    assert 0 == len(time_bars(trades((6, 77, 1, "I")), every=timedelta(minutes=1), spans=DAY, sales=SALES))


def test_trades_outside_the_session_make_no_bar_by_time() -> None:
    """The day before and the day after are in no span."""
    rows = trades((-1, 10, 1), (86_399, 11, 1), (86_400, 12, 1))

    made = time_bars(rows, every=timedelta(hours=1), spans=DAY, sales=SALES)

    assert [(0, 82_800, 86_399, 11, 11, 11, 11, 1, 1, False)] == told(made)


def test_fractions_fill_a_bar_though_their_sum_is_a_bit_less() -> None:
    """Ten times a tenth is one, whatever floats say of it."""
    made = volume_bars(trades(*((second, 10, 0.1) for second in range(20))), volume=1, sales=SALES)

    assert [10, 10] == made["trades"].to_list()
    assert [1.0, 1.0] == made["volume"].to_list()


def test_no_trades_are_no_bars() -> None:
    """Of every sort."""
    none = empty(TABLES["trades"].columns)

    assert 0 == len(tick_bars(none, count=1, sales=SALES))
    assert 0 == len(time_bars(trades(*FIVE), every=timedelta(minutes=1), spans=DAY.clear(), sales=SALES))
    assert TRADE_BARS == dict(time_bars(none, every=timedelta(minutes=1), spans=DAY, sales=SALES).schema)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda rows: tick_bars(rows, count=0, sales={}), "count was 0."),
        (lambda rows: volume_bars(rows, volume=-1.0, sales={}), "volume was -1.0."),
        (lambda rows: money_bars(rows, money=float("nan"), sales={}), "money was nan."),
        (lambda rows: time_bars(rows, every=timedelta(), spans=DAY, sales={}), "every was datetime.timedelta(0)."),
    ],
)
def test_a_bar_of_nothing_is_refused(make: Callable[[pl.DataFrame], pl.DataFrame], words: str) -> None:
    """The error names the parameter and says what to write."""
    with pytest.raises(BadInput) as caught:
        make(trades(*FIVE))

    assert f"{words} A bar holds more than nothing: write a number above 0." == str(caught.value)


trade = st.tuples(
    st.integers(0, 30),
    st.integers(1, 50),
    st.integers(1, 300),
    st.sampled_from([None, "I", "Z", "M"]),
    st.sampled_from("ab"),
)


@settings(max_examples=60)
@given(rows=st.lists(trade, max_size=50), whole=st.integers(1, 900))
def test_nothing_is_lost_and_every_bar_but_the_last_is_just_full(rows: list[Row], whole: int) -> None:
    """As a plain loop over the trades of each instrument fills them; the volume of all bars is that of all trades."""
    made = volume_bars(trades(*rows), volume=whole, sales=SALES)

    expected = [(name, *bar) for name in "ab" for bar in looped([row for row in rows if row[4] == name], whole)]
    assert expected == made.select("instrument_id", "volume", "trades", "running").rows()
    assert sum(row[2] for row in rows if row[3] != "M") == made["volume"].sum()


def looped(rows: list[Row], whole: int) -> list[tuple[float, int, bool]]:
    bars, held = [], [0, 0, 0]  # volume, trades that count, and all
    for row in sorted(rows, key=lambda one: one[0]):
        counts = row[3] != "M"
        held = [held[0] + row[2] * counts, held[1] + counts, held[2] + 1]
        if held[0] >= whole:
            bars.append((float(held[0]), held[1], False))
            held = [0, 0, 0]
    return bars + ([(float(held[0]), held[1], True)] if held[2] else [])
