"""Announcements of corporate actions: kept as they stand, and told where they change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import polars as pl
import structlog

from truetape.domain.action_fields import Announcement
from truetape.domain.announced import announcement_rows, announcements, statement_rows, told_rows
from truetape.domain.announced_messages import ActionStated, ActionTold, AnnouncementsChanged
from truetape.domain.schema import TABLES
from truetape.domain.versions import decide, withdraw
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store

MOST_REMEMBERED: Final = 100_000  # instruments of which it is known what was considered

log = structlog.get_logger()


class Announcing:
    """Write statements and announcements. The only writer of those tables."""

    def __init__(self, *, bus: Bus, store: Store) -> None:
        self._bus = bus
        self._store = store
        self._considered: dict[str, tuple[int, int]] = {}  # by instrument: what was said, as a number

    async def take(self, message: ActionStated) -> None:
        """Keep a statement, and bring the announcements of its instrument up to date.

        Raises:
            StoreUnavailable: The store cannot be written now; it is told again.
        """
        await self._store.commit({"action_statements": statement_rows([message])})
        log.info("actions.stated", announcement=message.announcement_id, said=message.said, actor=message.actor)
        await self.settle(message.instrument_id, ts_known=message.ts_known)

    async def settle(self, instrument: str, *, ts_known: int) -> None:
        """Write and tell the announcements of an instrument that are others than those that stand.

        Claims count that were known at `ts_known`, or at the newest statement or announcement.

        Raises:
            StoreUnavailable: The store cannot be used now.
        """
        equal = {"instrument_id": (instrument,)}
        current = await self._store.read("announcements", Selection(equal=equal))
        stated = await self._store.read("action_statements", Selection(equal=equal))
        now = max(ts_known, *(_newest(frame) for frame in (current, stated)))
        known = [
            await self._store.read(table, Selection(equal=equal, as_of=now))
            for table in ("action_claims", "action_details")
        ]
        known.append(stated)
        considered = int(told_rows(known[0], known[1]).hash_rows().sum()), len(stated)
        if self._considered.get(instrument) == considered:
            return
        found = await asyncio.to_thread(announcements, *known)
        simulated = any(frame["simulated"].any() for frame in known)
        await self._write(instrument, found, current, ts_known=now, simulated=simulated)
        self._considered[instrument] = considered
        if len(self._considered) > MOST_REMEMBERED:
            self._considered.clear()

    async def _write(
        self, instrument: str, found: list[Announcement], current: pl.DataFrame, *, ts_known: int, simulated: bool
    ) -> None:
        table = TABLES["announcements"]
        rows = announcement_rows(found, ts_known=ts_known, simulated=simulated)
        gone = current.join(rows, on="announcement_id", how="anti")
        begun = rows.join(current, on="announcement_id", how="anti")["announcement_id"].to_list()
        decision = decide(current, rows, table, withdrawn=await self._ended(begun))
        if decision.write.is_empty() and gone.is_empty():
            return
        told = {"announcements": withdraw(gone, table, ts_known=ts_known)} if len(gone) else None
        await self._store.commit({"announcements": decision.write} if len(decision.write) else {}, withdrawals=told)
        await self._bus.publish(
            AnnouncementsChanged(
                instrument_id=instrument,
                ts_known=ts_known,
                announcements=changes(found, decision.write, begun=begun, gone=gone["announcement_id"].to_list()),
                simulated=simulated,
            )
        )

    async def _ended(self, begun: list[str]) -> pl.DataFrame | None:
        """Return the withdrawals that rows of these ids come after."""
        if not begun:
            return None
        columns = ("announcement_id", "version")
        wanted = Selection(equal={"announcement_id": begun}, withdrawn=True, columns=columns)
        return await self._store.read("announcements", wanted)


def changes(
    found: Sequence[Announcement], written: pl.DataFrame, *, begun: Sequence[str], gone: Sequence[str]
) -> tuple[ActionTold, ...]:
    """Return what is told of announcements that changed: those in `written`, and the ids that are `gone`."""
    names = {*written["announcement_id"]}
    told = [
        ActionTold(
            announcement_id=one.announcement_id,
            change="new" if one.announcement_id in begun else "changed",
            status=one.status,
            fields=one.fields,
            sources=one.sources,
            dissented=one.dissented,
        )
        for one in found
        if one.announcement_id in names
    ]
    return (*told, *(ActionTold(announcement_id=one, change="gone", status="", fields={}) for one in gone))


def _newest(rows: pl.DataFrame) -> int:
    """Return when the last of `rows` was known, UTC nanoseconds; 0 where there are none."""
    newest = rows["ts_known"].cast(pl.Int64).max()
    return newest if isinstance(newest, int) else 0
