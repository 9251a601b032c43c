"""The storage room: graded batches become stored versions, each batch in one transaction."""

from __future__ import annotations

import asyncio

import polars as pl

from truetape.domain.messages import BatchGraded, BatchStored, PayloadRejected
from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.simulation import refuse_mixing
from truetape.domain.versions import Decision, decide
from truetape.domain.wire import unpack
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.mark import round_mark


class StorageService:
    """Write golden rows, quarantine, findings and round marks. The only writer of those tables."""

    def __init__(self, *, bus: Bus, store: Store, config: StorageConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._unstored: dict[str, BatchGraded] = {}  # the first batch of a round, by round

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(BatchGraded, group="storage", handler=self.on_batch_graded)
        self._bus.subscribe(PayloadRejected, group="storage", handler=self.on_payload_rejected)

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
        decision = await self._decided(message, golden)
        quarantined, findings = unpack(message.quarantined), unpack(message.findings)
        writes = {message.kind: decision.write, "quarantine": quarantined, "findings": findings}
        if message.last:
            writes["rounds"] = round_mark(message, golden=len(golden), quarantined=len(quarantined))
        filled = {name: frame for name, frame in writes.items() if not frame.is_empty()}
        version = await self._store.commit(filled) if filled else self._store.version()
        self._unstored.pop(message.round_id, None)
        await self._bus.publish(_told(message, decision, quarantined=len(quarantined), version=version))

    async def _decided(self, message: BatchGraded, golden: pl.DataFrame) -> Decision:
        if golden.is_empty():
            return Decision(write=golden, new=0, corrected=0, repeated=0)
        wanted = _range(message) if message.kind == "bars" else _instrument(message)
        current = await self._store.read(message.kind, wanted)
        return await asyncio.to_thread(decide, current, golden, TABLES[message.kind])

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


def _range(message: BatchGraded) -> Selection:
    return Selection(
        equal={"instrument_id": (message.instrument_id,), "timeframe": (message.timeframe,)},
        start=message.start,
        end=message.end,
    )


def _instrument(message: BatchGraded) -> Selection:
    return Selection(equal={"instrument_id": (message.instrument_id,)})


def _told(message: BatchGraded, decision: Decision, *, quarantined: int, version: int) -> BatchStored:
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
        quarantined=quarantined,
        store_version=version,
    )
