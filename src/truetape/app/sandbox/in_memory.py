"""The sandbox without a socket: a provider's requests are answered by its desk in the same process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

from truetape.app.sandbox.answers import Answers, Plan, Served
from truetape.app.sandbox.dataset import Dataset, Series
from truetape.app.sandbox.desk import Desk, Query, Reply, query
from truetape.app.sandbox.desks import desk
from truetape.app.sandbox.faults import Script
from truetape.app.sandbox.truth import View, view
from truetape.domain.asks import SIMULATED_HEADER, Answer, Request
from truetape.ports.http import Unreachable

ROOT: Final = "http://sandbox"  # a provider's base URL is ROOT, a slash and its name
MAX_BYTES: Final = 64 << 20
SHORTEST_SECRET: Final = 8  # shorter ones occur in honest text, and are no secrets
Tampering = Callable[[Request, Reply], Reply]
_VARIABLE: Final = re.compile(r"\{([_a-zA-Z][_a-zA-Z0-9]*)(?::((?:[^{}]|\{[^{}]*\})*))?\}")


def untouched(_request: Request, reply: Reply) -> Reply:
    """Return `reply`: what tampers with nothing."""
    return reply


class InMemoryHttp:
    """Send requests to desks, and keep what was sent.

    Its time stands still: the header Date of every answer is the midnight (UTC) after the dataset's last day. As the
    adapter for real connections does, it hides secrets in what comes back and reads bodies up to a size.

    Args:
        dataset: The truth.
        script: Faults of the sandbox; an answer that would hang or be cut below its stated length is Unreachable.
        seed: Chooses the rows that data faults hit.
        desks: Finds the desk of a provider by its name.
        views: Says what is true of a series.
        tamper: Changes a reply on its way.
        max_bytes: The largest body that is read.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        script: Script = (),
        seed: int = 7,
        desks: Callable[[str], Desk] = desk,
        views: Callable[[Series], View] = view,
        tamper: Tampering = untouched,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._answers = Answers(dataset, script, seed=seed, desks=desks, views=views)
        self._desks = desks
        self._today = dataset.end
        self._tamper = tamper
        self._max_bytes = max_bytes
        self._now = datetime.combine(dataset.end + timedelta(days=1), time(), tzinfo=UTC)
        self.sent: list[Request] = []

    @property
    def served(self) -> list[Served]:
        """What was asked and which faults were injected, oldest first."""
        return list(self._answers.served)

    async def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            Unreachable: The address is no desk's, or a fault swallowed the answer.
        """
        self.sent.append(request)
        address = urlsplit(request.url)
        provider, slash, path = address.path.removeprefix("/").partition("/")
        try:
            manners = self._desks(provider)
        except ModuleNotFoundError:
            raise Unreachable(f"no connection to {address.netloc}: no desk is called {provider[:40]!r}") from None
        reply = self._reply(provider, manners, slash + path, request)
        return _answer(request, self._tamper(request, reply), now=self._now, max_bytes=self._max_bytes)

    def _reply(self, provider: str, manners: Desk, path: str, request: Request) -> Reply:
        parts = routed(manners.routes, path)
        if parts is None:
            return Reply(404, b"404: Not Found", "text/plain; charset=utf-8")
        asked = query(
            manners,
            parts=parts,
            params={**request.params, **request.secrets},
            headers={**request.headers, **request.secret_headers},
            today=self._today,
            body=request.body,
        )
        plan = self._answers.plan(provider, asked, now_s=int(self._now.timestamp()))
        self._answers.record(provider, asked, plan, question=path)
        return _whole(plan, asked)


def routed(routes: Iterable[str], path: str) -> dict[str, str] | None:
    """Return the variables of the first of `routes` that `path` fits; None if it fits none.

    Routes are written as aiohttp's are: {name} stands for a part without a slash, {name:pattern} for what fits.
    """
    for route in routes:
        found = _pattern(route).fullmatch(path)
        if found is not None:
            return {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def _pattern(route: str) -> re.Pattern[str]:
    pattern, position = "", 0
    for variable in _VARIABLE.finditer(route):
        pattern += re.escape(route[position : variable.start()])
        pattern += f"(?P<{variable[1]}>{variable[2] or '[^{}/]+'})"
        position = variable.end()
    return re.compile(pattern + re.escape(route[position:]))


def _whole(plan: Plan, asked: Query) -> Reply:
    if plan.hang_s:
        raise Unreachable(f"no complete answer about {asked.symbol[:40]!r} within {plan.hang_s:g} s")
    if plan.promised is not None and plan.promised != len(plan.reply.body):
        raise Unreachable("the body ended early")
    if plan.drip_s:
        raise Unreachable(f"no complete answer about {asked.symbol[:40]!r} within {plan.drip_s:g} s")
    if "Location" in plan.reply.headers:
        raise Unreachable("the desk redirected in a circle")
    if "Content-Encoding" in plan.reply.headers:
        raise Unreachable("the body was larger than could be unfolded")
    return plan.reply


def _answer(request: Request, reply: Reply, *, now: datetime, max_bytes: int) -> Answer:
    if len(reply.body) > max_bytes:
        raise Unreachable(f"the body was larger than {max_bytes} bytes")
    headers = request.secret_headers.values()
    secrets = [*request.secrets.values(), *headers, *(value.rpartition(" ")[2] for value in headers)]
    hidden = [form for one in secrets for form in (one, quote(one, safe=""), quote_plus(one))]
    hidden = sorted((form for form in hidden if len(form) >= SHORTEST_SECRET), key=len, reverse=True)
    params = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in request.params.items())
    told = {"Date": format_datetime(now, usegmt=True), SIMULATED_HEADER: "true", "Content-Type": reply.content_type}
    body = reply.body
    for secret in hidden:
        body = body.replace(secret.encode(), b"***")
    return Answer(
        url=_hide(f"{request.url}?{params}" if params else request.url, hidden),
        status=reply.status,
        content_type=reply.content_type,
        headers={name.lower(): _hide(value, hidden) for name, value in {**told, **reply.headers}.items()},
        body=body,
    )


def _hide(text: str, hidden: Iterable[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, "***")
    return text
