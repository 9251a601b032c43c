"""Which rows have no ground to stand on any longer, and the reason that is given."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.messages import BatchNormalized, DecisionMade, Edit
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import day_start_ns
from truetape.domain.wire import pack
from truetape.services.quality.withdrawing import without_ground

MONDAY, TUESDAY = date(2024, 6, 3), date(2024, 6, 4)


def made(action: str, kind: str, target: str = "t", **given: Any) -> DecisionMade:
    return DecisionMade(
        decision_id=f"dec_{action}",
        target=target,
        action=action,
        instrument_id="ins_a",
        kind=kind,
        timeframe="1d",
        start=MONDAY,
        end=TUESDAY,
        provider="p",
        actor="ann",
        why="so it is",
        ts_known=7,
        ts_event=day_start_ns(MONDAY),
        **given,
    )


def found(kind: str, decisions: list[DecisionMade], golden: pl.DataFrame | None = None, lapsed: bytes = b"") -> Any:
    batch = BatchNormalized(
        kind=kind,
        round_id="r",
        instrument_id="ins_a",
        timeframe="1d",
        start=MONDAY,
        end=TUESDAY,
        ts_known=7,
        providers=(),
        frame=b"",
        decisions=tuple(decisions),
        decision=decisions[-1] if decisions else None,
        lapsed=lapsed,
    )
    columns = TABLES[kind].columns
    keys = without_ground(batch, empty(columns) if golden is None else golden)
    assert dict(keys.schema) == {name: columns[name] for name in TABLES[kind].key} | {"why": pl.String()}
    when = pl.col("ts_event").dt.date() if kind == "bars" else pl.col("ex_date")
    return keys.select(when, "why" if kind == "bars" else "type").rows()


UNDONE = "ann decided to undo t: so it is"


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([made("accept", "bars")], [], id="accepted"),
        pytest.param([made("accept", "bars"), made("undo", "bars")], [(MONDAY, UNDONE)], id="undone"),
        pytest.param(
            [made("correct", "bars"), made("accept", "bars"), made("undo", "bars")], [(MONDAY, UNDONE)], id="all"
        ),
        pytest.param([made("undo", "bars")], [], id="nothing was given"),
        pytest.param([made("reject", "bars")], [], id="rejected, what stood before stands"),
        pytest.param([made("accept", "bars", "other"), made("undo", "bars")], [], id="another's"),
        pytest.param(
            [made("apply", "bars", edits=(Edit(day_start_ns(TUESDAY), "close", 1.0, 2.0),)), made("undo", "bars")],
            [(TUESDAY, UNDONE)],
            id="a repair",
        ),
    ],
)
def test_a_bar_goes_with_the_decision_that_gave_it(
    decisions: list[DecisionMade], expected: list[tuple[date, str]]
) -> None:
    """If a decision of the same target gave it its values and the newest one does not."""
    assert expected == found("bars", decisions)


def test_what_is_golden_without_the_decision_stands() -> None:
    """The claims may carry the bar by themselves."""
    golden = rows("bars", instrument_id="ins_a", timeframe="1d", ts_event=[MONDAY])
    assert [] == found("bars", [made("accept", "bars"), made("undo", "bars")], golden)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([made("apply", "actions", edits=(Edit(day_start_ns(MONDAY), "split", 2.0, None),))], [(MONDAY, "split")]),
        ([made("apply", "actions", edits=(Edit(day_start_ns(MONDAY), "split", None, 2.0),))], []),
        (
            [
                made("apply", "actions", edits=(Edit(day_start_ns(MONDAY), "split", None, 2.0),)),
                made("undo", "actions"),
            ],
            [(MONDAY, "split")],
        ),
    ],
    ids=["taken away", "added", "no longer added"],
)
def test_an_action_goes_with_a_repair(decisions: list[DecisionMade], expected: list[tuple[date, str]]) -> None:
    """One that a repair says never was, and one that a repair had added."""
    assert expected == found("actions", decisions)


def test_an_action_goes_when_those_who_told_it_do_not_any_more() -> None:
    """Unless somebody else's claim makes it golden; of several providers one row is made."""
    claims = rows("action_claims", instrument_id="ins_a", ex_date=[MONDAY, MONDAY], type="split", provider=["p", "q"])
    assert [(MONDAY, "split")] == found("actions", [], lapsed=pack(claims))
    golden = rows("actions", instrument_id="ins_a", ex_date=[MONDAY], type="split")
    assert [] == found("actions", [], golden, lapsed=pack(claims))
