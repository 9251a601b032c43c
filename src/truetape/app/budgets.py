"""What the settings let the platform spend: a plan for each provider's account."""

from __future__ import annotations

from truetape.app.plans import plan
from truetape.app.settings import Settings
from truetape.domain.plans import Budget
from truetape.services.ingestion.spending import account_of


def budgets(settings: Settings) -> dict[str, Budget]:
    """Return the budget of each enabled provider.

    A simulated platform asks a sandbox, which has no plans: there only those count that the settings name.

    Raises:
        BadInput: A provider has no plan of that name, or its plans cannot be read.
    """
    return {
        name: Budget(account=account_of(chosen.key), plan=plan(name, chosen=chosen.plan))
        for name, chosen in settings.providers.items()
        if chosen.enabled and (chosen.plan or not settings.simulated)
    }
