"""Answers from a data folder that this process reads itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from truetape.adapters.data_folder import ARCHIVE, STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.system_clock import SystemClock
from truetape.domain.errors import WrongFolder
from truetape.domain.time import iso
from truetape.services.api.answers import Answers, Page
from truetape.services.api.cases import Cases, ClaimCase, RepairCase
from truetape.services.api.config import ApiConfig
from truetape.services.api.docket import REPAIR_PREFIX
from truetape.services.api.endpoints import endpoints
from truetape.services.api.evidence import Explainer
from truetape.services.api.explain import Explanation
from truetape.services.api.parameters import checked
from truetape.services.api.query import (
    InstrumentsQuery,
    actions_query,
    bars_query,
    docket_query,
    explain_query,
    instruments_query,
    levels_query,
)
from truetape.services.api.render import Receipt

Answer = TypeVar("Answer")
UNBOUNDED: Final = ApiConfig(max_symbols=1_000_000)


class LocalSource:
    """A store opened for reading, and a thread whose event loop asks it, so that any caller may: a notebook's too."""

    def __init__(self, folder: Path) -> None:
        if not (folder / STORE).exists():
            reason = "it holds no store yet. Acquire data with `truetape up`, or name a folder or a URL with data=."
            raise WrongFolder(path=str(folder), reason=reason)
        self._store = DuckdbStore(folder / STORE, read_only=True)
        clock = SystemClock()
        archive = FileArchive(folder / ARCHIVE, read_only=True) if (folder / ARCHIVE).is_dir() else None
        self._answers = Answers(store=self._store, clock=clock)
        self._cases = Cases(store=self._store, clock=clock, answers=self._answers)
        self._explainer = Explainer(store=self._store, archive=archive, answers=self._answers, clock=clock)
        self._endpoints = endpoints(UNBOUNDED)
        self._ask: Mapping[str, Callable[[Mapping[str, str]], Awaitable[Page]]] = {
            "bars": lambda given: self._answers.bars(bars_query(given, UNBOUNDED)),
            "instruments": lambda given: self._answers.instruments(instruments_query(given, UNBOUNDED)),
            "actions": lambda given: self._answers.actions(actions_query(given, UNBOUNDED)),
            "levels": lambda given: self._answers.levels(levels_query(given)),
            "quarantine": lambda given: self._cases.claims(docket_query(given, UNBOUNDED)),
            "repairs": lambda given: self._cases.repairs(docket_query(given, UNBOUNDED)),
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="truetape-session", daemon=True)
        self._thread.start()

    def table(self, name: str, given: Mapping[str, str]) -> pl.DataFrame:
        """Return every row of the answer to `given`, at the endpoint `name`."""
        return self._run(self._table(name, checked(given, self._endpoints[name].parameters)))

    def receipt(self) -> Receipt:
        """Return which store would answer now, as known when."""
        page = self._run(self._answers.instruments(InstrumentsQuery(), limit=1))
        return Receipt(store_version=page.store_version, as_of=iso(page.as_of), count=len(page.frame))

    def explain(self, symbol: str, ts: str, given: Mapping[str, str]) -> Explanation:
        """Return the explanation of one bar."""
        return self._run(self._explainer.explain(explain_query(symbol, ts, given)))

    def case(self, target: str) -> ClaimCase | RepairCase:
        """Return the evidence about a quarantined claim or a repair."""
        if target.startswith(REPAIR_PREFIX):
            return self._run(self._cases.repair_case(target))
        return self._run(self._cases.claim_case(target))

    def close(self) -> None:
        """Close the store and stop the thread."""
        if self._loop.is_closed():
            return
        self._run(self._store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _table(self, name: str, given: Mapping[str, str]) -> pl.DataFrame:
        return (await self._ask[name](given)).frame

    def _run(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result()
