"""What each day brought, counted by hand; in any portions the same."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from room_doubles import rows
from truetape.domain.schema import TABLES
from truetape.services.storage.daily import BARS, FOUND, QUARANTINED, Changed, daily_rows

MONDAY = date(2024, 6, 3)
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)


def bars(agreed: list[str], *, days: list[date] | None = None) -> pl.DataFrame:
    dates = days or [MONDAY + timedelta(days=number) for number in range(len(agreed))]
    made = rows("bars", instrument_id="ins_a", timeframe="1d", ts_event=dates, agreed=agreed, ts_known=dates)
    return made.select(BARS)


def quarantined(*claims: tuple[date, str, str]) -> pl.DataFrame:
    days, providers, reasons = (list(one) for one in zip(*claims, strict=True)) if claims else ([], [], [])
    same: dict[str, Any] = {"instrument_id": "ins_a", "timeframe": "1d"}
    made = rows("quarantine", ts_event=days, provider=providers, reason=reasons, ts_known=days, **same)
    return made.select(QUARANTINED)


def found(*findings: tuple[date, str, str, str]) -> pl.DataFrame:
    days, providers, checks, severities = (list(one) for one in zip(*findings, strict=True)) if findings else [[]] * 4
    same: dict[str, Any] = {"instrument_id": "ins_a", "timeframe": "1d", "round_id": "rnd"}
    made = rows("findings", ts_event=days, provider=providers, check=checks, severity=severities, ts_known=days, **same)
    return made.select(FOUND)


def counts(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    columns = ["session", "provider", "check", "severity", "count", "judged", "agreed", "missing"]
    return list(frame.select(columns).iter_rows())


def test_a_day_is_counted_by_provider_and_check() -> None:
    """Two agree on Monday; on Tuesday one is a hundredfold off, and left out Wednesday: that is its finding."""
    made = daily_rows(
        bars(["alpha,bravo", "alpha", "alpha"]),
        quarantined((TUESDAY, "bravo", "hundredfold")),
        found((WEDNESDAY, "bravo", "missing_row", "note"), (WEDNESDAY, "", "dull", "warning")),
    )

    assert [
        (MONDAY, "alpha", "", "", 0, 1, 1, 0),
        (MONDAY, "bravo", "", "", 0, 1, 1, 0),
        (TUESDAY, "alpha", "", "", 0, 1, 1, 0),
        (TUESDAY, "bravo", "", "", 1, 1, 0, 0),
        (TUESDAY, "bravo", "hundredfold", "quarantine", 1, 0, 0, 0),
        (WEDNESDAY, "", "dull", "warning", 1, 0, 0, 0),
        (WEDNESDAY, "alpha", "", "", 0, 1, 1, 0),
        (WEDNESDAY, "bravo", "", "", 0, 0, 0, 1),
        (WEDNESDAY, "bravo", "missing_row", "note", 1, 0, 0, 0),
    ] == counts(made)
    assert dict(made.schema) == TABLES["quality_daily"].columns


def test_what_was_said_twice_counts_once() -> None:
    """Two rounds found the same; a claim that was wrong and then right is right."""
    twice = found((MONDAY, "alpha", "spike", "error"), (MONDAY, "alpha", "spike", "error"))
    made = daily_rows(bars(["alpha"]), quarantined((MONDAY, "alpha", "stale"), (MONDAY, "bravo", "stale")), twice)

    assert [
        (MONDAY, "alpha", "", "", 0, 1, 1, 0),
        (MONDAY, "alpha", "spike", "error", 1, 0, 0, 0),
        (MONDAY, "bravo", "", "", 1, 1, 0, 0),
        (MONDAY, "bravo", "stale", "quarantine", 1, 0, 0, 0),
    ] == counts(made)


def test_nothing_stored_is_nothing_counted() -> None:
    """An empty day has no rows."""
    made = daily_rows(bars([]), quarantined(), found())

    assert ([], TABLES["quality_daily"].columns) == (counts(made), dict(made.schema))


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["alpha", "bravo", "alpha,bravo"])), max_size=12))
@settings(max_examples=25)
def test_days_apart_or_together_give_the_same(said: list[tuple[int, str]]) -> None:
    """Each day depends on itself alone."""
    by_day = {MONDAY + timedelta(days=number): names for number, names in said}
    lost = [(day, "zulu", "disagrees") for day in by_day if day.day % 2]
    whole = daily_rows(bars(list(by_day.values()), days=list(by_day)), quarantined(*lost), found())
    apart = [
        daily_rows(bars([names], days=[day]), quarantined(*(one for one in lost if one[0] == day)), found())
        for day, names in sorted(by_day.items())
    ]

    assert [row for one in apart for row in counts(one)] == counts(whole)


def test_changes_are_widened_and_cut_into_portions() -> None:
    """A series keeps its first and last day; two instruments at once make two portions of three."""
    changed = Changed()
    changed.add("b", "1d", TUESDAY, TUESDAY)
    changed.add("a", "1d", TUESDAY, WEDNESDAY)
    changed.add("a", "1d", MONDAY, TUESDAY)
    changed.add("c", "1m", MONDAY, MONDAY)
    changed.add("c", "1d", WEDNESDAY, WEDNESDAY)

    assert [
        ("1d", ("a", "b"), MONDAY, WEDNESDAY),
        ("1d", ("c",), WEDNESDAY, WEDNESDAY),
        ("1m", ("c",), MONDAY, MONDAY),
    ] == changed.portions(2)
