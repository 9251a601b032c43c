"""The ingestion room: archive first, ask again with patience, close rounds."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from ingestion_room import BUSY, END, LISTING, START, Room, eventually, working
from pipeline_doubles import (
    INSTRUMENT,
    NOW,
    Script,
    answer,
    closing,
    filled,
    provider,
    refuse,
)
from truetape.domain.asks import SIMULATED_HEADER, Answer, Ask
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.identity import payload_key, round_id
from truetape.domain.messages import GaveUp, InstrumentsChanged, RawCaptured, RoundClosed
from truetape.domain.time import NANOSECONDS
from truetape.ports.archive import Attempted
from truetape.ports.http import Unreachable
from truetape.ports.provider import Provider
from truetape.services.ingestion.rounds import Listed


async def test_bytes_are_archived_then_journalled_then_told() -> None:
    """Nobody hears of a payload that a crash could still lose, and the closing comes last."""
    room = Room(p=Script(b"prices"))

    await room.acquire()

    assert room.happened() == [
        ("archived", "prices"),
        ("recorded", "RawCaptured"),
        ("told", "RawCaptured"),
        ("recorded", "RoundClosed"),
        ("told", "RoundClosed"),
    ]
    (captured,), (closed,) = room.bus.of(RawCaptured), room.bus.of(RoundClosed)
    assert captured == RawCaptured(
        provider="p",
        kind="bars",
        key=payload_key(b"prices"),
        ts_known=NOW,
        round_id=round_id(instrument=INSTRUMENT, kind="bars", timeframe="1d", start=START, end=END),
        instrument_id=INSTRUMENT,
        symbol="a",
        timeframe="1d",
        start=START,
        end=END,
        why="every provider votes",
    )
    assert closed == closing(captured, providers=("p",))
    assert room.archive.entries == [captured, closed]


async def test_a_provider_is_asked_in_its_own_spelling() -> None:
    """And for exactly the round's range."""
    room = Room(p=Script(b"prices"))

    await room.acquire()

    assert room.scripts["p"].asks == [Ask(kind="bars", symbol="a", timeframe="1d", start=START, end=END)]


@pytest.mark.parametrize("event", [BUSY, refuse(FailureClass.TRANSIENT), Unreachable("the connection was cut")])
async def test_what_may_pass_is_asked_again(event: Failure | Exception) -> None:
    """Two failures, two waits, then the prices; every failure is in the journal."""
    room = Room(p=Script(event, event, b"prices"))

    await room.acquire()

    words = event.reason if isinstance(event, Unreachable) else event.words  # type: ignore[union-attr]
    assert room.clock.slept == [0.5, 1.0]
    attempts = room.recorded(Attempted)
    assert [(one.attempt, one.words, one.provider, one.symbol) for one in attempts] == [
        (1, words, "p", "a"),
        (2, words, "p", "a"),
    ]
    assert [one.status for one in attempts] == [0, 0] if isinstance(event, Unreachable) else [503, 503]
    assert room.bus.of(RoundClosed)[0].gave_up == ()
    assert room.service.tally.asked["p"] == 3


@pytest.mark.parametrize("failure_class", sorted(set(FailureClass) - {FailureClass.THROTTLED, FailureClass.TRANSIENT}))
async def test_what_cannot_pass_is_asked_once(failure_class: FailureClass) -> None:
    """The other provider's answer closes the round, which names who gave up and why."""
    room = Room(p=Script(refuse(failure_class)), q=Script(b"prices"))

    await room.acquire()

    (closed,) = room.bus.of(RoundClosed)
    assert closed.providers == ("q",)
    assert closed.gave_up == (
        GaveUp(provider="p", failure_class=failure_class, words=f"no: {failure_class.value}", attempts=1),
    )
    assert room.clock.slept == []
    assert room.service.tally.given_up["p"] == 1
    assert room.service.tally.failed == {("p", failure_class.value): 1}


async def test_patience_ends() -> None:
    """After three attempts the provider is given up for this round."""
    room = Room(p=Script(BUSY), q=Script(b"prices"))

    await room.acquire()

    assert room.bus.of(RoundClosed)[0].gave_up[0].attempts == 3
    assert room.clock.slept == [0.5, 1.0]


async def test_an_error_body_is_archived_too() -> None:
    """What the provider said is evidence; nothing at all has no key."""
    room = Room(p=Script(BUSY, Unreachable("time-out"), b"prices"))

    await room.acquire()

    said, silent = room.recorded(Attempted)
    assert room.archive.get(said.key) == b"no: throttled"
    assert silent.key == ""


async def test_retry_after_is_honoured_by_every_round() -> None:
    """A provider that asks for 40 seconds is left alone for 40 seconds, also by the other instruments' rounds."""
    script = Script(refuse(FailureClass.THROTTLED, retry_after_s=40.0), b"prices")
    room = Room(p=script, pace=1.0)

    await room.acquire([Listed(INSTRUMENT, "A"), Listed("ins_b", "B"), Listed("ins_c", "C")])

    waited = [(moment - NOW) / NANOSECONDS for moment in script.asked_at]
    assert len(room.bus.of(RoundClosed)) == 3
    assert waited[0] == 0.0
    assert sum(moment < 40.0 for moment in waited) <= 2  # one more may have been on its way


async def test_the_declared_pace_is_kept_over_all_rounds_and_repeats() -> None:
    """Two calls a second: half a second lies between any two."""
    script = Script(refuse(FailureClass.TRANSIENT), b"prices")
    room = Room(p=script, pace=2.0)

    await room.acquire([Listed(f"ins_{number}", "A") for number in range(6)])

    gaps = [later - earlier for earlier, later in zip(script.asked_at, script.asked_at[1:], strict=False)]
    assert len(script.asks) == 7
    assert min(gaps) >= NANOSECONDS // 2


async def test_one_providers_pace_does_not_hold_back_another() -> None:
    """Both are asked at the first moment."""
    room = Room(p=Script(b"slow"), q=Script(b"fast"), pace=0.1)

    await room.acquire()

    assert [script.asked_at for script in room.scripts.values()] == [[NOW], [NOW]]


async def test_a_mistake_in_a_providers_code_does_not_stop_the_others() -> None:
    """It counts as given up; the bytes that its classifier broke on are kept; no secret of its message gets out."""

    def classify(answered: Answer) -> Failure | None:
        raise KeyError("apikey=s3cret")

    room = Room(q=Script(b"prices"), r=Script(ZeroDivisionError("apikey=s3cret")))
    broken = provider("p", Script(b"<html>"))
    room.providers["p"] = Provider(
        declaration=broken.declaration, client=broken.client, classify=classify, decode={}, spell=str
    )
    room.service = room.build()

    await room.acquire()

    (closed,) = room.bus.of(RoundClosed)
    assert closed.providers == ("q",)
    assert {one.provider: one.words for one in closed.gave_up} == {
        "p": "the code that asks p failed with KeyError; report it to its maintainer",
        "r": "the code that asks r failed with ZeroDivisionError; report it to its maintainer",
    }
    assert {one.provider: one.key for one in room.recorded(Attempted)} == {"p": payload_key(b"<html>"), "r": ""}
    assert b"s3cret" not in msgspec.json.encode(room.archive.entries)


async def test_closings_list_providers_in_alphabetical_order() -> None:
    """Whoever answered first, and however the settings order them."""
    room = Room(zeta=Script(b"z"), alpha=Script(BUSY, b"a"), mid=Script(b"m"))

    await room.acquire()

    (closed,) = room.bus.of(RoundClosed)
    assert closed.providers == ("alpha", "mid", "zeta")
    assert closed.captured == tuple(payload_key(body) for body in (b"a", b"m", b"z"))
    assert closed.ts_known == NOW + NANOSECONDS // 2  # when the last of them came


async def test_a_round_that_nobody_answered_stays_open() -> None:
    """Nothing is closed; the next time of work asks again."""
    script = Script(refuse(FailureClass.QUOTA), b"prices")
    room = Room(p=script)

    await room.acquire()

    assert room.bus.happened[-1][0] == "recorded"
    assert room.bus.of(RoundClosed) == []
    assert room.service.tally.rounds_unanswered == 1
    await room.service.work(until_idle=True)
    assert len(room.bus.of(RoundClosed)) == 1


async def test_a_round_that_all_refuse_for_good_is_not_tried_again() -> None:
    """A symbol that nobody knows would else be asked for ever; one provider that may change its mind keeps it open."""
    hopeless, hopeful = Script(refuse(FailureClass.PERMANENT)), Script(refuse(FailureClass.QUOTA))
    room, other = Room(p=hopeless), Room(p=Script(refuse(FailureClass.PERMANENT)), q=hopeful)
    for one in (room, other):
        await one.acquire()
        await one.service.work(until_idle=True)

    assert [len(hopeless.asks), len(hopeful.asks)] == [1, 2]


@pytest.mark.parametrize("folder_is_simulated", [True, False])
async def test_a_sandbox_never_fills_a_live_folder(folder_is_simulated: bool) -> None:
    """Its answers say what they are; a live room archives nothing of them, and says what to do."""
    sent = msgspec.structs.replace(answer(b"made-up prices"), headers={SIMULATED_HEADER: "true"})
    room = Room(p=Script(sent))
    room.service = room.build(simulated=folder_is_simulated)

    await room.acquire()

    assert bool(room.archive.bodies) is folder_is_simulated
    assert bool(room.bus.of(RoundClosed)) is folder_is_simulated
    assert ("set simulated = true" in str(room.recorded(Attempted))) is not folder_is_simulated


async def test_unanswered_rounds_are_tried_again_after_a_while() -> None:
    """With nothing else to do, the room waits `retry_round_s` each time."""
    room = Room(p=Script(refuse(FailureClass.QUOTA), refuse(FailureClass.QUOTA), b"prices"))
    room.service = room.build(retry_round_s=300.0)
    room.service.extend(LISTING, end=END)

    async with working(room.service):
        await eventually(lambda: room.bus.of(RoundClosed))

    assert room.clock.slept == [300.0, 300.0]


async def test_a_new_day_widens_the_round_that_nobody_answers() -> None:
    """There is one question to ask, not one for each day of the outage."""
    script = Script(refuse(FailureClass.QUOTA), b"prices")
    room = Room(p=script)
    await room.acquire()

    await room.acquire(end=date(2024, 6, 10))

    assert [ask.end for ask in script.asks] == [END, date(2024, 6, 10)]


async def test_plans_made_while_the_room_works_are_run() -> None:
    """A new instrument wakes the room; asking for what is covered or on its way changes nothing."""
    room = Room(p=Script(b"prices"))

    async with working(room.service):
        room.service.extend(LISTING, end=END)
        room.service.extend(LISTING, end=END)
        await eventually(lambda: len(room.bus.of(RoundClosed)) == 1)
        room.service.extend(LISTING, end=END)
        room.service.extend([Listed("ins_b", "B")], end=END)
        await eventually(lambda: len(room.bus.of(RoundClosed)) == 2)

    assert [ask.symbol for ask in room.scripts["p"].asks] == ["a", "b"]
    assert room.service.tally.rounds_planned == 2


async def test_a_plan_made_during_a_run_is_not_forgotten_when_idle_ends_it() -> None:
    """Work until idle goes on while there is something new."""
    room = Room(p=Script(b"prices"))
    fetch = room.scripts["p"].fetch

    class Extending:
        async def fetch(self, ask: Ask) -> Answer:
            if ask.symbol == "a":
                room.service.extend([Listed("ins_b", "B")], end=END)
            return await fetch(ask)

    room.providers["p"] = Provider(
        declaration=room.providers["p"].declaration,
        client=Extending(),
        classify=room.scripts["p"].classify,
        decode={},
        spell=str.lower,
    )
    room.service = room.build()

    await room.acquire()

    assert [closed.instrument_id for closed in room.bus.of(RoundClosed)] == [INSTRUMENT, "ins_b"]


async def test_current_listings_are_asked_for() -> None:
    """Of two listings of one instrument the later; without an end of its own the message means the settings' end."""
    room = Room(p=Script(b"prices"))
    listing = {"instrument_id": INSTRUMENT, "symbol": ["META", "FB", "NONE"], "mic": "XNAS"}
    valid = {"valid_from": [date(2022, 6, 9), date(2012, 5, 18), None], "valid_to": [None, date(2022, 6, 9), None]}
    origin = {"ts_known": NOW, "version": 1, "simulated": False}
    room.store.rows["listings"] = filled("listings", 3, listing | valid | origin)
    room.service.subscribe()
    hear = room.bus.handlers["ingestion hears InstrumentsChanged"]

    await hear(InstrumentsChanged(instrument_ids=(INSTRUMENT,), ts_known=NOW))
    await room.service.work(until_idle=True)
    await hear(InstrumentsChanged(instrument_ids=(INSTRUMENT,), ts_known=NOW, end=date(2024, 6, 10)))
    await room.service.work(until_idle=True)

    assert [(ask.symbol, ask.start, ask.end) for ask in room.scripts["p"].asks] == [
        ("meta", START, END),
        ("meta", date(2024, 5, 28), date(2024, 6, 10)),
    ]


async def test_simulated_data_is_marked_everywhere() -> None:
    """Captures, failures and closings of a sandbox say so."""
    room = Room(p=Script(BUSY, b"prices"))
    room.service = room.build(simulated=True)

    await room.acquire()

    assert [entry.simulated for entry in room.archive.entries] == [True, True, True]


async def test_long_words_are_cut_in_the_journal() -> None:
    """A provider's error page is evidence in the archive, not in the journal."""
    room = Room(p=Script(Unreachable("x" * 10_000), b"prices"))

    await room.acquire()

    assert len(room.recorded(Attempted)[0].words) == 500
