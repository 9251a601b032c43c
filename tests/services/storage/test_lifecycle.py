"""What is due by age and by licence: answers by hand, for a day in June 2026."""

from __future__ import annotations

from datetime import date

import polars as pl

from truetape.domain.time import DAY_NS
from truetape.services.storage.lifecycle import Ages, Licence, Step, due, heard_before, licensed, pinned

TODAY = date(2026, 6, 15)
JANUARY = (date(2024, 1, 1), date(2024, 1, 31))
MAY = (date(2024, 5, 1), date(2024, 5, 31))
JUNE = (date(2024, 6, 1), date(2024, 6, 30))
OLD = (date(2015, 1, 2), date(2015, 12, 31))
TWO_YEARS = 731
TEN_YEARS = 3653


def holdings(*parts: tuple[str, tuple[date, date], int], table: str = "bars") -> pl.DataFrame:
    """What lies where: the tier, its days and its rows, of ten bytes each."""
    rows = [(tier, table, start, end, "", count, count * 10) for tier, (start, end), count in parts]
    return pl.DataFrame(rows, schema=["tier", "table", "start", "end", "provider", "rows", "bytes"], orient="row")


def goals(held: pl.DataFrame, ages: Ages, *, has_archive: bool = True) -> list[tuple[date, date, str, int]]:
    steps = due(held, {"bars": ages}, today=TODAY, has_archive=has_archive)
    return [(step.start, step.end, step.goal, step.rows) for step in steps]


def test_whole_months_go_when_they_are_old_enough() -> None:
    """On 2026-06-15 what ended before 2024-06-14 is two years old: May, not June. Nothing is due without a rule."""
    held = holdings(("hot", JANUARY, 5), ("hot", MAY, 7), ("hot", JUNE, 9))
    assert goals(held, Ages(hot=TWO_YEARS)) == [(date(2024, 1, 1), MAY[1], "warm", 12)]
    assert goals(held, Ages()) == []
    step = due(held, {"bars": Ages(hot=TWO_YEARS), "actions": Ages(hot=1)}, today=TODAY, has_archive=False)[0]
    assert (step.bytes, step.why, step.table) == (120, "731 days old", "bars")


def test_a_year_is_archived_whole() -> None:
    """With what is still hot of it; in a place without an archive it stays warm."""
    held = holdings(("warm", OLD, 1000), ("hot", (date(2015, 3, 1), date(2015, 3, 31)), 100))
    ages = Ages(hot=TWO_YEARS, warm=TEN_YEARS)
    assert goals(held, ages) == [(date(2015, 1, 1), date(2015, 12, 31), "archive", 1100)]
    assert goals(held, ages, has_archive=False) == [(date(2015, 1, 1), date(2015, 3, 31), "warm", 100)]
    assert goals(holdings(("archive", OLD, 1000)), ages) == []
    assert goals(holdings(("warm", (date(2016, 7, 1), date(2016, 12, 31)), 1)), ages) == []


def test_a_few_late_corrections_stay_hot() -> None:
    """One row in a hundred of a cold year is not worth writing it again; more are, and so is a new month."""
    cold = ("warm", (date(2023, 1, 3), date(2023, 11, 29)), 1000)
    november, december = ((date(2023, month, 1), date(2023, month, 30 + (month == 12))) for month in (11, 12))
    assert goals(holdings(cold, ("hot", november, 10)), Ages(hot=TWO_YEARS)) == []
    assert goals(holdings(cold, ("hot", november, 11)), Ages(hot=TWO_YEARS))[0][2:] == ("warm", 11)
    assert goals(holdings(cold, ("hot", december, 1)), Ages(hot=TWO_YEARS))[0][2:] == ("warm", 1)


def test_what_is_too_old_is_deleted_wherever_it_lies() -> None:
    """And is not moved before."""
    held = holdings(("hot", (date(2015, 3, 1), date(2015, 3, 31)), 1), ("archive", OLD, 10), ("hot", MAY, 3))
    assert goals(held, Ages(hot=TWO_YEARS, warm=3000, keep=3700)) == [
        (date(2015, 1, 1), date(2015, 12, 31), "delete", 11),
        (date(2024, 1, 1), MAY[1], "warm", 3),
    ]


def test_licences_are_about_what_was_heard() -> None:
    """Ninety days after it was heard a claim goes, whatever day it is about; providers without old claims are left."""
    licence = Licence(claims=90)
    now = 100 * DAY_NS
    assert heard_before(licence, now) == 10 * DAY_NS
    steps = licensed([("quotes", "tiingo", 7), ("trades", "tiingo", 0)], {"tiingo": licence}, now_ns=now)
    why = "tiingo lets claims be kept 90 days"
    assert steps == [
        Step("quotes", date.min, date.max, "delete", 7, 0, why, provider="tiingo", known_before=10 * DAY_NS)
    ]


def test_snapshots_pin_what_would_be_deleted() -> None:
    """The last one is named; what moves stays readable, and is pinned by none."""
    move = Step("bars", *OLD, "warm", 1, 1, "old")
    gone = Step("bars", *OLD, "delete", 1, 1, "old")
    assert [step.pinned_by for step in pinned([move, gone], ["first", "last"])] == ["", "last"]
    assert pinned([move, gone], []) == [move, gone]
