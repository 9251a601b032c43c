"""The order in which claims arrive changes nothing of the actions that they are about."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from announced_market import claim, claims, details, stated
from truetape.domain.action_fields import Announcement
from truetape.domain.announced import announcements


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
