"""The order in which claims arrive changes nothing of the actions that they are about."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from announced_market import claim, claims, details, stated, statement
from lengths import usually
from truetape.domain.action_fields import Announcement
from truetape.domain.announced import announcements
from truetape.domain.announced_history import history


def found(*rows: dict[str, Any]) -> list[Announcement]:
    return announcements(claims(*rows), details(), stated())


def _random_claims(numbers: list[tuple[int, int, int, int, int]]) -> list[dict[str, Any]]:
    kinds = ("dividend", "special_dividend", "split", "rights", "merger")
    return [
        claim(
            "abc"[source],
            kinds[kind],
            str(date(2024, 6, 1 + day)),
            (0.5, 1.5, 50.0)[value],
            known=str(date(2024, 5, 20 + known)),
            basis="lapsed" if known == 9 else "raw",
        )
        for source, kind, day, value, known in numbers
    ]


def _which(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return what tells claims apart: all but the value."""
    source, kind, day, _, known = numbers
    return source, kind, day, known


NUMBERS = st.lists(
    st.tuples(*(st.integers(0, most) for most in (2, 4, 12, 2, 9))), min_size=1, max_size=14, unique_by=_which
)


@settings(max_examples=usually(25, long=2000))
@given(NUMBERS, st.randoms(use_true_random=False))
def test_the_order_of_claims_changes_nothing(
    numbers: list[tuple[int, int, int, int, int]], chance: random.Random
) -> None:
    """Nor does anything that became known later change what was known then."""
    rows = _random_claims(numbers)
    shuffled = list(rows)
    chance.shuffle(shuffled)

    assert found(*rows) == found(*shuffled)
    assert sum(len(one.sources) for one in found(*rows)) <= len(rows)


KINDS = ("dividend", "special_dividend", "split", "stock_dividend", "rights", "merger", "symbol_change")


def _random_day(chance: random.Random) -> str:
    return str(date(2024, 6, chance.randint(1, 21)))


def _random_market(chance: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return claims of four providers that also lapse and come back, and what an operator says of one action."""
    said: dict[tuple[Any, ...], dict[str, Any]] = {}
    for _ in range(chance.randint(1, 18)):
        value, known = chance.choice((0.5, 1.5, 50.0, 0.425, None)), str(date(2024, 5, chance.randint(20, 29)))
        basis = chance.choice(("raw", "raw", "raw", "lapsed", "split"))
        row = claim(chance.choice("abcd"), chance.choice(KINDS), _random_day(chance), value, known=known, basis=basis)
        said[row["payload"], row["ex_date"], row["type"]] = row
    rows = [*said.values()]
    first = found(*rows)
    if not first:
        return rows, []
    target = chance.choice(first).announcement_id
    told = [statement(target, "announced", known="2024-05-25", type=KINDS[0], effective_date=_random_day(chance))]
    for number in range(chance.randint(0, 3)):
        word = chance.choice(("amended", "cancelled", "confirmed", "withdrawn", "announced"))
        fields = chance.choice(({}, {"value": "0.7"}, {"effective_date": "2024-06-15"}))
        told.append(statement(target, word, known=f"2024-05-{26 + number}", **fields))
    return rows, told


def test_claims_and_statements_in_any_order_end_in_one_state() -> None:
    """And the history of each action ends in its present state."""
    chance = random.Random(20240610)
    for _ in range(usually(12, long=3000)):
        rows, told = _random_market(chance)
        now = announcements(claims(*rows), details(), stated(*told))
        mixed = chance.sample(rows, len(rows)), chance.sample(told, len(told))
        assert now == announcements(claims(*mixed[0]), details(), stated(*mixed[1]))
        for one in now[:2]:
            known = history(claims(*rows), details(), stated(*told), target=one.announcement_id)
            assert one == known[-1].announcement
