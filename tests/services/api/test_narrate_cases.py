"""Cases in words: every section that has something to say, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from truetape.domain.errors import BadInput
from truetape.services.api.cases import ClaimCase, RepairCase
from truetape.services.api.narrate_cases import narrate_claim, narrate_repair
from truetape.services.api.ruling import Ruling, check_claim_ruling

BAR: dict[str, Any] = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": None}
CLAIM = {
    **BAR,
    "id": "qua_a_1",
    "symbol": None,
    "instrument_id": "ins_a",
    "timeframe": "1m",
    "ts_event": "2024-06-03T14:30:00Z",
    "provider": "yahoo",
    "reason": "disagrees",
    "explanation": "yahoo said 1.5 where others said 2",
    "state": "accepted",
}
DECISION = {
    "decision_id": "dec_1",
    "action": "accept",
    "actor": "ann",
    "why": "seen at the venue",
    "changed": 1,
    "before": "[]",
    "after": '[{"close": 1.5}]',
    "ts_known": "2024-06-04T10:11:12.5Z",
}
REPAIR = {
    "id": "rep_a_1",
    "symbol": "AAA",
    "instrument_id": "ins_a",
    "timeframe": "1d",
    "provider": "yahoo",
    "start": "2024-06-03",
    "end": "2024-06-05",
    "columns": "dividend",
    "kind": "dividend_unit",
    "factor": None,
    "confidence": 0.5,
    "explanation": "yahoo: a dividend a hundred times too large",
    "state": "applied",
}


def test_a_claim_without_evidence_is_short() -> None:
    """An instrument without a symbol is named by its id, and a minute by its time."""
    case = ClaimCase(claim=CLAIM, others=(), golden=(), neighbours=(), findings=(), decisions=())

    assert [
        "qua_a_1  accepted",
        "ins_a 2024-06-03 14:30 1m by yahoo",
        "",
        "Why it was kept out",
        "  disagrees",
        "  yahoo said 1.5 where others said 2",
        "",
        "Claimed, as traded",
        "  open 1, high 2, low 0.5, close 1.5, volume nothing",
    ] == narrate_claim(case).splitlines()


def test_a_withdrawn_row_is_told_among_its_versions() -> None:
    """It has a number, and no values."""
    row = {**BAR, "version": 1, "method": "operator"}
    withdrawal = {**dict.fromkeys(row), "version": 2}
    case = ClaimCase(claim=CLAIM, others=(), golden=(row, withdrawal), neighbours=(), findings=(), decisions=())

    assert [
        "The golden row",
        "  version 1: open 1, high 2, low 0.5, close 1.5, volume nothing, operator",
        "  version 2: withdrawn",
    ] == narrate_claim(case).splitlines()[-3:]


def test_decisions_say_what_became_of_the_row() -> None:
    """One row from value to value, from nothing where nothing was there; several by their number."""
    several = {**DECISION, "changed": 2, "after": '[{"value": 1}, {"value": 2}]', "decision_id": "dec_2"}
    other = {**BAR, "provider": "b", "payload": "f" * 64, "as_traded": None}
    case = ClaimCase(claim=CLAIM, others=(other,), golden=(), neighbours=(), findings=(), decisions=(DECISION, several))
    told = narrate_claim(case).splitlines()

    bar = "open 1, high 2, low 0.5, close 1.5, volume nothing"
    assert f"  b             {bar}, adjusted for dividends too, payload {'f' * 12}" in told
    assert [
        "Decisions about this bar",
        "  2024-06-04 10:11:12 UTC  accept by ann: seen at the venue",
        "      dec_1 changed 1 golden rows: nothing became 1.5",
        "  2024-06-04 10:11:12 UTC  accept by ann: seen at the venue",
        "      dec_2 changed 2 golden rows",
    ] == told[-5:]


def test_a_long_repair_is_told_by_its_beginning() -> None:
    """And by how much more there is; a missing value is a dash."""
    edit = {"ts_event": "2024-06-03T00:00:00Z", "column": "dividend", "before": 50.0, "after": None}
    case = RepairCase(
        repair=REPAIR, evidence="it is a hundred times the others", edits=(edit,), more_edits=7, decisions=()
    )

    assert [
        "rep_a_1  applied",
        "AAA 2024-06-03 to 2024-06-05 1d by yahoo",
        "",
        "What is wrong",
        "  dividend_unit, confidence 50%",
        "  yahoo: a dividend a hundred times too large",
        "  it is a hundred times the others",
        "",
        "Values of dividend",
        "  2024-06-03 dividend: 50 becomes nothing",
        "  and 7 more",
    ] == narrate_repair(case).splitlines()


def test_a_claim_without_a_close_cannot_be_accepted() -> None:
    """A golden row needs one."""
    with pytest.raises(BadInput, match="A golden bar has a close"):
        check_claim_ruling(Ruling(action="accept", why="w"), {**CLAIM, "close": None})
