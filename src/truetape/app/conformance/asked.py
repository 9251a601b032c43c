"""Checks 13 to 22: how a provider is asked: its spelling, its requests, and where its key is."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final
from urllib.parse import quote, quote_plus, urlsplit

from truetape.app.conformance.bench import KEY, Bench, Unshown, insist, some
from truetape.app.conformance.market import CALM, CLASS_SHARE, COIN, CURRENCY, INDEX, OTHER_COIN, STOCK
from truetape.app.conformance.registry import always, demand, desk, equities, keyed
from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.failures import FailureClass
from truetape.ports.http import Unreachable

HOSTILE: Final = (
    "../../admin",
    "..",
    "A/../../B",
    "A B",
    "A&apikey=stolen",
    "A?x=1",
    "A#fragment",
    "A\r\nX-Evil: 1",
    "http://elsewhere.example/",
    "%2e%2e%2fA",
    "\u00c4\u00d6\u6f22",
    "\x00",
    "'; DROP TABLE bars; --",
    "{0}",
    "A" * 5_000,
)
_BY_ASSETS: Final = {
    "equity": (STOCK, CLASS_SHARE),
    "etf": (STOCK, CLASS_SHARE),
    "crypto": (COIN, OTHER_COIN),
    "fx": (CURRENCY,),
    "index": (INDEX,),
}


class Recorder:
    """Note every request and reach nobody, at once or never."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.sent: list[Request] = []
        self._hangs = hangs

    async def send(self, request: Request) -> Answer:
        """Note `request`.

        Raises:
            Unreachable: Always, unless it hangs.
        """
        self.sent.append(request)
        if self._hangs:
            await asyncio.Event().wait()
        raise Unreachable("no network here")


async def requests(bench: Bench, *, symbol: str | None = None) -> dict[Ask, list[Request]]:
    """Return what is sent for each kind and timeframe that is asked for by itself."""
    made: dict[Ask, list[Request]] = {}
    for offer in bench.subject.asked:
        for timeframe in offer.timeframes or ("1d",):
            recorder = Recorder()
            provider = bench.subject.build(recorder, bench.base_url, KEY)
            ask = bench.ask(offer.kind, timeframe=timeframe, start=CALM[0], end=CALM[1])
            if symbol is not None:
                ask = Ask(kind=ask.kind, symbol=symbol, timeframe=timeframe, start=ask.start, end=ask.end)
            recorder.sent.clear()
            with suppress(Unreachable):
                await provider.client.fetch(ask)
            made[ask] = list(recorder.sent)
    if not any(made.values()):
        raise Unshown("it sends no requests")
    return made


@demand(13, "spelling", "Symbols are spelled alike each time, in printable characters without a space.", always)
async def spelling(bench: Bench) -> None:
    """Spell symbols of every sort."""
    for ours in (STOCK, CLASS_SHARE, COIN, CURRENCY, INDEX):
        spelled = bench.provider.spell(ours)
        insist(spelled, f"{ours} was spelled as nothing")
        insist(spelled == bench.provider.spell(ours), f"{ours} was spelled in two ways")
        insist(spelled.isprintable() and " " not in spelled, f"{ours} was spelled {spelled!r}")


@demand(14, "spelling read back", "The sandbox's desk reads our symbol out of the provider's spelling.", desk)
async def spelling_read_back(bench: Bench) -> None:
    """Spell symbols of its assets, share classes among them, and let the desk read them."""
    for ours in (one for asset in bench.declaration.assets for one in _BY_ASSETS.get(asset, ())):
        spelled = bench.provider.spell(ours)
        read = bench.desk.ours(spelled)
        insist(read == ours, f"{ours} was spelled {spelled!r}, which its desk reads as {read!r}")


@demand(15, "share classes apart", "A share class is spelled apart from every other symbol.", equities)
async def share_classes_apart(bench: Bench) -> None:
    """Spell a class share, another class of it and the symbol without its class."""
    spelled = [bench.provider.spell(ours) for ours in ("BRK.B", "BRK.A", "BRKB", "BRK")]
    insist(len(set(spelled)) == len(spelled), f"BRK.B, BRK.A, BRKB and BRK were spelled {spelled}")


@demand(16, "requests", "Equal questions make equal requests, one for each page, with params and headers as text.")
async def equal_requests(bench: Bench) -> None:
    """Ask everything twice."""
    first, second = await requests(bench), await requests(bench)
    for ask, sent in first.items():
        insist(sent == second[ask], f"the second request for {ask.kind} {ask.timeframe} differed from the first")
        insist(len(sent) == 1, f"{ask.kind} {ask.timeframe} took {len(sent)} requests for one page")
        texts = [*sent[0].params.items(), *sent[0].headers.items()]
        wrong = [pair for pair in texts if not all(isinstance(one, str) for one in pair)]
        insist(not wrong, f"{ask.kind} sends {wrong}, which is no text")


@demand(17, "base address", "Every request goes below the base address that it was given, with or without a slash.")
async def base_address(bench: Bench) -> None:
    """Ask everything with the plain address and with a slash at its end."""
    for ask, sent in (await requests(bench)).items():
        insist(_below(sent[0], bench.base_url), f"{ask.kind} was asked at {sent[0].url}")
        recorder = Recorder()
        with suppress(Unreachable):
            await bench.subject.build(recorder, f"{bench.base_url}/", KEY).client.fetch(ask)
        again = recorder.sent[-1].url
        insist(again == sent[0].url, f"with a slash at the base's end, {ask.kind} was asked at {again}")


@demand(18, "hostile symbols", "No symbol leads a request elsewhere, adds a parameter or breaks a line.")
async def hostile_symbols(bench: Bench) -> None:
    """Ask everything of symbols that were made to do harm."""
    spelled = {bench.provider.spell(ours) for ours in (STOCK, CLASS_SHARE, COIN, CURRENCY, INDEX)} | {""}
    usual = {
        _shape(ask, one)
        for ours in spelled
        for ask, sent in (await requests(bench, symbol=ours)).items()
        for one in sent
    }
    for symbol in HOSTILE:
        for ask, sent in (await requests(bench, symbol=symbol)).items():
            for request in sent:
                told = f"{symbol[:40]!r} as symbol of {ask.kind} was asked at {request.url[:120]!r}"
                insist(_below(request, bench.base_url), told)
                insist("?" not in request.url and "#" not in request.url, told)
                insist(_shape(ask, request) in usual, f"{told}: another path or other parameters than any honest one")


@demand(19, "key out of sight", "The key stands in a request's secrets, and nowhere else in it.", keyed)
async def key_out_of_sight(bench: Bench) -> None:
    """Look for the key in what may be shown."""
    carried = False
    for ask, sent in (await requests(bench)).items():
        for request in sent:
            public = f"{request.url} {request.params} {request.headers}"
            insist(not holds_key(public), f"the key stands in the open in the request for {ask.kind}")
            carried |= any(KEY in value for value in (*request.secrets.values(), *request.secret_headers.values()))
    insist(carried, "no request carries the key")


@demand(
    20,
    "key not told",
    "No answer, error or description of the provider holds the key, even if a server repeats it.",
    desk,
)
async def key_not_told(bench: Bench) -> None:
    """Let the desk repeat the key in every way, and read what the provider says of it."""
    provider = bench.provider
    told = [repr(provider), repr(provider.client), str(provider.client)]
    for offer in bench.subject.asked:
        ask = bench.ask(offer.kind, timeframe=(offer.timeframes or ("1d",))[-1], start=CALM[0], end=CALM[1])
        answer = await provider.client.fetch(ask)
        told += [repr(answer), repr(provider.classify(answer))]
        recorder = Recorder()
        try:
            await bench.subject.build(recorder, bench.base_url, KEY).client.fetch(ask)
        except Unreachable as error:
            told += [str(error), repr(error)]
    insist(not any(holds_key(text) for text in told), "the key was told")


@demand(
    21, "key wanted", "Without its key it is refused, and the refusal is classified as one of the key.", keyed, desk
)
async def key_wanted(bench: Bench) -> None:
    """Ask the desk without a key."""
    offer = bench.subject.asked[0]
    ask = bench.ask(offer.kind, timeframe=(offer.timeframes or ("1d",))[-1], start=CALM[0], end=CALM[1])
    bare = bench.subject.build(bench.http, bench.base_url, "")
    failure = bare.classify(await bare.client.fetch(ask))
    found = failure.failure_class.value if failure else "data"
    insist(found == FailureClass.AUTH.value, f"without a key the answer was classified as {found}")


@demand(22, "no request without need", "Making a provider sends nothing.", always)
async def nothing_sent_early(bench: Bench) -> None:
    """Make it and wait a moment."""
    recorder = Recorder()
    bench.subject.build(recorder, bench.base_url, KEY)
    await asyncio.sleep(0)
    insist(not recorder.sent, f"it sent {some([request.url for request in recorder.sent])}")


def _shape(ask: Ask, request: Request) -> tuple[str, int, frozenset[str]]:
    """Return what a symbol must not change: how deep the path is, and which parameters there are."""
    return ask.kind, urlsplit(request.url).path.count("/"), frozenset(request.params)


def _below(request: Request, base_url: str) -> bool:
    steps = request.url.replace("%2E", ".").replace("%2e", ".").split("/")
    return request.url.isprintable() and ".." not in steps and request.url.startswith(f"{base_url}/")


def holds_key(text: str) -> bool:
    """Return whether `text` shows the key, in any spelling of it."""
    spellings = {form for one in (KEY, KEY[::-1]) for form in (one, quote(one), quote(one, safe=""), quote_plus(one))}
    return any(form in text for form in spellings)
