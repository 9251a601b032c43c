"""Decisions and the batches that they go with."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import polars as pl
import pytest

from pipeline_doubles import INSTRUMENT, Heard
from room_doubles import FrameStore, rows
from truetape.domain.errors import WrongFolder
from truetape.domain.messages import BatchNormalized, DecisionMade
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.regrading import Regrading, as_heard_last, decided

DAY = date(2024, 6, 3)


def made(number: int, **given: Any) -> DecisionMade:
    about: dict[str, Any] = {
        "decision_id": f"dec_{number}",
        "target": "qua_a_1",
        "action": "accept",
        "instrument_id": INSTRUMENT,
        "kind": "bars",
        "timeframe": "1d",
        "start": DAY,
        "end": DAY,
        "provider": "a",
        "actor": "ann",
        "why": "w",
        "ts_known": number,
    }
    return DecisionMade(**{**about, **given})


def kept(*decisions: DecisionMade) -> FrameStore:
    stored = rows(
        "decisions",
        decision_id=[one.decision_id for one in decisions],
        instrument_id=[one.instrument_id for one in decisions],
        fact=[msgspec.json.encode(one).decode() for one in decisions],
    )
    return FrameStore(decisions=stored)


def claims(*said: tuple[str, float, int]) -> pl.DataFrame:
    known = pl.Series([one[2] for one in said], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    payloads, closes = [one[0] for one in said], [one[1] for one in said]
    frame = rows("bar_claims", instrument_id="ins_a", ts_event=[DAY] * len(said), provider="a", close=closes)
    return frame.with_columns(pl.Series("payload", payloads), known.alias("ts_known"))


def captures(*said: tuple[str, int]) -> pl.DataFrame:
    known = pl.Series([one[1] for one in said], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    return rows("captures", payload=[one[0] for one in said], provider="a").with_columns(known.alias("ts_known"))


def test_the_same_bytes_are_as_new_as_their_last_capture() -> None:
    """A provider that returned to what it had said says that; its rows keep their first time."""
    told = claims(("old", 1.0, 10), ("new", 2.0, 20))

    last = as_heard_last(told, captures(("old", 10), ("new", 20)), key=("ts_event",))
    back = as_heard_last(told, captures(("old", 10), ("new", 20), ("old", 30)), key=("ts_event",))
    streamed = as_heard_last(told, captures(("old", 10)), key=("ts_event",))

    assert [["new"], ["old"], ["new"]] == [frame["payload"].to_list() for frame in (last, back, streamed)]
    assert [10] == back["ts_known"].cast(pl.Int64).to_list()
    assert told.columns == back.columns


async def test_decisions_count_in_their_order_and_for_their_series() -> None:
    """Those in the store and those under way; decisions about actions hold for every timeframe."""
    store = kept(made(3), made(1), made(2, timeframe="1m"), made(4, kind="actions"), made(9, instrument_id="ins_z"))
    room = Regrading(bus=Heard(), store=store, config=ProcessingConfig())

    async def about(kind: str, timeframe: str) -> list[str]:
        return [one.decision_id for one in await room.about((INSTRUMENT, kind, timeframe))]

    assert ["dec_1", "dec_3"] == await about("bars", "1d")
    assert ["dec_2"] == await about("bars", "1m")
    assert ["dec_4"] == await about("actions", "1m")
    assert () == await room.about(("ins_other", "bars", "1d"))


async def test_a_decision_about_other_data_is_refused() -> None:
    """Simulated and live data never mix."""
    room = Regrading(bus=Heard(), store=FrameStore(), config=ProcessingConfig())

    with pytest.raises(WrongFolder):
        await room.on_decision_made(made(1, simulated=True))


def test_nothing_is_known_before_the_decision_behind_it() -> None:
    """The rows of a round that closed before are as new as the newest decision about them."""
    batch = BatchNormalized(
        kind="bars",
        round_id="r",
        instrument_id=INSTRUMENT,
        timeframe="1d",
        start=DAY,
        end=DAY,
        ts_known=5,
        providers=(),
        frame=b"",
    )

    assert [5, 7, 5] == [decided(batch, told).ts_known for told in ((), (made(3), made(7)), (made(3),))]
