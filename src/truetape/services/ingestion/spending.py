"""What a request costs under a plan: calls, credits, symbols, bytes and money."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from truetape.domain.plans import Plan, Spending

_LETTERS: Final = 12


def account_of(key: str) -> str:
    """Return the name of the budget of `key`: a short hash that does not tell the key; "" without a key."""
    return sha256(b"truetape account " + key.encode()).hexdigest()[:_LETTERS] if key else ""


def spending_of(
    plan: Plan,
    *,
    provider: str,
    account: str,
    endpoint: str,
    symbols: Sequence[str] = (),
    expected_bytes: float = 0.0,
) -> Spending:
    """Return what one request to `endpoint` for `symbols` costs under `plan`.

    An endpoint weighs one credit where the plan says nothing else; the plan may count that once for each distinct
    symbol. Money is the price of the call and of its credits, in the plan's currency; the monthly price is not in it.
    """
    distinct = tuple(dict.fromkeys(symbols))
    credits_ = plan.weights.get(endpoint, 1.0)
    if plan.per_symbol:
        credits_ *= max(1, len(distinct))
    return Spending(
        provider=provider,
        account=account,
        endpoint=endpoint,
        credits=credits_,
        symbols=distinct,
        bytes=expected_bytes,
        money=plan.price_per_call + plan.price_per_credit * credits_,
    )
