"""The segments of one store: what they hold, what was written since, and how new ones take their place."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from truetape.adapters.read_segments.files import remove
from truetape.adapters.read_segments.holdings import Holding, holdings
from truetape.adapters.read_segments.layout import TABLE, Period, layout_stamp, periods_between
from truetape.adapters.read_segments.manifest import Filled, Manifest, load, lost, save, without
from truetape.adapters.read_segments.marks import ALL, Marks, Span
from truetape.adapters.read_segments.shelf import Shelves
from truetape.adapters.read_segments.spans import KEY, About, spans_of
from truetape.domain.time import TIMEFRAMES
from truetape.ports.store import Selection, Store


class Library:
    """The segments in the folder `root`, of the store `store` that is called `identity`."""

    def __init__(self, root: Path, store: Store, *, identity: str) -> None:
        self.root = root
        self.marks = Marks()
        self.written_at = time.monotonic()  # when bars were last written
        self.rewrites = 0  # how often rows of all instruments were changed without a commit
        self.trouble = ""  # why a segment could not be read, the last time
        self._store = store
        self._saving = threading.Lock()
        manifest = load(root, store=identity)
        if manifest.known > store.version():
            manifest = Manifest(layout=layout_stamp(), store=identity)  # the store was set back: they know too much
        self._manifest = manifest
        self.marks.add(manifest.marks, version=manifest.known)
        self.shelves = Shelves.of(root, manifest)
        self._is_ready = manifest.known == store.version() or not manifest.surveyed
        self._finding: asyncio.Task[None] | None = None

    @property
    def manifest(self) -> Manifest:
        """What there is, with the marks of now."""
        known = self._store.version() if self._is_ready else self._manifest.known
        return msgspec.structs.replace(self._manifest, known=known, marks=tuple(self.marks.spans()))

    def is_ready(self) -> bool:
        """Return whether it is known what was written since the segments were made; if not, begin to find out."""
        if not self._is_ready:
            self._found_out()
        return self._is_ready

    async def ready(self) -> None:
        """Wait until it is known what was written since the segments were made.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        if not self._is_ready:
            await asyncio.shield(self._found_out())

    async def close(self) -> None:
        """Stop finding out what was written."""
        if self._finding is not None and not self._finding.done():
            self._finding.cancel()
            await asyncio.wait([self._finding])

    @contextlib.contextmanager
    def written(self, about: About, *, ends: Mapping[Span, int] = MappingProxyType({})) -> Iterator[None]:
        """Mark what is written in the block. What a cancelled block wrote is not known: its marks stay.

        What comes after `ends`, the last instants that the segments hold, is kept in memory.
        """
        if not about.unfit.issubset(self._manifest.unfit):
            unfit = tuple(sorted(about.unfit.union(self._manifest.unfit)))
            self._show(msgspec.structs.replace(self._manifest, unfit=unfit))
        begun = self.marks.begin(about.spans, lines=about.lines, ends=ends)
        is_rewrite = any(span.instrument == ALL for span in about.spans)
        self.written_at = time.monotonic()
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            self.marks.end(begun, version=self._store.version(), is_written=False)
            raise
        finally:
            self.rewrites += is_rewrite
        self.marks.end(begun, version=self._store.version(), is_written=True)

    def ends(self, about: About) -> dict[Span, int]:
        """Return the last instant that the segments hold of each series that was not written to since in its period.

        Series of which the store may hold more are left out: what is written to them is read from the store.

        Raises:
            OSError: A segment cannot be read.
        """
        found: dict[Span, int] = {}
        for (timeframe, label), spans in _by_period(self.unmarked(about)).items():
            shelf = self.shelves.of_timeframe(timeframe)
            if shelf is not None:
                ends = shelf.ends(label, [one.instrument for one in spans])
                found |= {span: end for span, end in zip(spans, ends, strict=True) if end is not None}
        return found

    def unmarked(self, about: About) -> Iterator[Span]:
        """Yield what may be kept of series that were not written to in its period since segments were made."""
        for span in about.lines:
            (period,) = periods_between(span.timeframe, span.first, span.last)
            if not self.marks.is_marked(span.timeframe, period.label, span.instrument):
                yield span

    def doubt(self, *, reason: str) -> None:
        """Look at the files again, since one could not be read, and believe no more those that are not as written."""
        self.trouble = reason
        gone = lost(self.root, self._manifest)
        if gone:
            self._show(without(self.manifest, gone))
            self.marks.add(self._manifest.marks, version=self._store.version())

    def surveyed(self, timeframe: str, *, version: int, periods: tuple[Period, ...]) -> None:
        """Note that `periods` of `timeframe` hold rows at `version` of the store, and no other period does."""
        self.marks.add([Span(timeframe, ALL, one.first, one.end - 1) for one in periods], version=version)
        surveyed = {**self._manifest.surveyed, timeframe: version}
        self._show(msgspec.structs.replace(self._manifest, surveyed=surveyed))

    def fill(self, period: Period, filled: Filled) -> None:
        """Put new segments in the place of those of `period`, and remove the old files.

        Raises:
            OSError: The disk is full or failing; the old segments stay.
        """
        labels = self._manifest.filled.get(period.timeframe, {})
        before = labels.get(period.label)
        held = {**self._manifest.filled, period.timeframe: {**labels, period.label: filled}}
        self.marks.forget(period.timeframe, period.label, version=filled.version)
        self._show(msgspec.structs.replace(self._manifest, filled=held))
        self.note()
        for part in before.parts if before is not None else ():
            remove(self.root, part.folder)

    def note(self) -> None:
        """Write down what there is, and what was written since.

        Raises:
            OSError: The disk is full or failing; what was noted before stands.
        """
        with self._saving:
            if self._manifest.surveyed:
                save(self.root, self.manifest)

    def held_between(self, first: int, last: int) -> Iterator[Span]:
        """Yield as spans of everything what segments hold, or will, from `first` to `last`, inclusive nanoseconds."""
        marked = self.marks.labels()
        for timeframe in TIMEFRAMES:
            labels = self._manifest.filled.get(timeframe, {})
            for period in periods_between(timeframe, first, last):
                if period.label in labels or (timeframe, period.label) in marked:
                    yield Span(timeframe, ALL, max(first, period.first), min(last, period.end - 1))

    def holdings(self) -> list[Holding]:
        """Return what there is, by timeframe and period; periods that have no segment yet too."""
        return holdings(self._manifest, behind=self.marks.labels())

    def _show(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self.shelves = Shelves.of(self.root, manifest, before=self.shelves)

    def _found_out(self) -> asyncio.Task[None]:
        """Return the task that finds out; one that failed is begun again."""
        if self._finding is None or (self._finding.done() and self._finding.exception() is not None):
            self._finding = asyncio.get_running_loop().create_task(self._find_out())
        return self._finding

    async def _find_out(self) -> None:
        """Mark what was written after the segments were noted, in bounded memory."""
        version, since = self._store.version(), self._manifest.known
        superseded = Selection(since_version=since, history=True, columns=KEY)
        withdrawn = Selection(since_version=since, withdrawn=True, columns=KEY)
        for wanted in (superseded, withdrawn):
            async for rows in self._store.stream(TABLE, wanted):
                self.marks.add(spans_of(rows), version=version)
        self._is_ready = True


def _by_period(spans: Iterable[Span]) -> dict[tuple[str, str], list[Span]]:
    """Return `spans`, each in one period, by timeframe and the period's label."""
    found: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        (period,) = periods_between(span.timeframe, span.first, span.last)
        found.setdefault((span.timeframe, period.label), []).append(span)
    return found
