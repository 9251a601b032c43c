"""Merges and lists of listings on a whole platform: journalled before they act, and the same after a replay."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from room_doubles import rows
from truetape.app.run import Platform, replay
from truetape.app.settings import ProviderSettings, Settings
from truetape.domain.errors import BadInput, UnknownTarget
from truetape.domain.identity import instrument_id
from truetape.domain.messages import DeclaredListing, InstrumentsMerged, RawCaptured
from truetape.services.api.merging import Wish
from truetape.services.distribution.topics import Event

DAY = date(2024, 6, 10)
LIST = (
    b'{"0":{"cik_str":320193,"ticker":"AAPL","title":"Apple Inc."},"1":{"cik_str":51143,"ticker":"IBM","title":"IBM"}}'
)
SECRET = "do-not-tell"
MASTER = ("instruments", "listings", "instrument_details", "listing_details", "identifiers", "issuers", "merges",
          "master_questions", "settled_listings")  # fmt: skip
AAPL, IBM = (
    instrument_id(mic=mic, symbol=symbol, valid_from=None) for mic, symbol in (("XNAS", "AAPL"), ("XNYS", "IBM"))
)


def settings(data: Path) -> Settings:
    declared = (DeclaredListing(symbol="AAPL", mic="XNAS"), DeclaredListing(symbol="IBM", mic="XNYS"))
    return Settings(
        data=data,
        simulated=True,
        start=DAY,
        end=DAY,
        instruments=declared,
        providers={"sec": ProviderSettings(enabled=True, key=SECRET, base_url="http://127.0.0.1:9")},
    )


async def listed(platform: Platform) -> None:
    """Let a list come that was asked for by nobody's round."""
    parts = platform.parts
    key = await asyncio.to_thread(parts.archive.put, LIST)
    told = RawCaptured(provider="sec", kind="listings", key=key, ts_known=parts.clock.now_ns(), round_id="",
                       instrument_id="", symbol="", timeframe="", start=DAY, end=DAY, simulated=True)  # fmt: skip
    await asyncio.to_thread(parts.archive.record, told)
    await parts.bus.publish(told)
    await platform.settle()


async def told(platform: Platform) -> None:
    await platform.recover()
    await platform.declare()
    await listed(platform)
    await platform.merge(Wish(instrument_id=IBM, into=AAPL, why=f"a trial {SECRET}", actor="ann"))
    await platform.merge(Wish(instrument_id=IBM, into="", why="they are two", actor="bob"))


async def master(platform: Platform) -> dict[str, pl.DataFrame]:
    return {name: await platform.parts.store.read(name) for name in MASTER}


async def test_a_replay_gives_the_same_master(tmp_path: Path) -> None:
    """Declared listings, those of a list, and merges that were taken back: value for value, with versions and times."""
    async with Platform(settings(tmp_path / "data"), command="test") as platform:
        with platform.rooms.distribution.topics.subscribe("truetape/instruments/*") as events:
            await told(platform)
        heard = [one.topic async for one in events if isinstance(one, Event)]
        before = await master(platform)
        entries = [one for one in platform.parts.archive.journal() if isinstance(one, InstrumentsMerged)]

    await replay(tmp_path / "data", tmp_path / "again")
    async with Platform(settings(tmp_path / "again"), command="test") as platform:
        after = await master(platform)

    assert [] == [name for name in MASTER if not before[name].equals(after[name])]
    assert {AAPL, IBM} == {*before["instruments"]["instrument_id"]}
    assert {"cik"} == {*before["identifiers"]["scheme"]}
    assert [("ann", True), ("bob", False)] == [(one.actor, one.stands) for one in entries]
    assert [False] == [SECRET in one.why for one in entries[:1]]
    assert {f"truetape/instruments/{one}" for one in (AAPL, IBM)} == {*heard}


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (Wish(instrument_id=IBM, into="ins_none", why="w", actor="ann"), UnknownTarget),
        (Wish(instrument_id=IBM, into="", why="w", actor="ann"), BadInput),
        (Wish(instrument_id=IBM, into=IBM, why="w", actor="ann"), BadInput),
    ],
)
async def test_what_cannot_be_merged_is_not_journalled(wish: Wish, error: type[Exception], tmp_path: Path) -> None:
    """The error comes before anything is told."""
    async with Platform(settings(tmp_path / "data"), command="test") as platform:
        await platform.declare()
        with pytest.raises(error):
            await platform.merge(wish)

        assert [] == [one for one in platform.parts.archive.journal() if isinstance(one, InstrumentsMerged)]


async def test_what_two_records_have_in_common_is_evidence(tmp_path: Path) -> None:
    """Found by itself, beside what is said."""
    async with Platform(settings(tmp_path / "data"), command="test") as platform:
        await platform.declare()
        store = platform.parts.store
        known = (await store.read("instruments"))["ts_known"].dt.date()[0]
        names = rows("instruments", instrument_id=[AAPL, IBM], name="One Co", version=2, ts_known=known)
        shared = rows("identifiers", instrument_id=[AAPL, IBM], scheme="isin", value="US0378331005", ts_known=known)
        await store.commit({"identifiers": shared, "instruments": names})

        made = await platform.merge(Wish(instrument_id=IBM, into=AAPL, why="w", actor="ann", evidence="a notice"))

    assert "both have the ISIN US0378331005; both are called One Co; a notice" == made.evidence
