"""An ingestion room under a policy, whose providers' answers can be decoded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec

from ingestion_room import LISTING, Room
from pipeline_doubles import BOTH, FRIDAY, MONDAY, Script
from truetape.domain.messages import RawCaptured, RoundClosed
from truetape.domain.plans import Budget
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.rounds import Listed
from truetape.services.ingestion.routing import Policy
from truetape.services.ingestion.service import IngestionService

FAILOVER = Policy(name="failover")
GOOD = b"raw,10,11,12,13,14"


class Routed(Room):
    """A room whose providers' answers can be decoded, under a policy for bars."""

    def __init__(self, policy: Policy, *, budgets: dict[str, Budget] | None = None, **scripts: Script) -> None:
        super().__init__(None, **scripts)  # type: ignore[arg-type]
        self.policy = policy
        self.budgets = budgets or {}
        self.ledger: Any = None
        self.providers = {name: replace(one, decode=BOTH) for name, one in self.providers.items()}
        self.service = self.build()

    def build(self, **config: Any) -> IngestionService:
        if not hasattr(self, "policy"):
            return super().build(**config)
        given: dict[str, Any] = {"start": MONDAY, "end": FRIDAY, "attempts": 2, "backoff_s": 0.5, **config}
        return IngestionService(
            bus=self.bus,
            store=self.store,
            archive=self.archive,
            clock=self.clock,
            providers=self.providers,
            config=IngestionConfig(policies={"bars": self.policy}, **given),
            ledger=self.ledger,
            budgets=self.budgets,
        )

    def declare(self, name: str, **changes: Any) -> None:
        one = self.providers[name]
        self.providers[name] = replace(one, declaration=msgspec.structs.replace(one.declaration, **changes))
        self.service = self.build()

    async def run(self, listings: list[Listed] | None = None, *, end: date = FRIDAY) -> None:
        await self.acquire(listings or LISTING, end=end)

    def asked(self) -> dict[str, int]:
        return {name: len(script.asks) for name, script in self.scripts.items()}

    @property
    def captures(self) -> list[RawCaptured]:
        return self.bus.of(RawCaptured)

    @property
    def closings(self) -> list[RoundClosed]:
        return self.bus.of(RoundClosed)
