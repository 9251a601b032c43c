"""What a question costs at a provider, by its capability table and the account's plan."""

from __future__ import annotations

from truetape.domain.asks import Ask
from truetape.domain.capability import Declaration
from truetape.domain.plans import Budget, Spending
from truetape.services.ingestion.spending import spending_of


def endpoint_of(declaration: Declaration, kind: str, timeframe: str) -> str:
    """Return what the plan's weights and windows call the endpoint that brings `kind` of that `timeframe`."""
    offer = declaration.offer(kind)
    return offer.endpoint_of(timeframe) if offer is not None else kind


def cost_of(declaration: Declaration, budget: Budget, ask: Ask) -> Spending:
    """Return what the request for `ask` costs; several symbols in it are separated by commas."""
    return spending_of(
        budget.plan,
        provider=declaration.name,
        account=budget.account,
        endpoint=endpoint_of(declaration, ask.kind, ask.timeframe),
        symbols=ask.symbol.split(",") if ask.symbol else (),
    )


def price(declaration: Declaration, budget: Budget | None, kind: str, timeframe: str) -> tuple[float, float]:
    """Return the money (in the plan's currency) and the credits that one request about one symbol costs.

    A monthly fee is paid already and costs nothing more; without a budget nothing is counted.
    """
    if budget is None:
        return 0.0, 0.0
    cost = cost_of(declaration, budget, Ask(kind=kind, symbol="", timeframe=timeframe))
    return cost.money, cost.credits
