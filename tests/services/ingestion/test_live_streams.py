"""Live streams against scripted sockets and a simulated clock."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pipeline_doubles import NOW, DictArchive, Heard, Script, provider
from stream_doubles import PatientClock, ScriptedSockets, Step, WordFeed
from truetape.domain.asks import Answer, Request
from truetape.domain.captures import heard
from truetape.domain.messages import StreamCaptured
from truetape.domain.plans import Budget, Plan
from truetape.domain.ticks import Gap, Tick
from truetape.domain.time import NANOSECONDS
from truetape.ports.feed import Frame
from truetape.ports.http import Unreachable
from truetape.ports.socket import Disconnected
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.connection import Ways
from truetape.services.ingestion.live import Live
from truetape.services.ingestion.streams import StreamsConfig

END = Disconnected("it broke")
LETTERS = {"ins_a": "A", "ins_b": "B", "ins_c": "C"}


class Books:
    """Answer requests over HTTP: first not at all, then with a book."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request.url)
        if len(self.asked) == 1:
            raise Unreachable("busy")
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b'{"book":\n1}')


class Stage:
    """Streams of the provider "p" over doubles."""

    def __init__(
        self,
        *scripts: Sequence[Step] | Disconnected,
        plan: Plan | None = None,
        manners: dict[str, Any] | None = None,
        simulated: bool = False,
        **config: Any,
    ) -> None:
        self.clock = PatientClock(NOW)
        self.bus, self.archive, self.books = Heard(), DictArchive(), Books()
        self.archive.happened = self.bus.happened
        self.sockets = ScriptedSockets(self.clock, *scripts)
        self.feeds: list[WordFeed] = []
        self.noted: list[StreamCaptured] = []
        given = {"channels": {"p": ("trades",)}, "seed": 1, "quiet_s": 1000.0, **config}
        streams = StreamsConfig(**given)
        streaming = replace(provider("p", Script()), feed=lambda: self.feed(manners or {}), spell=str.upper)
        self.providers = {"p": streaming}
        self.live = Live(
            bus=self.bus,
            archive=self.archive,
            clock=self.clock,
            ways=Ways(self.sockets, self.books),
            providers=self.providers,
            budgets={"p": Budget(account="", plan=plan)} if plan else {},
            config=IngestionConfig(start=None, end=None, streams=streams, simulated=simulated),  # type: ignore[arg-type]
            durably=self.durably,
        )

    def feed(self, manners: dict[str, Any]) -> WordFeed:
        self.feeds.append(WordFeed(**manners))
        return self.feeds[-1]

    async def durably(self, write: Callable[[], Any]) -> Any:
        return write()

    async def play(self, *, seconds: float = 3600.0, symbols: dict[str, str] | None = None) -> None:
        """Work for so long on the clock, or until nothing is left to be heard."""
        work = asyncio.create_task(self.live.work(symbols or LETTERS, on_captured=self.noted.append))
        end = asyncio.create_task(self.clock.sleep(seconds))
        await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
        work.cancel()
        end.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    def segments(self) -> list[StreamCaptured]:
        return self.bus.of(StreamCaptured)

    def frames(self) -> list[str | bytes]:
        return [one.frame for segment in self.segments() for one in heard(self.archive.bodies[segment.key])]

    def gaps(self) -> list[Gap]:
        return [gap for segment in self.segments() for gap in segment.gaps]

    def said(self, number: int = 0) -> list[tuple[float, str | bytes]]:
        return [((at - NOW) / NANOSECONDS, frame) for at, frame in self.sockets.opened[number].said]


async def test_a_connection_greets_waits_and_asks_at_the_pace_allowed() -> None:
    """Nothing is asked before the door opens, two symbols a frame, two frames a second."""
    stage = Stage([3.0, "in", "ok", 10.0, END], manners={"ping": "hi", "ping_s": 4.0})
    await stage.play(seconds=12)

    assert [(0.0, "let me in"), (3.0, "trades of A B"), (3.5, "trades of C"), (7.5, "hi"), (11.5, "hi")] == stage.said()


async def test_replies_are_said_at_once() -> None:
    """A ping in the provider's own words gets its pong."""
    stage = Stage(["in", "ping", 5.0, END])
    await stage.play(seconds=3)

    assert "pong" in [frame for _, frame in stage.said()]


async def test_everything_is_archived_and_journalled_before_it_is_told() -> None:
    """Frames with their times, in segments of a second at most; whom they are about; and the gap that went before."""
    stage = Stage([0.25, "in", 0.6, "ok", "A 1.5 100", 1.5, "B 2 5", "Z 1 1", 60.0, END])
    await stage.play(seconds=5)

    assert ["archived", "recorded", "told"] == [what for what, _ in stage.bus.happened][:3]
    assert stage.noted == stage.segments()
    assert ["in", "ok", "A 1.5 100", "B 2 5", "Z 1 1"] == stage.frames()
    first, second = stage.segments()[:2]
    assert (3, {"A": "ins_a", "B": "ins_b", "C": "ins_c"}, 0) == (first.frames, first.instruments, first.number)
    assert first.ts_known - NOW == NANOSECONDS
    assert stage.archive.bodies[first.key].startswith(
        b"wss://words <-> 1717977600.000000000\n1717977600.250000000: in\n"
    )
    assert (2, 1, first.connection) == (second.frames, second.number, second.connection)
    assert {"B": "ins_b"} == second.instruments
    assert [("", 0, "nothing was heard before")] == [(gap.symbol, gap.since, gap.words) for gap in stage.gaps()]


async def test_a_connection_that_ends_is_opened_again_with_longer_waits() -> None:
    """The wait doubles, from half of it to all of it, and begins anew after a connection that lasted."""
    stage = Stage(END, END, END, ["in", 0.6, "ok", "A 1 1", 100.0, END], END)
    await stage.play(seconds=300)

    at = stage.sockets.seconds(NOW)
    waits = [round(later - earlier, 3) for earlier, later in itertools.pairwise(at)]
    assert 0.5 <= waits[0] <= 1 <= waits[1] <= 2 <= waits[2] <= 4
    assert 101.1 <= waits[3] <= 101.6
    assert 1 <= waits[4] <= 2
    again = Stage(END, END, END)
    await again.play(seconds=20)
    assert again.sockets.seconds(NOW)[:4] == at[:4]


async def test_the_time_without_a_connection_is_a_gap() -> None:
    """From the last frame heard to the first news after everything was asked for again, with the reason."""
    stage = Stage(["in", 0.6, "ok", "A 1 1", 2.0, "A 2 1", 9.0, END], END, ["in", "ok", 5.0, "A 3 1", 60.0])
    await stage.play(seconds=40)

    _, gap = stage.gaps()
    assert (gap.symbol, gap.channel, gap.since - NOW) == ("", "connection", 2_600_000_000)
    assert (gap.ts_event - NOW) / NANOSECONDS == pytest.approx(stage.sockets.seconds(NOW)[2] + 5, abs=0.01)
    assert gap.words == "no connection: it broke"
    about = next(one for one in stage.segments() if gap in one.gaps)
    assert set(LETTERS.values()) == set(about.instruments)
    assert about.connection != stage.segments()[0].connection
    ended = [one.ended for one in stage.segments() if one.ended]
    assert "it broke" == ended[0]


async def test_a_mute_connection_is_left() -> None:
    """Nothing for thirty seconds: connect again."""
    stage = Stage(["in", 0.6, "ok", "A 1 1"], ["in", "ok", "A 2 1", 60.0])
    await stage.play(seconds=50)

    assert 2 == len(stage.sockets.opened)
    assert stage.sockets.opened[0].closed
    assert 30.0 <= stage.sockets.seconds(NOW)[1] <= 32.0
    assert "nothing came from here within 30 s" in [one.ended for one in stage.segments()]


async def test_a_gap_that_the_feed_notices_is_told() -> None:
    """In band, for its symbol."""
    stage = Stage(["in", 0.6, "ok", "A 1 1", "gap B", 60.0])
    await stage.play(seconds=3)

    assert ["", "B"] == [gap.symbol for gap in stage.gaps()]
    assert "ins_b" in stage.segments()[0].instruments.values()


@pytest.mark.parametrize(
    ("name", "again"),
    [("auth", None), ("entitlement", None), ("blocked", None), ("conflict", 150.0), ("transient", 0.5)],
)
async def test_a_refusal_ends_the_talk_and_is_said(name: str, again: float | None) -> None:
    """Some for good, some for long; its own words stand among the troubles."""
    stage = Stage([f"refuse {name}", 60.0], END)
    await stage.play(seconds=400)

    trouble = stage.live.tally["p"].troubles["p 0"]
    if again is None:
        assert 1 == len(stage.sockets.asked)
        assert f"no: {name}; it is not tried again" == trouble
    else:
        assert again <= stage.sockets.seconds(NOW)[1] <= 2 * again
    assert f"no: {name}" == stage.segments()[-1].ended
    assert stage.clock.now_ns() <= NOW + 401 * NANOSECONDS


async def test_a_refused_handshake_is_judged_by_its_status() -> None:
    """401 is for good."""
    answer = Answer(url="wss://words", status=401, content_type="", headers={}, body=b"bad key")
    stage = Stage(Disconnected("HTTP 401", answer=answer))
    await stage.play()

    assert 1 == len(stage.sockets.asked)
    assert "HTTP 401; it is not tried again" == stage.live.tally["p"].troubles["p 0"]


async def test_a_refusal_of_one_symbol_goes_on() -> None:
    """The others are heard all the same."""
    stage = Stage(["in", "refuse permanent", "what?", "A 1 1", 60.0])
    await stage.play(seconds=3)

    assert "A 1 1" in stage.frames()


async def test_a_provider_that_does_not_let_us_in_is_left() -> None:
    """After the time that it has for it."""
    stage = Stage([60.0])
    await stage.play(seconds=15.4)

    assert "the provider did not let us in within 15 s" == stage.segments()[-1].ended


async def test_symbols_beyond_the_plan_are_left_out_and_named() -> None:
    """Two connections with one symbol each leave one symbol out."""
    stage = Stage(["in", 60.0], ["in", 60.0], plan=Plan(streams=2, stream_symbols=1))
    await stage.play(seconds=5)

    asked = sorted(str(socket.said[1][1]) for socket in stage.sockets.opened)
    assert ["trades of A", "trades of B"] == asked
    assert {"the plan allows 2 connections with 1 symbols each": ("C",)} == stage.live.tally["p"].left_out


async def test_a_full_archive_holds_the_connection_back_and_then_ends_it() -> None:
    """Everything that was heard is kept; what comes after is a gap with its reason."""
    many: list[Step] = [f"A {number} 1" for number in range(1, 400)]
    stage = Stage(["in", "ok", *many, 60.0], ["in", "ok", 60.0], segment_bytes=60, segments_waiting=3, patience_s=10.0)
    gate = asyncio.Event()

    async def slow(write: Callable[[], Any]) -> Any:
        await gate.wait()
        return write()

    stage.live._durably = slow
    work = asyncio.create_task(stage.live.work(LETTERS, on_captured=stage.noted.append))
    await stage.clock.sleep(15)
    received = stage.sockets.opened[0].position
    assert stage.sockets.opened[0].closed
    gate.set()
    await stage.clock.sleep(10)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    steps = [step for step in stage.sockets.opened[0].steps[:received] if isinstance(step, str)]
    assert received < 100
    assert steps == stage.frames()[: len(steps)]
    assert "no connection: news came faster than they were kept for 10 s" in [gap.words for gap in stage.gaps()]


async def test_a_quiet_connection_says_that_it_lives() -> None:
    """An empty segment now and then."""
    stage = Stage(["in", "ok", 29.0, "A 1 1", 29.0], quiet_s=10.0)
    await stage.play(seconds=35)

    assert [2, 0, 0, 0, 1] == [one.frames for one in stage.segments()][:5]
    assert [1, 6, 16, 26, 29] == [(one.ts_known - NOW) // NANOSECONDS for one in stage.segments()][:5]


async def test_what_a_feed_wants_to_know_is_asked_and_archived() -> None:
    """Over HTTP, again if nobody answers; the answer is a line of the segment."""
    stage = Stage(["in", "ok", "want https://words/book", 20.0, "A 1 1", 60.0])
    await stage.play(seconds=25)

    assert ["https://words/book"] * 2 == stage.books.asked
    assert ("https://words/book", b'{"book":\n1}') in stage.feeds[-1].fetched_bodies
    assert b'{"book":\n1}' in stage.frames()


async def test_no_stream_is_no_disaster() -> None:
    """A provider without one is named among the troubles."""
    stage = Stage(channels={"q": ("trades",)})
    await stage.play()

    assert {"q": "it has no stream, or is not enabled"} == stage.live.tally["q"].troubles


async def test_stopping_loses_nothing_that_was_heard() -> None:
    """The last frames are archived and told before the work ends."""
    stage = Stage(["in", 0.6, "ok", "A 1 1", 60.0])
    await stage.play(seconds=0.7)

    assert ["in", "ok", "A 1 1"] == stage.frames()
    assert "we stopped to listen" == stage.segments()[-1].ended


async def test_a_provider_that_was_heard_before_has_a_gap_since_then() -> None:
    """The time between two processes is one."""
    stage = Stage(["in", 0.6, "ok", "A 1 1", 60.0])
    stage.live.heard_until = {"p": NOW - 100 * NANOSECONDS}
    await stage.play(seconds=3)

    assert [NOW - 100 * NANOSECONDS] == [gap.since for gap in stage.gaps()]


async def test_what_a_provider_does_not_trade_is_not_asked_of_it() -> None:
    """A coin is nothing to a provider of shares; it is named among what is left out."""
    stage = Stage(["in", 60.0])
    work = asyncio.create_task(
        stage.live.work(LETTERS, assets={"ins_a": "equity", "ins_b": "crypto"}, on_captured=stage.noted.append)
    )
    await stage.clock.sleep(5)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    assert "trades of A C" in [frame for _, frame in stage.said()]
    assert {"it has only equity": ("B",)} == stage.live.tally["p"].left_out


async def test_a_mistake_in_one_providers_code_stops_no_other() -> None:
    """It is named, and tried again after long."""
    stage = Stage(["in", "in", 60.0])
    stage.providers["p"] = replace(stage.providers["p"], feed=BrokenFeed)
    await stage.play(seconds=10)
    words = "the code that hears p failed with KeyError; report it to its maintainer"
    assert stage.live.tally["p"].troubles["p 0"].startswith(f"{words}; again at")
    assert words != stage.segments()[-1].ended

    stage = Stage(["in", 60.0])
    stage.providers["p"] = replace(stage.providers["p"], spell={"A": "A"}.__getitem__)
    await stage.play(seconds=10)
    assert {"p": words} == stage.live.tally["p"].troubles


class BrokenFeed(WordFeed):
    """Fail at the first frame."""

    def receive(self, frame: Frame, ts_known: int) -> list[Tick]:
        raise KeyError(frame)


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_live_platform_does_not_listen_to_a_sandbox(allowed: bool) -> None:
    """Nothing is said to it, nothing is kept, and it is left alone for long; a simulated platform listens."""
    stage = Stage(["in", "ok", "A 1 1", 60.0, END], simulated=allowed)
    stage.sockets.simulated = True
    await stage.play(seconds=5)

    assert allowed == bool(stage.segments())
    assert allowed == bool(stage.said())
    assert stage.sockets.opened[0].closed
    if not allowed:
        [words] = stage.live.tally["p"].troubles.values()
        assert words.startswith("the host is a sandbox and sends simulated data; set simulated = true")
        assert 1 == len(stage.sockets.asked)
