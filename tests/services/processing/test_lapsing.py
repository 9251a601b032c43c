"""Which actions an answer is without, and when that says anything."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import FRIDAY, MONDAY, NOW, action_claims, bar_claims, capture, closing
from truetape.domain.messages import RawCaptured
from truetape.services.processing.claim import origin_of
from truetape.services.processing.lapsing import LAPSED, lapsed, of_the_same_kind, still_told

TUESDAY, WEDNESDAY, LATER = date(2024, 6, 4), date(2024, 6, 5), date(2024, 6, 12)
BEFORE = action_claims("p", (TUESDAY, "dividend", 0.2), (WEDNESDAY, "split", 2.0), (LATER, "split", 3.0))
ACTIONS: dict[str, Any] = {"kind": "actions"}


def says(*rows: Any, bars: int = 0, provider: str = "p") -> dict[str, pl.DataFrame]:
    """What one page says: actions, and bars from Monday if there are any."""
    told = {"action_claims": action_claims(provider, *rows)}
    return told | ({"bar_claims": bar_claims(provider, [1.0] * bars)} if bars else {})


def gone(pages: list[tuple[RawCaptured, dict[str, pl.DataFrame]]], **changes: Any) -> list[tuple[date, str]]:
    message = closing(*(page for page, _ in pages), **changes)
    return lapsed(BEFORE, message, [part for _, part in pages]).select("ex_date", "type").rows()


DIVIDEND, SPLIT = (TUESDAY, "dividend"), (WEDNESDAY, "split")


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param([(capture(), says(bars=5))], [DIVIDEND, SPLIT], id="bars of all days, no action"),
        pytest.param([(capture(), says((TUESDAY, "dividend", 9.0), bars=5))], [SPLIT], id="a value changed"),
        pytest.param([(capture(), says(bars=2))], [DIVIDEND], id="bars of two days only"),
        pytest.param([(capture(), says())], [], id="neither bars nor actions"),
        pytest.param([(capture(), {})], [], id="not readable"),
        pytest.param([(capture(), says(bars=5) | {"action_claims": BEFORE})], [], id="all of them"),
        pytest.param([(capture("q"), says(bars=5, provider="q"))], [], id="another provider"),
        pytest.param([(capture(**ACTIONS), says((TUESDAY, "dividend", 0.2)))], [SPLIT], id="actions alone"),
        pytest.param([(capture(**ACTIONS), says())], [], id="no actions at all"),
        pytest.param([(capture(**ACTIONS), says((LATER, "split", 3.0)))], [DIVIDEND, SPLIT], id="only a later one"),
        pytest.param([(capture(more="2"), says(bars=5))], [], id="its next page is missing"),
        pytest.param([(capture(page="2"), says(bars=5))], [], id="its first page is missing"),
        pytest.param(
            [
                (capture(more="2"), says(bars=2)),
                (capture(body=b"2", page="2"), says((WEDNESDAY, "split", 2.0), bars=5)),
            ],
            [DIVIDEND],
            id="two pages",
        ),
        pytest.param([(capture(more="2"), says(bars=5)), (capture(body=b"2", page="2"), {})], [], id="one unreadable"),
    ],
)
def test_what_a_whole_answer_is_without(
    pages: list[tuple[RawCaptured, dict[str, pl.DataFrame]]], expected: list[tuple[date, str]]
) -> None:
    """Only actions of the days that it speaks of, in the range that was asked for."""
    assert expected == gone(pages)


def test_an_answer_to_heal_a_gap_says_nothing_about_actions() -> None:
    """It was asked before its range had ended; and who never told anything takes nothing back."""
    pages = [(capture(), says(bars=5))]
    assert [] == gone(pages, partial=True)
    assert lapsed(BEFORE.clear(), closing(capture()), [says(bars=5)]).is_empty()


def test_a_lapsed_claim_says_which_answer_is_without_it() -> None:
    """It has the answer's key and time, and is told once: until the provider tells the action again."""
    answer = capture(body=b"new", ts_known=NOW + 5)
    (first, *_) = lapsed(BEFORE, closing(answer), [says(bars=5)]).iter_rows(named=True)
    assert (LAPSED, answer.key, 0.2) == (first["basis"], first["payload"], first["value"])
    claims = pl.concat([BEFORE, lapsed(BEFORE, closing(answer), [says(bars=5)])])
    assert [LATER] == still_told(claims.unique(["ex_date", "type"], keep="last", maintain_order=True))[
        "ex_date"
    ].to_list()
    again = capture(body=b"newer", ts_known=NOW + 6)
    assert lapsed(claims, closing(again), [says(bars=5)]).is_empty()


@pytest.mark.parametrize(("kind", "expected"), [("bars", [MONDAY]), ("actions", [])])
def test_only_the_same_kind_of_answer_takes_back(kind: str, expected: list[date]) -> None:
    """Who tells dividends in answers about actions says nothing by bars that are without them."""
    told = capture(body=b"old", **({} if kind == "bars" else ACTIONS))
    older = action_claims("p", (MONDAY, "dividend", 0.2), payload=told.key)
    answer = capture(body=b"new", ts_known=NOW + 5)
    found = lapsed(older, closing(answer), [says(bars=5)])
    captures = pl.concat([origin_of(told), origin_of(answer)])
    assert expected == of_the_same_kind(found, older, captures)["ex_date"].to_list()
    assert of_the_same_kind(found, older, captures.head(0)).is_empty()


def test_the_week_of_these_tests() -> None:
    """Ends on the Friday after its Monday."""
    assert 4 == (FRIDAY - MONDAY).days
