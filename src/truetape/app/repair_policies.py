"""Which repairs are applied without asking: a policy for each instrument and venue, and applying by it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl
import structlog

from truetape.domain.errors import BadInput
from truetape.domain.messages import InstrumentsDeclared
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.api.ruling import Ruling

if TYPE_CHECKING:
    from truetape.app.run import Platform

log = structlog.get_logger()

POLICIES: Final = ("propose", "auto", "never")
ACTOR: Final = "policy"  # who decides where the settings do
LOOK_EVERY_S: Final = 2.0  # between two looks for proposals
MOST_PASSES: Final = 8  # a repaired series may need a repair that was hidden before
_KNOWN: Final = ("default", "venues", "instruments", "confidence")


class Repairing(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of proposed repairs: an operator decides (propose), they are applied (auto), or cannot be (never).

    An instrument's policy, by its symbol, stands above its venue's, by its MIC, and that above the default. Repairs of
    less `confidence` are never applied without asking.
    """

    default: str = "propose"
    venues: dict[str, str] = {}
    instruments: dict[str, str] = {}
    confidence: float = 0.9

    def of(self, listings: Iterable[tuple[str, str]]) -> str:
        """Return the policy of an instrument that is or was listed by these symbols and MICs; the strictest counts."""
        known = list(listings)
        for told, place in ((self.instruments, 0), (self.venues, 1)):
            found = {told[one[place]] for one in known if one[place] in told}
            if found:
                return max(found, key=("auto", "propose", "never").index)
        return self.default

    @property
    def asks_always(self) -> bool:
        """Whether nothing is applied without asking."""
        return "auto" not in {self.default, *self.venues.values(), *self.instruments.values()}


def repairing(found: object, problems: list[str]) -> Repairing:
    """Return the settings [quality.repair]; what is wrong is added to `problems`."""
    if not isinstance(found, dict):
        problems.append("quality.repair must be a table: write [quality.repair] before its settings.")
        return Repairing()
    problems += [
        f"quality.repair.{name} is no setting; {_nearest(name, _KNOWN)}" for name in found if name not in _KNOWN
    ]
    default = _policy(found.get("default", "propose"), "default", problems)
    confidence = found.get("confidence", 0.9)
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        problems.append(f"quality.repair.confidence was {confidence!r}; write a number from 0 to 1.")
        confidence = 0.9
    named = {name: _named(found.get(name, {}), name, problems) for name in ("venues", "instruments")}
    return Repairing(default=default, confidence=float(confidence), **named)


def declared_repairing(entries: Iterable[object]) -> Repairing:
    """Return what the journal's newest declaration says of repairs."""
    told: Mapping[str, Any] = {}
    for entry in entries:
        if isinstance(entry, InstrumentsDeclared):
            told = entry.repair
    return msgspec.convert(told, Repairing)


async def check_policy(store: Store, rule: Repairing, ruling: Ruling, instrument: str) -> None:
    """Return if `ruling` about a repair of `instrument` does not contradict the settings.

    Raises:
        BadInput: It would apply what is never to be applied.
    """
    if ruling.action == "apply" and rule.of((await _listings(store)).get(instrument, [])) == "never":
        fix = "By the settings nothing of this instrument is ever repaired; change [quality.repair], or reject it."
        raise BadInput(parameter="action", value="apply", fix=fix)


async def apply_by_policy(platform: Platform) -> int:
    """Decide about every proposal that the settings let be applied, and return how many those were.

    Raises:
        StoreUnavailable: The store cannot be read, or the journal cannot be written now.
    """
    rule = platform.settings.repairing
    if rule.asks_always:
        return 0
    store = platform.parts.store
    repairs = await store.read("repairs", Selection(equal={"state": ("proposed",)}))
    sure = repairs.filter(pl.col("confidence") >= rule.confidence)
    listings = await _listings(store)
    done = 0
    for target, instrument, confidence in sure.select("repair_id", "instrument_id", "confidence").iter_rows():
        if rule.of(listings.get(instrument, [])) == "auto":
            why = f"the policy is auto, and the confidence is {confidence:.2f}"
            try:
                await platform.decide(target, Ruling(action="apply", why=why, actor=ACTOR))
                done += 1
            except BadInput as error:  # somebody was faster
                log.info("repairs.not_applied", repair=target, reason=str(error))
    return done


async def settle_by_policy(platform: Platform) -> None:
    """Apply what the settings let be applied, and what that reveals."""
    for _ in range(MOST_PASSES):
        if not await apply_by_policy(platform):
            return
        await platform.settle()


async def keep_repairing(platform: Platform, clock: Clock) -> None:
    """Look for proposals for ever, whenever the store has something new."""
    seen = -1
    while True:
        version = platform.parts.store.version()
        if version != seen and not platform.settings.repairing.asks_always:
            await apply_by_policy(platform)
        seen = version
        await clock.sleep(LOOK_EVERY_S)


async def _listings(store: Store) -> dict[str, list[tuple[str, str]]]:
    rows = await store.read("listings", Selection(columns=("instrument_id", "symbol", "mic")))
    found: dict[str, list[tuple[str, str]]] = {}
    for instrument, symbol, mic in rows.iter_rows():
        found.setdefault(instrument, []).append((symbol, mic))
    return found


def _policy(value: object, name: str, problems: list[str]) -> str:
    if isinstance(value, str) and value in POLICIES:
        return value
    problems.append(f"quality.repair.{name} was {value!r}; write one of {', '.join(POLICIES)}.")
    return "propose"


def _named(found: object, name: str, problems: list[str]) -> dict[str, str]:
    if not isinstance(found, dict):
        example = '{ XLON = "auto" }' if name == "venues" else '{ AAPL = "never" }'
        problems.append(f"quality.repair.{name} was {found!r}; write a table such as {example}.")
        return {}
    return {key: _policy(value, f"{name}.{key}", problems) for key, value in found.items()}


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
