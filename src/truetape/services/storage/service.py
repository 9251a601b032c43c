"""The storage room: graded batches become stored versions, each batch in one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.errors import StoreUnavailable
from truetape.domain.messages import (
    BatchGraded,
    BatchStored,
    FindingsMade,
    FindingsStored,
    PayloadDoubted,
    PayloadRejected,
    SnapshotNamed,
    TrustSettled,
)
from truetape.domain.pairs import halves
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.simulation import refuse_mixing
from truetape.domain.versions import Decision, decide
from truetape.domain.wire import pack, unpack
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.storage.audit import decision_row, repair_rows
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.daily import BARS, FOUND, QUARANTINED, Changed, daily_rows
from truetape.services.storage.mark import round_mark
from truetape.services.storage.naming import snapshot_row
from truetape.services.storage.troubles import troubles
from truetape.services.storage.withdrawing import withdrawal_findings, withdrawals, withdrawn_rows

PORTION: Final = 2000  # instruments whose days are counted at once
SLACK: Final = timedelta(hours=1)  # by which rounds may be stored in another order than they were closed in


class StorageService:
    """Write golden rows, quarantine, findings, repairs, decisions and round marks. Their only writer."""

    def __init__(self, *, bus: Bus, store: Store, config: StorageConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._unstored: dict[str, BatchGraded] = {}  # the first batch of a round, by round
        self._changed = Changed()  # since the numbers of its days were made

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchGraded, group="storage", handler=self.on_batch_graded)
        self._bus.subscribe(PayloadRejected, group="storage", handler=self.on_payload_rejected)
        self._bus.subscribe(PayloadDoubted, group="storage", handler=self.on_findings_made)
        self._bus.subscribe(FindingsMade, group="storage", handler=self.on_findings_made)
        self._bus.subscribe(TrustSettled, group="storage", handler=self.on_trust_settled)
        self._bus.subscribe(SnapshotNamed, group="storage", handler=self.on_snapshot_named)

    async def catch_up(self) -> None:
        """Tell the newest stored round of each instrument again, so that rooms that a crash cut short finish."""
        rounds = await self._store.read("rounds")
        newest = (
            rounds.with_columns(pl.col("ts_known").cast(pl.Int64))
            .sort("ts_known", "round_id")
            .unique(["instrument_id", "kind", "timeframe"], keep="last", maintain_order=True)
        )
        for row in newest.iter_rows(named=True):
            told = BatchStored(
                kind=row["kind"],
                round_id=row["round_id"],
                instrument_id=row["instrument_id"],
                timeframe=row["timeframe"],
                start=row["start"],
                end=row["end"],
                ts_known=row["ts_known"],
                new=0,
                corrected=0,
                repeated=row["golden"],
                quarantined=row["quarantined"],
                store_version=self._store.version(),
            )
            await self._bus.publish(told)
        await self._recount(rounds)

    async def _recount(self, rounds: pl.DataFrame) -> None:
        """Count the days again that a crash kept from being counted: of rounds newer than the newest count."""
        counted = (await self._store.read("quality_daily", Selection(columns=("ts_known",))))["ts_known"].max()
        newer = rounds.filter(pl.col("ts_known") >= counted - SLACK) if counted is not None else rounds  # type: ignore[operator]
        for instrument, timeframe, start, end in newer.select("instrument_id", "timeframe", "start", "end").iter_rows():
            self._changed.add(instrument, timeframe, start, end)

    async def on_batch_graded(self, message: BatchGraded) -> None:
        """Store one batch whole, or not at all, and tell it.

        A first batch that the bus has given up, because the store was away for long, is stored before the last one:
        the mark of a round speaks for all of it.

        Raises:
            StoreUnavailable: Nothing was written.
            WrongFolder: The batch is simulated and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        if not message.last:
            self._unstored[message.round_id] = message
        elif message.round_id in self._unstored:
            await self._keep(self._unstored[message.round_id])
        await self._keep(message)

    async def _keep(self, message: BatchGraded) -> None:
        golden = unpack(message.golden)
        current = await self._current(message, golden)
        withdrawn = await self._withdrawn(message, golden)
        decision = await asyncio.to_thread(_decided, message, current, withdrawn, golden)
        gone = withdrawn_rows(message, current)
        quarantined = unpack(message.quarantined)
        findings = pl.concat([unpack(message.findings), withdrawal_findings(message, gone)])
        writes = {message.kind: decision.write, "quarantine": quarantined, "findings": findings}
        if message.votes:
            writes["votes"] = unpack(message.votes)
        writes |= await self._audited(message, current, decision, gone)
        if message.last:
            writes["rounds"] = round_mark(message, golden=len(golden), quarantined=len(quarantined))
        filled = {name: frame for name, frame in writes.items() if not frame.is_empty()}
        told = withdrawals(message, gone)
        version = self._store.version()
        if filled or told:
            version = await self._store.commit(filled, withdrawals=told)
        self._unstored.pop(message.round_id, None)
        self._changed.add(message.instrument_id, message.timeframe, message.start, message.end)
        await self._tell_troubles(findings, quarantined, ts_known=message.ts_known, simulated=message.simulated)
        counts = {"quarantined": len(quarantined), "withdrawn": len(gone), "store_version": version}
        await self._bus.publish(_told(message, decision, counts))

    async def on_findings_made(self, message: FindingsMade | PayloadDoubted) -> None:
        """Store what is wrong beside all batches, and tell it.

        Raises:
            StoreUnavailable: Nothing was written.
            WrongFolder: The findings are simulated and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        findings = unpack(message.findings)
        await self._store.commit({"findings": findings})
        days = findings.select("instrument_id", "timeframe", pl.col("ts_event").dt.date()).unique()
        for instrument, timeframe, day in days.iter_rows():
            self._changed.add(instrument, timeframe, day, day)
        none = empty(TABLES["quarantine"].columns)
        await self._tell_troubles(findings, none, ts_known=message.ts_known, simulated=message.simulated)

    async def on_trust_settled(self, message: TrustSettled) -> None:
        """Keep how much the word of providers weighs.

        Raises:
            StoreUnavailable: Nothing was written.
            WrongFolder: The rows are simulated and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        decision = decide(await self._store.read("trust"), unpack(message.rows), TABLES["trust"])
        if not decision.write.is_empty():
            await self._store.commit({"trust": decision.write})

    async def on_snapshot_named(self, message: SnapshotNamed) -> None:
        """Keep what a name stands for; a name that is known keeps what it stood for first.

        Raises:
            StoreUnavailable: Nothing was written.
            WrongFolder: The name is about simulated data and the data folder is not, or the other way round.
        """
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        await self._store.commit({"snapshots": snapshot_row(message)})

    async def _tell_troubles(
        self, findings: pl.DataFrame, quarantined: pl.DataFrame, *, ts_known: int, simulated: bool
    ) -> None:
        if len(findings) or len(quarantined):
            found = troubles(findings, quarantined)
            await self._bus.publish(FindingsStored(ts_known=ts_known, troubles=pack(found), simulated=simulated))

    async def tell_health(self, troubles: pl.DataFrame, *, ts_known: int) -> None:
        """Tell how the store itself fares to those who alarm people; no row is kept, because a full disk keeps none.

        Args:
            troubles: TROUBLE, about no instrument.
            ts_known: UTC nanoseconds.
        """
        simulated = self._config.simulated
        await self._bus.publish(FindingsStored(ts_known=ts_known, troubles=pack(troubles), simulated=simulated))

    async def work(self, clock: Clock) -> None:
        """Count for ever what each day brought, at most once in `daily_every_s` seconds."""
        while True:
            await self.settle()
            await clock.sleep(self._config.daily_every_s)

    async def settle(self) -> None:
        """Count the days again that have changed since the last time, in the table quality_daily.

        The numbers depend on what is stored alone, not on which message came first.

        Raises:
            StoreUnavailable: The days that could not be counted are counted the next time.
        """
        changed, self._changed = self._changed, Changed()
        try:
            for portion in changed.portions(PORTION):
                await self._count(*portion)
        except StoreUnavailable:
            for (timeframe, instrument), (start, end) in changed.spans.items():
                self._changed.add(instrument, timeframe, start, end)
            raise

    async def _count(self, timeframe: str, instruments: tuple[str, ...], start: date, end: date) -> None:
        equal = {"instrument_id": instruments, "timeframe": (timeframe,)}
        found = [
            await self._store.read(table, Selection(equal=equal, start=start, end=end, columns=columns))
            for table, columns in (("bars", BARS), ("quarantine", QUARANTINED), ("findings", FOUND))
        ]
        rows = await asyncio.to_thread(daily_rows, *found)
        current = await self._store.read("quality_daily", Selection(equal=equal, start=start, end=end))
        decision = await asyncio.to_thread(decide, current, rows, TABLES["quality_daily"])
        if not decision.write.is_empty():
            await self._store.commit({"quality_daily": decision.write})

    async def _current(self, message: BatchGraded, golden: pl.DataFrame) -> pl.DataFrame:
        """Return the stored rows that `golden` may replace, or `message` may withdraw."""
        if golden.is_empty() and not message.withdrawn:
            return golden
        return await self._store.read(message.kind, _about(message))

    async def _withdrawn(self, message: BatchGraded, golden: pl.DataFrame) -> pl.DataFrame:
        """Return the withdrawals that `golden` may end."""
        columns = (*TABLES[message.kind].key, "version")
        if golden.is_empty():
            return golden.select(columns)
        return await self._store.read(message.kind, replace(_about(message), withdrawn=True, columns=columns))

    async def _audited(
        self, message: BatchGraded, current: pl.DataFrame, decision: Decision, gone: pl.DataFrame
    ) -> dict[str, pl.DataFrame]:
        """Return the rows of repairs and decisions that go with a batch."""
        made = message.decision
        if made is None and not message.repairs:
            return {}
        known = await self._store.read("repairs", _instrument(message))
        repairs = repair_rows(message, known)
        if made is None:
            return {"repairs": repairs}
        return {"repairs": repairs, "decisions": decision_row(made, current=current, written=decision.write, gone=gone)}

    async def on_payload_rejected(self, message: PayloadRejected) -> None:
        """Keep the fact that an archived payload could not be read."""
        refuse_mixing(folder_is_simulated=self._config.simulated, data_are_simulated=message.simulated)
        row = pl.DataFrame(
            {
                "payload": [message.key],
                "provider": [message.provider],
                "kind": [message.kind],
                "reason": [message.reason],
                "ts_known": pl.Series([message.ts_known], dtype=INSTANT),
                "simulated": [message.simulated],
            }
        )
        await self._store.commit({"rejected_payloads": row})


def _decided(message: BatchGraded, current: pl.DataFrame, withdrawn: pl.DataFrame, golden: pl.DataFrame) -> Decision:
    if golden.is_empty():
        return Decision(write=golden, new=0, corrected=0, repeated=0)
    return decide(current, golden, TABLES[message.kind], withdrawn=withdrawn)


def _about(message: BatchGraded) -> Selection:
    if message.kind == "fx_rates":
        base, quote = halves(message.instrument_id) or ("", "")
        return Selection(equal={"base": (base,), "quote": (quote,)}, start=message.start, end=message.end)
    return _range(message) if message.kind == "bars" else _instrument(message)


def _range(message: BatchGraded) -> Selection:
    return Selection(
        equal={"instrument_id": (message.instrument_id,), "timeframe": (message.timeframe,)},
        start=message.start,
        end=message.end,
    )


def _instrument(message: BatchGraded) -> Selection:
    return Selection(equal={"instrument_id": (message.instrument_id,)})


def _told(message: BatchGraded, decision: Decision, counts: dict[str, int]) -> BatchStored:
    return BatchStored(
        kind=message.kind,
        round_id=message.round_id,
        instrument_id=message.instrument_id,
        timeframe=message.timeframe,
        start=message.start,
        end=message.end,
        ts_known=message.ts_known,
        new=decision.new,
        corrected=decision.corrected,
        repeated=decision.repeated,
        **counts,
    )
