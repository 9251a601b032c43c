"""Grades: golden rows with their verdict, quarantined claims with a reason, findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_doubles import FRIDAY, MONDAY, NOW, action_claims, bar_claims, weekdays
from truetape.domain.flags import Quality
from truetape.domain.schema import TABLES
from truetape.services.quality.grade import Grades, grade_actions, grade_bars
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance

GRADING = Grading(
    round_id="rnd_1",
    ts_known=NOW + 1,
    tolerance=Tolerance(absolute=0.01001, relative=2e-4),
    trust={},
    stale_sessions=3,
    simulated=False,
)
DAYS = weekdays(5)
CLOSES = [10.0, 11.0, 12.0, 13.0, 14.0]


def calendar(days: list[date]) -> pl.DataFrame:
    return pl.DataFrame({"session": pl.Series(days, dtype=pl.Date)})


def graded(*claims: pl.DataFrame, days: list[date] | None = None, grading: Grading = GRADING) -> Grades:
    grades = grade_bars(pl.concat(claims), calendar(DAYS if days is None else days), grading)
    for table, frame in (("bars", grades.golden), ("quarantine", grades.quarantined), ("findings", grades.findings)):
        assert list(frame.schema.items()) == list(TABLES[table].columns.items())
        assert not frame.select(set(TABLES[table].key)).is_duplicated().any()
    return grades


def column(frame: pl.DataFrame, name: str) -> list[Any]:
    return frame[name].to_list()


def test_providers_that_agree_make_gold_without_flags() -> None:
    """The row says whose numbers it has, from which bytes, who agreed and since when we know it."""
    grades = graded(bar_claims("zeta", CLOSES), bar_claims("alpha", CLOSES))

    assert column(grades.golden, "close") == CLOSES
    assert grades.golden.select(
        "provider", "payload", "feed", "method", "agreed", "dissented", "flags"
    ).unique().rows() == [("alpha", "payload of alpha", "alpha feed", "consensus", "alpha,zeta", "", 0)]
    assert grades.golden.select("basis", "version", pl.col("ts_known").cast(pl.Int64)).unique().rows() == [
        ("raw", 0, NOW + 1)
    ]
    assert grades.quarantined.is_empty()
    assert grades.findings.is_empty()


def test_a_lone_provider_is_believed_and_flagged() -> None:
    """Nobody could contradict it."""
    golden = graded(bar_claims("zeta", CLOSES)).golden

    assert column(golden, "close") == CLOSES
    assert column(golden, "flags") == [int(Quality.SINGLE_SOURCE)] * 5
    assert column(golden, "score") == [1.0] * 5


def test_a_hundredfold_price_is_quarantined_with_its_reason() -> None:
    """The claim that lost keeps its own numbers; the bar that won is flagged as disputed."""
    wrong = [10.0, 1100.0, 12.0, 13.0, 14.0]

    grades = graded(bar_claims("alpha", wrong), bar_claims("bravo", CLOSES), bar_claims("charlie", CLOSES))

    assert column(grades.golden, "close") == CLOSES
    assert column(grades.golden, "flags") == [0, int(Quality.DISPUTED), 0, 0, 0]
    assert column(grades.golden, "provider") == ["alpha", "bravo", "alpha", "alpha", "alpha"]
    assert grades.quarantined.select("provider", "close", "reason", "payload").rows() == [
        ("alpha", 1100.0, "hundredfold", "payload of alpha")
    ]
    assert column(grades.quarantined, "explanation") == [
        "alpha said 1100.0 where bravo, charlie said 11.0: the price is 100 times off: a unit or decimal error"
    ]


def test_a_missed_split_is_seen_bar_by_bar() -> None:
    """A provider that did not adjust shows twice the price until the split."""
    missed = [20.0, 22.0, 24.0, 13.0, 14.0]

    grades = graded(bar_claims("alpha", missed), bar_claims("bravo", CLOSES), bar_claims("charlie", CLOSES))

    assert column(grades.golden, "close") == CLOSES
    assert column(grades.quarantined, "reason") == ["split_ratio"] * 3


def test_a_claim_that_breaks_a_rule_has_no_vote() -> None:
    """Even where it would be the only one, or in the majority: then there is no bar, and the session is missed."""
    broken = bar_claims("alpha", [10.0, None, 12.0, 13.0, 14.0])

    grades = graded(broken, bar_claims("bravo", [10.0, -1.0, 12.0, 13.0, 14.0]))

    assert column(grades.golden, "close") == [10.0, 12.0, 13.0, 14.0]
    assert grades.quarantined.select("provider", "reason").rows() == [
        ("alpha", "no_close"),
        ("bravo", "not_positive"),
    ]
    assert grades.findings.select("check", pl.col("ts_event").dt.date()).rows() == [("missing_session", DAYS[1])]


def test_a_broken_claim_near_the_truth_is_quarantined_all_the_same() -> None:
    """It agrees in its close, but its high lies below it."""
    grades = graded(bar_claims("alpha", CLOSES, high=[10.0, 10.9, 12.0, 13.0, 14.0]), bar_claims("bravo", CLOSES))

    assert column(grades.golden, "close") == CLOSES
    assert column(grades.golden, "method") == ["consensus", "single_source"] + ["consensus"] * 3
    assert column(grades.quarantined, "reason") == ["ohlc_order"]


def test_a_stale_series_is_quarantined_from_its_second_bar() -> None:
    """The others go on, so the standing one is wrong."""
    standing = bar_claims("alpha", [10.0, 11.0, 11.0, 11.0, 11.0], volume=[1000.0, 1001.0, 1001.0, 1001.0, 1001.0])

    grades = graded(standing, bar_claims("bravo", CLOSES), bar_claims("charlie", CLOSES))

    assert column(grades.golden, "close") == CLOSES
    assert column(grades.quarantined, "reason") == ["stale"] * 3


def test_a_quiet_market_keeps_its_bars() -> None:
    """Two providers that stand still together are right; one alone is not believed."""
    still: dict[str, Any] = {"volume": 100.0}

    together = graded(bar_claims("alpha", [5.0] * 5, **still), bar_claims("bravo", [5.0] * 5, **still))
    alone = graded(bar_claims("alpha", [5.0] * 5, **still))

    assert column(together.golden, "close") == [5.0] * 5
    assert together.quarantined.is_empty()
    assert column(alone.golden, "close") == [5.0]
    assert column(alone.quarantined, "reason") == ["stale"] * 4


def test_flags_add_up() -> None:
    """A bar still running, of one provider, on a day without a session."""
    golden = graded(bar_claims("alpha", CLOSES, running=[False] * 4 + [True]), days=DAYS[:4]).golden

    assert column(golden, "flags") == [
        2,
        2,
        2,
        2,
        int(Quality.RUNNING | Quality.SINGLE_SOURCE | Quality.OUTSIDE_SESSION),
    ]


def test_without_a_calendar_no_bar_lies_outside_it() -> None:
    """No sessions known is not the same as no session held."""
    assert column(graded(bar_claims("alpha", CLOSES), bar_claims("bravo", CLOSES), days=[]).golden, "flags") == [0] * 5


def test_rows_left_out_are_found() -> None:
    """The finding comes with the round that found it."""
    short = bar_claims("alpha", [10.0, 12.0, 13.0], days=[DAYS[0], DAYS[2], DAYS[3]])

    grades = graded(short, bar_claims("bravo", CLOSES))

    assert grades.findings.select("provider", "check", pl.col("ts_event").dt.date()).rows() == [
        ("alpha", "missing_row", DAYS[1]),
        ("alpha", "ends_early", DAYS[4]),
    ]


@pytest.mark.parametrize("days", [[], DAYS])
def test_no_claims_no_grades(days: list[date]) -> None:
    """All frames are empty and have their columns."""
    grades = graded(bar_claims("alpha", []), days=days)

    assert grades.golden.is_empty()
    assert grades.quarantined.is_empty()
    assert grades.findings.is_empty()


def test_trust_decides_between_two() -> None:
    """The rule comes from the settings."""
    rows = (bar_claims("alpha", CLOSES), bar_claims("bravo", [20.5] * 5, volume=[1.0, 2.0, 3.0, 4.0, 5.0]))

    assert column(graded(*rows).golden, "close") == CLOSES
    assert column(graded(*rows, grading=replace(GRADING, trust={"bravo": 2.0})).golden, "close") == [20.5] * 5


def test_bars_of_one_venue_are_one_witness_and_a_half() -> None:
    """Two vendors of the same venue's bars against one of the consolidated tape: 1.5 of 2.5, not two of three."""
    iex = [bar_claims(name, CLOSES, feed="iex") for name in ("alpha", "bravo")]
    tape = [bar_claims(name, CLOSES, feed="consolidated") for name in ("alpha", "bravo")]
    other = bar_claims("charlie", [close + 1 for close in CLOSES], feed="consolidated")

    assert column(graded(*iex, other).golden, "score") == pytest.approx([0.6] * 5)
    assert column(graded(*tape, other).golden, "score") == pytest.approx([2 / 3] * 5)


def test_below_the_quorum_a_bar_is_gold_with_a_flag() -> None:
    """Two must agree: where one stands alone the row says so, and is there all the same."""
    rows = (bar_claims("alpha", CLOSES), bar_claims("bravo", [10.0, 12.0, 12.0, 13.0, 14.0]))
    both = int(Quality.DISPUTED | Quality.BELOW_QUORUM)

    grades = graded(*rows, grading=replace(GRADING, quorum=2))

    assert column(grades.golden, "flags") == [0, both, 0, 0, 0]
    assert column(grades.golden, "method") == ["consensus", "plurality"] + ["consensus"] * 3
    assert grades.findings.is_empty()


def test_below_the_quorum_a_bar_is_withheld_where_the_settings_say_so() -> None:
    """There is no golden row; a finding says why, and no session is said to be missed."""
    rows = (bar_claims("alpha", CLOSES), bar_claims("bravo", [10.0, 12.0, 12.0, 13.0, 14.0]))

    grades = graded(*rows, grading=replace(GRADING, quorum=2, withholds=True))

    assert column(grades.golden, "close") == [10.0, 12.0, 13.0, 14.0]
    assert grades.findings.select("check", "provider", pl.col("ts_event").dt.date(), "explanation").rows() == [
        ("below_quorum", "", DAYS[1], "no golden row, for too few agree: alpha")
    ]


def test_a_known_increment_decides_what_agrees() -> None:
    """In ticks of a quarter, prices a quarter apart agree."""
    rows = [bar_claims(name, [close + add for close in CLOSES]) for name, add in (("alpha", 0.11), ("bravo", 0.36))]

    assert graded(*rows).quarantined["reason"].to_list() == ["disagrees"] * 5
    assert graded(*rows, grading=replace(GRADING, increments={"ins_a": 0.25})).quarantined.is_empty()


@settings(max_examples=30)
@given(
    faults=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.sampled_from([0.01, 0.5, 1.07, 2.0, 100.0, None])),
        max_size=12,
    )
)
def test_every_claim_is_agreed_or_quarantined(faults: list[tuple[int, int, float | None]]) -> None:
    """Nothing is lost: gold and quarantine together name every claim once."""
    series: list[list[float | None]] = [[*CLOSES] for _ in range(4)]
    for who, when, factor in faults:
        series[who][when] = None if factor is None else round(CLOSES[when] * factor, 2)
    names = ("delta", "alpha", "charlie", "bravo")

    grades = graded(*(bar_claims(name, closes) for name, closes in zip(names, series, strict=True)))

    agreed = [
        (name, moment) for moment, who in grades.golden.select("ts_event", "agreed").rows() for name in who.split(",")
    ]
    lost = [(name, moment) for name, moment in grades.quarantined.select("provider", "ts_event").rows()]
    assert len(agreed) + len(lost) == len({*agreed, *lost}) == 20
    assert grades.golden["score"].is_between(0, 1).all()


def actions(*claims: pl.DataFrame, trust: dict[str, float] | None = None) -> Grades:
    grades = grade_actions(pl.concat(claims), replace(GRADING, trust=trust or {}))
    for table, frame in (("actions", grades.golden), ("quarantine", grades.quarantined), ("findings", grades.findings)):
        assert list(frame.schema.items()) == list(TABLES[table].columns.items())
    return grades


VERDICT = ("ex_date", "type", "value", "provider", "score", "method", "agreed", "dissented")


def test_actions_are_voted_on_one_by_one() -> None:
    """A split and a dividend of one day are two things; values within a thousandth agree."""
    one = action_claims("zeta", (MONDAY, "split", 2.0), (MONDAY, "dividend", 0.25), (FRIDAY, "dividend", 0.2501))
    other = action_claims("alpha", (FRIDAY, "dividend", 0.25), (MONDAY, "split", 2.0), (MONDAY, "dividend", 0.3))

    golden = actions(one, other).golden

    assert golden.select(VERDICT).rows() == [
        (MONDAY, "dividend", 0.3, "alpha", 0.5, "plurality", "alpha", "zeta"),
        (MONDAY, "split", 2.0, "alpha", 1.0, "consensus", "alpha,zeta", ""),
        (FRIDAY, "dividend", 0.25, "alpha", 1.0, "consensus", "alpha,zeta", ""),
    ]


def test_silence_of_a_teller_counts_against_an_action() -> None:
    """It is kept all the same: the other may be late."""
    golden = actions(
        action_claims("zeta", (MONDAY, "split", 2.0), (FRIDAY, "dividend", 0.25)),
        action_claims("alpha", (MONDAY, "split", 2.0)),
    ).golden

    assert golden.select(VERDICT).rows()[1] == (FRIDAY, "dividend", 0.25, "zeta", 0.5, "plurality", "zeta", "alpha")


def test_an_action_that_cannot_be_is_a_finding() -> None:
    """A split of nothing would divide by zero; the other claims are not touched."""
    grades = actions(
        action_claims("zeta", (MONDAY, "split", 0.0), (FRIDAY, "dividend", None), (FRIDAY, "split", float("inf"))),
        action_claims("alpha", (MONDAY, "split", 2.0)),
    )

    assert grades.golden.select("value", "agreed", "dissented").rows() == [(2.0, "alpha", "zeta")]
    assert grades.findings.select("provider", "check", "severity", "explanation").rows() == [
        ("zeta", "not_positive", "error", "zeta said a split of 0.0"),
        ("zeta", "not_positive", "error", "zeta said a dividend of nothing"),
    ]


def test_an_action_that_needs_no_value_is_no_finding_without_one() -> None:
    """A new symbol or the end of a listing has no golden row either; a merger that pays something has."""
    claims = action_claims(
        "zeta", (MONDAY, "symbol_change", None), (FRIDAY, "worthless", None), (FRIDAY, "merger", 30.0)
    )

    grades = actions(claims)

    assert ([(FRIDAY, "merger", 30.0)], 0) == (
        grades.golden.select("ex_date", "type", "value").rows(),
        len(grades.findings),
    )


def test_no_actions_no_grades() -> None:
    """The frames are empty and have their columns."""
    assert actions(action_claims("alpha")).golden.is_empty()
