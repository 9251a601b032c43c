"""Checks 65 to 82 and 102: what each failure means, how long to wait, and that success is not told by a status."""

from __future__ import annotations

import re
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Final

from truetape.app.conformance.asked import requests
from truetape.app.conformance.bench import DATED, Bench, Broken, Unshown, insist
from truetape.app.conformance.registry import Needs, always, demand, desk
from truetape.app.conformance.subject import Subject
from truetape.app.sandbox.desk import Reply, broken
from truetape.domain.asks import Answer
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.ports.provider import nothing_told

HTML: Final = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Please enable cookies.</p></body></html>"
)
WAIT_S: Final = 17
_TAGS: Final = re.compile(r"<(html|body|head|p|h1|title)\b", re.IGNORECASE)
_LONGEST: Final = 500
_SUCCESS: Final = 200


def expresses(failure_class: FailureClass) -> Needs:
    """Select the providers whose desk can say `failure_class`."""

    def reason(subject: Subject) -> str:
        if subject.desk is None:
            return desk(subject)
        return "" if failure_class in subject.desk.refusals else f"its desk does not say {failure_class.value}"

    return reason


def _of_class(number: int, failure_class: FailureClass) -> None:
    @demand(
        number,
        f"class {failure_class.value}",
        f"What it says for {failure_class.value} is classified so, and is never read as rows.",
        expresses(failure_class),
    )
    async def classified(bench: Bench) -> None:
        answer = bench.answered(bench.desk.refusals[failure_class])
        found = bench.provider.classify(answer)
        told = found.failure_class.value if found else "data"
        insist(told == failure_class.value, f"{answer.status} {answer.body[:120]!r} was classified as {told}")
        _no_rows(bench, answer)


for _place, _one in enumerate(FailureClass):
    _of_class(65 + _place, _one)


@demand(74, "throttled", "Its answer to those who ask too fast is throttled.", desk)
async def throttled(bench: Bench) -> None:
    """Ask as one too many."""
    found = bench.provider.classify(bench.answered(bench.desk.throttled))
    insist(found and found.failure_class is FailureClass.THROTTLED, f"it was classified as {found}")


@demand(75, "waits in seconds", "Retry-After in seconds is honoured.", desk)
async def seconds(bench: Bench) -> None:
    """Throttle with a wait of 17 seconds."""
    found = bench.provider.classify(bench.answered(bench.desk.throttled, Retry_After=str(WAIT_S)))
    insist(found and found.retry_after_s == WAIT_S, f"Retry-After: {WAIT_S} made {found}")


@demand(76, "waits until a date", "Retry-After as a date is honoured as the seconds from the header Date on.", desk)
async def until_date(bench: Bench) -> None:
    """Throttle until 17 seconds after the answer."""
    found = bench.provider.classify(
        bench.answered(bench.desk.throttled, Retry_After=DATED.replace("00:00:00", f"00:00:{WAIT_S}"))
    )
    insist(found and found.retry_after_s == WAIT_S, f"a wait of {WAIT_S} s until a date made {found}")


@demand(77, "success is not told by a status", "An error with status 200 is an error, and is never read as rows.", desk)
async def soft(bench: Bench) -> None:
    """Read its soft errors."""
    for reply in (bench.desk.soft, bench.desk.spent):
        if reply.status != _SUCCESS:
            continue
        answer = bench.answered(reply)
        insist(bench.provider.classify(answer), f"{reply.body[:120]!r} with status 200 was taken for data")
        _no_rows(bench, answer)
        return
    raise Unshown("it has no error with status 200")


@demand(78, "servers' failures", "A gateway's error page is transient, whatever its words.", always)
async def gateways(bench: Bench) -> None:
    """Read the pages of gateways."""
    for status in (500, 502, 503, 504):
        found = bench.provider.classify(bench.answered(broken(status)))
        insist(found and found.failure_class is FailureClass.TRANSIENT, f"{status} was classified as {found}")


@demand(79, "pages of markup", "A page of markup with status 200 is no data, whatever its content type says.", always)
async def markup(bench: Bench) -> None:
    """Read a sign-in page in place of data."""
    await requests(bench)
    for content_type in ("text/html", "application/json", "text/csv", ""):
        answer = bench.answered(Reply(_SUCCESS, HTML, content_type))
        insist(bench.provider.classify(answer), f"a page of markup as {content_type!r} was taken for data")
        _no_rows(bench, answer)


@demand(80, "plain words", "A failure has words: one line of at most 500 printable characters without markup.", always)
async def words(bench: Bench) -> None:
    """Read the words of many failures."""
    replies = [broken(502), Reply(404, HTML), Reply(400, b"\x00\x01\xff"), Reply(418, b"x" * 9_000), Reply(403, b"")]
    if bench.subject.desk is not None:
        replies += [bench.desk.throttled, *bench.desk.refusals.values()]
    for reply in replies:
        found = bench.provider.classify(bench.answered(reply))
        insist(found, f"status {reply.status} was taken for data")
        told = found.words if found else ""
        plain = told.strip() and told.isprintable() and not _TAGS.search(told) and len(told) <= _LONGEST
        insist(plain, f"the words of status {reply.status} were {told[:80]!r}")


@demand(81, "data are data", "A sound answer of any kind is not taken for a failure.", desk)
async def data(bench: Bench) -> None:
    """Classify a sound answer of the kind that it offers first."""
    tried = []
    for offer in bench.subject.asked:
        timeframe = "1d" if "1d" in offer.timeframes else (offer.timeframes or ("1d",))[0]
        ask = bench.ask(offer.kind, timeframe=timeframe, start=date(2024, 2, 13), end=date(2024, 2, 15))
        tried.append(await bench.page(ask, kind=offer.kind))
    sound = [page for page in tried if page.failure is None]
    whole = [page for page in tried if page.answer.status == _SUCCESS and page.failure is not None]
    readable = [page.ask.kind for page in whole if _readable(bench, page.answer, page.ask.kind)]
    insist(not readable, f"{readable} could be read, but were classified as failures")
    insist(sound or whole or tried, "nothing was answered")


@demand(82, "allowances", "What its headers say of the quota is read as numbers; strange headers say nothing.", always)
async def allowances(bench: Bench) -> None:
    """Read the headers of an answer that throttles, and headers that nobody sends."""
    for strange in ("", "x", "-1", "1e999", "nan", "9" * 400, "\u0662"):
        names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
        for told in bench.provider.allowances(dict.fromkeys(names, strange)):
            insist(0 <= told.left < float("inf"), f"{strange!r} left {told.left}")
    insist(bench.provider.allowances({}) == (), "no headers told something")
    if bench.provider.allowances is nothing_told or bench.subject.desk is None:
        return
    headers = bench.answered(bench.desk.throttled).headers
    if any("remaining" in name for name in headers):
        told_now = bench.provider.allowances(headers)
        insist(any(one.left == 0 for one in told_now), f"a spent quota was read as {told_now}")


def _resets(subject: Subject) -> str:
    if subject.desk is None:
        return desk(subject)
    return "" if subject.desk.reset_header else "its headers tell no reset"


@demand(
    102, "waits until a reset", "Where a header tells when its quota begins anew, the wait lasts until then.", _resets
)
async def until_reset(bench: Bench) -> None:
    """Throttle without Retry-After, with a reset 17 seconds after the answer."""
    reset = str(int(parsedate_to_datetime(DATED).timestamp()) + WAIT_S)
    manners = bench.desk
    reply = Reply(
        manners.throttled.status,
        manners.throttled.body,
        manners.throttled.content_type,
        {
            **manners.throttled.headers,
            manners.reset_header: reset,
        },
    )
    found = bench.provider.classify(bench.answered(reply))
    insist(found and found.retry_after_s == WAIT_S, f"a reset {WAIT_S} s after the header Date made {found}")


def _no_rows(bench: Bench, answer: Answer) -> None:
    """Check that no decoder finds rows in a refusal."""
    for kind in bench.provider.decode:
        frame = bench.end_of(kind, answer.body)
        insist(frame is None or frame.is_empty(), f"{answer.body[:120]!r} was read as {kind}")


def _readable(bench: Bench, answer: Answer, kind: str) -> bool:
    try:
        return not bench.provider.decode[kind](answer.body, bench.ask(kind)).is_empty()
    except (ProviderRefused, UndecodablePayload):
        return False
    except Exception as error:
        raise Broken(f"decoding {kind} raised {type(error).__name__}") from error
