"""The tiers of a platform: built as the settings say, looked after by age and licence, and reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.tiered_store import ColdFiles, ColdTiers, TieredStore
from truetape.app.cold_places import addresses, keep_addresses
from truetape.app.object_places import objects_at
from truetape.app.tier_settings import MOVABLE, Tiering
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS, to_datetime
from truetape.ports.clock import Clock
from truetape.ports.objects import Objects
from truetape.ports.store import Selection, Store
from truetape.ports.tiering import Catalog, Move, Moved, Span, Tiers
from truetape.services.storage.lifecycle import Step, due, heard_before, licensed, pinned

if TYPE_CHECKING:
    from truetape.app.parts import Parts
    from truetape.app.settings import Settings

SCRATCH: Final = "tiers.incoming"  # of the data folder: cold files that are being written
DAY_S: Final = 86_400.0
BY_RULE: Final = "settings"  # the actor of what is due by rules


@dataclass(frozen=True)
class Tiered:
    """A store that reads its cold files, and what moves its rows."""

    store: TieredStore
    tiers: ColdTiers


def tiered(settings: Tiering, hot: DuckdbStore, *, data: Path, environ: Mapping[str, str]) -> Tiered | None:
    """Return `hot` with the tiers that `settings` name, or that the data folder has files of; None without any.

    Raises:
        BadInput: A place is neither a folder nor a bucket, or not where the files lie, or a package is missing.
    """
    named = {"warm": settings.warm, "archive": settings.archive}
    named = {tier: place for tier, place in named.items() if place} if settings.warm else addresses(data)
    if not named:
        return None
    places: dict[str, Objects] = {tier: objects_at(place, environ) for tier, place in named.items()}
    if settings.warm:
        keep_addresses(data, named)
    mirror = objects_at(settings.mirror, environ) if settings.mirror else None
    catalogs: dict[str, Catalog] = {}
    if settings.form == "delta":
        from truetape.app.delta_places import catalog_at

        catalogs = {tier: catalog_at(place, environ) for tier, place in named.items()}
    store = TieredStore(hot, ColdFiles(places))
    tiers = ColdTiers(store, hot=hot, places=places, scratch=data / SCRATCH, catalogs=catalogs, mirror=mirror)
    return Tiered(store=store, tiers=tiers)


@dataclass(frozen=True)
class Lifecycle:
    """What is due with the rows of a store, and doing it."""

    store: Store
    tiers: Tiers
    settings: Tiering
    clock: Clock
    simulated: bool = False

    async def due(self) -> list[Step]:
        """Return what is due now: moves and deletions by age, then deletions by licence.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        now = self.clock.now_ns()
        today = to_datetime(now).date()
        held = await self.tiers.holdings()
        steps = due(held, self.settings.kinds, today=today, has_archive=bool(self.settings.archive))
        steps += licensed(await self._heard(held, now), self.settings.licences, now_ns=now)
        named = await self.store.read("snapshots", Selection(columns=("name", "ts_known")))
        return pinned(steps, named.sort("ts_known")["name"].to_list())

    async def do(self, step: Step, *, actor: str, why: str = "", unpin: bool = False) -> Moved:
        """Do `step`, which is written to the table `moves` with who did it and why.

        A deletion that a named snapshot would see is left undone, unless `unpin`.

        Raises:
            StoreUnavailable: A tier cannot be read or written now.
            CorruptArchive: A cold file could not be read back.
        """
        if step.pinned_by and not unpin:
            return Moved(rows=0, files=0, bytes=0)
        span = Span(step.table, step.start, step.end, provider=step.provider, known_before=step.known_before)
        goal = None if step.goal == "delete" else step.goal
        move = Move(span, goal, actor=actor, why=why or step.why)
        return await self.tiers.move(move, ts_known=self.clock.now_ns(), simulated=self.simulated)

    async def run(
        self,
        steps: Sequence[Step],
        *,
        actor: str,
        on_step: Callable[[Step, Moved], None] = lambda _step, _moved: None,
        unpin: bool = False,
    ) -> None:
        """Do `steps` one after the other, then delete cold files that nobody reads any more.

        Raises:
            StoreUnavailable: A tier cannot be read or written now; what is done stays done.
            CorruptArchive: A cold file could not be read back.
        """
        for step in steps:
            on_step(step, await self.do(step, actor=actor, unpin=unpin))
        await self.tiers.sweep(older_than_ns=self.clock.now_ns() - self.settings.replaced_days * DAY_NS)

    async def _heard(self, held: pl.DataFrame, now_ns: int) -> list[tuple[str, str, int]]:
        """Return the rows that each licence's provider claimed before the licence's day, by table and provider."""
        counted = []
        for provider, licence in self.settings.licences.items():
            tables = held.filter(pl.col("provider") == provider)["table"].unique().sort()
            for name in (one for one in tables if licence.claims is not None and is_claim(one)):
                asked = Selection(
                    equal={"provider": (provider,)},
                    columns=("provider",),
                    as_of=heard_before(licence, now_ns) - 1,
                    start=date.min,
                    end=date.max,
                )
                rows = 0
                async for frame in self.store.stream(name, asked):
                    rows += len(frame)
                counted.append((name, provider, rows))
        return counted


def lifecycle(parts: Parts, settings: Settings) -> Lifecycle | None:
    """Return what looks after the tiers of `parts`, or None where the settings name none."""
    if parts.tiers is None:
        return None
    return Lifecycle(
        store=parts.store,
        tiers=parts.tiers,
        settings=settings.tiers,
        clock=parts.clock,
        simulated=settings.simulated,
    )


def is_claim(name: str) -> bool:
    """Return whether table `name` holds what providers said, which their licences are about."""
    return name in MOVABLE and TABLES[name].writer == "processing" and "provider" in TABLES[name].columns
