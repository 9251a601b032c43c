"""Checks 83 to 95 and 103: bytes that are not what they should be, drifting schemas, networks that are not there."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.conformance.asked import Recorder
from truetape.app.conformance.bench import KEY, Bench, Page, Unshown, insist
from truetape.app.conformance.market import CALM, SPRING
from truetape.app.conformance.registry import always, demand, desk, network
from truetape.app.sandbox.desk import Reply
from truetape.app.sandbox.faults import Fault, Kind
from truetape.app.sandbox.tamper import drift
from truetape.domain.decoding import MAX_BYTES
from truetape.ports.http import Unreachable

GARBAGE: Final = (
    b"\x00" * 64,
    bytes(range(256)),
    b"null",
    b"0",
    b'""',
    b"[[]]",
    b"[null]",
    b'{"": null}',
    b"OK",
    b"\xef\xbb\xbf",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"a,b,c\n1,2,3\n",
    b'{"data": []',
)
DEEP: Final = (b"[" * 200_000, b'{"a":' * 100_000, b"[" * 200_000 + b"]" * 200_000, b"<a>" * 100_000)
ODD: Final = ("1e999", "-1e999", "9" * 400, "NaN", "Infinity", '"NaN"', '"inf"', "true", '""', "{}", "[]")
FAULTS: Final[tuple[Kind, ...]] = (
    "rate_limit",
    "note",
    "server_error",
    "time_out",
    "truncated",
    "kill",
    "mute",
    "slow",
    "garbage",
    "wrong_type",
    "redirect_loop",
)
_CUTS: Final = 25
_PLACES: Final = 3
_MARK: Final = "@@here@@"
_DECIMAL: Final = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")


@demand(83, "garbage", "Bytes that are no answer of it end in a stated defect or without rows, in every kind.", always)
async def garbage(bench: Bench) -> None:
    """Decode and classify nonsense."""
    for body in GARBAGE:
        bench.provider.classify(bench.answered(Reply(200, body)))
        for kind in bench.provider.decode:
            frame = bench.end_of(kind, body)
            insist(frame is None or frame.is_empty(), f"{body[:40]!r} was read as {kind}")


@demand(84, "deep nesting", "A body nested too deeply is a stated defect.", always)
async def nested(bench: Bench) -> None:
    """Decode and classify nests."""
    for body in DEEP:
        bench.provider.classify(bench.answered(Reply(200, body)))
        for kind in bench.provider.decode:
            frame = bench.end_of(kind, body)
            insist(frame is None or frame.is_empty(), f"a nest of {len(body)} bytes was read as {kind}")


@demand(85, "size", "A body larger than 64 MiB is a stated defect, before anything reads it.", always)
async def oversized(bench: Bench) -> None:
    """Decode blanks of that size."""
    blanks = b" " * (MAX_BYTES + 1)
    for kind in bench.provider.decode:
        frame = bench.end_of(kind, blanks)
        insist(frame is None, f"{len(blanks)} bytes were read as {kind}")


@demand(86, "empty body", "An empty body with status 200 is no data.", always)
async def empty_body(bench: Bench) -> None:
    """Classify and decode nothing."""
    failure = bench.provider.classify(bench.answered(Reply(200, b"")))
    for kind in bench.provider.decode:
        frame = bench.end_of(kind, b"")
        insist(failure is not None or frame is None, f"an empty body was taken for {kind}")
        insist(frame is None or frame.is_empty(), f"an empty body had rows of {kind}")


@demand(87, "cut bodies", "A body that was cut is never read as if it were whole with other rows in it.", network, desk)
async def cut_bodies(bench: Bench) -> None:
    """Cut a sound answer of each kind in many places."""
    for page in await _sound(bench):
        kind, body = page.ask.kind, page.answer.body
        for number in range(1, _CUTS):
            end = max(1, len(body.rstrip()) * number // _CUTS - 1)
            part = body[:end]
            if bench.provider.classify(bench.answered(Reply(200, part, page.answer.content_type))) is not None:
                continue
            frame = bench.end_of(kind, part, page.ask)
            known = frame is None or frame.join(page.frame, on=frame.columns, how="anti", nulls_equal=True).is_empty()
            insist(known, f"{kind} cut after {end} of {len(body)} bytes had rows that the whole has not")


@demand(88, "field renamed", "Rows whose field was renamed are a stated defect.", desk)
async def renamed(bench: Bench) -> None:
    """Rename the field that the desk calls its drifting one."""
    await _drifted(bench, "rename")


@demand(89, "field of another type", "Rows whose field became an object are a stated defect.", desk)
async def retyped(bench: Bench) -> None:
    """Make the desk's drifting field an object."""
    await _drifted(bench, "type")


@demand(
    90,
    "null and odd numbers",
    "A number that is null, no number or endless is missing or a stated defect; never NaN.",
    desk,
)
async def odd_numbers(bench: Bench) -> None:
    """Put odd values in the places of numbers, one at a time."""
    for page in await _sound(bench):
        for body in _spoilt(page.answer.body, ("null", *ODD)):
            frame = bench.end_of(page.ask.kind, body, page.ask)
            if frame is None:
                continue
            floats = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
            odd = [name for name in floats if not frame[name].drop_nulls().is_finite().all()]
            insist(not odd, f"{page.ask.kind} held numbers that are none in {odd}")


@demand(91, "bytes at random", "Bytes changed at random end in rows or in a stated defect.", desk)
async def random_bytes(bench: Bench) -> None:
    """Change bytes of sound answers."""
    chance = random.Random(7)  # noqa: S311 - a rehearsal, no secret
    for page in await _sound(bench):
        for _ in range(60):
            body = bytearray(page.answer.body[:4_000])
            for _ in range(chance.randint(1, 4)):
                body[chance.randrange(len(body))] = chance.randrange(256)
            bench.provider.classify(bench.answered(Reply(chance.choice((200, 200, 404, 429, 599)), bytes(body))))
            bench.end_of(page.ask.kind, bytes(body), page.ask)


@demand(92, "reading is pure", "Equal bytes give equal rows, whatever was read before.", desk)
async def pure(bench: Bench) -> None:
    """Read one answer, then others, then the first one again."""
    pages = await _sound(bench)
    for page in pages:
        for other in (*pages, page):
            bench.end_of(other.ask.kind, other.answer.body, other.ask)
            bench.end_of(page.ask.kind, b"{", page.ask)
        again = bench.end_of(page.ask.kind, page.answer.body, page.ask)
        insist(again is not None and again.equals(page.frame), f"{page.ask.kind} read again were not the same")
        twice = [bench.provider.classify(page.answer) for _ in range(2)]
        insist(twice[0] == twice[1], f"{page.ask.kind} were classified in two ways")


@demand(93, "no network", "Where no answer comes, the client says Unreachable.", network)
async def no_network(bench: Bench) -> None:
    """Ask everything over a network that is down."""
    for offer in bench.subject.asked:
        provider = bench.subject.build(Recorder(), bench.base_url, KEY)
        try:
            await provider.client.fetch(bench.ask(offer.kind, timeframe=(offer.timeframes or ("1d",))[0]))
        except Unreachable:
            continue
        insist(holds=False, words=f"without a network, {offer.kind} were answered")


@demand(94, "cancelled", "A question that is cancelled ends at once and leaves nothing running.", network)
async def cancelled(bench: Bench) -> None:
    """Cancel a question that waits for ever."""
    before = asyncio.all_tasks()
    for offer in bench.subject.asked:
        recorder = Recorder(hangs=True)
        client = bench.subject.build(recorder, bench.base_url, KEY).client
        task = asyncio.create_task(_fetched(client.fetch(bench.ask(offer.kind, start=CALM[0], end=CALM[1]))))
        await asyncio.sleep(0.01)
        if task.done() and task.exception() is not None and not recorder.sent:
            continue
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=1.0)
        insist(done, f"asking for {offer.kind} did not end when it was cancelled")
        insist(task.cancelled(), f"asking for {offer.kind} swallowed its cancelling")
    insist(asyncio.all_tasks() == before, "a task was left running")


@demand(
    95, "asked again after a failure", "A failed question leaves the client as it was: the next one is answered.", desk
)
async def asked_again(bench: Bench) -> None:
    """Fail once, and ask again."""
    failing = [True]

    def once(_request: object, reply: Reply) -> Reply:
        if failing:
            failing.clear()
            raise Unreachable("the connection broke")
        return reply

    shaken = Bench(bench.subject, tamper=once)
    sound = (await _sound(bench))[0]
    try:
        await shaken.provider.client.fetch(sound.ask)
    except Unreachable:
        answer = await shaken.provider.client.fetch(sound.ask)
        insist(answer.body == sound.answer.body, "the answer after a failure was another one")


@demand(
    103, "faults of the sandbox", "Whatever the sandbox does to an answer is told, and the next answer is sound.", desk
)
async def sandbox_faults(bench: Bench) -> None:
    """Ask once under every fault that is over after one answer, and once again."""
    sound = (await _sound(bench))[0]
    for kind in FAULTS:
        shaken = Bench(bench.subject, script=(Fault(provider="*", kind=kind),))
        first = await _once(shaken, sound, kind)
        insist(first is None or first.is_empty(), f"under the fault {kind} there were rows that are not so")
        again = await shaken.page(sound.ask)
        insist(again.frame.equals(sound.frame), f"after the fault {kind} the next answer was not sound")


async def _once(bench: Bench, sound: Page, kind: str) -> pl.DataFrame | None:
    """Return the rows of an answer under a fault that the whole answer has not; None where it was told as a failure."""
    try:
        answer = await bench.provider.client.fetch(sound.ask)
    except Unreachable:
        return None
    if bench.provider.classify(answer) is not None:
        return None
    frame = bench.end_of(sound.ask.kind, answer.body, sound.ask)
    insist(frame is not None or kind == "garbage", f"the fault {kind} was taken for data that could not be read")
    return None if frame is None else frame.join(sound.frame, on=frame.columns, how="anti", nulls_equal=True)


async def _fetched(asking: Any) -> None:
    await asking


async def _sound(bench: Bench) -> list[Page]:
    """Return a short sound answer of each kind that the desk answers."""
    found = []
    for offer in bench.subject.asked:
        timeframe = "1d" if "1d" in offer.timeframes else (offer.timeframes or ("1d",))[0]
        ask = bench.ask(offer.kind, timeframe=timeframe, start=SPRING[0], end=SPRING[1])
        page = await bench.page(ask, kind=offer.kind)
        if page.failure is None and not page.frame.is_empty():
            found.append(page)
    if not found:
        raise Unshown("the desk answered none of its kinds")
    return found


async def _drifted(bench: Bench, change: Any) -> None:
    fault = Fault(provider="*", kind="drift", change=change)
    tried = 0
    for page in await _sound(bench):
        body = _drift(page.answer.body, fault, field=bench.desk.drifting)
        if body is None or body == page.answer.body:
            continue
        tried += 1
        frame = bench.end_of(page.ask.kind, body, page.ask)
        insist(frame is None, f"{page.ask.kind} were read although {bench.desk.drifting} was changed")
        return
    if not tried:
        raise Unshown(f"no answer of the desk has a field {bench.desk.drifting!r}")


def _drift(body: bytes, fault: Fault, *, field: str) -> bytes | None:
    """Return `body` with `field` changed, of a table in text its heading; None where it cannot be."""
    try:
        return drift(body, fault, field=field)
    except (ValueError, KeyError, TypeError):
        heading, end, rows = body.partition(b"\n")
        known = fault.change == "rename" and field.encode() in heading
        return heading.replace(field.encode(), b"renamed", 1) + end + rows if known else None


def _spoilt(body: bytes, odd: tuple[str, ...]) -> Iterator[bytes]:
    """Give `body` with each of `odd` in place of each of its last numbers."""
    for marked in _marked(body):
        for value in odd:
            yield marked.replace(f'"{_MARK}"', value).replace(_MARK, value.strip('"')).encode()


def _marked(body: bytes) -> list[str]:
    """Return `body` as text with a mark in place of one of its last numbers, for each of them."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        text = body.decode(errors="ignore")
        places = list(_DECIMAL.finditer(text))[-_PLACES:]
        return [f"{text[: place.start()]}{_MARK}{text[place.end() :]}" for place in places]
    marked = []
    for path in _numbers(document)[-_PLACES:]:
        copy = msgspec.json.decode(body)
        parent = copy
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = _MARK
        marked.append(json.dumps(copy))
    return marked


def _numbers(document: Any) -> list[tuple[Any, ...]]:
    """Return the paths of the first few hundred numbers of a JSON value, numbers in texts too."""
    found: list[tuple[Any, ...]] = []
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), document)]
    while waiting and len(found) < 300:  # noqa: PLR2004 - enough to reach the rows
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*path, name), part) for name, part in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, place), part) for place, part in enumerate(value[:50])]
        elif _is_number(value):
            found.append(path)
    return [path for path in found if path]


def _is_number(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number or (isinstance(value, str) and value.replace(".", "", 1).isdigit())
