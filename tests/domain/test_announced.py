"""Many sources, one action: what is matched, which value each field has, who dissents and why."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from announced_market import claim, claims, detail, details, stated, statement
from truetape.domain.action_fields import REASONS, Announcement
from truetape.domain.announced import announcement_id, announcement_rows, announcements, elected, statement_id
from truetape.domain.schema import TABLES, check

DAY = "2024-06-10"


def found(*rows: dict[str, Any]) -> list[Announcement]:
    return announcements(claims(*rows), details(), stated())


def told(*rows: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return type, date and value of the actions that claims come to."""
    return [(one.fields["type"], one.fields["effective_date"], one.fields.get("value", "")) for one in found(*rows)]


def against(announcement: Announcement) -> dict[str, list[tuple[str, str, str]]]:
    return {
        one.name: [(other.source, other.said, other.reason) for other in one.dissent]
        for one in announcement.made_of
        if one.dissent
    }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [claim("a", "dividend", DAY, 0.5), claim("b", "dividend", "2024-06-12", 0.5)],
            [("dividend", DAY, "0.5")],
            id="two days apart",
        ),
        pytest.param(
            [claim("a", "dividend", DAY, 0.5), claim("b", "dividend", "2024-06-12", 0.7)],
            [("dividend", DAY, "0.5"), ("dividend", "2024-06-12", "0.7")],
            id="another payment two days later",
        ),
        pytest.param(
            [claim("a", "dividend", DAY, 0.5), claim("a", "dividend", "2024-06-12", 0.5)],
            [("dividend", DAY, "0.5"), ("dividend", "2024-06-12", "0.5")],
            id="one source tells two",
        ),
        pytest.param(
            [claim("a", "dividend", DAY, 0.5), claim("b", "dividend", "2024-06-22", 0.5)],
            [("dividend", DAY, "0.5"), ("dividend", "2024-06-22", "0.5")],
            id="too far apart",
        ),
        pytest.param(
            [claim("a", "dividend", DAY, 2.0), claim("b", "special_dividend", DAY, 2.0)],
            [("special_dividend", DAY, "2")],
            id="special against ordinary",
        ),
        pytest.param(
            [claim("a", "split", DAY, 1.03), claim("b", "stock_dividend", DAY, 0.03)],
            [("stock_dividend", DAY, "0.03")],
            id="1.03 for one is a stock dividend of 3 percent",
        ),
        pytest.param(
            [claim("a", "split", DAY, 1.03), claim("b", "stock_dividend", "2024-06-11", 0.03)],
            [("stock_dividend", DAY, "0.03")],
            id="a day apart under another name",
        ),
        pytest.param(
            [claim("a", "rights", DAY, 0.25), claim("b", "special_dividend", DAY, 0.8)],
            [("rights", DAY, "0.25")],
            id="a right told as the cash that it is worth",
        ),
        pytest.param(
            [claim("a", "special_dividend", DAY, 0.8), claim("b", "capital_gain", "2024-06-11", 0.3)],
            [("special_dividend", DAY, "0.8"), ("capital_gain", "2024-06-11", "0.3")],
            id="other name, other day, other value",
        ),
        pytest.param(
            [
                claim("a", "dividend", DAY, 0.3),
                claim("a", "special_dividend", DAY, 0.2),
                claim("b", "dividend", DAY, 0.5),
            ],
            [("dividend", DAY, "0.3"), ("special_dividend", DAY, "0.2")],
            id="the sum of two payments",
        ),
        pytest.param(
            [claim("a", "split", DAY, 7.0), claim("b", "dividend", DAY, 0.47)],
            [("split", DAY, "7"), ("dividend", DAY, "0.47")],
            id="two actions of one day",
        ),
        pytest.param(
            [claim("a", "merger", DAY, None), claim("b", "delisting", "2024-06-28", None)],
            [("merger", DAY, "")],
            id="a removal told weeks later",
        ),
        pytest.param(
            [claim("a", "merger", DAY, None), claim("b", "delisting", "2024-07-28", None)],
            [("merger", DAY, ""), ("delisting", "2024-07-28", "")],
            id="too late to be the same removal",
        ),
        pytest.param(
            [claim("a", "dividend", DAY, 50.0, currency="GBp"), claim("b", "dividend", DAY, 0.5, currency="GBP")],
            [("dividend", DAY, "0.5")],
            id="pence and pounds",
        ),
        pytest.param(
            [claim("a", "symbol_change", DAY, None), claim("b", "symbol_change", "2024-06-11", None)],
            [("symbol_change", DAY, "")],
            id="what has no value",
        ),
        pytest.param([claim("a", "dividend", DAY, -1.0)], [("dividend", DAY, "")], id="an amount that is none"),
    ],
)
def test_which_claims_are_one_action(rows: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    """Whatever their order."""
    assert expected == told(*rows)
    assert expected == told(*reversed(rows))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [("dividend", DAY, 0.5), ("dividend", DAY, 0.5), ("dividend", DAY, 50.0)],
            {"value": [("c", "50", "hundredfold")]},
            id="a hundred times off",
        ),
        pytest.param(
            [("dividend", DAY, 0.5), ("dividend", DAY, 0.5), ("dividend", "2024-06-12", 0.5)],
            {"effective_date": [("c", "2024-06-12", "days_apart")]},
            id="another date",
        ),
        pytest.param(
            [("split", DAY, 4.0), ("split", DAY, 4.0), ("split", DAY, 0.25)],
            {"value": [("c", "0.25", "inverted_ratio")]},
            id="upside down",
        ),
        pytest.param(
            [("dividend", DAY, 2.0), ("dividend", DAY, 2.0), ("dividend", DAY, 0.5)],
            {"value": [("c", "0.5", "share_count")]},
            id="per share after a split of four",
        ),
        pytest.param(
            [("dividend", DAY, 2.0), ("dividend", DAY, 2.0), ("dividend", DAY, 1.7)],
            {"value": [("c", "1.7", "net_of_tax")]},
            id="after 15 percent of tax",
        ),
        pytest.param(
            [("dividend", DAY, 0.123456), ("dividend", DAY, 0.123456), ("dividend", DAY, 0.12)],
            {"value": [("c", "0.12", "rounding")]},
            id="rounded",
        ),
        pytest.param(
            [("dividend", DAY, 0.123456), ("dividend", DAY, 0.123456), ("dividend", DAY, 0.17)],
            {"value": [("c", "0.17", "disagrees")]},
            id="for no reason that shows",
        ),
        pytest.param(
            [("special_dividend", DAY, 2.0), ("special_dividend", DAY, 2.0), ("dividend", DAY, 2.0)],
            {"type": [("c", "dividend", "plain_name")]},
            id="a plain name",
        ),
        pytest.param(
            [("rights", DAY, 0.25), ("rights", DAY, 0.25), ("special_dividend", DAY, 0.8)],
            {
                "type": [("c", "special_dividend", "other_type")],
                "currency": [],
                "value": [("c", "0.8", "other_type")],
            },
            id="a right as cash",
        ),
        pytest.param(
            [("stock_dividend", DAY, 0.03), ("stock_dividend", DAY, 0.03), ("split", DAY, 1.05)],
            {"type": [("c", "split", "plain_name")], "value": [("c", "1.05", "disagrees")]},
            id="another ratio under another name",
        ),
    ],
)
def test_who_dissents_and_why(
    rows: list[tuple[str, str, float]], expected: dict[str, list[tuple[str, str, str]]]
) -> None:
    """Each dissent is told with what was said, and a reason that has words."""
    (one,) = found(*(claim(source, *row) for source, row in zip("abc", rows, strict=True)))

    assert {name: many for name, many in expected.items() if many} == against(one)
    assert {reason for many in against(one).values() for *_, reason in many} <= {*REASONS}
    assert {"a", "b"} <= {*one.sources}


def test_the_record_date_told_as_the_ex_date_is_named_as_such() -> None:
    """Two of three sources agree on the ex-date."""
    first, second = claim("a", "dividend", DAY, 0.5), claim("b", "dividend", DAY, 0.5)
    third = claim("c", "dividend", "2024-06-11", 0.5)
    beside = details(
        detail(first, declared_date="2024-05-20", record_date="2024-06-11", pay_date="2024-07-01"),
        detail(second, pay_date="2024-07-02"),
    )

    (one,) = announcements(claims(first, second, third), beside, stated())

    assert {
        "effective_date": [("c", "2024-06-11", "other_date")],
        "pay_date": [("b", "2024-07-02", "days_apart")],
    } == against(one)
    assert ("2024-05-20", "2024-06-11", "2024-07-01") == tuple(
        one.fields[name] for name in ("declared_date", "record_date", "pay_date")
    )


def test_amounts_in_two_currencies_are_not_compared() -> None:
    """The currency that most name is taken; who tells another one is told by that."""
    (one,) = found(
        claim("a", "dividend", DAY, 0.5),
        claim("b", "dividend", DAY, 0.5),
        claim("c", "dividend", DAY, 0.46, currency="EUR"),
        claim("d", "dividend", DAY, 0.5, currency=None),
    )

    assert {"currency": [("c", "EUR", "currency")], "value": [("c", "0.46", "currency")]} == against(one)


def test_the_sum_of_two_payments_is_told_as_such() -> None:
    """It has no vote on the value, even if its source weighs more."""
    rows = claims(
        claim("a", "dividend", DAY, 0.3), claim("a", "special_dividend", DAY, 0.2), claim("b", "dividend", DAY, 0.5)
    )

    first, second = announcements(rows, details(), stated(), trust={"b": 5.0})

    assert {"value": [("b", "0.5", "together")]} == against(first)
    assert ("0.3", {}) == (first.fields["value"], against(second))


def test_cash_per_share_of_a_later_count_is_brought_back() -> None:
    """0.235 before a split of seven is told as 0.033571 afterwards, and as it is before."""
    split = claim("a", "split", "2024-06-20", 7.0)
    rows = [split, claim("b", "dividend", DAY, 3.29), claim("c", "dividend", DAY, 3.29)]

    one, _ = found(*rows, claim("d", "dividend", DAY, 0.47, basis="split", known="2024-06-21"))
    before, _ = found(*rows, claim("d", "dividend", DAY, 0.47, basis="split", known="2024-06-19"))

    assert ({}, ("b", "c", "d")) == (against(one), one.sources)
    assert {"value": [("d", "0.47", "share_count")]} == against(before)


def test_a_provider_changes_its_word_and_takes_it_back() -> None:
    """What it said last counts; what it no longer tells is told as withdrawn, and comes back if it is told again."""
    first = claim("a", "dividend", DAY, 0.5)
    other = claim("a", "dividend", DAY, 0.6, known="2024-06-12")
    lapsed = claim("a", "dividend", DAY, 0.6, known="2024-06-14", basis="lapsed")
    again = claim("a", "dividend", DAY, 0.6, known="2024-06-16")

    def last(*rows: dict[str, Any]) -> tuple[str, str, bool]:
        (one,) = found(*rows)
        return one.status, one.fields.get("value", ""), one.taken_back

    assert ("announced", "0.5", False) == last(first)
    assert ("announced", "0.5", False) == last(first, {**first, "basis": "split", "payload": "z"})
    assert ("effective", "0.6", False) == last(first, other)
    assert ("withdrawn", "0.6", True) == last(first, other, lapsed)
    assert ("announced", "0.6", False) == last(first, other, lapsed, again)


def test_a_date_that_a_provider_moved_is_one_action() -> None:
    """The claim of the old date lapsed when the new one came."""
    rows = [
        claim("a", "dividend", DAY, 0.5),
        claim("a", "dividend", DAY, 0.5, known="2024-06-02", basis="lapsed"),
        claim("a", "dividend", "2024-06-14", 0.5, known="2024-06-02"),
    ]

    (one,) = found(*rows)

    assert ("announced", "2024-06-14") == (one.status, one.fields["effective_date"])
    assert announcement_id(instrument="ins_a", source="a", kind="dividend", day=DAY) == one.announcement_id


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([claim("a", "dividend", DAY, 0.5)], "announced", id="one source"),
        pytest.param(
            [claim("a", "dividend", DAY, 0.5), claim("b", "dividend", DAY, 0.5)], "confirmed", id="two that agree"
        ),
        pytest.param(
            [claim("a", "dividend", DAY, 0.5), claim("b", "dividend", DAY, 0.6)], "announced", id="two that differ"
        ),
    ],
)
def test_a_second_source_confirms(rows: list[dict[str, Any]], expected: str) -> None:
    """If it tells the same date and value."""
    (one,) = found(*rows)

    assert expected == one.status


def test_one_source_that_drops_an_action_is_outvoted_by_two_that_do_not() -> None:
    """And wins where it weighs more; the others are told beside."""
    rows = claims(
        claim("a", "dividend", DAY, 0.5),
        claim("b", "dividend", DAY, 0.5),
        claim("c", "dividend", DAY, 0.5),
        claim("c", "dividend", DAY, 0.5, known="2024-06-01", basis="lapsed"),
    )

    (kept,) = announcements(rows, details(), stated())
    (gone,) = announcements(rows, details(), stated(), trust={"c": 3.0})

    assert ("confirmed", {"status": [("c", "withdrawn", "no_longer_told")]}) == (kept.status, against(kept))
    assert "withdrawn" == gone.status
    assert {"status": [("a", "announced", "still_told"), ("b", "announced", "still_told")]} == against(gone)


def test_what_an_operator_states_outweighs_the_providers() -> None:
    """Of the fields that he speaks of; the others stay with the providers, and his word has their action's id."""
    rows = claims(claim("a", "dividend", DAY, 0.5), claim("b", "dividend", DAY, 0.5))
    (before,) = announcements(rows, details(), stated())
    identity = before.announcement_id

    told = stated(
        statement(identity, "announced", type="special_dividend", effective_date=DAY, value="0.6", currency="USD"),
        statement(identity, "amended", known="2024-05-03", effective_date="2024-08-01"),
    )
    (one,) = announcements(rows, details(), told)
    (ended,) = announcements(
        rows, details(), pl.concat([told, stated(statement(identity, "cancelled", known="2024-05-04"))])
    )

    assert identity == one.announcement_id
    assert {"type": "special_dividend", "effective_date": "2024-08-01", "value": "0.6", "currency": "USD"} == one.fields
    assert ("a", "b") == one.dissented
    assert "cancelled" == ended.status


def test_a_second_word_of_an_operator_is_found_by_its_id() -> None:
    """Without a provider it is an action of its own."""
    told = stated(
        statement("ann_x", "announced", type="spin_off", effective_date=DAY, value="1/3", new_symbol="NEW"),
        statement("ann_x", "elected", known="2024-05-04", account="main", option="cash"),
        statement("ann_x", "elected", known="2024-05-05", account="main", option="shares"),
        statement("ann_y", "amended", known="2024-05-05", value="2"),
    )

    (one,) = announcements(claims(), details(), told)

    assert ("ann_x", "announced", "1/3", ("operator",)) == (
        one.announcement_id,
        one.status,
        one.fields["value"],
        one.sources,
    )
    assert {("main", "ann_x"): "shares"} == elected(told)


@pytest.mark.parametrize(
    ("kind", "symbol", "expected"),
    [
        ("merger", None, {"price": "13.5"}),
        ("merger", "BIG", {"value": "13.5", "new_symbol": "BIG"}),
        ("redemption", None, {"price": "13.5"}),
        ("unit_split", "SHARE", {"value": "13.5", "new_symbol": "SHARE"}),
    ],
)
def test_what_a_removal_pays_is_a_price(kind: str, symbol: str | None, expected: dict[str, str]) -> None:
    """Unless it hands out another instrument."""
    row = claim("a", kind, DAY, 13.5)
    beside = details(detail(row, new_symbol=symbol)) if symbol else details()

    (one,) = announcements(claims(row), beside, stated())

    assert {"type": kind, "effective_date": DAY, "currency": "USD", **expected} == one.fields


def test_announcements_are_rows_of_their_table() -> None:
    """Dates as dates, the rest as texts; one without a date stands last."""
    rows = claims(claim("a", "dividend", DAY, 0.5, currency=None))
    told = stated(statement("ann_x", "announced", type="merger"))

    frame = announcement_rows(announcements(rows, details(), told), ts_known=7, simulated=True)

    assert check(frame, TABLES["announcements"].columns, kind="announcements") is frame
    assert [("dividend", date(2024, 6, 10), "0.5", ""), ("merger", None, "", "")] == frame.select(
        "type", "effective_date", "value", "currency"
    ).rows()
    assert statement_id(announcement="ann_x", said="elected", fields={}, actor="ann", ts_known=1).startswith("sta_")
