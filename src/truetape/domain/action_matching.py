"""Which claims of several sources are about one corporate action.

Sources tell one event on dates that lie days apart, and under other names: a special dividend as a dividend, 1.03 new
shares for one as a stock dividend of 3 %, a right as the cash it is worth. What one source tells twice are two events,
so two of its claims are never matched, unless one of them has ended: it was moved to another date.

Pairs are joined from the nearest to the farthest. The result depends on the claims alone, not on their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log
from typing import Final

from truetape.domain.announced_terms import exact
from truetape.domain.announcements import ENDED, Life
from truetape.domain.distributions import CASH, SHARES
from truetape.domain.entitlements import REMOVALS

NEAR_DAYS: Final = 10  # within which claims of one type and value are about one event
SAME_DAYS: Final = 1  # within which its value need not be the same
REMOVED_DAYS: Final = 31  # between the last day of trading and that of a removal
FAMILIES: Final = (SHARES, (*CASH, "rights", "spin_off"), (*REMOVALS, "delisting"), ("symbol_change",))
CLOSE: Final = 0.005  # share of a value by which another may differ and tell the same event

Group = tuple[Life, ...]
_Pair = tuple[bool, int, float, str, str, int, int]


def matched(lives: Sequence[Life]) -> list[Group]:
    """Return the groups of `lives` (of one instrument) that are each about one action, by their first known member.

    Lives with one announcement id are about one action, whatever they say.
    """
    ordered = sorted(lives, key=lambda one: (one.first_known, one.announcement_id, one.source))
    forest = _Forest(ordered)
    first: dict[str, int] = {}
    for number, one in enumerate(ordered):
        forest.join(first.setdefault(one.announcement_id, number), number)
    for *_, early, late in sorted(_pairs(ordered)):
        forest.match(early, late)
    return forest.groups()


def family(kind: str) -> int:
    """Return the number of the family of types that `kind` belongs to; types of one may name the same event."""
    return next((number for number, types in enumerate(FAMILIES) if kind in types), len(FAMILIES))


def new_for_old(life: Life) -> float | None:
    """Return the value that `life` tells; of a stock dividend as that of the split that does the same."""
    text = life.fields.get("value", "")
    if not text:
        return None
    value = float(exact(text, parameter="value"))
    return 1.0 + value if life.fields.get("type") == "stock_dividend" else value


class _Forest:
    """Lives by number, in groups: members of one lead to the same root, the first of them."""

    def __init__(self, lives: Sequence[Life]) -> None:
        self._lives = lives
        self._above = list(range(len(lives)))
        self._standing = [{one.source for one in (life,) if one.status not in ENDED} for life in lives]

    def join(self, one: int, other: int) -> None:
        """Make the groups of two lives one."""
        first, second = sorted((self._root(one), self._root(other)))
        if first != second:
            self._above[second] = first
            self._standing[first] |= self._standing[second]

    def match(self, one: int, other: int) -> None:
        """Join two groups, unless one source speaks of both."""
        if not self._standing[self._root(one)] & self._standing[self._root(other)]:
            self.join(one, other)

    def groups(self) -> list[Group]:
        """Return the members of each group."""
        members: dict[int, list[Life]] = {}
        for number, one in enumerate(self._lives):
            members.setdefault(self._root(number), []).append(one)
        return [tuple(group) for group in members.values()]

    def _root(self, number: int) -> int:
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number


def _pairs(lives: Sequence[Life]) -> Iterator[_Pair]:
    """Yield the pairs that may be one event, with how far they are apart; the nearest sort first."""
    dated = sorted((one.days[0].toordinal(), number) for number, one in enumerate(lives) if one.days)
    for place, (day, one) in enumerate(dated):
        reach = (lives[one].days[-1]).toordinal() + REMOVED_DAYS
        for later, other in dated[place + 1 :]:
            if later > reach and later > day + REMOVED_DAYS:
                break
            first, second = min(one, other), max(one, other)
            apart = _apart(lives[first], lives[second])
            if apart is not None:
                ids = (lives[first].announcement_id, lives[second].announcement_id)
                yield (*apart, *ids, first, second)


def _apart(one: Life, other: Life) -> tuple[bool, int, float] | None:
    """Return how far two lives are apart: by type, in days, by value; None if they are not one event."""
    kinds = one.fields.get("type", ""), other.fields.get("type", "")
    same_source = one.source == other.source and not {one.status, other.status} & {*ENDED}
    if family(kinds[0]) != family(kinds[1]) or same_source:
        return None
    days = min(abs((first - second).days) for first in one.days for second in other.days)
    if kinds[0] in FAMILIES[2]:
        return (kinds[0] != kinds[1], days, 0.0) if days <= REMOVED_DAYS else None
    ratio = _ratio(one, other)
    near = NEAR_DAYS if ratio <= CLOSE and (kinds[0] == kinds[1] or days <= SAME_DAYS) else SAME_DAYS
    if kinds[0] != kinds[1] and ratio > CLOSE:
        near = 0
    return (kinds[0] != kinds[1], days, ratio) if days <= near else None


def _ratio(one: Life, other: Life) -> float:
    """Return how far two values are apart, as a logarithm of their ratio; 0.0 where one is not told."""
    first, second = new_for_old(one), new_for_old(other)
    return 0.0 if first is None or second is None else abs(log(first / second))
