"""What has been asked of each provider and paid for, shared by every process that asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from truetape.domain.plans import Allowance, Spending, Window


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """The request may go out now; its cost is counted already."""

    grant_id: str
    spending: Spending


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """The request must wait: `window` has no room for it before `until_ns`."""

    window: Window
    until_ns: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one window of one account stands."""

    window: Window
    used: float
    left: float
    resets_at_ns: int  # calendar: when it begins anew; rolling: when the oldest of what is used falls out


class Ledger(Protocol):
    """Count what is spent, in every window at once.

    Guarantees, held by tests/contracts/test_ledger.py for every adapter:

    - Never more: whatever the processes, restarts and clocks, no window ever holds more than its limit.
    - All or nothing: a request is counted in every window, or in none and denied.
    - Durable: what was granted before a crash is counted after it.
    - Not less: at least 95 % of every limit can be used.
    - Corrected: what a provider says of itself only ever lowers what is left, until that window begins anew.
    - Monotonous: a clock that steps back frees nothing.
    """

    async def reserve(self, spending: Spending, windows: Sequence[Window], *, kept: float = 0.0) -> Grant | Denial:
        """Count `spending` in each of `windows`, or say until when it must wait.

        Args:
            spending: What the request costs.
            windows: Every window of the account's plan. One for another endpoint than the request's does not count it.
            kept: Share of each limit, in [0, 1), that this request must leave for more urgent ones.

        Raises:
            StoreUnavailable: The ledger cannot be read or written now: nothing may be asked.
        """
        ...

    async def settle(self, grant: Grant, *, sent: bool = True, received_bytes: float = 0.0) -> None:
        """Tell how a granted request ended: never sent (its cost is given back), or so many bytes came."""
        ...

    async def correct(
        self, provider: str, account: str, windows: Sequence[Window], allowances: Sequence[Allowance]
    ) -> None:
        """Take over what the provider says is left, where that is less than what we thought."""
        ...

    async def standing(self, provider: str, account: str, windows: Sequence[Window]) -> tuple[Standing, ...]:
        """Return how each of `windows` stands now."""
        ...

    async def money(self, provider: str, *, since_ns: int) -> float:
        """Return what requests to `provider` have cost since `since_ns`, counted from the minute that holds it."""
        ...
