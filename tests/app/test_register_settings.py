"""The settings [reference] name lists and how often they are fetched, and say what is wrong with others."""

from __future__ import annotations

import pytest

from truetape.app.register_settings import Referring, referring
from truetape.domain.registers import Register

DAY_S = 86_400.0


def test_lists_are_named_by_provider_kind_and_what_they_are_about() -> None:
    """A provider alone means the first of its lists."""
    problems: list[str] = []
    lists = {"sec": "1d", "iso4217 currencies": "7d", "sec issuers 320193": "12h"}

    found = referring({"lists": lists, "most_gone": 0.1}, problems)

    assert [] == problems
    assert found == Referring(
        lists=(
            Register(provider="sec", kind="listings", every_s=DAY_S),
            Register(provider="iso4217", kind="currencies", every_s=7 * DAY_S),
            Register(provider="sec", kind="issuers", symbol="320193", every_s=DAY_S / 2),
        ),
        most_gone=0.1,
    )
    assert Referring() == referring({}, problems)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (1, "reference must be a table: write [reference] before its settings."),
        ({"list": {}}, "reference.list is no setting; known are lists, most_gone."),
        ({"most_gone": 0}, "reference.most_gone was 0; write a share above 0 and up to 1, such as 0.05."),
        ({"most_gone": True}, "reference.most_gone was True; write a share"),
        ({"most_gone": "much"}, "reference.most_gone was 'much'; write a share"),
        ({"lists": ["sec"]}, "reference.lists was ['sec']; write [reference.lists] with lines such as"),
        ({"lists": {"nobody": "1d"}}, "reference.lists: 'nobody' is no provider; known are alpaca, "),
        ({"lists": {"ecb": "1d"}}, "reference.lists: ecb has no lists."),
        (
            {"lists": {"sec venues": "1d"}},
            "reference.lists: sec has no 'venues'; it has listings, issuers",
        ),
        ({"lists": {"sec": "1s"}}, "reference.lists.sec was '1s'; write a length of time such as"),
        ({"lists": {"sec": 7}}, "reference.lists.sec was 7; write a length of time such as"),
    ],
)
def test_what_is_wrong_is_told(table: object, problem: str) -> None:
    """Each problem names the value and what to write instead."""
    problems: list[str] = []
    referring(table, problems)
    assert [True] == [one.startswith(problem) for one in problems], problems
