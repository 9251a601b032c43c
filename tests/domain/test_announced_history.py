"""Versions of an announcement: since when each was known, whatever the order in which rows came."""

from __future__ import annotations

from datetime import date

from announced_market import claim, claims, detail, details, stated, statement
from truetape.domain.announced import announcement_id
from truetape.domain.announced_history import history
from truetape.domain.time import day_start_ns

DAY = "2024-06-10"
FIRST = announcement_id(instrument="ins_a", source="a", kind="dividend", day=DAY)
SECOND = announcement_id(instrument="ins_a", source="b", kind="dividend", day="2024-06-11")


def test_each_change_is_a_version_and_repeats_are_none() -> None:
    """By the id of either source; other actions and other bytes with the same words make none."""
    first = claim("a", "dividend", DAY, 0.5)
    rows = [
        first,
        claim("a", "dividend", DAY, 0.5, known="2024-05-02"),
        claim("b", "dividend", "2024-06-11", 0.5, known="2024-05-03"),
        claim("a", "split", "2024-09-02", 2.0, known="2024-05-04"),
        claim("a", "dividend", DAY, 0.6, known="2024-05-05"),
    ]
    beside = details(detail(first, pay_date="2024-07-01"), detail(rows[1], pay_date="2024-07-01"))
    told = stated(statement(FIRST, "announced", known="2024-05-07", type="dividend", effective_date=DAY))

    found = history(claims(*rows), beside, told, target=SECOND)

    assert found == history(claims(*reversed(rows)), beside, told, target=FIRST)
    assert [
        ("2024-05-01", "a", "0.5"),
        ("2024-05-03", "a,b", "0.5"),
        ("2024-05-05", "a,b", "0.6"),
        ("2024-05-07", "a,b,operator", "0.6"),
    ] == [
        (str(day), ",".join(one.announcement.sources), one.announcement.fields["value"])
        for one in found
        for day in (date(2024, 5, 1), date(2024, 5, 3), date(2024, 5, 5), date(2024, 5, 7))
        if one.since == day_start_ns(day)
    ]


def test_an_action_without_a_date_has_versions_too() -> None:
    """Claims about other actions play no part."""
    told = stated(
        statement("ann_a_1", "announced", type="merger"),
        statement("ann_a_1", "amended", known="2024-05-03", price="30"),
        statement("ann_a_1", "amended", known="2024-05-04", type="split"),
    )

    found = history(claims(claim("a", "dividend", DAY, 0.5)), details(), told, target="ann_a_1")

    assert [{"type": "merger"}, {"type": "merger", "price": "30"}] == [one.announcement.fields for one in found]


def test_what_nobody_calls_so_has_no_versions() -> None:
    """An id is one that a source gives."""
    assert [] == history(claims(claim("a", "dividend", DAY, 0.5)), details(), stated(), target="ann_a_1")
