"""Bring a folder of LEAN's data into a data folder: through the platform's own rooms, one security at a time.

Securities and their dated tickers are declared, and their bars and actions are acquired by the provider `lean`, so that
the files are archived as they were, and everything is versioned, replayed and explained like the data of any provider.
What is there already is not asked for again, unless its files have changed since.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app import lean_notes
from truetape.app.lean_notes import first_day
from truetape.app.run import Platform, last_full_day
from truetape.app.settings import ProviderSettings, Settings
from truetape.domain.asks import Ask
from truetape.domain.errors import BadInput
from truetape.domain.identity import instrument_id, payload_key
from truetape.domain.messages import BatchStored, DeclaredListing, RawCaptured
from truetape.domain.time import to_datetime
from truetape.ports.archive import Attempted
from truetape.ports.store import Selection
from truetape.providers.lean.folder import Folder, Security
from truetape.providers.lean.tickers import OPEN, SINCE_EVER, Claim
from truetape.services.api.backfills import Wanted
from truetape.services.ingestion.intervals import without

PROVIDER: Final = "lean"
DAILY: Final = "1d"
TIMEFRAMES: Final = (DAILY, "1h", "1m")
FIRST: Final = date(1998, 1, 2)  # where nothing tells when the data begin; LEAN's own begin then
POLL_S: Final = 0.2
MOST_NAMED: Final = 1000  # of broken files

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Progress:
    """How far an import has come, in rounds: mostly one for each security and timeframe."""

    planned: int
    done: int


@dataclass(frozen=True)
class Imported:
    """What an import did, and what it could not do."""

    securities: int
    listings: int
    rounds: int  # that were asked now
    bars: int  # that were new now
    corrected: int  # that were there with other values
    actions: int  # splits and dividends that were new or corrected now
    quarantined: int  # bars that broke a rule now, and are not among the others
    start: str
    end: str
    broken: dict[str, str] = field(default_factory=dict)  # files that could not be read, and why
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """What is to be imported."""

    folder: Path
    into: Path
    symbols: tuple[str, ...] = ()  # tickers of any time, or names of map files; none: everything
    timeframes: tuple[str, ...] = ("1d",)


async def import_lean(order: Order, *, on_progress: Callable[[Progress], None] = lambda _: None) -> Imported:
    """Import what `order` names, and return when it is stored.

    Raises:
        BadInput: The folder holds no data of LEAN's, a symbol is not in it, or the data folder has other listings of
            these tickers.
        FolderInUse, WrongFolder: As their names say; nothing was started.
    """
    found = Folder(order.folder.absolute())
    securities = await asyncio.to_thread(_chosen, found, order)
    start, end = await asyncio.to_thread(_span, found, securities)
    settings = Settings(
        data=order.into,
        start=start,
        end=end,
        instruments=tuple(listing for one in securities for listing in declared(one)),
        providers={PROVIDER: ProviderSettings(base_url=order.folder.absolute().as_uri())},
        spend_evenly=False,
        attempts=1,  # a file that cannot be read now is read by the next run
    )
    async with Platform(settings, command="truetape import lean") as platform:
        work = _Import(platform=platform, found=found, securities=securities, end=end, timeframes=order.timeframes)
        await platform.recover()
        await work.forget_changed()
        work.listen()
        await platform.declare()
        work.refuse_dead_letters()
        await work.ask_for_more(order.timeframes)
        await work.acquire(on_progress)
        return await work.outcome()


def identity(security: Security) -> str:
    """Return the permanent id of a security: that of the instrument first listed under its first ticker."""
    first = min(security.claims, key=lambda one: one.first)
    return instrument_id(mic=first.mic, symbol=first.ticker.upper(), valid_from=_begins(first))


def declared(security: Security) -> Iterator[DeclaredListing]:
    """Yield the dated tickers of a security as listings of one instrument, the newest last."""
    for one in security.claims:
        yield DeclaredListing(
            symbol=one.ticker.upper(),
            mic=one.mic,
            name=security.ticker.upper(),
            valid_from=_begins(one),
            valid_to=None if one.last == OPEN else one.last + _DAY,
            instrument_id=identity(security),
        )


def _begins(claim: Claim) -> date | None:
    return None if claim.first == SINCE_EVER else claim.first


def _chosen(found: Folder, order: Order) -> list[Security]:
    """Return the securities that are wanted, by name; those whose days all belong to others are left out."""
    unknown = [one for one in order.timeframes if one not in TIMEFRAMES]
    if unknown or not order.timeframes:
        raise BadInput(
            parameter="--timeframe", value=",".join(order.timeframes), fix=f"Choose of {', '.join(TIMEFRAMES)}."
        )
    try:
        found.look()
    except OSError as error:
        words = (error.strerror or str(error)).rstrip(".")
        raise BadInput(
            parameter="The folder", value=str(order.folder), fix=f"{words[:1].upper()}{words[1:]}."
        ) from None
    named = [one for one in found.securities.values() if one.claims]
    if not order.symbols:
        return named
    wanted = {one.lower() for one in order.symbols}
    chosen = [one for one in named if wanted & _names(one)]
    found.broken = {path: words for path, words in found.broken.items() if Path(path).stem.lower() in wanted}
    missing = sorted(
        wanted - {name for one in chosen for name in _names(one)} - {Path(one).stem for one in found.broken}
    )
    if missing:
        fix = "No map file and no file of prices has this ticker; write one that the folder holds."
        raise BadInput(parameter="--symbols", value=", ".join(missing).upper(), fix=fix)
    return chosen


def _names(security: Security) -> set[str]:
    return {security.name, *(one.ticker for one in security.claims)}


def _span(found: Folder, securities: Iterable[Security]) -> tuple[date, date]:
    """Return the first day that any of the securities has, and the last on which a file can tell something."""
    firsts = [one.first for one in securities if one.first > SINCE_EVER]
    unmapped = (one for one in securities if one.first == SINCE_EVER)
    firsts += [day for one in unmapped if (day := first_day(found, one.ticker)) is not None]
    newest = max((newest_change_ns(one, found) for one in securities), default=0)
    last = min(to_datetime(newest).date(), last_full_day(time.time_ns()))
    return min([*firsts, FIRST if not firsts else last, last]), last


def newest_change_ns(security: Security, found: Folder) -> int:
    """Return when a file of a security was last written or changed, in UTC nanoseconds; 0 where it has none."""
    paths = [security.map_file, security.factor_file]
    paths += [found.prices["daily"].get(claim.ticker) for claim in security.claims]
    stats = [path.stat() for path in paths if path is not None and path.exists()]
    return max((max(one.st_mtime_ns, one.st_ctime_ns) for one in stats), default=0)


@dataclass
class _Import:
    """One import on a platform that runs."""

    platform: Platform
    found: Folder
    securities: list[Security]
    end: date
    timeframes: tuple[str, ...]
    stored: Counter[str] = field(default_factory=Counter)

    def listen(self) -> None:
        """Count, from now on, what is stored."""
        self.platform.parts.bus.subscribe(BatchStored, group="import", handler=self._count)

    async def _count(self, message: BatchStored) -> None:
        self.stored[f"new {message.kind}"] += message.new
        self.stored[f"corrected {message.kind}"] += message.corrected
        self.stored[f"quarantined {message.kind}"] += message.quarantined

    async def forget_changed(self) -> None:
        """Let the ingestion room ask again for securities whose files are others than those that it archived."""
        store, provider = self.platform.parts.store, self.platform.parts.providers[PROVIDER]
        mine = {"provider": (PROVIDER,)}
        captures = await store.read("captures", Selection(equal=mine, columns=("payload", "instrument_id", "ts_known")))
        rejected = await store.read("rejected_payloads", Selection(equal=mine, columns=("payload",)))
        known = {*captures["payload"], *rejected["payload"]}
        latest = dict(captures.group_by("instrument_id").agg(pl.col("ts_known").cast(pl.Int64).max()).iter_rows())
        settled = self.platform.rooms.ingestion.intervals.settled
        for one in self.securities:
            series = (identity(one), "bars", "1d")
            if not settled.get(series) or newest_change_ns(one, self.found) <= latest.get(series[0], 0):
                continue
            ask = Ask(kind="bars", symbol=one.ticker.upper(), end=min(one.last, self.end))
            answer = await provider.client.fetch(ask)
            if provider.classify(answer) is None and payload_key(answer.body) not in known:
                settled.pop(series)

    def refuse_dead_letters(self) -> None:
        """Go on unless a room could not take what was declared."""
        for letter in self.platform.parts.bus.dead_letters:
            folder = str(self.platform.settings.data)
            raise BadInput(
                parameter="The data folder", value=folder, fix=f"It cannot take these listings: {letter.error}"
            )

    async def ask_for_more(self, timeframes: Iterable[str]) -> None:
        """Ask for bars below a day, of each security for the days of which there are files."""
        settled = self.platform.rooms.ingestion.intervals.settled
        for timeframe in timeframes:
            for one in self.securities if timeframe != DAILY else ():
                days = await asyncio.to_thread(self._days_below, one, timeframe)
                key = identity(one)
                if days is not None and without(days, settled.get((key, "bars", timeframe), ())):
                    wanted = Wanted(symbols=(key,), start=days[0], end=days[1], timeframe=timeframe)
                    await self.platform.backfill(wanted)
        await self.platform.parts.bus.drain()

    def _days_below(self, security: Security, timeframe: str) -> tuple[date, date] | None:
        """Return the first and the last day of a security's bars below a day, in UTC; None if it has none."""
        if timeframe == "1h":
            has = any(one.ticker in self.found.prices["hour"] for one in security.claims)
            first = max(security.first, self.platform.settings.start)
            return (first, min(security.last, self.end)) if has else None
        days = [
            day for one in security.claims for day in self.found.minutes(one.ticker, one.first, min(one.last, self.end))
        ]
        dates = sorted(datetime.strptime(day, "%Y%m%d").date() for day in days)  # noqa: DTZ007  a date has no zone
        return (dates[0], min(dates[-1] + _DAY, self.end)) if dates else None

    async def acquire(self, on_progress: Callable[[Progress], None]) -> None:
        """Run every round."""
        tally = self.platform.rooms.ingestion.tally
        work = asyncio.create_task(self.platform.acquire())
        try:
            while not work.done():
                on_progress(Progress(planned=tally.rounds_planned, done=tally.rounds_closed))
                await asyncio.wait({work}, timeout=POLL_S)
            await work
        finally:
            work.cancel()
        on_progress(Progress(planned=tally.rounds_planned, done=tally.rounds_closed))

    async def outcome(self) -> Imported:
        """Return what was done, and what could not be."""
        settings = self.platform.settings
        return Imported(
            securities=len(self.securities),
            listings=len(settings.instruments),
            rounds=self.platform.rooms.ingestion.tally.rounds_closed,
            bars=self.stored["new bars"],
            corrected=self.stored["corrected bars"],
            actions=self.stored["new actions"] + self.stored["corrected actions"],
            quarantined=self.stored["quarantined bars"],
            start=str(settings.start),
            end=str(settings.end),
            broken=await self._broken(),
            notes=tuple(await self._notes()),
        )

    async def _notes(self) -> list[str]:
        """Return what a user should know: of the files, of what was stored, and of what was kept out."""
        names = {identity(one): one.name for one in self.securities}
        told = await asyncio.to_thread(lambda: list(lean_notes.of_files(self.found, self.securities, self.timeframes)))
        told += await lean_notes.of_store(self.platform.parts.store, names)
        return [*told, *lean_notes.of_quarantine(self.stored["quarantined bars"], self.platform.settings.data)]

    async def _broken(self) -> dict[str, str]:
        """Return the files that could not be read: map files, and what of securities was rejected and not mended."""
        rejected = await self.platform.parts.store.read("rejected_payloads", Selection(equal={"provider": (PROVIDER,)}))
        reasons = dict(rejected.select("payload", "reason").iter_rows())
        broken = dict(self.found.broken)
        names = {identity(one): one.name for one in self.securities}
        settled = self.platform.rooms.ingestion.intervals.settled
        unanswered = {key for key in names if not settled.get((key, "bars", DAILY))}
        captured, failed = await asyncio.to_thread(self._newest) if reasons or unanswered else ([], {})
        told = [(instrument, reasons[key]) for instrument, key in captured if key in reasons]
        told += [(one, failed.get(one, "nothing was answered")) for one in sorted(unanswered)]
        letters = self.platform.parts.bus.dead_letters
        told += [(getattr(one.message, "instrument_id", ""), f"it was not stored: {one.error}") for one in letters]
        return broken | {names[one]: words for one, words in told[:MOST_NAMED] if one in names}

    def _newest(self) -> tuple[list[tuple[str, str]], dict[str, str]]:
        """Return instrument and payload of the newest capture of each range, and why instruments had none at last."""
        captured: dict[tuple[str, str, date], str] = {}
        failed: dict[str, str] = {}
        for entry in self.platform.parts.archive.journal():
            if isinstance(entry, RawCaptured) and entry.provider == PROVIDER:
                captured[entry.instrument_id, entry.timeframe, entry.start] = entry.key
            elif isinstance(entry, Attempted) and entry.provider == PROVIDER:
                failed[entry.instrument_id] = entry.words
        return [(instrument, key) for (instrument, _, _), key in captured.items()], failed
