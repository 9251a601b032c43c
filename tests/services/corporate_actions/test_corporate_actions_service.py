"""The corporate actions room: from stored actions and closes to factors."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from room_doubles import FrameStore, ListBus, rows
from truetape.domain.adjust import adjust
from truetape.domain.messages import BatchStored, FactorsChanged
from truetape.ports.store import Selection
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.service import CorporateActionsService


def stored(kind: str, *, ts_known: int = 5, timeframe: str = "1d") -> BatchStored:
    return BatchStored(
        kind=kind,
        round_id="rnd_a",
        instrument_id="ins_a",
        timeframe=timeframe,
        start=date(2000, 3, 1),
        end=date(2013, 3, 1),
        ts_known=ts_known,
        new=1,
        corrected=0,
        repeated=0,
        quarantined=0,
        store_version=1,
    )


def told(ts_known: int, changed: int) -> FactorsChanged:
    return FactorsChanged(instrument_id="ins_a", ts_known=ts_known, changed=changed)


def room(store: FrameStore, bus: ListBus) -> CorporateActionsService:
    return CorporateActionsService(bus=bus, store=store, config=CorporateActionsConfig())


APPLE = [
    (date(2000, 6, 21), "split", 2.0),
    (date(2005, 2, 28), "split", 2.0),
    (date(2012, 8, 9), "dividend", 2.65),
    (date(2012, 11, 7), "dividend", 2.65),
    (date(2013, 2, 7), "dividend", 2.65),
]


async def test_apple_is_adjusted_as_yahoo_adjusts_it(recordings: Path) -> None:
    """Two splits and three dividends of AAPL, against the adjusted close recorded with the raw prices."""
    recorded = pl.read_csv(recordings / "pypi" / "bokeh_sampledata-2024.2_AAPL.csv.gz", try_parse_dates=True).sort(
        "Date"
    )
    bars = rows(
        "bars",
        instrument_id="ins_a",
        timeframe="1d",
        ts_event=recorded["Date"].to_list(),
        close=recorded["Close"].to_list(),
    )
    days, kinds, values = (list(column) for column in zip(*APPLE, strict=True))
    actions = rows("actions", instrument_id="ins_a", ex_date=days, type=kinds, value=values)
    store, bus = FrameStore(bars=bars, actions=actions), ListBus()

    await room(store, bus).on_batch_stored(stored("bars"))

    factors = await store.read("factors")
    assert bus.told == [told(5, 5)]
    assert factors["split"].to_list() == [2.0, 2.0, 1.0, 1.0, 1.0]
    by_hand = [1.0, 1.0, 1 - 2.65 / 619.86, 1 - 2.65 / 582.85, 1 - 2.65 / 457.35]
    assert factors["dividend"].to_list() == pytest.approx(by_hand, rel=1e-15)
    adjusted = adjust(bars, factors, adjustment="all")["close"]
    # The recorded closes were adjusted for later dividends too: both are laid on their last row. 7.2e-4 is what cents
    # leave of a 7-dollar price; without the dividends the error is 1.5e-2.
    expected = recorded["Adj Close"] * (430.47 / 424.83)
    assert (adjusted / expected - 1).abs().to_list() == pytest.approx([0.0] * 3270, abs=7.3e-4)


async def test_bars_are_always_told_of_and_actions_only_when_a_factor_changed() -> None:
    """An index waits for instruments without actions too; a repeat writes nothing."""
    bars = rows("bars", instrument_id="ins_a", timeframe="1d", ts_event=[date(2024, 1, 2), date(2024, 1, 3)], close=8.0)
    store, bus = FrameStore(bars=bars), ListBus()
    service = room(store, bus)

    service.subscribe()
    await service.on_batch_stored(stored("actions", ts_known=1))
    await service.on_batch_stored(stored("bars", ts_known=2))
    store.rows["actions"] = rows("actions", instrument_id="ins_a", ex_date=[date(2024, 1, 3)], type="split", value=4.0)
    await service.on_batch_stored(stored("actions", ts_known=3))
    await service.on_batch_stored(stored("actions", ts_known=4))
    await service.on_batch_stored(stored("bars", ts_known=5))

    assert bus.heard == [("BatchStored", "corporate_actions")]
    assert bus.told == [told(2, 0), told(3, 1), told(5, 0)]
    assert store.commits == [{"factors": 1}]


async def test_a_withdrawn_action_leaves_a_neutral_version() -> None:
    """The first version stays readable; the current one changes no price."""
    day = date(2024, 1, 3)
    bars = rows("bars", instrument_id="ins_a", timeframe="1d", ts_event=[date(2024, 1, 2), day], close=8.0)
    actions = rows("actions", instrument_id="ins_a", ex_date=[day], type="split", value=4.0)
    store, bus = FrameStore(bars=bars, actions=actions), ListBus()
    service = room(store, bus)
    await service.on_batch_stored(stored("bars", ts_known=1))

    store.rows["actions"] = actions.with_columns(value=pl.lit(1.0))
    await service.on_batch_stored(stored("actions", ts_known=2))

    history = store.rows["factors"].select("ex_date", "split", "dividend", "version", pl.col("ts_known").cast(pl.Int64))
    assert history.rows() == [(day, 4.0, 1.0, 1, 1), (day, 1.0, 1.0, 2, 2)]
    assert bus.told == [told(1, 1), told(2, 1)]
    assert len(await store.read("factors", Selection())) == 1


@pytest.mark.parametrize(("kind", "timeframe"), [("bars", "1h"), ("quotes", "1d")])
async def test_other_batches_are_not_its_business(kind: str, timeframe: str) -> None:
    """Only actions and daily bars make factors."""
    store, bus = FrameStore(), ListBus()

    await room(store, bus).on_batch_stored(stored(kind, timeframe=timeframe))

    assert (store.commits, bus.told) == ([], [])
