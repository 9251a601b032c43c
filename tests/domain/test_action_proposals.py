"""Proposals: what checks of prices found becomes an action to announce, amend or withdraw, until it is explained."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import polars as pl
import pytest

from announced_market import claim, claims, details, stated, statement, table
from truetape.domain.action_fields import Announcement
from truetape.domain.action_proposals import Proposal, proposals, repairs_proposed
from truetape.domain.announced import announcements
from truetape.domain.kinds import INSTANT

DAY = date(2024, 6, 10)


def finding(check: str, *, value: float | None = None, known: int = 1, day: date = DAY) -> dict[str, Any]:
    return {
        "instrument_id": "ins_a",
        "timeframe": "1d",
        "ts_event": day,
        "provider": "",
        "check": check,
        "severity": "warning",
        "explanation": f"{check} as of {known}",
        "repair_value": value,
        "round_id": f"rnd_{known}",
        "ts_known": known,
        "simulated": False,
    }


def findings(*given: dict[str, Any]) -> pl.DataFrame:
    found = [{**one, "ts_event": None} for one in given]
    days = pl.Series("ts_event", [one["ts_event"] for one in given], dtype=pl.Date).cast(INSTANT)
    return table("findings", found).with_columns(days)


def announced(*rows: dict[str, Any]) -> list[Announcement]:
    return announcements(claims(*rows), details(), stated())


def told(found: list[Proposal]) -> list[tuple[str, dict[str, str], str]]:
    return [(one.said, one.fields, one.check) for one in found]


def test_a_jump_by_the_ratio_of_a_split_proposes_that_split() -> None:
    """Found in two rounds it is one proposal, with the words of the later."""
    rows = findings(finding("undeclared_split", value=4.0), finding("undeclared_split", value=4.0, known=2))

    (one,) = proposals(rows, [], stated())

    assert ("announced", {"effective_date": "2024-06-10", "type": "split", "value": "4"}) == (one.said, one.fields)
    assert ("undeclared_split as of 2", "", "proposed", DAY) == (
        one.evidence,
        one.announcement_id,
        one.state,
        one.effective_date,
    )


@pytest.mark.parametrize(
    ("check", "value", "row", "expected"),
    [
        ("undeclared_split", 0.125, None, ("announced", {"type": "split", "value": "0.125"})),
        ("unexplained_jump", None, None, ("announced", {})),
        ("split_without_jump", 2.0, claim("a", "split", str(DAY), 2.0), ("withdrawn", {})),
        ("dividend_without_fall", 0.01, claim("a", "dividend", str(DAY), 50.0), ("amended", {"value": "0.5"})),
        ("dividend_without_fall", None, claim("a", "dividend", str(DAY), 50.0), ("withdrawn", {})),
        ("dividend_without_fall", 0.01, claim("a", "split", str(DAY), 50.0), None),
        ("split_without_jump", 2.0, claim("a", "split", "2024-06-12", 2.0), None),
        ("stale", None, None, None),
    ],
)
def test_each_check_proposes_what_it_speaks_of(
    check: str, value: float | None, row: dict[str, Any] | None, expected: tuple[str, dict[str, str]] | None
) -> None:
    """An action that is not announced on that day cannot be amended or withdrawn."""
    known = announced(row) if row is not None else []

    found = proposals(findings(finding(check, value=value)), known, stated())

    dated = {"effective_date": str(DAY)} if expected and expected[0] == "announced" else {}
    assert ([(expected[0], {**dated, **expected[1]}, check)] if expected else []) == told(found)
    assert [one.announcement_id for one in known if found] == [one.announcement_id for one in found if row is not None]


def test_a_proposal_ends_when_the_action_is_announced_or_it_is_decided() -> None:
    """Within three days; one that was decided is shown on demand, with who decided."""
    rows = findings(finding("undeclared_split", value=4.0))
    (one,) = proposals(rows, [], stated())
    rejected = stated(statement(one.proposal_id, "rejected"))

    assert [] == proposals(rows, announced(claim("a", "split", "2024-06-12", 4.0)), stated())
    assert [one] == proposals(rows, announced(claim("a", "split", "2024-06-14", 4.0)), stated())
    assert [] == proposals(rows, [], rejected)
    (shown,) = proposals(rows, [], rejected, every=True)
    assert ("rejected", "ann", "told by the issuer") == (shown.state, shown.actor, shown.why)


def test_an_action_that_was_cancelled_explains_nothing() -> None:
    """Nor does one without a date."""
    rows = findings(finding("undeclared_split", value=4.0))
    told_of = stated(
        statement("ann_x", "announced", type="split", effective_date=str(DAY), value="4"),
        statement("ann_x", "cancelled", known="2024-05-03"),
        statement("ann_y", "announced", type="merger"),
    )

    assert 1 == len(proposals(rows, announcements(claims(), details(), told_of), told_of))


def test_one_action_that_is_told_under_two_dates_is_to_be_confirmed() -> None:
    """Each date has a row of its own, and the dividend would count twice; an operator's word ends that."""
    both = [claim("a", "dividend", "2024-06-10", 0.5), claim("b", "dividend", "2024-06-12", 0.5)]
    (known,) = announced(*both)

    (one,) = proposals(findings(), [known], stated())

    assert ("confirmed", known.announcement_id, "told_twice", {}) == (
        one.said,
        one.announcement_id,
        one.check,
        one.fields,
    )
    assert "b under 2024-06-12" in one.evidence
    spoken = stated(statement(known.announcement_id, "confirmed", **known.fields))
    assert [] == proposals(findings(), announcements(claims(*both), details(), spoken), spoken)
    assert [] == proposals(findings(), announced(both[0]), stated())


@pytest.mark.parametrize(
    ("edit", "state", "expected"),
    [
        ([None, 0.5], "proposed", ("announced", {"type": "dividend", "value": "0.5"}, "proposed")),
        ([50.0, 0.5], "applied", ("amended", {"type": "dividend", "value": "0.5"}, "accepted")),
        ([50.0, None], "undone", ("withdrawn", {"type": "dividend"}, "proposed")),
        ([50.0, None], "rejected", ("withdrawn", {"type": "dividend"}, "rejected")),
    ],
)
def test_a_repair_of_a_providers_actions_is_a_proposal(
    edit: list[float | None], state: str, expected: tuple[str, dict[str, str], str]
) -> None:
    """With its own id, kind and evidence; repairs of bars are none."""
    row = {
        "repair_id": "rep_a_1",
        "instrument_id": "ins_a",
        "record": "actions",
        "start": DAY,
        "edits": msgspec.json.encode([[1, "dividend", *edit]]).decode(),
        "kind": "dividend_unit",
        "explanation": "yahoo: a dividend in pence",
        "evidence": "the price fell by 0.5",
        "state": state,
        "decided_by": "ann",
        "ts_known": 1,
        "version": 1,
    }

    (one,) = repairs_proposed(table("repairs", [row, {**row, "repair_id": "rep_a_2", "record": "bars"}]))

    assert expected == (one.said, one.fields, one.state)
    assert ("rep_a_1", "dividend_unit", "ann", DAY) == (one.proposal_id, one.check, one.actor, one.effective_date)
    assert one.evidence == "yahoo: a dividend in pence: the price fell by 0.5"
