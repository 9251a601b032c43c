"""What the checks of the registry find in golden bars."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from evidence_doubles import bars, day
from pipeline_doubles import NOW
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.services.quality.checks import Broken, Check, CheckSetting, Scoped
from truetape.services.quality.grading import Grading
from truetape.services.quality.standing import standing_findings
from truetape.services.quality.vote import Tolerance

QUIET = [100.0 + (number % 3) for number in range(30)]
JUMP = QUIET + [price / 4 for price in QUIET[:10]]
NO_CALENDAR = empty({"session": pl.Date()})


def golden(closes: list[float], **given: Any) -> pl.DataFrame:
    rows = bars(closes, currency="USD", **given)
    columns = TABLES["bars"].columns.items()
    return rows.select(
        pl.col(name).cast(kind) if name in rows.columns else pl.lit(None, dtype=kind).alias(name)
        for name, kind in columns
    )


def found(rows: pl.DataFrame, sessions: pl.DataFrame = NO_CALENDAR, **given: Any) -> pl.DataFrame:
    rules: dict[str, Any] = {"round_id": "rnd_1", "ts_known": NOW, "tolerance": Tolerance(absolute=0.01, relative=2e-4)}
    return standing_findings(rows, sessions, Grading(**rules, trust={}, stale_sessions=3, simulated=True, **given))


def calendar(count: int) -> pl.DataFrame:
    days = pl.Series("session", [day(number) for number in range(count)])
    opened = (days.cast(pl.Datetime("ns", "UTC")) + timedelta(hours=14)).cast(INSTANT)
    return pl.DataFrame({"mic": ["XTST"] * count, "session": days, "open": opened, "close": opened})


def test_golden_bars_are_examined() -> None:
    """The finding is about no provider in particular, and stands in the table as it is."""
    rows = found(golden(JUMP))

    assert rows.schema == empty(TABLES["findings"].columns).schema
    (row,) = rows.filter(pl.col("check") == "undeclared_split").rows(named=True)
    assert (row["provider"], row["repair"], row["repair_value"]) == ("", "add_split", 4.0)
    assert (row["round_id"], row["simulated"]) == ("rnd_1", True)


def test_a_declared_action_explains() -> None:
    """The golden actions of the round are known when its bars are graded."""
    split = {"instrument_id": "a", "ex_date": day(30), "type": "split", "value": 4.0}
    declared = pl.concat([empty(TABLES["actions"].columns), pl.DataFrame([split])], how="diagonal")

    assert found(golden(JUMP), declared=declared).is_empty()


def test_what_is_told_elsewhere_is_not_told_again() -> None:
    """Order and gaps: claims that break rules are in quarantine, and missing sessions are told once."""
    gap = golden([9.0, 9.0, 9.0], ts_event=[day(0), day(3), day(4)], volume=7.0, high=[1.0, 10.0, 10.0])

    assert found(gap, calendar(5)).is_empty()


def test_checks_are_tuned_by_venue_and_instrument() -> None:
    """The venue is the calendar's."""
    off = {"undeclared_split": CheckSetting(scoped=(Scoped(venue="XTST", instrument="a", enabled=False),))}

    def checks(sessions: pl.DataFrame) -> set[str]:
        return {*found(golden(JUMP), sessions, checks=off)["check"]}

    assert "undeclared_split" in checks(NO_CALENDAR)
    assert "undeclared_split" not in checks(calendar(40))


def test_increments_are_those_that_are_known() -> None:
    """By instrument before currency."""
    rows = golden([10.05, 10.1])

    assert found(rows, increments={"USD": 0.1})["check"].to_list() == ["off_tick"]
    assert found(rows, increments={"USD": 0.1, "a": 0.05}).is_empty()


def test_series_of_one_bar_are_examined_for_what_a_bar_can_show() -> None:
    """A day of many instruments, one of them with a high in another unit; the user's checks are asked too."""
    day_of_three = pl.concat([golden([10.0], instrument_id=name) for name in "abc"]).with_columns(
        high=pl.when(pl.col("instrument_id") == "b").then(1000.0).otherwise("high")
    )
    mine = Check(
        name="mine",
        kinds=("bars",),
        family="user",
        severity="note",
        sentence="It is.",
        judge=lambda _frame, _: Broken(where=pl.col("instrument_id") == "c", words=pl.lit("it is c")),
    )

    assert found(day_of_three, user_checks=(mine,)).select("instrument_id", "check").rows() == [
        ("b", "mixed_units"),
        ("c", "mine"),
    ]
    assert found(day_of_three.clear()).is_empty()
