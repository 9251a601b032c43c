"""Checks 96 to 100: a live feed says what it is, asks in portions, keeps its key and survives what servers say."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Final

from truetape.app.conformance.asked import holds_key
from truetape.app.conformance.bench import Bench, Broken, Unshown, insist
from truetape.app.conformance.market import CLASS_SHARE, COIN, OTHER_COIN, STOCK
from truetape.app.conformance.registry import demand
from truetape.app.conformance.subject import Subject
from truetape.ports.feed import Feed, Frame

CHANNELS: Final = ("trades", "quotes", "bars", "book")
HOSTILE: Final[tuple[Frame, ...]] = (
    "",
    "null",
    "[]",
    "{}",
    '{"type": null}',
    '[{"T": "t"}]',
    "[" * 200_000,
    '{"a":' * 100_000,
    "\x00",
    "not JSON",
    '{"price": 1e999}',
    b"",
    b"\xff" * 64,
    bytes(range(256)),
    b"\x92\xc1",
    b"\xdd\xff\xff\xff\xff",
)
_KNOWN_NS: Final = 1_711_670_400_000_000_000
_MANY: Final = 230  # symbols that are subscribed to


def streaming(subject: Subject) -> str:
    """Select the providers that have a live feed."""
    return "" if Bench(subject).provider.feed is not None else "it has no live feed"


@demand(
    96, "feed's address", "A feed is heard at a WebSocket's or an event stream's address that shows no key.", streaming
)
async def address(bench: Bench) -> None:
    """Look at where every channel is heard."""
    for channel in CHANNELS:
        place = _feed(bench).endpoint(_symbols(bench, 2), [channel])
        insist(place.url.startswith(("wss://", "ws://", "https://", "http://")), f"{channel} are heard at {place.url}")
        insist(not holds_key(f"{place.url} {place.headers}"), f"the key stands in the open in the address of {channel}")
        again = _feed(bench).endpoint(_symbols(bench, 2), [channel])
        insist(again == place, f"{channel} are heard at {place.url}, and then at {again.url}")


@demand(97, "feed's manners", "A feed's silence, pace and portions are numbers that can be kept.", streaming)
async def manners(bench: Bench) -> None:
    """Look at its manners."""
    one = _feed(bench).manners
    insist(0 < one.silent_s < math.inf, f"silence is judged after {one.silent_s} s")
    insist(0 < one.frames_per_second < math.inf, f"{one.frames_per_second} frames may be said in a second")
    insist(one.symbols_per_frame >= 1, f"{one.symbols_per_frame} symbols go into a frame")
    insist(not one.ping or one.ping_s > 0, "a ping is said at no time")
    insist(one.max_frame_bytes > 0, f"frames have at most {one.max_frame_bytes} bytes")


@demand(
    98,
    "subscriptions",
    "Symbols are subscribed to in portions as small as the manners have them, none left out.",
    streaming,
)
async def subscriptions(bench: Bench) -> None:
    """Subscribe to many symbols, in lists that share a connection."""
    wanted = _symbols(bench, _MANY)
    parts = _feed(bench).part(wanted)
    insist(sorted(one for part in parts for one in part) == sorted(wanted), "sharing out lost or doubled a symbol")
    asked = 0
    for channel in CHANNELS:
        for part in parts:
            feed = _feed(bench)
            frames = [_text(frame) for frame in feed.subscribe(part, [channel])]
            asked += len(frames)
            counts = [sum(_names(symbol, frame) for symbol in part) for frame in frames]
            most = feed.manners.symbols_per_frame
            insist(max(counts, default=0) <= most, f"{max(counts, default=0)} symbols in a frame, the most is {most}")
            if sum(counts):
                lost = [symbol for symbol in part if not any(_names(symbol, frame) for frame in frames)]
                insist(not lost, f"{lost[:3]} of {channel} were not subscribed to")
    if not asked and not _feed(bench).manners.at_connect:
        raise Unshown("it subscribes to none of the usual channels by itself")


@demand(99, "hostile frames", "Whatever a server says, a feed goes on and never raises.", streaming)
async def hostile_frames(bench: Bench) -> None:
    """Say nonsense, then frames changed at random."""
    feed = _feed(bench)
    feed.endpoint(_symbols(bench, 2), ["trades"])
    said = [*feed.greet(), *feed.subscribe(_symbols(bench, 2), ["trades"])]
    for frame in (*HOSTILE, *said, *_changed(said)):
        try:
            feed.receive(frame, _KNOWN_NS)
            feed.replies()
        except Exception as error:
            raise Broken(f"{frame[:60]!r} raised {type(error).__name__}: {str(error)[:160]}") from error


@demand(100, "feeds apart", "Each conversation is made anew: it keeps nothing of another, and tells no key.", streaming)
async def apart(bench: Bench) -> None:
    """Look at two conversations after one of them heard something."""
    first, second = _feed(bench), _feed(bench)
    insist(first is not second, "the second conversation was the first one")
    before = first.greet(), second.greet()
    insist(before[0] == before[1], "two conversations began differently")
    first.subscribe(_symbols(bench, 2), ["trades"])
    insist(not second.tracks, "a new conversation has counted something")
    insist(not holds_key(f"{first!r} {second!r}"), "the key was told")


def _feed(bench: Bench) -> Feed:
    make = bench.provider.feed
    assert make is not None
    return make()


def _symbols(bench: Bench, count: int) -> list[str]:
    usual = (COIN, OTHER_COIN) if bench.ours() == COIN else (STOCK, CLASS_SHARE)
    made = [f"Q{number}X/USD" if bench.ours() == COIN else f"Q{number}X" for number in range(count - len(usual))]
    return [bench.provider.spell(symbol) for symbol in (*usual, *made)]


def _text(frame: Frame) -> str:
    return frame.lower() if isinstance(frame, str) else frame.decode("latin-1").lower()


def _names(symbol: str, frame: str) -> bool:
    return symbol.lower() in frame


def _changed(said: list[Frame]) -> Iterator[Frame]:
    chance = random.Random(7)  # noqa: S311 - a rehearsal, no secret
    for frame in said:
        for _ in range(20):
            body = bytearray(frame.encode() if isinstance(frame, str) else frame)
            if body:
                body[chance.randrange(len(body))] = chance.randrange(256)
            yield bytes(body) if isinstance(frame, bytes) else body.decode("utf-8", errors="replace")
