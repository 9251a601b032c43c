"""The storage room: whole batches, every version, marks, and nothing of the other kind."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipeline_doubles import FRIDAY, INSTRUMENT, MONDAY, NOW, BothTimes, Heard, action_claims, bar_claims, weekdays
from truetape.domain.errors import StoreUnavailable, WrongFolder
from truetape.domain.messages import BatchGraded, BatchStored, PayloadRejected
from truetape.domain.time import DAY_NS
from truetape.domain.wire import pack
from truetape.services.quality.grade import Grades, grade_actions, grade_bars
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

DAYS = weekdays(5)
CALENDAR = pl.DataFrame({"session": DAYS})
GIVEN: dict[str, Any] = {
    "kind": "bars",
    "round_id": "rnd_1",
    "instrument_id": INSTRUMENT,
    "timeframe": "1d",
    "start": MONDAY,
    "end": FRIDAY,
    "ts_known": NOW,
    "providers": ("alpha", "bravo"),
}


def batch(grades: Grades, **changes: Any) -> BatchGraded:
    return BatchGraded(
        golden=pack(grades.golden),
        quarantined=pack(grades.quarantined),
        findings=pack(grades.findings),
        **{**GIVEN, **changes},
    )


def grading(ts_known: int, simulated: bool) -> Grading:
    tolerance = Tolerance(absolute=0.01, relative=0.0)
    return Grading(
        round_id="rnd_1", ts_known=ts_known, tolerance=tolerance, trust={}, stale_sessions=3, simulated=simulated
    )


def bars(closes: list[float | None], *, ts_known: int = NOW, simulated: bool = False, **changes: Any) -> BatchGraded:
    claims = bar_claims("alpha", closes, simulated=simulated)
    grades = grade_bars(claims, CALENDAR, grading(ts_known, simulated))
    return batch(grades, ts_known=ts_known, simulated=simulated, **changes)


def actions(*rows: tuple[Any, str, float], **changes: Any) -> BatchGraded:
    return batch(grade_actions(action_claims("alpha", *rows), grading(NOW, simulated=False)), kind="actions", **changes)


class Room:
    """A storage room over doubles."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.bus, self.store = Heard(), BothTimes()
        self.service = StorageService(bus=self.bus, store=self.store, config=StorageConfig(simulated=simulated))
        self.service.subscribe()

    async def hear(self, *messages: BatchGraded | PayloadRejected) -> None:
        for message in messages:
            await self.bus.handlers[f"storage hears {type(message).__name__}"](message)

    def counts(self) -> list[tuple[str, int, int, int, int]]:
        return [(one.kind, one.new, one.corrected, one.repeated, one.quarantined) for one in self.bus.of(BatchStored)]


async def test_a_batch_is_stored_in_one_piece_with_its_mark() -> None:
    """Gold, quarantine, findings and the mark are one commit; then it is told."""
    room = Room()

    await room.hear(bars([10.0, 11.0, None, 13.0, 14.0]))

    assert room.store.commits == [{"bars": 4, "quarantine": 1, "findings": 1, "rounds": 1}]
    assert room.counts() == [("bars", 4, 0, 0, 1)]
    told = room.bus.of(BatchStored)[0]
    assert (told.round_id, told.instrument_id, told.timeframe) == ("rnd_1", INSTRUMENT, "1d")
    assert (told.start, told.end, told.ts_known, told.store_version) == (MONDAY, FRIDAY, NOW, 1)
    assert room.store.rows["bars"]["version"].to_list() == [1] * 4


async def test_the_first_batch_of_a_round_leaves_no_mark() -> None:
    """After a crash between actions and bars the round is told again."""
    room = Room()

    await room.hear(actions((MONDAY, "split", 2.0), last=False))

    assert room.store.commits == [{"actions": 1}]
    assert room.counts() == [("actions", 1, 0, 0, 0)]


async def test_a_batch_again_changes_nothing() -> None:
    """At least once is not twice."""
    room = Room()

    await room.hear(bars([10.0, 11.0]), bars([10.0, 11.0]))

    assert room.counts() == [("bars", 2, 0, 0, 0), ("bars", 0, 0, 2, 0)]
    assert len(room.store.rows["bars"]) == 2
    assert len(room.store.rows["rounds"]) == 1


async def test_a_correction_keeps_what_was_known_before() -> None:
    """The old version stays beside the new one, each with the time at which it became known."""
    room = Room()

    await room.hear(bars([10.0, 11.0, 12.0]), bars([10.0, 11.5, 12.0], ts_known=NOW + DAY_NS, round_id="rnd_2"))

    assert room.counts() == [("bars", 3, 0, 0, 0), ("bars", 0, 1, 2, 0)]
    versions = room.store.rows["bars"].filter(pl.col("version") > 1)
    assert versions.select("close", pl.col("ts_known").cast(pl.Int64), "version").rows() == [(11.5, NOW + DAY_NS, 2)]
    assert room.store.rows["bars"].filter(pl.col("version") == 1)["close"].to_list() == [10.0, 11.0, 12.0]


async def test_actions_of_other_days_stay_as_they_are() -> None:
    """A round about one week says nothing about the dividends of another."""
    room = Room()

    await room.hear(actions((MONDAY, "dividend", 0.5)), actions((FRIDAY, "dividend", 0.6), round_id="rnd_2"))

    assert room.counts() == [("actions", 1, 0, 0, 0), ("actions", 1, 0, 0, 0)]
    assert room.store.rows["actions"]["value"].to_list() == [0.5, 0.6]


async def test_an_empty_last_batch_still_marks_its_round() -> None:
    """Otherwise it would be told again for ever."""
    room = Room()

    await room.hear(actions(last=False), bars([]))

    assert room.store.commits == [{"rounds": 1}]
    assert room.counts() == [("actions", 0, 0, 0, 0), ("bars", 0, 0, 0, 0)]


async def test_a_full_disk_tells_nothing() -> None:
    """The bus is to deliver the batch again; nobody has heard that it is stored."""
    room = Room()
    room.store.full = True

    with pytest.raises(StoreUnavailable):
        await room.hear(bars([10.0]))

    assert room.bus.happened == []


async def test_a_round_is_not_marked_without_its_first_batch() -> None:
    """The disk was full when the actions came, and the bus gave them up; the bars bring them along."""
    room = Room()
    room.store.full = True
    with pytest.raises(StoreUnavailable):
        await room.hear(actions((MONDAY, "split", 2.0), last=False))
    with pytest.raises(StoreUnavailable):
        await room.hear(bars([10.0]))

    room.store.full = False
    await room.hear(bars([10.0]), bars([10.0]))

    assert room.counts() == [("actions", 1, 0, 0, 0), ("bars", 1, 0, 0, 0), ("bars", 0, 0, 1, 0)]
    assert room.store.rows["actions"]["value"].to_list() == [2.0]


def rejected(**changes: Any) -> PayloadRejected:
    given: dict[str, Any] = {"provider": "p", "kind": "bars", "key": "k", "reason": "no JSON", "ts_known": NOW}
    return PayloadRejected(**{**given, **changes})


async def test_rejected_payloads_are_kept_as_facts() -> None:
    """Once for each provider and payload."""
    room = Room()

    await room.hear(rejected(), rejected(), rejected(provider="q"))

    rows = room.store.rows["rejected_payloads"]
    assert rows.select(
        "payload", "provider", "kind", "reason", pl.col("ts_known").cast(pl.Int64), "simulated"
    ).rows() == [
        ("k", "p", "bars", "no JSON", NOW, False),
        ("k", "q", "bars", "no JSON", NOW, False),
    ]


@pytest.mark.parametrize("folder_is_simulated", [True, False])
async def test_simulated_and_live_data_do_not_mix(folder_is_simulated: bool) -> None:
    """The error says what the folder holds and what came."""
    room = Room(simulated=folder_is_simulated)
    holds, came = ("simulated", "live") if folder_is_simulated else ("live", "simulated")

    for message in (bars([10.0], simulated=not folder_is_simulated), rejected(simulated=not folder_is_simulated)):
        with pytest.raises(WrongFolder, match=f"it holds {holds} data and {came} data came"):
            await room.hear(message)

    assert room.store.commits == []
    await room.hear(bars([10.0], simulated=folder_is_simulated))
    assert room.store.rows["bars"]["simulated"].to_list() == [folder_is_simulated]


async def test_the_newest_round_of_each_instrument_is_told_again_after_a_start() -> None:
    """Rooms that a crash cut short finish what they do with it."""
    room = Room()
    await room.hear(
        bars([10.0, 11.0]),
        bars([10.0, 11.0, 12.0], ts_known=NOW + DAY_NS, round_id="rnd_2"),
        bars([10.0], instrument_id="ins_b", round_id="rnd_3"),
    )
    room.bus.happened.clear()

    await room.service.catch_up()

    told = {one.instrument_id: one for one in room.bus.of(BatchStored)}
    assert {name: one.round_id for name, one in told.items()} == {INSTRUMENT: "rnd_2", "ins_b": "rnd_3"}
    newest = told[INSTRUMENT]
    assert (newest.kind, newest.timeframe, newest.start, newest.end) == ("bars", "1d", MONDAY, FRIDAY)
    assert (newest.ts_known, newest.new, newest.repeated, newest.store_version) == (NOW + DAY_NS, 0, 3, 3)


async def test_an_empty_store_has_nothing_to_tell() -> None:
    """A first start is silent."""
    room = Room()

    await room.service.catch_up()

    assert room.bus.happened == []
