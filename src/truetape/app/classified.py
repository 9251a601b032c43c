"""What a recorded answer means, and what would be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from truetape.app.conformance.subject import registered
from truetape.app.plans import plan
from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.errors import BadInput, ProviderRefused, UndecodablePayload
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Window
from truetape.ports.http import Unreachable
from truetape.providers import vendor

OK: Final = "ok"
_LONG: Final[Mapping[str, tuple[str, ...]]] = {  # periods whose end is worth naming, and what they are called
    "hour": ("hour",),
    "day": ("day", "daily"),
    "month": ("month",),
}
_ACTIONS: Final = {
    FailureClass.EMPTY: "Remember that there are no rows, and do not ask again for a finished range.",
    FailureClass.ENTITLEMENT: "Route elsewhere: this plan does not include it. It is no fault of the provider.",
    FailureClass.AUTH: "Refresh the key or session once, then stop and tell the operator.",
    FailureClass.PERMANENT: "Stop: the same question will never be answered. Mend the symbol or the parameter.",
    FailureClass.BLOCKED: "Stop for long and tell the operator: the provider bars us. It is never evaded.",
    FailureClass.CONFLICT: "Close the other session, or wait until it ends: only one is allowed.",
}


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer means."""

    provider: str
    failure_class: str  # one of the nine classes, or ok
    words: str
    action: str
    wait_s: float | None = None
    until: str | None = None  # ISO 8601, UTC: when a spent window begins anew
    readable: bool = True  # False of an answer that is ok by its outside, but that no decoder can read
    rows: dict[str, int] = {}  # by kind that could be read, of an answer that is ok


class _Nowhere:
    """Reach nobody: a recorded answer is read without a network."""

    async def send(self, _request: Request) -> Answer:
        raise Unreachable("recorded answers need no network")


def read_headers(given: Iterable[str]) -> dict[str, str]:
    """Return headers written as `Name: value`, by their names in lower case.

    Raises:
        BadInput: One has no colon or no name.
    """
    headers = {}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise BadInput(parameter="--header", value=line, fix="Write it as 'Name: value'.")
        headers[name.strip().lower()] = value.strip()
    return headers


def classified(
    name: str, body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None, now: datetime | None = None
) -> Classified:
    """Return what an answer of the provider `name` means.

    Args:
        name: One of providers.NAMES.
        body: As it was recorded.
        status: Of HTTP.
        headers: By names in lower case.
        now: When it came, aware; by default what its header Date says, or this moment.
    """
    told = dict(headers or {})
    answer = Answer(url="", status=status, content_type=told.get("content-type", ""), headers=told, body=body)
    failure = vendor(name).classify(answer)
    if failure is None:
        return _read(name, body)
    return _failed(name, failure, now or _dated(told))


def _read(name: str, body: bytes) -> Classified:
    """Return that the answer is ok, with the rows of each kind that can be read; or why none can."""
    rows: dict[str, int] = {}
    reasons: dict[str, str] = {}
    failures: list[Failure] = []
    subject = registered(name)
    decode = subject.build(_Nowhere(), "", "").decode
    asks = [
        Ask(kind=offer.kind, symbol="", timeframe=timeframe)
        for offer in subject.declaration.offers
        for timeframe in sorted(offer.timeframes, key="1d".__ne__) or ("1d",)
        if offer.kind in decode
    ]
    for ask in asks:
        if rows.get(ask.kind):
            continue
        try:
            rows[ask.kind] = len(decode[ask.kind](body, ask))
        except ProviderRefused as refused:
            failures.append(refused.failure)
        except UndecodablePayload as defect:
            reasons[ask.kind] = defect.reason
    if rows:
        read = {kind: count for kind, count in rows.items() if count} or rows
        told = ", ".join(f"{count} rows of {kind}" for kind, count in read.items())
        if not any(rows.values()):
            return _failed(name, Failure(failure_class=FailureClass.EMPTY, words=told), datetime.now(UTC))
        return Classified(provider=name, failure_class=OK, words=told, action="Keep it and decode it.", rows=read)
    if failures:
        return _failed(name, failures[0], datetime.now(UTC))
    told = "; ".join(f"{kind}: {reason}" for kind, reason in reasons.items())
    return Classified(
        provider=name,
        failure_class=OK,
        words=f"Undecodable, no declared kind could be read: {told}"[:500],
        action="Keep the bytes, reject the payload and suspect a change of the provider's schema.",
        readable=False,
    )


def _failed(name: str, failure: Failure, now: datetime) -> Classified:
    wait, until = failure.retry_after_s, None
    if failure.failure_class is FailureClass.THROTTLED:
        action = f"Retry after {wait:g} s." if wait is not None else "Wait for the next window, then retry."
    elif failure.failure_class is FailureClass.TRANSIENT:
        action = (
            f"Retry after {wait:g} s." if wait is not None else "Retry with growing waits; count it for the breaker."
        )
    elif failure.failure_class is FailureClass.QUOTA:
        reset = now + timedelta(seconds=wait) if wait is not None else _reset(name, failure.words, now)
        until = reset.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if reset else None
        action = f"Wait for the reset at {until}." if until else "Wait until the spent window begins anew."
    else:
        action = _ACTIONS[failure.failure_class]
    return Classified(
        provider=name,
        failure_class=failure.failure_class.value,
        words=failure.words,
        action=action,
        wait_s=wait,
        until=until,
    )


def _reset(name: str, words: str, now: datetime) -> datetime | None:
    """Return when the calendar window of the default plan that `words` name begins anew, or the first of them."""
    known = [one for one in plan(name).windows if one.period in _LONG and not one.rolling]
    named = [one for one in known if any(word in words.lower() for word in _LONG[one.period])]
    return min((_next(window, now) for window in named or known), default=None)


def _next(window: Window, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(window.zone)).replace(minute=0, second=0, microsecond=0)
    if window.period == "hour":
        return local + timedelta(hours=1)
    midnight = local.replace(hour=0)
    if window.period == "day":
        return midnight + timedelta(days=1)
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


def _dated(headers: Mapping[str, str]) -> datetime:
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return datetime.now(UTC)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
