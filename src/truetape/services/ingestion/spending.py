"""What a request costs: calls, credits and money, as the account's plan counts them."""

from __future__ import annotations

from truetape.domain.asks import Ask
from truetape.domain.capability import Declaration
from truetape.domain.plans import Budget, Spending


def endpoint_of(declaration: Declaration, kind: str) -> str:
    """Return what the plan's weights and windows call the endpoint that brings `kind`."""
    offer = declaration.offer(kind)
    return (offer.endpoint if offer is not None else "") or kind


def price(declaration: Declaration, budget: Budget | None, kind: str, *, symbols: int = 1) -> tuple[float, float]:
    """Return the money (in the plan's currency) and the credits that one request for `kind` costs.

    A monthly fee is paid already and costs nothing more.
    """
    if budget is None:
        return 0.0, 0.0
    plan = budget.plan
    weight = plan.weights.get(endpoint_of(declaration, kind), 1.0) * (symbols if plan.per_symbol else 1)
    return plan.price_per_call + plan.price_per_credit * weight, weight


def spending(declaration: Declaration, budget: Budget, ask: Ask) -> Spending:
    """Return what the request for `ask` costs."""
    symbols = tuple(ask.symbol.split(",")) if ask.symbol else ()
    money, credits_ = price(declaration, budget, ask.kind, symbols=max(1, len(symbols)))
    return Spending(
        provider=declaration.name,
        account=budget.account,
        endpoint=endpoint_of(declaration, ask.kind),
        credits=credits_,
        symbols=symbols,
        money=money,
    )
