"""The mathematics of quotas: what a window holds, whether a request fits into it, and when it will.

A calendar window is one number and its period. A rolling window is kept in grains, each a `GRAINS`th of its length:
everything in a grain leaves the window with the grain's last request. So a window is never counted shorter than it is,
at most 1/64 of its length longer, and needs at most 66 numbers however many requests it holds; at least 98 % of its
limit can be used. Symbols are counted by whoever keeps them: here a window of symbols is given how many are new.

Every function takes the present, and the caller never lets that go back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import Final, NamedTuple

import msgspec

from truetape.domain.errors import BadInput
from truetape.domain.periods import length_ns, period_ns
from truetape.domain.plans import Allowance, Spending, Window
from truetape.domain.time import NANOSECONDS

GRAINS: Final = 64
NEVER: Final = 2**63 - 1  # the instant until which a request waits that is larger than a limit
_ROUNDING: Final = 1e-9  # share of a limit by which sums of weights may be off
_LATEST_RESET: Final = 2  # a provider's reset is believed up to so many lengths of the window ahead


class Grain(NamedTuple):
    """What a rolling window holds of one stretch of time."""

    number: int  # of the stretch, counted from 1970
    used: float
    last_ns: int  # when the last of it was granted


class Count(msgspec.Struct, frozen=True, array_like=True):
    """What one window of one account holds.

    `used` is what was granted here. `told` is the provider's own figure, where that was higher, with what was granted
    since; it holds until `told_until_ns`, exclusive.
    """

    start_ns: int = 0  # of a calendar period, inclusive
    end_ns: int = 0  # of a calendar period, exclusive
    used: float = 0.0
    grains: tuple[Grain, ...] = ()  # of a rolling window, oldest first
    told: float = 0.0
    told_at_ns: int = 0
    told_until_ns: int = 0

    @property
    def most(self) -> float:
        """Return what is used, by whichever figure is higher."""
        return max(self.used, self.told)


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """A window has no room for a request before `until_ns`."""

    window: Window
    until_ns: int


@lru_cache(maxsize=1024)
def name_of(window: Window) -> str:
    """Return the name under which `window` is counted; its limit may change without its count being lost."""
    kind = "rolling" if window.rolling else window.zone
    return f"{window.unit}/{window.every} {window.period}/{kind}/{window.endpoint}"


def cost(window: Window, spending: Spending) -> float:
    """Return what `spending` costs in `window`; 0 in one for another endpoint, and in one of symbols.

    A request of unknown size costs one byte until its size is known, so that a full window of bytes stops it.

    Raises:
        BadInput: The cost is negative or no number.
    """
    if window.unit == "symbols" or window.endpoint not in {"", spending.endpoint}:
        return 0.0
    paid: float = getattr(spending, window.unit)
    if not (paid >= 0 and isfinite(paid)):
        raise BadInput(parameter=window.unit, value=paid, fix="Give a number of 0 or more.")
    return max(paid, 1.0) if window.unit == "bytes" else paid


def current(count: Count, window: Window, *, now_ns: int) -> Count:
    """Return `count` as it stands at `now_ns`: begun anew, or without what has left the window."""
    if 0 < count.told_until_ns <= now_ns:
        count = msgspec.structs.replace(count, told=0.0, told_at_ns=0, told_until_ns=0)
    if not window.rolling:
        if now_ns < count.end_ns:
            return count
        start_ns, end_ns = period_ns(window, at_ns=now_ns)
        return Count(start_ns, end_ns, 0.0, (), count.told, count.told_at_ns, count.told_until_ns)
    gone_ns = now_ns - length_ns(window)
    if not count.grains or count.grains[0].last_ns > gone_ns:
        return count
    live = tuple(grain for grain in count.grains if grain.last_ns > gone_ns)
    return _rolled(count, live)


def full(count: Count, window: Window, *, cost: float, kept: float) -> Full | None:
    """Return until when a request that costs `cost` (above 0) must wait, or None if it may go; `count` is current.

    It leaves the share `kept` of the limit unused. One that is larger than the rest goes when nothing is used, so
    that a limit of one request can be used at all; one that is larger than the limit never goes.
    """
    slack = window.limit * _ROUNDING
    room = max(window.limit * (1 - kept), min(cost, window.limit)) + slack
    if cost > room:
        return Full(window=window, until_ns=NEVER)
    until_ns = 0
    if count.told + cost > room:
        until_ns = count.told_until_ns
    if count.used + cost > room:
        until_ns = max(until_ns, _frees_ns(count, window, count.used + cost - room))
    return Full(window=window, until_ns=until_ns) if until_ns else None


def charged(count: Count, window: Window, *, cost: float, now_ns: int) -> Count:
    """Return `count`, which is current, with a request at `now_ns`."""
    told = count.told + cost if count.told_until_ns else 0.0
    grains = count.grains
    if window.rolling:
        number = now_ns // _grain_ns(window)
        if grains and grains[-1].number == number:
            grains = (*grains[:-1], Grain(number, grains[-1].used + cost, now_ns))
        else:
            grains = (*grains, Grain(number, cost, now_ns))
    return Count(count.start_ns, count.end_ns, count.used + cost, grains, told, count.told_at_ns, count.told_until_ns)


def refunded(count: Count, window: Window, *, cost: float, at_ns: int) -> Count:
    """Return `count` without a request that was counted at `at_ns` and never sent.

    What the provider told after `at_ns` does not hold the request, and stays. A negative `cost` adds to the request.
    """
    if count.told_until_ns and count.told_at_ns < at_ns:
        count = msgspec.structs.replace(count, told=max(0.0, count.told - cost))
    if window.rolling:
        number = at_ns // _grain_ns(window)
        return _rolled(
            count,
            tuple(
                grain._replace(used=max(0.0, grain.used - cost)) if grain.number == number else grain
                for grain in count.grains
            ),
        )
    if count.start_ns <= at_ns < count.end_ns:
        return msgspec.structs.replace(count, used=max(0.0, count.used - cost))
    return count


def corrected(count: Count, window: Window, allowance: Allowance, *, now_ns: int) -> Count:
    """Return `count`, which is current, with what the provider says is left, where that is less than we thought.

    That holds until the reset that the provider names with it, if it is a plausible one, else until the window has
    passed. A reset that lies in the past belongs to a window that is over: it tells nothing of this one.
    """
    told = window.limit - max(0.0, allowance.left)
    if not isfinite(allowance.left) or told < count.most or told <= 0:
        return count
    until_ns = _reset_ns(window, allowance, now_ns=now_ns)
    if until_ns is None:
        until_ns = now_ns + length_ns(window) if window.rolling else count.end_ns
    elif until_ns <= now_ns:
        return count
    return msgspec.structs.replace(
        count, told=told, told_at_ns=now_ns, told_until_ns=max(until_ns, count.told_until_ns)
    )


def concerned(windows: Sequence[Window], allowance: Allowance) -> tuple[Window, ...]:
    """Return the windows that `allowance` speaks of: of its unit and period, of its limit where one has that."""
    alike = tuple(
        window
        for window in windows
        if window.unit == allowance.unit and window.period == allowance.period and not window.endpoint
    )
    return tuple(window for window in alike if window.limit == allowance.limit) or alike


def resets_ns(count: Count, window: Window, *, now_ns: int) -> int:
    """Return when a current `count` begins anew, or when the oldest of what a rolling window holds falls out."""
    if count.told_until_ns and count.told >= count.used:
        return count.told_until_ns
    if not window.rolling:
        return count.end_ns
    return count.grains[0].last_ns + length_ns(window) if count.grains else now_ns


def spent(count: Count, window: Window, *, now_ns: int) -> bool:
    """Return whether nothing of `count` matters any more, so that it may be forgotten."""
    count = current(count, window, now_ns=now_ns)
    return not count.used and not count.told_until_ns


def decide(
    counts: Mapping[str, Count],
    windows: Sequence[Window],
    costs: Sequence[float],
    *,
    kept: float = 0.0,
    now_ns: int,
) -> dict[str, Count] | Full:
    """Return the new counts, by name, of every window that the request touches, or the one that is full for longest.

    Args:
        counts: What the account's windows hold, by name; one that is missing holds nothing.
        windows: The windows of the account's plan.
        costs: What the request costs in each of them.
        kept: Share of each limit, in [0, 1), that the request leaves.
        now_ns: The present.
    """
    changed: dict[str, Count] = {}
    longest: Full | None = None
    for window, price in zip(windows, costs, strict=True):
        if price <= 0:
            continue
        name = name_of(window)
        count = current(counts.get(name, NOTHING), window, now_ns=now_ns)
        wait = full(count, window, cost=price, kept=kept)
        if wait is not None and (longest is None or wait.until_ns > longest.until_ns):
            longest = wait
        if longest is None:
            changed[name] = charged(count, window, cost=price, now_ns=now_ns)
    return changed if longest is None else longest


NOTHING: Final = Count()


def _grain_ns(window: Window) -> int:
    return length_ns(window) // GRAINS


def _rolled(count: Count, grains: tuple[Grain, ...]) -> Count:
    grains = tuple(grain for grain in grains if grain.used > 0)
    used = sum(grain.used for grain in grains)
    return Count(0, 0, used, grains, count.told, count.told_at_ns, count.told_until_ns)


def _frees_ns(count: Count, window: Window, missing: float) -> int:
    """Return when `missing` will have left the window."""
    if not window.rolling:
        return count.end_ns
    for grain in count.grains:
        missing -= grain.used
        if missing <= 0:
            return grain.last_ns + length_ns(window)
    return count.grains[-1].last_ns + length_ns(window)


def _reset_ns(window: Window, allowance: Allowance, *, now_ns: int) -> int | None:
    """Return the reset that the provider names, or None if it names none that can be."""
    if allowance.resets_in_s is not None:
        reset = now_ns + allowance.resets_in_s * NANOSECONDS
    elif allowance.resets_at_s is not None:
        reset = allowance.resets_at_s * NANOSECONDS
    else:
        return None
    latest_ns = now_ns + _LATEST_RESET * length_ns(window)
    return int(reset) if isfinite(reset) and reset <= latest_ns else None
