"""What was not said: rows left out, histories that end, sessions without a bar."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipeline_doubles import MONDAY, NOW, bar_claims, instants, weekdays
from truetape.domain.schema import TABLES
from truetape.services.quality.coverage import missing_rows, missing_sessions
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance

GRADING = Grading(
    round_id="rnd_1",
    ts_known=NOW,
    tolerance=Tolerance(absolute=0.01, relative=0.0),
    trust={},
    stale_sessions=3,
    simulated=True,
)
DAYS = weekdays(6)


def golden(days: list[date], timeframe: str = "1d") -> pl.DataFrame:
    return pl.DataFrame({"ts_event": instants(days)}).with_columns(
        pl.lit("ins_a").alias("instrument_id"), pl.lit(timeframe).alias("timeframe")
    )


def said(name: str, *places: int) -> pl.DataFrame:
    return bar_claims(name, [1.0] * len(places), days=[DAYS[place] for place in places])


def short(findings: pl.DataFrame) -> list[tuple[object, ...]]:
    assert findings.schema == pl.DataFrame(schema=TABLES["findings"].columns).schema
    return findings.select("provider", pl.col("ts_event").dt.date(), "check", "severity").rows()


def test_a_row_left_out_is_a_note_and_an_end_is_one_warning() -> None:
    """What lies before a provider's first bar is the depth of its history."""
    claims = pl.concat([said("whole", 0, 1, 2, 3, 4, 5), said("gap", 0, 2, 3, 5), said("short", 2, 3), said("late", 5)])

    findings = missing_rows(claims, golden(DAYS), GRADING)

    assert short(findings) == [
        ("gap", DAYS[1], "missing_row", "note"),
        ("gap", DAYS[4], "missing_row", "note"),
        ("short", DAYS[4], "ends_early", "warning"),
    ]
    assert findings["explanation"].to_list() == [
        "gap left out a session that others have",
        "gap left out a session that others have",
        "short ends before this session; bars that others have from here on: 2",
    ]
    assert findings.select("round_id", "simulated", pl.col("ts_known").cast(pl.Int64)).unique().rows() == [
        ("rnd_1", True, NOW)
    ]


def test_who_says_all_leaves_nothing_out() -> None:
    """Nor does nobody."""
    assert missing_rows(said("whole", 0, 1, 2), golden(DAYS[:3]), GRADING).is_empty()
    assert short(missing_rows(said("none"), golden([]), GRADING)) == []


def test_a_session_that_nobody_has_is_a_warning() -> None:
    """Only between the first and the last bar: before is history, after is the future."""
    sessions = pl.Series("session", [date(2024, 5, 31), *DAYS, date(2024, 6, 11)])

    findings = missing_sessions(golden([DAYS[1], DAYS[2], DAYS[5]]), sessions, GRADING)

    assert short(findings) == [
        ("", DAYS[3], "missing_session", "warning"),
        ("", DAYS[4], "missing_session", "warning"),
    ]


@pytest.mark.parametrize(
    ("bars", "sessions"),
    [
        pytest.param(golden([]), DAYS, id="no bars"),
        pytest.param(golden(DAYS), [], id="no calendar"),
        pytest.param(golden(DAYS), DAYS, id="all sessions"),
        pytest.param(golden([MONDAY, DAYS[5]], "1w"), DAYS, id="a weekly bar has five sessions"),
    ],
)
def test_no_session_is_missing(bars: pl.DataFrame, sessions: list[date]) -> None:
    """There is nothing to compare, or nothing to find."""
    assert short(missing_sessions(bars, pl.Series("session", sessions, dtype=pl.Date), GRADING)) == []
