"""Checks are set for all rows, for a record kind, a venue or an instrument; the most specific setting wins."""

from __future__ import annotations

import polars as pl

from evidence_doubles import around, bars
from truetape.services.quality.checks import CHECKS, CheckSetting, Scoped, examine, prepare

STALE = CHECKS["stale"]
CLOSED = CHECKS["no_close"]


def found(
    *instruments: str, closes: list[float | None] | None = None, **settings: CheckSetting
) -> list[tuple[str, str]]:
    """Return the instrument and severity of each finding among two equal bars of each instrument, all on XTST."""
    values = closes or [1.0, 1.0, 1.0]
    records = pl.concat([bars(values, instrument_id=name, volume=7.0) for name in instruments])
    evidence = prepare(records, surroundings=around(instruments="ab"), needs=[*STALE.needs, "venue"])
    result = examine(evidence, checks=[STALE, CLOSED], settings=settings)
    return result.select("instrument_id", "severity").rows()


def test_a_check_is_as_it_declares_itself() -> None:
    """Three equal bars are two stale ones."""
    assert found("a") == [("a", "warning")] * 2


def test_a_check_can_be_disabled() -> None:
    """For all rows, and enabled again for some."""
    off = CheckSetting(enabled=False)
    but = CheckSetting(enabled=False, scoped=(Scoped(instrument="b", enabled=True),))

    assert found("a", "b", stale=off) == []
    assert found("a", "b", stale=but) == [("b", "warning")] * 2


def test_limits_and_severity_are_set() -> None:
    """Four equal bars are wanted; what is found is an error."""
    assert found("a", stale=CheckSetting(limits={"bars": 4.0})) == []
    assert found("a", stale=CheckSetting(severity="error", limits={"bars": 2.0})) == [("a", "error")] * 2


def test_the_most_specific_setting_wins() -> None:
    """An instrument before its venue, a venue before the record kind, whichever stands first."""
    scoped = (
        Scoped(instrument="b", limits={"bars": 3.0}),
        Scoped(venue="XTST", limits={"bars": 4.0}, severity="error"),
        Scoped(kind="bars", limits={"bars": 3.0}, severity="note"),
        Scoped(kind="quotes", limits={"bars": 9.0}),
    )

    assert found("a", "b", "c", stale=CheckSetting(scoped=scoped)) == [("b", "error")] * 2 + [("c", "note")] * 2
    assert found("a", "b", stale=CheckSetting(scoped=(Scoped(venue="XNIL", enabled=False),))) == [
        ("a", "warning"),
        ("a", "warning"),
        ("b", "warning"),
        ("b", "warning"),
    ]


def test_an_instrument_of_a_venue_must_be_both() -> None:
    """The venue is another one."""
    setting = CheckSetting(scoped=(Scoped(instrument="a", venue="XNIL", enabled=False),))

    assert found("a", stale=setting) == [("a", "warning")] * 2


def test_a_venue_is_not_known_without_listings() -> None:
    """Evidence that has no venues is met by no setting for one; no rows are met by all."""
    evidence = prepare(bars([1.0] * 3, volume=7.0), needs=STALE.needs)
    settings = {"stale": CheckSetting(scoped=(Scoped(venue="XTST", enabled=False),))}

    assert len(examine(evidence, checks=[STALE], settings=settings)) == 2
    assert examine(evidence.clear(), checks=[STALE], settings=settings).is_empty()
