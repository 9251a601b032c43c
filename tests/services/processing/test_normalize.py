"""Normalising: the newest claims, known splits, and everything as traded."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_doubles import FRIDAY, MONDAY, NOW, action_claims, bar_claims, weekdays
from truetape.domain.time import DAY_NS
from truetape.services.processing.normalize import known_splits, latest_claims, raw_actions, raw_bars

DAYS = weekdays(5)
LATER = date(2024, 6, 9)  # the day before NOW


def splits(*rows: tuple[date, float]) -> pl.DataFrame:
    schema = {"instrument_id": pl.String, "ex_date": pl.Date, "value": pl.Float64}
    return pl.DataFrame([("ins_a", *row) for row in rows], schema=schema, orient="row")


def one(close: float, payload: str, ts_known: int, name: str = "p") -> pl.DataFrame:
    return bar_claims(name, [close], payload=payload, ts_known=ts_known)


@pytest.mark.parametrize(
    ("claims", "captured", "expected"),
    [
        pytest.param([one(1, "a", 1)], (), [1], id="one"),
        pytest.param([one(1, "b", 1), one(2, "a", 2)], (), [2], id="the newer"),
        pytest.param([one(1, "a", 1), one(2, "b", 1)], (), [2], id="known at once: the greater payload key"),
        pytest.param([one(1, "a", 1), one(2, "b", 2)], ("a",), [1], id="said again: the same bytes as before"),
        pytest.param([one(1, "a", 1, "q"), one(2, "b", 2, "p")], (), [2, 1], id="each provider has its own"),
        pytest.param([one(1, "a", 1).clear()], (), [], id="none"),
    ],
)
def test_the_newest_claim_of_each_provider_counts(
    claims: list[pl.DataFrame], captured: tuple[str, ...], expected: list[float]
) -> None:
    """The rows come in the order of key and provider, however they lay in the store."""
    rows = pl.concat(claims)

    assert latest_claims(rows, key=("ts_event",), captured=captured)["close"].to_list() == expected
    assert latest_claims(rows.reverse(), key=("ts_event",), captured=captured)["close"].to_list() == expected


def test_claims_of_many_payloads_are_laid_over_each_other() -> None:
    """A correction of two days leaves the others as they were."""
    whole = bar_claims("p", [1, 2, 3, 4, 5], payload="old", ts_known=1)
    corrected = bar_claims("p", [30, 40], days=DAYS[2:4], payload="new", ts_known=2)

    assert latest_claims(pl.concat([corrected, whole]), key=("ts_event",))["close"].to_list() == [1, 2, 30, 40, 5]


def test_most_providers_decide_the_ratio_of_a_split() -> None:
    """At a tie the smaller one is taken; dividends and impossible ratios are no splits."""
    claims = pl.concat(
        [
            action_claims("a", (FRIDAY, "split", 7.0), (MONDAY, "split", 3.0), (DAYS[1], "dividend", 9.0)),
            action_claims("b", (FRIDAY, "split", 7.0), (MONDAY, "split", 2.0), (DAYS[2], "split", 0.0)),
            action_claims("c", (FRIDAY, "split", 4.0), (DAYS[2], "split", float("inf")), (DAYS[2], "split", None)),
        ]
    )

    assert known_splits(claims).rows() == [("ins_a", MONDAY, 2.0), ("ins_a", FRIDAY, 7.0)]
    assert known_splits(claims.clear()).is_empty()


def adjusted(name: str, closes: list[float], **changes: Any) -> pl.DataFrame:
    return bar_claims(name, closes, **{"basis": "split", "volume": [100.0] * len(closes), **changes})


def test_split_adjusted_claims_become_comparable_with_raw_ones() -> None:
    """2 for 1 on Wednesday: before, twice the price and half the volume."""
    claims = pl.concat(
        [
            adjusted("yahoo", [10.0, 10.5, 11.0, 11.5, 12.0]),
            bar_claims("alpha", [20.0, 21.0, 11.0, 11.5, 12.0], volume=[50.0, 50.0, 100.0, 100.0, 100.0]),
        ]
    )

    raw = raw_bars(claims, splits((DAYS[2], 2.0)))

    assert raw.select("provider", "close", "volume", "basis").rows() == [
        row
        for close, volume in zip([20.0, 21.0, 11.0, 11.5, 12.0], [50.0, 50.0, 100.0, 100.0, 100.0], strict=True)
        for row in [("alpha", close, volume, "raw"), ("yahoo", close, volume, "raw")]
    ]


def test_an_answer_is_adjusted_for_the_splits_before_it_was_sent() -> None:
    """What was sent before a split knows nothing of it, also if it is from the same provider."""
    before, after = NOW - 3 * DAY_NS, NOW
    claims = pl.concat(
        [
            adjusted("yahoo", [20.0], days=[MONDAY], ts_known=before, payload="old"),
            adjusted("yahoo", [10.5], days=[DAYS[1]], ts_known=after, payload="new"),
        ]
    )

    assert raw_bars(claims, splits((LATER, 2.0)))["close"].to_list() == [20.0, 21.0]


def test_a_split_that_has_not_happened_is_not_undone() -> None:
    """Announced for next week, it is in nobody's prices."""
    assert raw_bars(adjusted("yahoo", [10.0]), splits((date(2024, 6, 20), 2.0)))["close"].to_list() == [10.0]


def test_fully_adjusted_claims_cannot_be_undone() -> None:
    """They are left out of the vote."""
    claims = pl.concat([adjusted("full", [9.7], basis="all"), bar_claims("alpha", [10.0])])

    paid = action_claims("alpha", (DAYS[1], "dividend", 0.3))

    assert raw_bars(claims, splits())["provider"].to_list() == ["alpha"]
    assert raw_bars(claims, splits(), actions=paid.clear())["provider"].to_list() == ["alpha"]
    assert raw_bars(claims, splits(), actions=paid)["provider"].to_list() == ["alpha"]
    assert raw_bars(adjusted("full", [9.7], basis="all"), splits()).is_empty()
    assert raw_bars(claims.clear(), splits((MONDAY, 2.0))).schema == claims.schema


def test_the_order_of_the_claims_does_not_matter() -> None:
    """Shuffled claims give the same frame."""
    claims = pl.concat([adjusted(name, [10.0, 10.5, 11.0, 11.5, 12.0]) for name in ("b", "a", "c")])
    order = list(range(len(claims)))
    random.Random(1).shuffle(order)

    assert raw_bars(claims[order], splits((DAYS[2], 2.0))).equals(raw_bars(claims, splits((DAYS[2], 2.0))))


def test_dividends_become_cash_as_paid() -> None:
    """A dividend per share of today's count, before a 4 for 1, was four times as much; splits stay as they are."""
    claims = pl.concat(
        [
            action_claims("yahoo", (MONDAY, "dividend", 0.25), (DAYS[2], "split", 4.0), basis="split"),
            action_claims("yahoo", (MONDAY - timedelta(1), "dividend", 1.0), basis="split", ts_known=NOW - 30 * DAY_NS),
            action_claims("alpha", (MONDAY, "dividend", 1.0)),
        ]
    )

    raw = raw_actions(claims, splits((DAYS[2], 4.0)))

    assert raw.select("provider", "ex_date", "type", "value", "basis").rows() == [
        ("yahoo", MONDAY - timedelta(1), "dividend", 1.0, "raw"),
        ("alpha", MONDAY, "dividend", 1.0, "raw"),
        ("yahoo", MONDAY, "dividend", 1.0, "raw"),
        ("yahoo", DAYS[2], "split", 4.0, "raw"),
    ]
    assert raw_actions(claims.clear(), splits()).is_empty()


@pytest.mark.parametrize(
    "actions",
    [
        action_claims("alpha", (DAYS[1], "dividend", 0.3), (DAYS[3], "split", 2.0)),
        action_claims("alpha", (DAYS[1], "capital_gain", 0.3), (DAYS[3], "split", 2.0)),
        action_claims("alpha", (DAYS[1], "dividend", 0.3), (date(2024, 7, 1), "dividend", 0.3)),  # not paid yet
    ],
)
def test_after_the_last_dividend_fully_adjusted_claims_are_split_adjusted(actions: pl.DataFrame) -> None:
    """From its ex-date on nothing but splits can be in them; the bar of the day before cannot be used."""
    claims = adjusted("full", [9.7, 10.5, 11.0, 11.5, 12.0], basis="all")

    raw = raw_bars(claims, splits((DAYS[3], 2.0)), actions=actions)

    assert raw.select("close", "basis").rows() == [(price, "raw") for price in (21.0, 22.0, 11.5, 12.0)]


def test_claims_in_pence_and_in_pounds_are_compared_in_pounds() -> None:
    """A split ratio is no money, and a dividend says its own unit."""
    claims = pl.concat([bar_claims("a", [512.2], currency="GBX"), bar_claims("b", [5.122], currency="GBP")])
    paid = action_claims("a", (MONDAY, "dividend", 4.5), (FRIDAY, "split", 2.0), currency="GBp")
    whole = action_claims("b", (MONDAY, "dividend", 0.045), currency="GBP")

    bars = raw_bars(claims, splits())
    actions = raw_actions(pl.concat([paid, whole]), splits())

    assert bars.select("close", "adj_close", "volume", "currency").rows() == [(5.122, 5.122, 1000.0, "GBP")] * 2
    assert actions.select("value", "currency").rows() == [(0.045, "GBP"), (0.045, "GBP"), (2.0, "GBP")]


def test_capital_gains_are_undone_as_dividends_are() -> None:
    """Every payment per share of today's count; shares of others are not."""
    claims = action_claims("a", (MONDAY, "capital_gain", 0.25), (MONDAY, "spin_off", 0.25), basis="split")

    raw = raw_actions(claims, splits((DAYS[2], 4.0)))

    assert raw.select("type", "value").rows() == [("capital_gain", 1.0), ("spin_off", 0.25)]


def test_prices_of_32_bits_go_back_to_their_cent() -> None:
    """What is further from a cent than such numbers are, stays."""
    claims = bar_claims("a", [187.14999389648438, 187.1499, None])

    assert raw_bars(claims, splits())["close"].to_list() == [187.15, 187.1499, None]


SPLIT_DAY = date(2024, 6, 10)  # of NOW


@pytest.mark.parametrize(
    ("ex_date", "closes", "other", "expected"),
    [
        pytest.param(SPLIT_DAY, [10.0, 10.5], None, [20.0, 21.0], id="that day, nothing to see: it has been done"),
        pytest.param(SPLIT_DAY, [20.0, 21.0], [20.0, 21.0], [20.0, 21.0], id="that day, as others: not done yet"),
        pytest.param(SPLIT_DAY, [10.0, 10.5], [20.0, 21.0], [20.0, 21.0], id="that day, half of others: done"),
        pytest.param(date(2024, 6, 11), [20.0, 21.0], None, [20.0, 21.0], id="tomorrow, nothing to see: not done"),
        pytest.param(date(2024, 6, 11), [10.0, 10.5], [20.0, 21.0], [20.0, 21.0], id="tomorrow, half: done early"),
        pytest.param(FRIDAY, [20.0, 21.0, 21.0, 21.0, 10.6], None, [20.0, 21.0, 21.0, 21.0, 10.6], id="jump: not done"),
        pytest.param(FRIDAY, [10.0, 10.5, 10.5, 10.5, 10.6], None, [20.0, 21.0, 21.0, 21.0, 10.6], id="goes on: done"),
        pytest.param(FRIDAY, [10.0, 10.5, 10.5, 14.9, 10.6], None, [20.0, 21.0, 21.0, 29.8, 10.6], id="unclear: usual"),
    ],
)  # fmt: skip
def test_around_a_split_the_bars_tell_whether_it_was_done(
    ex_date: date, closes: list[float], other: list[float] | None, expected: list[float]
) -> None:
    """By the provider's own step over the ex-date, else by the as-traded bars of others, else by the date."""
    claims = adjusted("p", closes)
    if other:
        claims = pl.concat([claims, bar_claims("raw", other)])

    raw = raw_bars(claims, splits((ex_date, 2.0)))

    assert raw.filter(pl.col("provider") == "p")["close"].to_list() == expected


def test_instruments_are_undone_by_their_own_splits() -> None:
    """Many at once give what each alone gives."""
    one = adjusted("p", [10.0, 11.0])
    two = one.with_columns(instrument_id=pl.lit("ins_b"))
    ratios = pl.concat([splits((DAYS[1], 2.0)), splits((DAYS[1], 3.0)).with_columns(instrument_id=pl.lit("ins_b"))])

    together = raw_bars(pl.concat([one, two]), ratios)

    assert together.select("instrument_id", "close").rows() == [
        ("ins_a", 20.0),
        ("ins_b", 30.0),
        ("ins_a", 11.0),
        ("ins_b", 11.0),
    ]


amount = st.one_of(st.none(), st.floats(0.0001, 2000.0))
said = st.tuples(
    st.sampled_from(["ins_a", "ins_b"]), st.sampled_from(DAYS), st.sampled_from("pqr"), amount,
    st.sampled_from(["USD", "GBp", "GBP", None]), st.sampled_from(["raw", "split", "all"]),
)  # fmt: skip


@settings(max_examples=60)
@given(
    rows=st.lists(said, max_size=25, unique_by=lambda row: row[:3]),
    ratios=st.lists(
        st.tuples(st.sampled_from([*DAYS, SPLIT_DAY]), st.sampled_from([2.0, 0.1, 1.5])), unique_by=lambda row: row[0]
    ),
    seed=st.randoms(),
)
def test_normalising_again_changes_nothing_and_order_does_not_matter(
    rows: list[tuple[Any, ...]], ratios: list[tuple[date, float]], seed: random.Random
) -> None:
    """Of bars and of actions, in any unit and basis."""
    bars = [
        bar_claims(name, [price], days=[day], instrument_id=instrument, currency=currency, basis=basis)
        for instrument, day, name, price, currency, basis in rows
    ]
    paid = [
        action_claims(name, (day, "dividend", price), instrument_id=instrument, currency=currency, basis=basis)
        for instrument, day, name, price, currency, basis in rows
        if basis != "all"
    ]
    claims, actions = pl.concat([bar_claims("p", []), *bars]), pl.concat([action_claims("p"), *paid])
    mixed = claims.sample(fraction=1.0, shuffle=True, seed=seed.randrange(1000))
    known = splits(*ratios)

    once, told = normalized(claims, known, actions), raw_actions(actions, known)

    assert once.equals(normalized(mixed, known, actions))
    assert once.equals(normalized(once, known, actions))
    assert told.equals(raw_actions(told, known))


def normalized(claims: pl.DataFrame, known: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    newest = latest_claims(claims, key=("instrument_id", "timeframe", "ts_event"))
    return raw_bars(newest, known, actions=actions)
