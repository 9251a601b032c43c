"""At which moment which day's fixing is out; hours and clock changes worked out by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from truetape.domain.fixings import FIXINGS, fixing_of, last_out


@pytest.mark.parametrize(
    ("fixing", "moment", "day"),
    [
        ("ecb", "2024-03-08 14:59:59", date(2024, 3, 7)),  # winter: 16:00 in Frankfurt is 15:00 UTC
        ("ecb", "2024-03-08 15:00:00", date(2024, 3, 8)),
        ("ecb", "2024-06-07 14:00:00", date(2024, 6, 7)),  # summer: 14:00 UTC
        ("fed_noon", "2024-03-08 16:59:00", date(2024, 3, 7)),  # noon in New York was 17:00 UTC
        ("fed_noon", "2024-03-11 16:00:00", date(2024, 3, 11)),  # and 16:00 after the clocks changed
        ("wmr", "2024-06-07 15:00:00", date(2024, 6, 7)),  # 16:00 in London in summer
        ("boc", "2024-06-07 20:29:00", date(2024, 6, 6)),  # 16:30 in Toronto is 20:30 UTC
        ("close", "2024-06-07 23:59:00", date(2024, 6, 6)),  # a close is out when its day has ended
        ("close", "2024-06-08 00:00:00", date(2024, 6, 7)),
    ],
)
def test_the_last_day_that_is_out(fixing: str, moment: str, day: date) -> None:
    """Before its hour a fixing is not used, from its hour on it is."""
    at = pl.Series([moment, None]).str.to_datetime(time_unit="ns", time_zone="UTC")
    assert [day, None] == last_out(at, fixing).to_list()


def test_who_tells_which_fixing() -> None:
    """Banks tell their own; everybody else tells closes."""
    told = {name: fixing_of(name) for name in ("ecb", "fred", "bank_of_canada", "alpha_vantage")}
    assert told == {"ecb": "ecb", "fred": "fed_noon", "bank_of_canada": "boc", "alpha_vantage": "close"}
    assert set(told.values()) <= set(FIXINGS)
