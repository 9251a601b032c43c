"""What may be said about an announced action when, and that only what is known counts, never the order of arrival."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.announcements import SAID, Life, Statement, is_whole, life, refusal, status_on
from truetape.domain.time import DAY_NS, day_start_ns

JUNE = date(2024, 6, 1)
DIVIDEND = {"type": "dividend", "effective_date": "2024-06-10", "value": "0.5", "currency": "USD"}
MERGER = {"type": "merger", "effective_date": "2024-06-10", "price": "30", "currency": "USD"}


def said(what: str, day: int, fields: dict[str, str] | None = None, *, number: int = 0) -> Statement:
    """Return a statement of the n-th day of June 2024, at noon."""
    known = day_start_ns(JUNE + timedelta(days=day - 1)) + DAY_NS // 2
    return Statement(f"s{day:02}{number:02}{what}", "ann_x", "ins_a", "operator", what, fields or {}, known)


def ended(*statements: Statement) -> tuple[str, list[str]]:
    """Return the status, and why statements were refused."""
    found = life(statements)
    return found.status, [reason for _, reason in found.refused]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([said("announced", 1, DIVIDEND)], ("announced", [])),
        ([said("announced", 1, DIVIDEND), said("confirmed", 2)], ("confirmed", [])),
        ([said("announced", 1, {"type": "dividend"}), said("confirmed", 2)], ("announced", ["incomplete"])),
        ([said("confirmed", 1, DIVIDEND), said("announced", 2)], ("confirmed", ["backwards"])),
        ([said("confirmed", 1, DIVIDEND), said("amended", 2)], ("confirmed", ["nothing"])),
        ([said("amended", 1, DIVIDEND)], ("", ["unknown"])),
        ([said("announced", 1, DIVIDEND), said("cancelled", 2)], ("cancelled", [])),
        ([said("announced", 1, DIVIDEND), said("withdrawn", 2), said("amended", 3)], ("withdrawn", ["over"])),
        ([said("announced", 1, DIVIDEND), said("cancelled", 2), said("announced", 3)], ("announced", [])),
        ([said("announced", 1, DIVIDEND), said("amended", 2, {"type": "split"})], ("announced", ["identity"])),
        ([said("announced", 1, DIVIDEND), said("amended", 2, {"type": "special_dividend"})], ("announced", [])),
        ([said("announced", 1, DIVIDEND), said("announced", 11, DIVIDEND)], ("announced", ["backwards"])),
        (
            [said("announced", 1, DIVIDEND), said("amended", 11, {"effective_date": "2024-06-12"})],
            ("announced", ["happened"]),
        ),
        ([said("announced", 1, DIVIDEND), said("amended", 11, {"value": "0.6"})], ("effective", [])),
        ([said("announced", 1, MERGER), said("amended", 11, {"effective_date": "2024-06-20"})], ("announced", [])),
        ([said("announced", 1, MERGER), said("confirmed", 11)], ("confirmed", [])),
        ([said("effective", 11, MERGER), said("confirmed", 12)], ("effective", [])),
        ([said("effective", 9, MERGER)], ("effective", [])),
    ],
)
def test_what_may_be_said_when(statements: list[Statement], expected: tuple[str, list[str]]) -> None:
    """What is not legal changes nothing, and says why."""
    assert expected == ended(*statements)


def test_an_amendment_changes_the_fields_that_it_names_and_keeps_the_dates_that_were_told() -> None:
    """The action is found by every date that it ever had."""
    found = life([said("announced", 1, DIVIDEND), said("amended", 2, {"effective_date": "2024-06-12", "value": "0.4"})])

    assert {**DIVIDEND, "effective_date": "2024-06-12", "value": "0.4"} == found.fields
    assert (date(2024, 6, 10), date(2024, 6, 12)) == found.days
    assert date(2024, 6, 12) == found.effective_date


def test_cancelled_before_its_date_it_never_was_and_after_it_it_is_taken_back() -> None:
    """On the day itself it has taken effect."""
    announced = said("announced", 1, DIVIDEND)

    assert [False, True, True] == [life([announced, said("cancelled", day)]).taken_back for day in (9, 10, 11)]
    assert not life([announced, said("cancelled", 11), said("announced", 12, {})]).taken_back


def test_what_was_withdrawn_and_is_announced_again_begins_anew() -> None:
    """What was cancelled goes on with its terms."""
    announced, again = said("announced", 1, DIVIDEND), said("announced", 3, {"type": "split", "value": "2"})

    assert {"type": "split", "value": "2"} == life([announced, said("withdrawn", 2), again]).fields
    assert DIVIDEND == life([announced, said("cancelled", 2), said("announced", 3)]).fields


@pytest.mark.parametrize(
    ("status", "fields", "day", "expected"),
    [
        ("announced", DIVIDEND, 9, "announced"),
        ("announced", DIVIDEND, 10, "effective"),
        ("announced", MERGER, 10, "announced"),
        ("confirmed", MERGER, 10, "effective"),
        ("announced", {"type": "dividend"}, 10, "announced"),
        ("cancelled", DIVIDEND, 10, "cancelled"),
        ("", {}, 10, ""),
    ],
)
def test_an_action_takes_effect_on_its_date(status: str, fields: dict[str, str], day: int, expected: str) -> None:
    """One that may still be stopped does so only when it is confirmed."""
    assert expected == status_on(status, fields, date(2024, 6, day))


def test_terms_are_whole_when_holdings_can_use_them() -> None:
    """A spin-off needs the name of what is handed out, and any action its date."""
    spin_off = {"type": "spin_off", "effective_date": "2024-06-10", "value": "1/3"}

    assert [True, False, True, False] == [
        is_whole(fields) for fields in (DIVIDEND, spin_off, {**spin_off, "new_symbol": "NEW"}, {"type": "delisting"})
    ]


STATEMENTS = st.lists(
    st.builds(
        said,
        st.sampled_from(SAID),
        st.integers(1, 20),
        st.sampled_from(
            [
                {},
                DIVIDEND,
                MERGER,
                {"type": "split"},
                {"value": "0.6"},
                {"effective_date": "2024-06-15"},
                {"type": "capital_gain"},
            ]
        ),
        number=st.integers(0, 99),
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda one: one.statement_id,
)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(statements: list[Statement], chance: random.Random) -> None:
    """Nor does hearing something twice."""
    shuffled = [*statements, chance.choice(statements)]
    chance.shuffle(shuffled)

    assert life(statements) == life(shuffled)


@given(STATEMENTS)
def test_a_life_is_what_a_plain_model_says(statements: list[Statement]) -> None:
    """The model keeps a set of flags in the place of a status, and asks them in plain words."""
    found = life(statements)

    assert modelled(statements) == (found.status, dict(found.fields), found.taken_back, len(found.refused))


@given(STATEMENTS, st.integers(1, 20))
def test_what_was_known_then_depends_on_nothing_later(statements: list[Statement], day: int) -> None:
    """Whether a statement is legal is decided by those that were known before it."""
    then = [one for one in statements if one.day <= JUNE + timedelta(days=day - 1)]
    if then:
        later = life(statements)
        assert {*life(then).refused} <= {*later.refused}
        assert refusal(Life("ann_x", "ins_a", "operator", 0), then[0]) in ("", "unknown", "incomplete")


def modelled(statements: Sequence[Statement]) -> tuple[str, dict[str, str], bool, int]:
    """Return the status, the fields, whether it was taken back, and how many statements were refused."""
    told = final = done = over = gone = taken_back = False
    fields: dict[str, str] = {}
    refused = 0
    for one in sorted(statements, key=lambda one: (one.ts_known, one.statement_id)):
        due = fields.get("effective_date", "9999") <= one.day.isoformat()
        happened = told and not over and (done or (due and (final or fields.get("type") != "merger")))
        new = {**({} if gone and one.said not in ("cancelled", "withdrawn") else fields), **one.fields}
        begins = not told or over
        families = [("dividend", "capital_gain"), ("split",), ("merger",), ("",)]
        kin = any(fields.get("type", "") in family and new.get("type", "") in family for family in families)
        legal = {
            "announced": begins or not (final or happened),
            "confirmed": not gone or not told or begins,
            "effective": (not told or gone or not over),
            "amended": told and not over and bool(one.fields),
            "cancelled": told and not gone,
            "withdrawn": told,
        }[one.said]
        legal = legal and (not told or gone or kin)
        if happened and one.said not in ("cancelled", "withdrawn"):
            legal = legal and new.get("effective_date", "9999") <= one.day.isoformat()
        if one.said in ("confirmed", "effective"):
            legal = legal and whole(new)
        legal = legal and "type" in new
        if not legal:
            refused += 1
            continue
        fields, told = new, True
        if one.said in ("cancelled", "withdrawn"):
            taken_back = happened or taken_back
            over, gone, final, done = True, one.said == "withdrawn", False, False
        else:
            taken_back = over = gone = False
            final = final or one.said == "confirmed"
            done = happened or one.said == "effective"
    status = (
        "withdrawn" if gone else "cancelled" if over else "effective" if done else "confirmed" if final else "announced"
    )
    return (status if told else ""), fields, taken_back, refused


def whole(fields: dict[str, str]) -> bool:
    """Return whether the date and the amount that a type needs are there; a merger for shares needs a name too."""
    kind = fields.get("type", "")
    needed = {"dividend": "value", "capital_gain": "value", "split": "value", "merger": "price"}.get(kind)
    complete = "effective_date" in fields and needed is not None and needed in fields
    return complete and not (kind == "merger" and "value" in fields)
