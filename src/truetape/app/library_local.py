"""Answers from a data folder that this process reads itself."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Generator, Mapping
from pathlib import Path
from typing import Final, TypeVar, cast

import polars as pl

from truetape.adapters.data_folder import ARCHIVE, STORE
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.system_clock import SystemClock
from truetape.adapters.tiered_store import TieredStore
from truetape.adapters.watched_store import WatchedStore
from truetape.app.database_settings import STORE as ADDRESS
from truetape.app.read_side import AnyStore
from truetape.app.segments import SEGMENTS, segmented
from truetape.app.store_choice import to_read
from truetape.domain.errors import WrongFolder
from truetape.domain.time import iso
from truetape.services.api.announced import ActionCase
from truetape.services.api.asking import Teller
from truetape.services.api.cases import ClaimCase, RepairCase
from truetape.services.api.config import ApiConfig
from truetape.services.api.docket import REPAIR_PREFIX
from truetape.services.api.endpoint import STREAM
from truetape.services.api.explain import Explanation
from truetape.services.api.hints import Plan
from truetape.services.api.master import InstrumentCase
from truetape.services.api.parameters import checked
from truetape.services.api.plans import plan
from truetape.services.api.query import bars_query
from truetape.services.api.receipts import decode_slip
from truetape.services.api.render import Receipt
from truetape.services.api.snapshots import Snapshot
from truetape.services.api.streams import Streams

Answer = TypeVar("Answer")
UNBOUNDED: Final = ApiConfig(max_symbols=1_000_000)


class LocalSource:
    """A store opened for reading, and a thread whose event loop asks it, so that any caller may: a notebook's too."""

    def __init__(self, folder: Path) -> None:
        if not (folder / STORE).exists() and not os.environ.get(ADDRESS):
            reason = "it holds no store yet. Acquire data with `truetape up`, or name a folder or a URL with data=."
            raise WrongFolder(path=str(folder), reason=reason)
        self._store = _opened(folder)
        archive = FileArchive(folder / ARCHIVE, read_only=True) if (folder / ARCHIVE).is_dir() else None
        self._clock = SystemClock()
        self._teller = Teller(
            store=WatchedStore(self._store, is_alone=not os.environ.get(ADDRESS)),
            archive=archive,
            clock=self._clock,
            config=UNBOUNDED,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="truetape-session", daemon=True)
        self._thread.start()

    def table(self, name: str, given: Mapping[str, str]) -> pl.DataFrame:
        """Return every row of the answer to `given`, at the endpoint `name`."""
        return self._run(self._teller.page(name, given)).frame

    def receipt(self) -> Receipt:
        """Return which store would answer now, as known when."""
        return Receipt(store_version=self._store.version(), as_of=iso(self._clock.now_ns()))

    def explain(self, symbol: str, ts: str, given: Mapping[str, str]) -> Explanation:
        """Return the explanation of one bar."""
        place = {"symbol": symbol, "ts": ts}
        return cast("Explanation", self._run(self._teller.document("explanation", place, given)))

    def action(self, target: str, given: Mapping[str, str]) -> ActionCase:
        """Return one announced corporate action with all that is known of it."""
        return cast("ActionCase", self._run(self._teller.document("action_case", {"target": target}, given)))

    def instrument(self, one: str, given: Mapping[str, str]) -> InstrumentCase:
        """Return all that is known of the instrument whose id or ticker is `one`."""
        return cast("InstrumentCase", self._run(self._teller.document("instrument", {"instrument": one}, given)))

    def case(self, target: str) -> ClaimCase | RepairCase:
        """Return the evidence about a quarantined claim or a repair."""
        name = "repairs_case" if target.startswith(REPAIR_PREFIX) else "quarantine_case"
        return cast("ClaimCase | RepairCase", self._run(self._teller.document(name, {"target": target}, {})))

    def frames(self, given: Mapping[str, str]) -> Generator[pl.DataFrame, None, None]:
        """Yield the bars that `given` asks for in frames of a bounded number of rows, all of one state of the store."""
        query = bars_query(checked(given, self._teller.endpoints[STREAM].parameters), UNBOUNDED)
        frames = Streams(self._teller).frames(query)
        try:
            while (frame := self._run(anext(frames, None))) is not None:
                yield frame
        finally:
            self._run(frames.aclose())

    def plan(self, given: Mapping[str, str]) -> Plan:
        """Return how the bars that `given` asks for are answered."""
        return self._run(plan(self._teller, given))

    def snapshot(self, name: str) -> Snapshot:
        """Return what `name` stands for."""
        return cast("Snapshot", self._run(self._teller.document("snapshot", {"name": name}, {})))

    def answer_of(self, receipt: str) -> bytes:
        """Return the body of the answer that has this receipt."""
        if decode_slip(receipt).question.endpoint == STREAM:
            return self._run(_together(Streams(self._teller), receipt))
        return self._run(self._teller.again(receipt)).body

    def close(self) -> None:
        """Close the store and stop the thread."""
        if self._loop.is_closed():
            return
        self._run(self._store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, question: Awaitable[Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(_awaited(question), self._loop).result()


def _opened(folder: Path) -> AnyStore:
    """Return the store of the data folder; segments are of the one that is a file in it, with its cold files."""
    store = to_read(folder, os.environ)
    if os.environ.get(ADDRESS):
        return store
    return segmented(store, folder / STORE, place=SEGMENTS, reads_cold=isinstance(store, TieredStore))


async def _together(streams: Streams, receipt: str) -> bytes:
    streamed = await streams.again(receipt)
    return b"".join([chunk async for chunk in streamed.chunks])


async def _awaited(question: Awaitable[Answer]) -> Answer:
    return await question
