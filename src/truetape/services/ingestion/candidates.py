"""Who may be asked in a round: the providers that have what is asked, with what makes them first or last choice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from truetape.domain.capability import Declaration
from truetape.domain.plans import Budget
from truetape.services.ingestion.chunks import basis_of
from truetape.services.ingestion.costs import price
from truetape.services.ingestion.rounds import Round
from truetape.services.ingestion.routing import Candidate, history_since, ineligible


def candidates(
    round_: Round,
    declarations: Mapping[str, Declaration],
    budgets: Mapping[str, Budget],
    *,
    asset_class: str,
    today: date,
) -> tuple[list[Candidate], dict[str, str]]:
    """Return who may be asked, in the order of `declarations`, and why the others may not.

    Args:
        round_: What is asked.
        declarations: Of the providers, in the order of the settings.
        budgets: Of those that have one.
        asset_class: Of the instrument; "" where it is not known.
        today: The present date.
    """
    found, reasons = [], {}
    for name, declared in declarations.items():
        if round_.only and name not in round_.only:
            continue
        budget = budgets.get(name)
        plan = budget.plan if budget else None
        question = {"kind": round_.kind, "timeframe": round_.timeframe}
        reason = ineligible(declared, plan, **question, asset_class=asset_class, end=round_.end, today=today)
        if reason:
            reasons[name] = reason
            continue
        money, weight = price(declared, budget, round_.kind, round_.timeframe)
        since = history_since(declared, plan, **question, start=round_.start, today=today)
        found.append(Candidate(name, basis_of(declared, **question), money, weight, since))
    return found, reasons
