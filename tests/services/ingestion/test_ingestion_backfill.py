"""Backfills: planned from what is missing, counted, resumed, and told as rows of jobs."""

from __future__ import annotations

from datetime import date

from ingestion_room import BUSY, Room
from pipeline_doubles import FRIDAY, INSTRUMENT, MONDAY, NOW, Script, filled, refuse
from truetape.domain.failures import FailureClass
from truetape.domain.messages import BackfillRequested, InstrumentsChanged, RawCaptured, RoundClosed
from truetape.domain.time import NANOSECONDS

OLD = date(2020, 1, 1)


def backfill(*symbols: str, start: date = OLD, end: date = FRIDAY, job_id: str = "job_1") -> BackfillRequested:
    return BackfillRequested(job_id=job_id, symbols=symbols, start=start, end=end, ts_known=NOW)


def listed(room: Room, *symbols: str) -> None:
    names = [INSTRUMENT if symbol == "A" else f"ins_{symbol.lower()}" for symbol in symbols]
    origin = {"ts_known": NOW, "version": 1, "simulated": False, "valid_from": None, "valid_to": None}
    rows = {"instrument_id": names, "symbol": list(symbols), "mic": "XNAS", **origin}
    room.store.rows["listings"] = filled("listings", len(symbols), rows)


def states(room: Room) -> list[tuple[str, int, int, int]]:
    rows = room.store.rows["jobs"].sort("version")
    return list(rows.select("state", "planned", "done", "waiting").iter_rows())


async def test_a_backfill_asks_for_what_is_not_there() -> None:
    """Behind what the tail covers, and nothing twice; unknown symbols are named."""
    room = Room(p=Script(b"prices"))
    listed(room, "A", "B")
    await room.acquire()
    room.scripts["p"].asks.clear()

    await room.service.on_backfill_requested(backfill("A", "B", "ZZZ"))
    await room.service.on_backfill_requested(backfill("A", "B", "ZZZ"))
    await room.service.work(until_idle=True)

    assert [("a", OLD, date(2024, 1, 1)), ("b", OLD, FRIDAY)] == [
        (ask.symbol, ask.start, ask.end) for ask in room.scripts["p"].asks
    ]
    last = room.store.rows["jobs"].sort("version").row(-1, named=True)
    assert (3, "ZZZ", 2, 2, 0, "done") == tuple(
        last[name] for name in ("symbols", "unknown", "planned", "done", "empty", "state")
    )


async def test_what_is_there_already_needs_no_question() -> None:
    """The job is done as soon as it is asked for."""
    room = Room(p=Script(b"prices"))
    listed(room, "A")
    await room.acquire()

    await room.service.on_backfill_requested(backfill("A", start=MONDAY))

    assert [("done", 0, 0, 0)] == states(room)


async def test_two_backfills_at_once_share_their_rounds() -> None:
    """The second plans nothing that the first has planned, and is done when that is."""
    room = Room(p=Script(b"prices"))
    listed(room, "A")

    await room.service.on_backfill_requested(backfill("A"))
    await room.service.on_backfill_requested(backfill("A", job_id="job_2"))
    await room.service.work(until_idle=True)

    assert 1 == len(room.scripts["p"].asks)
    assert 1 == len(room.bus.of(RoundClosed))
    assert [("done", 1, 1, 0)] * 2 == states(room)[-2:]


async def test_a_backfill_before_anything_is_declared_waits() -> None:
    """It is planned when the first instruments are known."""
    room = Room(p=Script(b"prices"))
    await room.service.on_backfill_requested(backfill("A"))
    assert [] == states(room)
    listed(room, "A")

    await room.service.on_instruments_changed(InstrumentsChanged(instrument_ids=("ins_c",), ts_known=NOW))
    await room.service.work(until_idle=True)

    assert ("done", 1, 1, 0) == states(room)[-1]


async def test_a_round_that_nobody_can_answer_waits() -> None:
    """The job says so, and is done when somebody could."""
    room = Room(p=Script(refuse(FailureClass.QUOTA), b"prices"))
    listed(room, "A")
    await room.service.on_backfill_requested(backfill("A"))

    await room.service.work(until_idle=True)
    assert ("waiting", 1, 0, 1) == states(room)[-1]
    await room.service.work(until_idle=True)

    assert ("done", 1, 1, 0) == states(room)[-1]


async def test_a_backfill_outlives_its_process() -> None:
    """It stands in the journal, and the next process plans what is left of it when it knows the instruments."""
    room = Room(p=Script(b"prices"))
    listed(room, "A", "B")
    request = backfill("A", "B")
    room.archive.record(request)
    await room.service.on_backfill_requested(request)
    room.service._patient.pop()
    await room.service.work(until_idle=True)  # only the first of its two rounds, then the process dies

    after = Room(room.archive, p=Script(b"prices"))
    listed(after, "A", "B")
    after.store.rows["jobs"] = room.store.rows["jobs"]
    await after.service.resume()
    await after.service.on_instruments_changed(InstrumentsChanged(instrument_ids=("ins_c",), ts_known=NOW))
    await after.service.work(until_idle=True)

    assert ["b"] == [ask.symbol for ask in after.scripts["p"].asks]
    assert ("done", 1, 1, 0) == states(after)[-1]


async def test_a_finished_backfill_is_not_planned_again() -> None:
    """However often the platform starts."""
    room = Room(p=Script(b"prices"))
    listed(room, "A")
    room.archive.record(backfill("A"))
    await room.service.on_backfill_requested(backfill("A"))
    await room.service.work(until_idle=True)
    rows = len(room.store.rows["jobs"])

    after = Room(room.archive, p=Script(b"prices"))
    listed(after, "A")
    after.store.rows["jobs"] = room.store.rows["jobs"]
    await after.service.resume()
    await after.service.on_instruments_changed(InstrumentsChanged(instrument_ids=("ins_c",), ts_known=NOW))

    assert rows == len(after.store.rows["jobs"])


async def test_progress_is_told_now_and_then() -> None:
    """Not for each of many rounds, but at the end in any case; a store that takes nothing does not stop the work."""
    room = Room(p=Script(b"prices"))
    listed(room, *"ABCDEFGH")
    await room.service.on_backfill_requested(backfill(*"ABCDEFGH"))
    room.store.full = True

    await room.service.work(until_idle=True)

    assert 8 == len(room.bus.of(RoundClosed))
    assert [("running", 8, 0, 0)] == states(room)


async def test_a_round_is_noted_after_a_while() -> None:
    """A backfill that takes long can be watched."""
    room = Room(p=Script(BUSY, BUSY, b"prices", b"prices"))
    room.service = room.build(concurrent_rounds=1, backoff_s=5.0)
    listed(room, "A", "B")
    await room.service.on_backfill_requested(backfill("A", "B"))

    await room.service.work(until_idle=True)

    assert [("running", 2, 0, 0), ("running", 2, 1, 0), ("done", 2, 2, 0)] == states(room)
    assert room.clock.now - NOW >= 10 * NANOSECONDS


async def test_merged_records_are_asked_about_as_one() -> None:
    """Under the ticker of the one that stands for both, from the first day that either was listed on."""
    room = Room(p=Script(b"prices"))
    listed(room, "A", "B")
    ids = room.store.rows["listings"]["instrument_id"].to_list()
    merge = {"instrument_id": ids[:1], "into": ids[1], "stands": True, "actor": "ann", "why": "w", "evidence": ""}
    origin = {"ts_known": NOW, "version": 1, "simulated": False}
    room.store.rows["merges"] = filled("merges", 1, {**merge, **origin})

    await room.service.on_instruments_changed(InstrumentsChanged(instrument_ids=(ids[0],), ts_known=NOW))
    await room.service.work(until_idle=True)

    assert {(ids[1], "b")} == {(one.instrument_id, one.symbol) for one in room.recorded(RawCaptured)}
