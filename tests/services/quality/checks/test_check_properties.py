"""What holds for every check, whatever the bars are."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_doubles import around, bars, calendar, day, everything

PRICE = st.one_of(st.none(), st.sampled_from([0.0, -1.0, 9.99, 10.0, 10.005, 10.5, 20.0, 1000.0, float("inf")]))
CLOSES = st.lists(PRICE, min_size=1, max_size=12)
KNOWN = around(
    sessions=calendar([day(number) for number in range(20)]),
    actions=[(day(2), "split", 2.0), (day(4), "dividend", 0.5)],
    increment=0.01,
    lot=100.0,
    instruments="ab",
)
ORDER = ("out_of_order",)  # the only one that is about the order in which rows came


def of_two(first: list[float | None], second: list[float | None], *, provider: str) -> pl.DataFrame:
    parts = [bars(first, instrument_id="a"), bars(second, instrument_id="b", provider=provider)]
    return pl.concat(parts).with_columns(high=pl.max_horizontal("close", pl.lit(10.0)))


def told(records: pl.DataFrame) -> list[str]:
    found = everything(records, KNOWN).filter(~pl.col("check").is_in(ORDER))
    return sorted(map(repr, found.drop("row").rows()))


@given(first=CLOSES, second=CLOSES, seed=st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_the_order_of_rows_does_not_matter(first: list[float | None], second: list[float | None], seed: int) -> None:
    """But for what is said of that order."""
    records = of_two(first, second, provider="p")

    assert told(records) == told(records.sample(fraction=1.0, shuffle=True, seed=seed))


@given(first=CLOSES, second=CLOSES)
@settings(max_examples=12, deadline=None)
def test_instruments_do_not_know_each_other(first: list[float | None], second: list[float | None]) -> None:
    """What is found in two series together is what is found in each."""
    both = of_two(first, second, provider="p")
    parts = [both.filter(pl.col("instrument_id") == name) for name in "ab"]

    assert told(both) == sorted([*told(parts[0]), *told(parts[1])])


@given(closes=CLOSES)
@settings(max_examples=12, deadline=None)
def test_words_and_severities_are_always_there(closes: list[float | None]) -> None:
    """A finding without words would be none."""
    found = everything(of_two(closes, closes, provider="q"), KNOWN)

    assert found.select(pl.col("explanation", "severity", "check", "ts_event").null_count()).row(0) == (0, 0, 0, 0)
    assert found.select("row", "check").is_duplicated().sum() == 0
