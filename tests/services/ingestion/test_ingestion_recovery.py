"""What the ingestion room does after a crash, and while its archive is full."""

from __future__ import annotations

from ingestion_room import BUSY, END, LISTING, START, Room, eventually, working
from pipeline_doubles import (
    INSTRUMENT,
    NOW,
    DictArchive,
    Script,
    capture,
    closing,
    filled,
)
from truetape.domain.identity import payload_key
from truetape.domain.messages import RawCaptured, RoundClosed


async def test_a_crash_between_capture_and_closing_costs_no_second_question() -> None:
    """The next process finds the capture in the journal, tells it again and asks only who is missing."""
    before = Room(p=Script(b"prices"), q=Script(BUSY))
    before.service.extend(LISTING, end=END)
    async with working(before.service):
        await eventually(lambda: before.recorded(RawCaptured))
    (kept,) = before.recorded(RawCaptured)
    before.archive.entries = [kept]  # the crash came before anything else

    after = Room(before.archive, p=Script(b"prices"), q=Script(b"others"))
    await after.service.resume()
    await after.acquire()

    assert after.scripts["p"].asks == []
    assert len(after.scripts["q"].asks) == 1
    assert [message.provider for message in after.bus.of(RawCaptured)] == ["p", "q"]
    assert after.bus.of(RoundClosed)[0].providers == ("p", "q")


async def test_closed_rounds_that_storage_has_not_marked_are_told_again() -> None:
    """Marked ones are not, and neither is asked again."""
    done, lost = capture(round_id="rnd_done", start=START, end=END), capture(round_id="rnd_lost", start=START, end=END)
    archive = DictArchive()
    archive.entries = [done, closing(done), lost, closing(lost)]
    room = Room(archive, p=Script(b"prices"))
    mark = {"round_id": "rnd_done", "instrument_id": INSTRUMENT, "kind": "bars", "timeframe": "1d", "start": START}
    rest = {"end": END, "providers": "p", "golden": 1, "quarantined": 0, "ts_known": NOW, "simulated": False}
    room.store.rows["rounds"] = filled("rounds", 1, mark | rest)

    await room.service.resume()
    await room.acquire()

    assert room.bus.happened == [("told", lost), ("told", closing(lost))]
    assert room.scripts["p"].asks == []


async def test_a_full_archive_is_waited_for() -> None:
    """Four writes fail, the waits double, nothing is lost and the provider is not asked twice."""
    room = Room(p=Script(b"prices"))
    room.archive.full = 4

    await room.acquire()

    assert room.clock.slept == [0.5, 1.0, 2.0, 4.0]
    assert room.archive.bodies == {payload_key(b"prices"): b"prices"}
    assert len(room.scripts["p"].asks) == 1
    assert len(room.bus.of(RoundClosed)) == 1


async def test_waits_for_the_archive_do_not_grow_for_ever() -> None:
    """A disk that is full for a day is tried every minute."""
    room = Room(p=Script(b"prices"))
    room.archive.full = 12

    await room.acquire()

    assert max(room.clock.slept) == 60.0
