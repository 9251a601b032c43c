"""What decisions do to claims: whose values win, what is left out, and what repairs change."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.messages import BatchNormalized, DecisionMade, Edit
from truetape.domain.time import day_start_ns
from truetape.services.quality.decided import OPERATOR, decided_actions, decided_bars, in_force, settled
from truetape.services.quality.grade import Grades

MONDAY, TUESDAY = date(2024, 6, 3), date(2024, 6, 4)
SAID = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": None}


def claims(*said: tuple[str, date, float]) -> pl.DataFrame:
    """One row for each provider, day and close; the other prices are those of SAID."""
    return rows(
        "bar_claims",
        instrument_id="ins_a",
        timeframe="1d",
        provider=[provider for provider, _, _ in said],
        ts_event=[day for _, day, _ in said],
        open=10.0,
        high=12.0,
        low=9.0,
        close=[close for _, _, close in said],
        currency="USD",
        basis="raw",
        running=False,
        feed="f",
        payload=[f"pay_{provider}" for provider, _, _ in said],
        ts_known=MONDAY,
    )


def paid(*said: tuple[str, date, str, float]) -> pl.DataFrame:
    return rows(
        "action_claims",
        instrument_id="ins_a",
        provider=[one[0] for one in said],
        ex_date=[one[1] for one in said],
        type=[one[2] for one in said],
        value=[one[3] for one in said],
        currency="USD",
        basis="raw",
        payload="pay",
        ts_known=MONDAY,
    )


def made(action: str, target: str = "qua_a_1", **given: Any) -> DecisionMade:
    basis: dict[str, Any] = {
        "decision_id": f"dec_{action}",
        "target": target,
        "action": action,
        "instrument_id": "ins_a",
        "kind": "bars",
        "timeframe": "1d",
        "start": MONDAY,
        "end": MONDAY,
        "provider": "a",
        "actor": "ann",
        "why": "w",
        "ts_known": 7,
        "ts_event": day_start_ns(MONDAY),
        "payload": "pay_a",
        "claimed": SAID,
    }
    return DecisionMade(**{**basis, **given})


def applied(*edits: Edit, target: str = "rep_a_1", **given: Any) -> DecisionMade:
    return made("apply", target, claimed={}, edits=edits, **given)


def close(day: date, before: float | None, after: float | None) -> Edit:
    return Edit(day_start_ns(day), "close", before, after)


@pytest.mark.parametrize(
    ("decisions", "won", "rejected", "active"),
    [
        ([], [], [], []),
        ([made("accept")], ["accept"], [], []),
        ([made("accept"), made("correct")], ["correct"], [], []),
        ([made("accept"), made("reject")], [], ["reject"], []),
        ([made("accept"), made("undo")], [], [], []),
        ([made("accept"), made("correct", "qua_a_2")], ["correct"], [], []),
        ([made("accept"), made("correct", "qua_a_2"), made("undo", "qua_a_2")], ["accept"], [], []),
        ([made("accept"), made("correct", "qua_a_2", ts_event=5)], ["accept", "correct"], [], []),
        ([applied()], [], [], ["apply"]),
        ([applied(), made("undo", "rep_a_1", claimed={})], [], [], []),
        ([made("reject", "rep_a_1", claimed={})], [], [], []),
    ],
)
def test_the_latest_decision_holds(
    decisions: list[DecisionMade], won: list[str], rejected: list[str], active: list[str]
) -> None:
    """About one target the last one counts, and for one bar the last one that gives it values and was not undone."""
    force = in_force(decisions)

    assert (won, rejected, active) == tuple(
        [one.action for one in part] for part in (force.won, force.rejected, force.applied)
    )


def test_an_accepted_claim_is_one_claim_more() -> None:
    """The operator says what the claim says, from the same bytes; nobody else's claim is touched."""
    told = claims(("a", MONDAY, 11.0), ("b", MONDAY, 10.5))
    found = decided_bars(told, in_force([made("accept")]))

    assert told.equals(found.head(2))
    assert [(OPERATOR, 11.0, None, "pay_a", "USD", "raw")] == found.tail(1).select(
        "provider", "close", "volume", "payload", "currency", "basis"
    ).rows()


def test_a_correction_takes_the_rest_from_the_claim() -> None:
    """Its source is the decision."""
    found = decided_bars(claims(("a", MONDAY, 11.0)), in_force([made("correct", values={"close": 9.5})]))

    assert [(OPERATOR, 10.0, 9.5, "dec_correct")] == found.tail(1).select("provider", "open", "close", "payload").rows()


def test_a_decision_about_another_day_adds_nothing() -> None:
    """A batch may be of a shorter range."""
    assert 1 == len(decided_bars(claims(("a", TUESDAY, 11.0)), in_force([made("accept")])))


def test_a_rejected_claim_is_left_out_as_often_as_it_is_made() -> None:
    """Also where its numbers came back from another basis; another value of the same provider speaks."""
    told = claims(("a", MONDAY, 11.0 * (1 + 1e-12)), ("b", MONDAY, 11.0))
    force = in_force([made("reject")])

    assert ["b"] == decided_bars(told, force)["provider"].to_list()
    assert ["a"] == decided_bars(claims(("a", MONDAY, 10.9)), force)["provider"].to_list()


def test_a_claim_is_rejected_before_or_after_its_repair() -> None:
    """Whatever of both was kept out."""
    repair = applied(close(MONDAY, 1100.0, 11.0))
    told = claims(("a", MONDAY, 1100.0))
    for value in (1100.0, 11.0):
        assert decided_bars(told, in_force([repair, made("reject", claimed={**SAID, "close": value})])).is_empty()


def test_a_repair_changes_the_values_that_it_was_made_for() -> None:
    """Of its provider and day, while the provider says what it said; missing values can be filled."""
    told = claims(("a", MONDAY, 1100.0), ("a", TUESDAY, 1100.0), ("b", MONDAY, 1100.0))
    volume = Edit(day_start_ns(MONDAY), "volume", None, 5.0)
    found = decided_bars(told, in_force([applied(close(MONDAY, 1100.0, 11.0), volume)]))
    other = decided_bars(told, in_force([applied(close(MONDAY, 1099.0, 11.0))]))

    assert [(11.0, 5.0), (1100.0, None), (1100.0, None)] == found.select("close", "volume").rows()
    assert told.equals(other)


def test_repairs_follow_each_other() -> None:
    """A second one of the same value begins where the first ended; without the first it has nothing to begin at."""
    told = claims(("a", MONDAY, 1100.0))
    first, second = applied(close(MONDAY, 1100.0, 11.0)), applied(close(MONDAY, 11.0, 5.5), target="rep_a_2")

    assert [5.5] == decided_bars(told, in_force([first, second]))["close"].to_list()
    assert [1100.0] == decided_bars(told, in_force([second]))["close"].to_list()


def test_no_claims_stay_none() -> None:
    """An operator alone makes no bar."""
    none = claims(("a", MONDAY, 1.0)).clear()

    assert decided_bars(none, in_force([made("accept")])).is_empty()


def test_repairs_of_actions_change_take_away_and_add() -> None:
    """A dividend of another size, one that was not paid, and one that the provider left out."""
    told = paid(("a", MONDAY, "dividend", 50.0), ("a", TUESDAY, "dividend", 0.3), ("b", MONDAY, "dividend", 50.0))
    later = date(2024, 6, 5)
    edits = (
        Edit(day_start_ns(MONDAY), "dividend", 50.0, 0.5),
        Edit(day_start_ns(TUESDAY), "dividend", 0.3, None),
        Edit(day_start_ns(later), "dividend", None, 0.7),
    )
    found = decided_actions(told, in_force([applied(*edits, kind="actions")]))

    expected = [("a", MONDAY, 0.5, "pay"), ("b", MONDAY, 50.0, "pay"), ("a", later, 0.7, "dec_apply")]
    assert expected == found.select("provider", "ex_date", "value", "payload").rows()
    assert told.schema == found.schema


def test_actions_that_have_changed_since_stay_as_they_are() -> None:
    """And what was to be added is not added twice."""
    told = paid(("a", MONDAY, "dividend", 0.5))
    edits = (
        Edit(day_start_ns(MONDAY), "dividend", 50.0, 5.0),
        Edit(day_start_ns(MONDAY), "split", 2.0, None),
    )
    assert told.equals(decided_actions(told, in_force([applied(*edits)])))
    again = applied(Edit(day_start_ns(MONDAY), "dividend", None, 0.7))
    assert told.equals(decided_actions(told, in_force([again])))
    assert told.equals(decided_actions(told, in_force([])))


def batch(**given: Any) -> BatchNormalized:
    about = {"kind": "bars", "round_id": "r", "instrument_id": "ins_a", "timeframe": "1d", "ts_known": 7}
    return BatchNormalized(**{**about, "start": TUESDAY, "end": TUESDAY, "providers": (), "frame": b"", **given})


def grades(provider: str) -> Grades:
    days = [MONDAY, TUESDAY]
    return Grades(
        golden=rows("bars", ts_event=days, provider=provider, method="consensus"),
        quarantined=rows("quarantine", ts_event=days, provider="c"),
        findings=rows("findings", ts_event=[*days, TUESDAY], provider=["a", "a", "b"], check="missing_row"),
    )


def test_nothing_is_said_about_days_that_only_lend_their_light() -> None:
    """What lies outside the dates of the batch was there to judge by."""
    found = settled(grades("b"), batch(), in_force([]))

    assert ([TUESDAY], [TUESDAY], [TUESDAY, TUESDAY]) == tuple(
        frame["ts_event"].dt.date().to_list() for frame in (found.golden, found.quarantined, found.findings)
    )
    assert ["consensus"] == found.golden["method"].to_list()


def test_what_the_operator_decided_needs_no_decision() -> None:
    """The row says so, and who contradicts it is not quarantined; a silenced provider left nothing out."""
    about = day_start_ns(TUESDAY)
    force = in_force([made("accept", ts_event=about), made("reject", "qua_a_2", ts_event=about)])
    found = settled(grades(OPERATOR), batch(), force)

    assert [OPERATOR] == found.golden["method"].to_list()
    assert found.quarantined.is_empty()
    assert ["b"] == found.findings["provider"].to_list()


def test_days_of_actions_are_their_ex_dates() -> None:
    """Within the same dates."""
    none = grades("b")
    golden = rows("actions", ex_date=[MONDAY, TUESDAY], type="dividend", provider="a", method="single_source")
    found = settled(Grades(golden, none.quarantined, none.findings), batch(kind="actions"), in_force([]))

    assert [TUESDAY] == found.golden["ex_date"].to_list()
