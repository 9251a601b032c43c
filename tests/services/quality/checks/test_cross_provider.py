"""Providers against each other: other values, rows left out, and rows that come late."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from evidence_doubles import bars, broken, day, found, moment

NIGHT = moment("2024-06-04 01:00")


def providers(**closes: list[float | None]) -> pl.DataFrame:
    """Bars of several providers from the same Monday; null closes are left out."""
    return pl.concat([bars(values, provider=name) for name, values in closes.items()]).filter(
        pl.col("close").is_not_null()
    )


def test_who_is_far_from_the_median_disagrees() -> None:
    """A cent is rounding; 2 % are not; a provider alone cannot disagree."""
    (row,) = found("provider_disagrees", providers(p=[10.0, 20.0], q=[10.01, 20.0], r=[10.2, 20.0])).rows(named=True)

    assert (row["provider"], row["value"], round(row["expected_low"], 2)) == ("r", 10.2, 10.0)
    assert row["explanation"] == "r says 10.2; the median of 3 providers is 10.01"
    assert broken("provider_disagrees", providers(p=[10.0], q=[12.0]), relative=0.2) == []
    assert broken("provider_disagrees", providers(p=[10.0, 11.0])) == []


def test_what_others_have_is_left_out() -> None:
    """What lies before a provider's first bar is the depth of its history; nobody has the Thursday."""
    rows = providers(p=[1.0, None, None, None, 5.0], q=[1.0, 2.0, 3.0, None, 5.0], r=[None, 2.0, 3.0, None, 5.0])

    assert found("provider_left_out", rows).select("provider", "ts_event", "value").rows() == [
        ("p", moment(str(day(4))), 2.0)
    ]
    assert found("provider_left_out", rows.filter(pl.col("provider") == "p")).is_empty()


def test_who_ends_before_others_is_told_once() -> None:
    """Two bars are missing at the end."""
    rows = providers(p=[1.0, 2.0, None, None], q=[1.0, 2.0, 3.0, 4.0])

    assert found("provider_ends_early", rows).select("provider", "ts_event", "value").rows() == [
        ("p", moment(str(day(1))), 2.0)
    ]
    assert found("provider_ends_early", rows.filter(pl.col("provider") == "p")).is_empty()


def test_who_is_a_day_later_is_late() -> None:
    """The limit is in hours."""
    rows = providers(p=[1.0], q=[1.0]).with_columns(
        ts_known=pl.Series([NIGHT, NIGHT + timedelta(hours=30)]).cast(pl.Datetime("ns", "UTC"))
    )

    assert found("provider_late", rows).select("provider", "value").rows() == [("q", 30.0)]
    assert found("provider_late", rows, hours=48.0).is_empty()
    assert found("provider_late", rows.drop("ts_known")).is_empty()
