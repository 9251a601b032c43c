"""Every check of the kit can fail: a sound provider stands them all, and each flaw is found by its own check."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

import broken_clients as clients
import msgspec
import polars as pl
import pytest
from flaws import (
    DAY,
    Flaw,
    called,
    classed,
    client,
    column,
    declared,
    decoding,
    desk,
    dropped,
    feeding,
    following,
    made,
    more,
    offered,
    rows,
    sending,
    taken,
    without,
)
from model_vendor import MODEL, ModelDesk, error, spell

from truetape.app.conformance import CHECKS, Subject, examine
from truetape.app.conformance.bench import KEY
from truetape.app.conformance.failing import HTML
from truetape.app.sandbox.desk import Query, Reply
from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.capability import Offer
from truetape.domain.errors import UndecodablePayload
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Allowance
from truetape.domain.schema import DECODED, INSTANT, empty
from truetape.ports.feed import Endpoint, Manners
from truetape.ports.http import Http
from truetape.ports.provider import Provider

SLOW = {44, 62, 85, 87, 90, 91, 92, 94, 103}  # run for their own flaws only
NANS = pl.lit(float("nan")).alias("close")
STAMPS = pl.col("ts_event")


def shifted(by: timedelta) -> pl.Expr:
    return (STAMPS + by).cast(INSTANT).alias("ts_event")


def spelled(special: dict[str, str]) -> Flaw:
    return made(lambda provider: replace(provider, spell=lambda symbol: special.get(symbol) or spell(symbol)))


def unread(kind: str, words: str) -> Flaw:
    """A decoder that takes a certain defect for no rows."""

    def lenient(sound: Any, body: bytes, ask: Ask) -> pl.DataFrame:
        try:
            frame: pl.DataFrame = sound(body, ask)
        except UndecodablePayload as defect:
            if words not in defect.reason:
                raise
            return empty(DECODED[kind])
        return frame

    return decoding(kind, lenient)


def raising(when: Any, fault: Exception) -> Flaw:
    def decode(sound: Any, body: bytes, ask: Ask) -> pl.DataFrame:
        if when(body):
            raise fault
        frame: pl.DataFrame = sound(body, ask)
        return frame

    return decoding("bars", decode)


def instead(when: Any, frame: Any) -> Flaw:
    def decode(sound: Any, body: bytes, ask: Ask) -> pl.DataFrame:
        made_up: pl.DataFrame = frame(sound, body, ask) if when(body) else sound(body, ask)
        return made_up

    return decoding("bars", decode)


def both(*flaws: Flaw) -> Flaw:
    def flaw(one: Subject) -> Subject:
        for each in flaws:
            one = each(one)
        return one

    return flaw


def remembering() -> Flaw:
    """A decoder that is another one after a body that it could not read."""
    last = [b""]

    def decode(sound: Any, body: bytes, ask: Ask) -> pl.DataFrame:
        before, last[0] = last[0], body
        frame: pl.DataFrame = sound(body, ask)
        return frame.tail(1) if before == b"{" else frame

    return decoding("bars", decode)


def early(one: Subject) -> Subject:
    """A provider that asks something when it is made."""

    def build(http: Http, base: str, key: str) -> Provider:
        sending_now = http.send(Request(url=f"{base}/hello"))
        try:
            sending_now.send(None)
        except Exception:  # noqa: BLE001 - whatever comes of it
            return one.build(http, base, key)
        sending_now.close()
        return one.build(http, base, key)

    return replace(one, build=build)


def crooked(one: Subject) -> Subject:
    return replace(one, build=lambda http, base, key: one.build(http, f"{base}x" if base[-1] == "/" else base, key))


def numbered() -> Flaw:
    numbers = count()
    return sending(
        lambda request, _: msgspec.structs.replace(request, params={**request.params, "n": str(next(numbers))})
    )


def opened(request: Request, key: str) -> Request:
    return msgspec.structs.replace(request, params={**request.params, "apikey": key})


def climbing(request: Request, _key: str) -> Request:
    up = "/../../x" if ".." in request.params["symbol"] else ""
    return msgspec.structs.replace(request, url=request.url + up)


def marked(marks: dict[str, str], *, kind: str = "bars") -> Flaw:
    """Pages that go on elsewhere than the answer says."""

    def change(sound: Ask | None, _answer: Answer, ask: Ask) -> Ask | None:
        if sound is None or ask.kind != kind:
            return sound
        return msgspec.structs.replace(sound, page=marks.get(sound.page, sound.page))

    return following(change)


def endless(sound: Ask | None, _answer: Answer, ask: Ask) -> Ask | None:
    long = ask.timeframe == "1m" and ask.start is not None and ask.start > date(2024, 3, 15)
    return msgspec.structs.replace(ask, page=str(int(ask.page or 0) + 7)) if long else sound


def renamed_symbol(sound: Ask | None, _answer: Answer, ask: Ask) -> Ask | None:
    return msgspec.structs.replace(sound, symbol=f"{ask.symbol.rstrip('~')}~") if sound else None


def invented(sound: Any, body: bytes, ask: Ask) -> pl.DataFrame:
    try:
        frame: pl.DataFrame = sound(body, ask)
    except UndecodablePayload:
        return pl.DataFrame([{"symbol": "made up"}], schema=DECODED["bars"])
    return frame


def said(words: bytes) -> Any:
    return lambda answer: answer.status == 200 and words in answer.body


def unlike(failure_class: FailureClass) -> Flaw:
    body = ModelDesk.refusals[failure_class].body
    other = FailureClass.TRANSIENT if failure_class is FailureClass.PERMANENT else FailureClass.PERMANENT
    return called(other, lambda answer: answer.status == 200 and answer.body == body)


def impatient(*, numbers: bool) -> Flaw:
    def change(sound: Failure | None, answer: Answer) -> Failure | None:
        waits = answer.headers.get("retry-after", "")
        if sound is None or not waits or waits.isdigit() is not numbers:
            return sound
        return msgspec.structs.replace(sound, retry_after_s=None)

    return classed(change)


def forgotten(sound: Failure | None) -> Failure | None:
    return sound and msgspec.structs.replace(sound, retry_after_s=None)


def without_hours(_desk: ModelDesk, query: Query) -> Reply | None:
    if query.params.get("timeframe") == "1h":
        return error("not in your plan")
    return ModelDesk().refusal(query)


FLAWS: dict[int, Flaw] = {
    1: declared(title=" "),
    2: declared(key_variable="model key"),
    3: more(Offer(kind="quotes")),
    4: offered("bars", timeframes=("1w", "1d", "1h", "1m")),
    5: declared(zone="Mars/Olympus"),
    6: offered("quotes", basis="odd"),
    7: offered("bars", depth_days={"1mo": 30}),
    8: offered("bars", with_bars=True),
    9: declared(trust=0.0),
    10: without("observations"),
    11: lambda one: replace(one, plans=b'as_of = "2026-11"\ndefault = "free"\n[plans.free]\n'),
    12: lambda one: replace(one, plans=(one.plans or b"") + b"weights = { candles = 2 }\n"),
    13: spelled({"BTC/USD": "BTC USD"}),
    14: desk(ours=lambda _desk, symbol: symbol.replace("_", "/")),
    15: spelled({"BRK.A": "BRK-B"}),
    16: numbered(),
    17: crooked,
    18: sending(climbing),
    19: sending(opened),
    20: client(clients.Telling),
    21: called(FailureClass.PERMANENT, lambda answer: answer.status == 401),
    22: early,
    23: column(pl.col("close") + 0.01, start=date(2024, 2, 21), end=date(2024, 2, 21)),
    24: dropped(date(2024, 1, 12)),
    25: dropped(date(2024, 1, 31)),
    26: dropped(date(2024, 3, 28)),
    27: rows(lambda frame: frame.reverse(), start=date(2023, 12, 11), end=date(2023, 12, 15)),
    28: rows(lambda frame: pl.concat([frame, frame]), start=date(2023, 12, 18), end=date(2023, 12, 22)),
    29: column(shifted(timedelta(hours=9)), start=date(2023, 10, 9), end=date(2023, 10, 13)),
    30: column(shifted(DAY), start=date(2024, 3, 11), end=date(2024, 3, 12)),
    31: column(shifted(DAY), start=date(2023, 11, 6), end=date(2023, 11, 7)),
    32: dropped(date(2023, 11, 24)),
    33: called(FailureClass.PERMANENT, lambda answer: "from=2024-02-24" in answer.url),
    34: called(FailureClass.PERMANENT, lambda answer: "from=2001" in answer.url),
    35: called(FailureClass.TRANSIENT, lambda answer: b"wrong symbol ZZZZQ" in answer.body),
    36: column(pl.lit("raw").alias("basis"), start=date(2024, 1, 17), end=date(2024, 1, 24)),
    37: column(pl.col("close") * 2, start=date(2023, 10, 16), end=date(2023, 10, 20)),
    38: column(pl.lit("X").alias("symbol"), start=date(2023, 11, 13), end=date(2023, 11, 15)),
    39: column(pl.lit("US$").alias("currency"), start=date(2023, 11, 27), end=date(2023, 11, 29)),
    40: column(pl.lit(None, pl.Boolean).alias("running"), start=date(2023, 12, 4), end=date(2023, 12, 6)),
    41: column(pl.lit(-1.0).alias("adj_close"), start=date(2024, 2, 5), end=date(2024, 2, 7)),
    42: client(clients.Confused),
    43: decoding(
        "observations",
        lambda sound, body, ask: (
            sound(body, ask).select("period") if ask.start == date(2024, 2, 20) else sound(body, ask)
        ),
    ),
    44: desk(refusal=without_hours),
    45: column(shifted(timedelta(hours=1)), start=date(2024, 3, 13), end=date(2024, 3, 13), timeframe="1m"),
    46: column(pl.col("high") + 5, start=date(2024, 2, 27), end=date(2024, 2, 27), timeframe="1m"),
    47: column(shifted(timedelta(hours=3)), start=date(2023, 11, 24), end=date(2023, 11, 24), timeframe="1m"),
    48: column(pl.lit("split").alias("basis"), start=date(2024, 3, 7), end=date(2024, 3, 7), timeframe="1m"),
    49: column(pl.when(pl.col("type") == "dividend").then(9.0).otherwise("value").alias("value"), kind="actions"),
    50: column(pl.when(pl.col("type") == "split").then(0.5).otherwise("value").alias("value"), kind="actions"),
    51: rows(lambda frame: pl.concat([frame, frame.tail(1)]), kind="actions"),
    52: column(pl.col("price") * 100, kind="quotes"),
    53: column(pl.col("size") * 2, kind="trades", start=date(2024, 2, 28), end=date(2024, 2, 28)),
    54: column(pl.lit("1").alias("trade_id"), kind="trades", start=date(2024, 2, 29), end=date(2024, 2, 29)),
    55: column(pl.lit("alive").alias("status"), kind="listings"),
    56: column(pl.lit("euro").alias("base"), kind="fx_rates"),
    57: column(pl.col("level") + 1, kind="index_levels"),
    58: column(pl.lit(date(2020, 1, 1)).alias("known_to"), kind="observations"),
    59: following(endless),
    60: marked({"1400": "1399"}),
    61: marked({"700": "1200"}),
    62: client(clients.Forgetful),
    63: both(following(renamed_symbol), desk(ours=lambda _desk, one: ModelDesk().ours(one.rstrip("~")))),
    64: following(lambda sound, answer, ask: ask if answer.body == b"{}" else sound),
    **{65 + place: unlike(one) for place, one in enumerate(FailureClass)},
    74: called(
        FailureClass.TRANSIENT,
        lambda answer: answer.status == 429 and not {"retry-after", "x-reset"} & set(answer.headers),
    ),
    75: impatient(numbers=True),
    76: impatient(numbers=False),
    77: taken(said(b"slow down, please")),
    78: called(FailureClass.PERMANENT, lambda answer: answer.status == 503),
    79: taken(lambda answer: answer.status == 200 and answer.body == HTML and "json" in answer.content_type),
    80: classed(
        lambda sound, answer: (
            Failure(failure_class=FailureClass.PERMANENT, words="a\nb") if answer.status == 418 else sound
        )
    ),
    81: called(FailureClass.PERMANENT, lambda answer: "from=2024-02-13" in answer.url),
    82: made(
        lambda provider: replace(provider, allowances=lambda _: (Allowance(unit="calls", period="day", left=-1.0),))
    ),
    83: raising(lambda body: body == b"null", ValueError("null")),
    84: raising(lambda body: body.startswith(b"[" * 100_000), RecursionError("too deep")),
    85: instead(lambda body: len(body) > 60_000_000, lambda *_: empty(DECODED["bars"])),
    86: both(
        taken(lambda answer: answer.status == 200 and answer.body == b""),
        instead(lambda body: body == b"", lambda *_: empty(DECODED["bars"])),
    ),
    87: both(
        taken(lambda answer: answer.body.startswith(b'{"rows"') and not answer.body.endswith(b"}")),
        instead(lambda body: body.startswith(b'{"rows"') and not body.endswith(b"}"), invented),
    ),
    88: unread("bars", "the field close was missing"),
    89: unread("bars", "Expected `array`"),
    90: instead(
        lambda body: b"1e999" in body, lambda *_: pl.DataFrame([{}], schema=DECODED["bars"]).with_columns(NANS)
    ),
    91: raising(lambda body: body.startswith(b'{"rows"') and any(byte > 127 for byte in body), ValueError("no ASCII")),
    92: remembering(),
    93: client(clients.Soothing),
    94: client(clients.Stubborn),
    95: client(clients.Fragile),
    96: feeding(endpoint=lambda _feed, _symbols, _channels: Endpoint(url=f"wss://stream.model.example/{KEY}")),
    97: feeding(manners=Manners(silent_s=0.0, symbols_per_frame=50)),
    98: feeding(subscribe=lambda _feed, symbols, _channels: [" ".join(symbols)]),
    99: feeding(receive=lambda _feed, frame, _now: msgspec.json.decode(frame)),
    101: column(pl.col("close") + 1, timeframe="1w"),
    102: classed(lambda sound, answer: forgotten(sound) if "x-reset" in answer.headers else sound),
    103: taken(said(b"Hello there")),
    100: feeding(__repr__=lambda _feed: f"Feed({KEY})"),
}
ALSO: dict[int, set[int]] = {
    77: {103},  # the sandbox says the same under a fault
    87: {103},  # and cuts bodies
    95: {103},  # and is asked again after it
    61: {64},  # a mark that is replaced by another leads to itself
    59: {60, 61, 62, 63, 64},  # what does not end cannot be looked at
}


async def failing(subject: Subject, numbers: set[int]) -> dict[int, str]:
    return {one.number: one.words for one in await examine(subject, numbers=numbers) if one.outcome == "fail"}


async def test_a_sound_provider_stands_every_check() -> None:
    """The model keeps every promise, and none of the checks is spared to it."""
    results = await examine(MODEL)

    assert [] == [(one.number, one.outcome, one.words) for one in results if one.outcome != "pass"]


@pytest.mark.parametrize("number", sorted(CHECKS))
async def test_each_check_finds_its_flaw(number: int) -> None:
    """A provider with one flaw fails the check that is meant for it, and no other."""
    asked = (set(CHECKS) - SLOW) | {number}
    found = await failing(FLAWS[number](MODEL), asked)

    assert ({number} | ALSO.get(number, set())) & asked == set(found), found
    assert all(found.values())
