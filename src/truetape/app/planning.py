"""What a backfill would take: gaps of the data folder, shared out among the providers, before anybody is asked."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from truetape.adapters.data_folder import ARCHIVE, LEDGER, read_marker
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.adapters.system_clock import SystemClock
from truetape.app.budgets import budgets
from truetape.app.parts import ledger as shared_ledger
from truetape.app.settings import Settings
from truetape.domain.errors import BadInput
from truetape.domain.plans import Budget, Window
from truetape.domain.time import to_datetime
from truetape.providers import vendor
from truetape.services.ingestion.estimate import Estimate, Left, estimate, shared_out
from truetape.services.ingestion.intervals import ONE_DAY, IntervalLedger
from truetape.services.ingestion.pairs import RATES, listed_pairs, plan_rates
from truetape.services.ingestion.rounds import Listed, Round, Wanted, plan, recall
from truetape.services.ingestion.routing import Policy
from truetape.services.reference.calendars import keeper_of, sessions
from truetape.services.reference.master import identify

LARGEST_LIST = 64 << 20  # bytes of a file of symbols


@dataclass(frozen=True)
class Forecast:
    """What a backfill would ask, and what that takes."""

    symbols: int
    unknown: tuple[str, ...]
    rounds: int
    settled: int  # symbols of which everything is there
    estimates: tuple[Estimate, ...]
    unasked: Mapping[str, str]  # providers that are not asked, and why


def read_symbols(text: str) -> tuple[str, ...]:
    """Return the symbols that `text` names: separated by commas, or one on each line of the file behind an @.

    Raises:
        BadInput: The file cannot be read, or there is no symbol.
    """
    if text.startswith("@"):
        path = Path(text[1:])
        try:
            with path.open("rb") as file:
                body = file.read(LARGEST_LIST + 1)
            lines = body.decode("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            fix = f"The file of symbols cannot be read: {reason}. Name a text file with one symbol on each line."
            raise BadInput(parameter="SYMBOLS", value=text, fix=fix) from None
        if len(body) > LARGEST_LIST:
            raise BadInput(parameter="SYMBOLS", value=text, fix=f"The file is larger than {LARGEST_LIST >> 20} MiB.")
        found = [line.partition("#")[0].strip() for line in lines]
    else:
        found = [one.strip() for one in text.split(",")]
    symbols = tuple(dict.fromkeys(one for one in found if one))
    if not symbols:
        raise BadInput(parameter="SYMBOLS", value=text, fix="Name symbols such as AAPL,MSFT, or @FILE.")
    return symbols


async def forecast(settings: Settings, symbols: Sequence[str], wanted: Wanted) -> Forecast:
    """Return what it takes to have `wanted` of `symbols`, given what the data folder and the ledger hold now.

    Raises:
        BadInput: A plan cannot be read.
        CorruptArchive: The journal is damaged.
        StoreUnavailable: The ledger cannot be read now.
    """
    if wanted.kind == RATES:
        return await _forecast_of_rates(settings, symbols, wanted)
    listed = {one.symbol: one for one in settings.instruments}
    known = [listed[symbol] for symbol in symbols if symbol in listed]
    days = {mic: _sessions(mic, wanted) for mic in {one.mic for one in known}}
    asked = [
        Listed(identify(one), one.symbol, one.mic, one.valid_from, one.valid_to and one.valid_to - ONE_DAY)
        for one in known
    ]
    rounds = list(plan(asked, _intervals(settings.data), wanted, overlap_days=0, sessions=days))
    assets = {identify(one): one.asset_class for one in known}
    estimates, unasked = await _estimates(settings, rounds, wanted, assets)
    return Forecast(
        symbols=len(symbols),
        unknown=tuple(symbol for symbol in symbols if symbol not in listed),
        rounds=len(rounds),
        settled=len(asked) - len({one.instrument_id for one in rounds}),
        estimates=estimates,
        unasked=unasked,
    )


async def _forecast_of_rates(settings: Settings, symbols: Sequence[str], wanted: Wanted) -> Forecast:
    listed = listed_pairs(symbols)
    days = {"start": wanted.start, "end": wanted.end}
    rounds = plan_rates(symbols, _intervals(settings.data), **days, overlap_days=0)
    estimates, unasked = await _estimates(settings, rounds, wanted, dict.fromkeys(listed, "fx"))
    return Forecast(
        symbols=len(symbols),
        unknown=tuple(one for one, found in listed.items() if found is None),
        rounds=len(rounds),
        settled=sum(one is not None for one in listed.values()) - len({one.instrument_id for one in rounds}),
        estimates=estimates,
        unasked=unasked,
    )


def _sessions(mic: str, wanted: Wanted) -> list[date]:
    found: list[date] = sessions(keeper_of(mic), start=wanted.start, end=wanted.end)["session"].to_list()
    return found


def _intervals(data: Path) -> IntervalLedger:
    if read_marker(data) is None:
        return IntervalLedger()
    with closing(FileArchive(data / ARCHIVE, read_only=True)) as archive:
        return recall(archive.journal()).ledger


async def _estimates(
    settings: Settings, rounds: Sequence[Round], wanted: Wanted, assets: Mapping[str, str]
) -> tuple[tuple[Estimate, ...], Mapping[str, str]]:
    now = time.time_ns()
    declarations = {name: vendor(name).DECLARATION for name, one in settings.providers.items() if one.enabled}
    allowed = budgets(settings)
    policy = settings.policies.get(wanted.kind, Policy())
    today = wanted.end if settings.simulated else to_datetime(now).date()
    loads, unasked = shared_out(rounds, declarations, allowed, policy, today=today, assets=assets)
    standings = await _standings(settings, {name: allowed[name] for name in loads if name in allowed})
    return tuple(
        estimate(load, declarations[name], allowed.get(name), standings=standings.get(name, {}), now_ns=now)
        for name, load in loads.items()
    ), unasked


async def _standings(settings: Settings, allowed: Mapping[str, Budget]) -> dict[str, dict[Window, Left]]:
    place, clock = settings.data / LEDGER, SystemClock()
    if not settings.ledger and not place.is_file():
        return {}
    ledger = shared_ledger(settings, clock) if settings.ledger else SqliteLedger(place, clock=clock, read_only=True)
    try:
        return {
            name: {
                one.window: (one.left, one.resets_at_ns)
                for one in await ledger.standing(name, budget.account, budget.plan.windows)
            }
            for name, budget in allowed.items()
        }
    finally:
        await ledger.close()
