"""Lists of reference data: fetched now or read from files, archived as all answers are, and compared with the last."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from truetape.app.plain_files import read_bytes
from truetape.app.register_settings import register_of
from truetape.app.settings import ProviderSettings, Settings
from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import BadInput, ProviderRefused, UndecodablePayload
from truetape.domain.failures import Failure
from truetape.domain.messages import GaveUp, RawCaptured
from truetape.domain.registers import Register
from truetape.ports.store import Selection
from truetape.providers import vendor
from truetape.services.processing.claim import CLAIM_TABLES

if TYPE_CHECKING:
    from truetape.app.run import Platform

REVIEW_EVERY_S: Final = 15.0
FETCHED: Final = "somebody asked for its list"
LOADED: Final = "its list was read from a file"


@dataclass(frozen=True)
class Read:
    """What came of one list: its rows, and what it changed."""

    provider: str
    kind: str
    pages: int
    rows: int
    counts: dict[str, int]  # events of a list of listings, by kind
    held: int  # events that are not believed
    words: str  # why not


async def keep_reviewing(platform: Platform) -> None:
    """Bring new lists into the instrument master, and tell what they differ in, for ever.

    Raises:
        StoreUnavailable: The store cannot be read or written now.
    """
    while True:
        await review(platform)
        await platform.parts.clock.sleep(REVIEW_EVERY_S)


async def review(platform: Platform) -> None:
    """Bring new lists into the instrument master, and tell what they differ in.

    Raises:
        StoreUnavailable: The store cannot be read or written now.
    """
    await platform.rooms.reference.settle()
    await platform.rooms.reference.review()


def wanted(source: str, kind: str = "", symbol: str = "") -> Register:
    """Return the list that is meant.

    Raises:
        BadInput: There is no such provider, or it has no such list.
    """
    found = register_of(f"{source} {kind}")
    if isinstance(found, str):
        raise BadInput(parameter="The source", value=source, fix=f"{found[:1].upper()}{found[1:]}.")
    return msgspec.structs.replace(found, symbol=symbol)


async def fetch_here(platform: Platform, register: Register) -> Read:
    """Fetch a list now, and return what came of it.

    Raises:
        BadInput: The provider is not enabled, or it did not deliver; the words say why.
        StoreUnavailable: What it sent cannot be kept now.
    """
    if register.provider not in platform.parts.providers:
        fix = f"Enable it in the settings: write [providers.{register.provider}]."
        raise BadInput(parameter="The source", value=register.provider, fix=fix)
    got = await platform.rooms.ingestion.registers.fetch(register, why=FETCHED)
    if isinstance(got, GaveUp):
        fix = f"It did not deliver ({got.failure_class}): {got.words}."
        raise BadInput(parameter="The source", value=register.provider, fix=fix)
    return await _read(platform, register, got)


async def load_here(platform: Platform, register: Register, file: str) -> Read:
    """Keep a list that stands in a file as if it had been fetched now, and return what came of it.

    Raises:
        BadInput: The file cannot be read, or is no such list.
        StoreUnavailable: It cannot be kept now.
    """
    body = await asyncio.to_thread(checked, register, file)
    capture = await platform.rooms.ingestion.registers.keep(register, body, why=LOADED)
    return await _read(platform, register, (capture,))


def checked(register: Register, file: str) -> bytes:
    """Return the bytes of the list in `file`, as its provider sends them; gzip is undone.

    Raises:
        BadInput: The file cannot be read, or its provider's decoder finds no rows in it.
    """
    body = read_bytes(file)
    provider = vendor(register.provider)
    ask = Ask(kind=register.kind, symbol=register.symbol)
    answer = Answer(url=f"file:{file}", status=200, content_type="", headers={}, body=body)
    failure: Failure | None = provider.classify(answer)
    try:
        rows = 0 if failure else len(getattr(provider.decode, register.kind)(body, ask))
    except (ProviderRefused, UndecodablePayload) as error:
        raise BadInput(parameter="The file", value=file, fix=f"It is no readable list: {error}") from None
    if not rows:
        words = failure.words if failure else "it has no rows"
        raise BadInput(parameter="The file", value=file, fix=f"It is no list of {register.provider}: {words}.")
    return body


def enabling(settings: Settings, name: str) -> Settings:
    """Return `settings` with the provider `name` enabled, so that its lists can be read; it is not asked."""
    if name in settings.providers and settings.providers[name].enabled:
        return settings
    return msgspec.structs.replace(settings, providers={**settings.providers, name: ProviderSettings()})


async def _read(platform: Platform, register: Register, pages: tuple[RawCaptured, ...]) -> Read:
    """Return what came of the pages of a list, once they are handled."""
    await platform.parts.bus.drain()
    await review(platform)
    mine = {"provider": (register.provider,), "payload": tuple({one.key for one in pages})}
    claims = await platform.parts.store.read(CLAIM_TABLES[register.kind], Selection(equal=mine, columns=("number",)))
    counts, held, words = dict[str, int](), 0, ""
    if register.kind == "listings":
        events = await platform.parts.store.read("listing_events", Selection(equal=mine))
        believed = events.filter(pl.col("held") == "")
        counts = dict(believed.group_by("kind").len().sort("kind").iter_rows())
        held = len(events) - len(believed)
        reviews = await platform.parts.store.read("listing_reviews", Selection(equal=mine))
        words = "; ".join(one for one in reviews["words"] if one)
    return Read(register.provider, register.kind, len(pages), len(claims), counts, held, words)
