"""What announced actions make of tickers: renames, ends and spun-off instruments in the master, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.identity import instrument_id
from truetape.domain.schema import TABLES
from truetape.domain.versions import decide
from truetape.ports.store import Selection
from truetape.services.reference.acting import ActedListings
from truetape.services.reference.hours import Changes

DAY = date(2024, 6, 10)
CHILD = instrument_id(mic="XNYS", symbol="NEW", valid_from=DAY)
Listed = list[tuple[str, str, date | None, date | None]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    opened = DuckdbStore(tmp_path / "store.duckdb")
    origin: dict[str, Any] = {"ts_known": 1, "version": 1}
    await opened.commit(
        {
            "instruments": rows(
                "instruments",
                instrument_id=["ins_a", "ins_b"],
                name=["A", "B"],
                asset_class="equity",
                currency="USD",
                **origin,
            ),
            "listings": rows(
                "listings", instrument_id=["ins_a", "ins_b"], symbol=["OLD", "TAKEN"], mic="XNYS", **origin
            ),
        }
    )
    yield opened
    await opened.close()


def announced(
    kind: str, *, status: str = "confirmed", new: str = "", sources: str = "a,b", known: int = 5
) -> pl.DataFrame:
    texts = dict.fromkeys(("value", "price", "currency", "options", "dissented", "made_of"), "")
    return rows(
        "announcements",
        announcement_id=["ann_a_1"],
        instrument_id="ins_a",
        type=kind,
        status=status,
        effective_date=DAY,
        new_symbol=new,
        sources=sources,
        ts_known=known,
        **texts,
    )


async def settled(store: DuckdbStore, *steps: pl.DataFrame) -> Listed:
    """Return the listings after the announcement has had the versions `steps`; each is settled twice."""

    async def commit(changes: Changes, _: int) -> None:
        if changes.writes or changes.withdrawals:
            await store.commit(changes.writes, withdrawals=changes.withdrawals)

    for step in steps:
        current = await store.read("announcements")
        await store.commit({"announcements": decide(current, step, TABLES["announcements"]).write})
        await ActedListings(store=store, commit=commit).settle()
        version = store.version()
        await ActedListings(store=store, commit=commit).settle()
        assert version == store.version()
    return await listed(store)


async def listed(store: DuckdbStore) -> Listed:
    found = await store.read("listings", Selection(columns=("instrument_id", "symbol", "valid_from", "valid_to")))
    return sorted(found.filter(pl.col("instrument_id") != "ins_b").rows(), key=str)


async def test_a_new_symbol_takes_the_place_of_the_old_one(store: DuckdbStore) -> None:
    """The instrument stays; withdrawn, the old ticker goes on."""
    first = await settled(store, announced("symbol_change", new="NEW"))
    assert [("ins_a", "NEW", DAY, None), ("ins_a", "OLD", None, DAY)] == first

    gone = announced("symbol_change", status="withdrawn", new="NEW", known=6)
    assert [("ins_a", "OLD", None, None)] == await settled(store, gone)

    again = announced("symbol_change", new="NEW", known=7)
    assert first == await settled(store, again)


async def test_what_is_spun_off_is_an_instrument_of_its_own(store: DuckdbStore) -> None:
    """Listed where its parent is, in its currency; withdrawn, it is listed no more."""
    assert [("ins_a", "OLD", None, None), (CHILD, "NEW", DAY, None)] == await settled(
        store, announced("spin_off", status="announced", sources="a,operator", new="NEW")
    )
    child = (await store.read("instruments", Selection(equal={"instrument_id": (CHILD,)}))).row(0, named=True)
    assert ("NEW", "equity", "USD") == (child["name"], child["asset_class"], child["currency"])

    gone = announced("spin_off", status="cancelled", new="NEW", known=6)
    assert [("ins_a", "OLD", None, None)] == await settled(store, gone)


@pytest.mark.parametrize("kind", ["delisting", "merger", "redemption", "worthless", "unit_split"])
async def test_what_removes_the_shares_ends_the_listing(store: DuckdbStore, kind: str) -> None:
    """On its day; what was handed out for them is somebody else's listing."""
    assert [("ins_a", "OLD", None, DAY)] == await settled(store, announced(kind, new="TAKEN"))


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(announced("symbol_change", status="announced", new="NEW", sources="a"), id="one source alone"),
        pytest.param(announced("symbol_change", new="TAKEN"), id="a ticker that another has"),
        pytest.param(announced("symbol_change"), id="no new ticker"),
        pytest.param(announced("spin_off"), id="no name of what is spun off"),
        pytest.param(announced("spin_off", new="TAKEN"), id="what is spun off is listed"),
        pytest.param(announced("dividend"), id="nothing about tickers"),
    ],
)
async def test_the_master_is_left_alone(store: DuckdbStore, row: pl.DataFrame) -> None:
    """Where nobody is sure, or nothing follows."""
    assert [("ins_a", "OLD", None, None)] == await settled(store, row)


async def test_a_spin_off_of_what_is_not_listed_names_no_instrument(store: DuckdbStore) -> None:
    """It has no venue to be listed at."""
    ended = announced("delisting").with_columns(announcement_id=pl.lit("ann_a_0"))
    assert [("ins_a", "OLD", None, DAY)] == await settled(store, ended, announced("spin_off", new="NEW", known=6))


async def test_settings_that_still_name_an_old_ticker_do_not_bring_it_back(store: DuckdbStore) -> None:
    """What is declared again ends where the action has ended it; what has no action stays as it is declared."""
    declared = await store.read("listings")
    await settled(store, announced("symbol_change", new="NEW"))

    async def commit(_: Changes, __: int) -> None:
        raise AssertionError

    applied = await ActedListings(store=store, commit=commit).applied(declared)

    assert [("OLD", DAY), ("TAKEN", None)] == applied.select("symbol", "valid_to").rows()
    other = declared.filter(pl.col("symbol") == "TAKEN")
    assert other.equals(await ActedListings(store=store, commit=commit).applied(other))


async def test_on_two_venues_each_listing_is_renamed_and_brought_back(store: DuckdbStore) -> None:
    """What another instrument began to be called on that day is not touched."""
    more = rows(
        "listings",
        instrument_id=["ins_a", "ins_x"],
        symbol=["OLD", "ELSE"],
        mic="XLON",
        valid_from=[None, DAY],
        ts_known=1,
    )
    await store.commit({"listings": more})
    untouched = ("ins_x", "ELSE", DAY, None)

    renamed = await settled(store, announced("symbol_change", new="NEW"))
    back = await settled(store, announced("symbol_change", status="withdrawn", new="NEW", known=6))
    other = await settled(store, announced("spin_off", status="withdrawn", new="ELSE", known=7))

    assert [*[("ins_a", "NEW", DAY, None)] * 2, *[("ins_a", "OLD", None, DAY)] * 2, untouched] == renamed
    assert [*[("ins_a", "OLD", None, None)] * 2, untouched] == back == other
