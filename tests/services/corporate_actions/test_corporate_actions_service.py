"""The corporate actions room: from stored actions and closes to factors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import structlog

from room_doubles import ListBus, rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.adjust import adjust
from truetape.domain.messages import BatchStored, FactorsChanged
from truetape.domain.schema import TABLES
from truetape.domain.versions import withdraw
from truetape.ports.store import Selection
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.service import CorporateActionsService

MONDAY, TUESDAY = date(2024, 6, 10), date(2024, 6, 11)


def stored(kind: str, *, ts_known: int = 5, timeframe: str = "1d", new: int = 1) -> BatchStored:
    return BatchStored(
        kind=kind,
        round_id="rnd_a",
        instrument_id="ins_a",
        timeframe=timeframe,
        start=date(2000, 3, 1),
        end=date(2013, 3, 1),
        ts_known=ts_known,
        new=new,
        corrected=0,
        repeated=0,
        quarantined=0,
        store_version=1,
    )


def told(ts_known: int, changed: int) -> FactorsChanged:
    return FactorsChanged(instrument_id="ins_a", ts_known=ts_known, changed=changed)


def room(store: DuckdbStore, bus: ListBus) -> CorporateActionsService:
    return CorporateActionsService(bus=bus, store=store, config=CorporateActionsConfig())


def bars(days: list[date], closes: list[float], *, ts_known: int = 1, version: int = 1) -> pl.DataFrame:
    return rows(
        "bars",
        instrument_id="ins_a",
        timeframe="1d",
        ts_event=days,
        close=closes,
        ts_known=ts_known,
        version=version,
    )


def actions(days: list[date], kind: object, value: object, *, ts_known: int = 1, version: int = 1) -> pl.DataFrame:
    return rows(
        "actions", instrument_id="ins_a", ex_date=days, type=kind, value=value, ts_known=ts_known, version=version
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    opened = DuckdbStore(tmp_path / "store.duckdb")
    yield opened
    await opened.close()


async def numbers(store: DuckdbStore, as_of: int | None = None) -> list[tuple[object, ...]]:
    return (
        (await store.read("factors", Selection(as_of=as_of)))
        .select("ex_date", "split", "dividend", "version", pl.col("ts_known").cast(pl.Int64))
        .rows()
    )


APPLE = [
    (date(2000, 6, 21), "split", 2.0),
    (date(2005, 2, 28), "split", 2.0),
    (date(2012, 8, 9), "dividend", 2.65),
    (date(2012, 11, 7), "dividend", 2.65),
    (date(2013, 2, 7), "dividend", 2.65),
]


async def test_apple_is_adjusted_as_yahoo_adjusts_it(recordings: Path, store: DuckdbStore) -> None:
    """Two splits and three dividends of AAPL, against the adjusted close recorded with the raw prices."""
    recorded = pl.read_csv(recordings / "pypi" / "bokeh_sampledata-2024.2_AAPL.csv.gz", try_parse_dates=True).sort(
        "Date"
    )
    raw = bars(recorded["Date"].to_list(), recorded["Close"].to_list())
    days, kinds, values = (list(column) for column in zip(*APPLE, strict=True))
    bus = ListBus()
    await store.commit({"bars": raw, "actions": actions(days, kinds, values)})

    await room(store, bus).on_batch_stored(stored("bars"))

    factors = await store.read("factors")
    assert bus.told == [told(5, 5)]
    assert factors["split"].to_list() == [2.0, 2.0, 1.0, 1.0, 1.0]
    by_hand = [1.0, 1.0, 1 - 2.65 / 619.86, 1 - 2.65 / 582.85, 1 - 2.65 / 457.35]
    assert factors["dividend"].to_list() == pytest.approx(by_hand, rel=1e-15)
    adjusted = adjust(raw, factors, adjustment="all")["close"]
    # The recorded closes were adjusted for later dividends too: both are laid on their last row. 7.2e-4 is what cents
    # leave of a 7-dollar price; without the dividends the error is 1.5e-2.
    expected = recorded["Adj Close"] * (430.47 / 424.83)
    assert (adjusted / expected - 1).abs().to_list() == pytest.approx([0.0] * 3270, abs=7.3e-4)


async def test_bars_are_always_told_of_and_actions_only_when_a_factor_changed(store: DuckdbStore) -> None:
    """An index waits for instruments without actions too; a repeat writes nothing."""
    bus = ListBus()
    service = room(store, bus)
    await store.commit({"bars": bars([MONDAY, TUESDAY], [8.0, 2.0])})

    service.subscribe()
    await service.on_batch_stored(stored("actions", ts_known=1))
    await service.on_batch_stored(stored("bars", ts_known=2))
    await store.commit({"actions": actions([TUESDAY], "split", 4.0)})
    await service.on_batch_stored(stored("actions", ts_known=3))
    version = store.version()
    await service.on_batch_stored(stored("actions", ts_known=4))
    await service.on_batch_stored(stored("actions", ts_known=4, new=0))
    await service.on_batch_stored(stored("bars", ts_known=5))

    assert bus.heard == [("BatchStored", "corporate_actions"), ("ActionStated", "corporate_actions")]
    assert bus.told == [told(2, 0), told(3, 1), told(5, 0)]
    assert version == store.version()


async def test_a_factor_is_known_when_the_last_of_its_facts_was(store: DuckdbStore) -> None:
    """Action, the close before and a close of the ex-date were known at 10, 20 and 30; they are told at once at 99."""
    await store.commit(
        {
            "actions": actions([TUESDAY], "dividend", 2.0, ts_known=10),
            "bars": pl.concat([bars([MONDAY], [8.0], ts_known=20), bars([TUESDAY], [6.0], ts_known=30)]),
        }
    )

    await room(store, ListBus()).on_batch_stored(stored("bars", ts_known=99))

    assert await numbers(store) == [(TUESDAY, 1.0, 0.75, 1, 30)]


@pytest.mark.parametrize("value", [1.0, None])
async def test_the_factor_of_an_action_that_is_gone_is_withdrawn(store: DuckdbStore, value: float | None) -> None:
    """A split of one for one is none; it and a withdrawn split leave no factor, and what was known before stays."""
    split = actions([TUESDAY], "split", 4.0)
    bus = ListBus()
    await store.commit({"bars": bars([MONDAY, TUESDAY], [8.0, 2.0]), "actions": split})
    await room(store, bus).on_batch_stored(stored("bars", ts_known=1))
    if value is None:
        await store.commit({}, withdrawals={"actions": withdraw(split, TABLES["actions"], ts_known=20)})
    else:
        await store.commit({"actions": actions([TUESDAY], "split", value, ts_known=20, version=2)})

    await room(store, bus).on_batch_stored(stored("actions", ts_known=25))

    assert await numbers(store) == []
    assert await numbers(store, as_of=19) == [(TUESDAY, 4.0, 1.0, 1, 1)]
    assert bus.told == [told(1, 1), told(25, 1)]


async def test_a_close_that_comes_late_changes_what_was_known_meanwhile(store: DuckdbStore) -> None:
    """The close before the ex-date was 8, from 40 on 10; told at last: from 20 on it had been 16.

    1 - 2/8, 1 - 2/16, and 1 - 2/10.
    """
    service = room(store, ListBus())
    await store.commit(
        {"bars": bars([MONDAY, TUESDAY], [8.0, 6.0]), "actions": actions([TUESDAY], "dividend", 2.0, ts_known=1)}
    )
    await service.on_batch_stored(stored("bars"))
    await store.commit({"bars": bars([MONDAY], [10.0], ts_known=40, version=3)})
    await service.on_batch_stored(stored("bars"))
    await store.commit({"bars": bars([MONDAY], [16.0], ts_known=20, version=2)})
    await service.on_batch_stored(stored("bars"))

    known = [(await numbers(store, as_of=at))[0][2] for at in (1, 19, 20, 39, 40)]
    assert known == [0.75, 0.75, 0.875, 0.875, 0.8]


@pytest.mark.parametrize(("kind", "timeframe"), [("bars", "1h"), ("quotes", "1d")])
async def test_other_batches_are_not_its_business(store: DuckdbStore, kind: str, timeframe: str) -> None:
    """Only actions and daily bars make factors."""
    bus = ListBus()

    await room(store, bus).on_batch_stored(stored(kind, timeframe=timeframe))

    assert (store.version(), bus.told) == (0, [])


async def test_a_spin_off_is_valued_by_the_first_close_of_its_shares(store: DuckdbStore) -> None:
    """Half a share of NEW for each, from a close of 80; NEW closes at 16 first, known at 30: 1 - 8/80."""
    new = bars([TUESDAY], [16.0], ts_known=30).with_columns(instrument_id=pl.lit("ins_new"))
    told = {"type": "spin_off", "status": "confirmed", "effective_date": TUESDAY, "value": "0.5", "price": ""}
    await store.commit(
        {
            "bars": pl.concat([bars([MONDAY, TUESDAY], [80.0, 72.0]), new]),
            "actions": actions([TUESDAY], "spin_off", 0.5),
            "listings": rows("listings", instrument_id=["ins_new"], symbol="NEW", mic="XNYS", ts_known=1),
            "announcements": rows(
                "announcements", announcement_id=["ann_1"], instrument_id="ins_a", new_symbol="NEW", ts_known=2, **told
            ),
        }
    )

    await room(store, ListBus()).on_batch_stored(stored("bars"))

    assert await numbers(store) == [(TUESDAY, 1.0, 0.9, 1, 30)]
    assert await numbers(store, as_of=29) == []


async def test_what_cannot_be_valued_has_no_factor_and_is_told(store: DuckdbStore) -> None:
    """Rights without a price to buy at, and a spin-off whose shares nobody lists, are logged and never guessed."""
    told = {"status": "confirmed", "effective_date": TUESDAY, "price": "", "instrument_id": "ins_a", "ts_known": 1}
    names = {"announcement_id": ["ann_1", "ann_2"], "type": ["spin_off", "rights"], "new_symbol": ["NEW", ""]}
    await store.commit(
        {
            "bars": bars([MONDAY, TUESDAY], [80.0, 72.0]),
            "actions": actions([TUESDAY, TUESDAY], ["spin_off", "rights"], 0.5),
            "announcements": rows("announcements", **told, **names),
        }
    )

    with structlog.testing.capture_logs() as logs:
        await room(store, ListBus()).on_batch_stored(stored("bars"))

    assert await numbers(store) == []
    assert ["rights", "spin_off"] == sorted(
        one["type"] for one in logs if one["event"] == "corporate_actions.no_price" and one["ex_date"] == TUESDAY
    )
