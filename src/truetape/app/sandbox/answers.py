"""The sandbox's memory: which request this is, which fault it meets, and the bytes it gets."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Final

import msgspec

from truetape.app.sandbox.dataset import Dataset, Series
from truetape.app.sandbox.desk import Desk, Query, Reply, broken
from truetape.app.sandbox.desks import desk
from truetape.app.sandbox.faults import TRANSPORT, Fault, Script, due_faults
from truetape.app.sandbox.nonsense import NONSENSE, nonsense
from truetape.app.sandbox.tamper import cut, drift
from truetape.app.sandbox.truth import View, spoiled, view

MOST_SERVED: Final = 10_000
CACHE_BYTES: Final = 64_000_000


class Injected(msgspec.Struct, frozen=True, kw_only=True):
    """One fault that an answer carried."""

    place: int  # of the fault in the script, from 0
    kind: str
    rows: int = 0  # rows of the whole series that a data fault hit


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One request and what it got."""

    number: int  # among all requests, from 1
    provider: str
    symbol: str
    request: int  # among those about this symbol, or about lists, from 1; 0 for a refused or unknown one
    question: str  # path and query without the key
    status: int
    size: int  # bytes of the body as sent
    injected: tuple[Injected, ...] = ()

    @property
    def fault(self) -> str:
        """The kinds of fault that the answer carried, joined by +; "" if none."""
        return "+".join(one.kind for one in self.injected)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with one request: wait, then send the first bytes of a reply."""

    reply: Reply
    injected: tuple[Injected, ...] = ()
    request: int = 0
    hang_s: float = 0.0  # then drop the connection without an answer
    drip_s: float = 0.0  # the body comes in pieces over so long
    reset: bool = False  # the connection is reset behind the body
    promised: int | None = None  # Content-Length, where it is not the true one


class Answers:
    """Answer questions about a dataset under a fault script.

    The same seed and the same sequence of questions give the same answers. At most `cache_bytes` of encoded bodies are
    kept for the next time, the last one in any case. `desks` finds the desk of a provider by its name, `views` says
    what is true of a series.
    """

    def __init__(
        self,
        dataset: Dataset,
        script: Script,
        *,
        seed: int,
        cache_bytes: int = CACHE_BYTES,
        desks: Callable[[str], Desk] = desk,
        views: Callable[[Series], View] = view,
    ) -> None:
        self._dataset = dataset
        self._desk = desks
        self._view = views
        self._script = script
        self._seed = seed
        self._views: dict[str, View] = {}
        self._requests: Counter[tuple[str, str]] = Counter()
        self._cached: OrderedDict[tuple[object, ...], tuple[Reply, tuple[Injected, ...]]] = OrderedDict()
        self._cached_bytes = 0
        self._cache_bytes = cache_bytes
        self.served: deque[Served] = deque(maxlen=MOST_SERVED)
        self.times: Counter[int] = Counter()  # by place in the script: answers that carried the fault
        self.total = 0

    def plan(self, provider: str, query: Query, *, now_s: int = 0) -> Plan:
        """Return what `provider` does with `query`.

        A sound question about a known symbol counts as a request, and so does one about a list, which data faults leave
        alone.
        """
        manners = self._desk(provider)
        refusal = manners.refusal(query)
        if refusal is not None:
            return Plan(reply=refusal)
        listed = manners.catalogue(self._dataset, query)
        if listed is None and query.symbol not in self._dataset.series:
            return Plan(reply=manners.unknown(query))
        about = query.symbol if listed is None else ""
        self._requests[provider, about] += 1
        request = self._requests[provider, about]
        due = due_faults(self._script, provider=provider, symbol=about, request=request)
        if due and self._script[due[0]].kind in TRANSPORT:
            whole = self._data(provider, query, ())[0] if listed is None else listed
            return self._failing(provider, query, due[0], whole=whole, request=request, now_s=now_s)
        reply, injected = (listed, ()) if listed is not None else self._data(provider, query, due)
        return Plan(reply=reply, injected=injected, request=request)

    def record(self, provider: str, query: Query, plan: Plan, *, question: str) -> None:
        """Keep in mind that `plan` was carried out."""
        self.total += 1
        self.times.update(one.place for one in plan.injected)
        self.served.append(
            Served(
                number=self.total,
                provider=provider,
                symbol=query.symbol,
                request=plan.request,
                question=question,
                status=plan.reply.status,
                size=len(plan.reply.body),
                injected=plan.injected,
            )
        )

    def _failing(self, provider: str, query: Query, place: int, *, whole: Reply, request: int, now_s: int) -> Plan:
        fault = self._script[place]
        injected = (Injected(place=place, kind=fault.kind),)
        if fault.kind in {"time_out", "mute"}:
            return Plan(reply=Reply(0, b""), injected=injected, request=request, hang_s=fault.seconds)
        if fault.kind in {"truncated", "kill"}:
            return self._truncated(provider, query, fault, whole=whole, injected=injected, request=request)
        if fault.kind == "slow":
            return Plan(reply=whole, injected=injected, request=request, drip_s=fault.seconds)
        if fault.kind in NONSENSE:
            return Plan(reply=nonsense(fault.kind, whole, seed=self._seed), injected=injected, request=request)
        if fault.kind == "rate_limit":
            reply = _throttled(self._desk(provider), fault.retry_after_s, now_s)
        elif fault.kind == "note":
            reply = self._desk(provider).spent if fault.quota else self._desk(provider).soft
        else:
            reply = broken(fault.status)
        return Plan(reply=reply, injected=injected, request=request)

    def _truncated(
        self, provider: str, query: Query, fault: Fault, *, whole: Reply, injected: tuple[Injected, ...], request: int
    ) -> Plan:
        body = cut(whole.body, seed=self._seed, provider=provider, symbol=query.symbol)
        return Plan(
            reply=Reply(whole.status, body, whole.content_type, whole.headers),
            injected=injected,
            request=request,
            promised=len(whole.body) if fault.length == "long" or fault.kind == "kill" else None,
            reset=fault.kind == "kill",
        )

    def _data(self, provider: str, query: Query, due: tuple[int, ...]) -> tuple[Reply, tuple[Injected, ...]]:
        """Return the answer with the data faults `due`, from the cache if it was given before."""
        key = (provider, query.symbol, tuple(sorted(query.parts.items())), tuple(sorted(query.params.items())), due)
        if key in self._cached:
            self._cached.move_to_end(key)
            return self._cached[key]
        made = self._make(provider, query, due)
        self._cached[key] = made
        self._cached_bytes += len(made[0].body)
        while self._cached_bytes > self._cache_bytes and len(self._cached) > 1:
            _, (dropped, _) = self._cached.popitem(last=False)
            self._cached_bytes -= len(dropped.body)
        return made

    def _make(self, provider: str, query: Query, due: tuple[int, ...]) -> tuple[Reply, tuple[Injected, ...]]:
        symbol = query.symbol
        if symbol not in self._views:
            self._views[symbol] = self._view(self._dataset.series[symbol])
        truth, injected = self._views[symbol], []
        faults = [(place, self._script[place]) for place in due]
        for place, fault in faults:
            truth, rows = spoiled(truth, fault, seed=self._seed, provider=provider, symbol=symbol)
            if rows:
                injected.append(Injected(place=place, kind=fault.kind, rows=rows))
        reply = self._desk(provider).data(truth, query)
        for place, fault in faults:
            if fault.kind == "drift" and reply.content_type == "application/json":
                body = drift(reply.body, fault, field=self._desk(provider).drifting)
                if body == _compact(reply.body):
                    continue  # rows without names have nothing that could drift
                reply = Reply(reply.status, body, reply.content_type, reply.headers)
                injected.append(Injected(place=place, kind=fault.kind))
        return reply, tuple(injected)


def _compact(body: bytes) -> bytes:
    return json.dumps(json.loads(body), separators=(",", ":")).encode()


def _throttled(manners: Desk, retry_after_s: int, now_s: int) -> Reply:
    headers = {**manners.throttled.headers, "Retry-After": str(retry_after_s)}
    if manners.reset_header:
        headers[manners.reset_header] = str(now_s + retry_after_s)
    return Reply(manners.throttled.status, manners.throttled.body, manners.throttled.content_type, headers)
