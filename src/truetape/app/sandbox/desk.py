"""What is asked at a provider's desk, and what it answers: values that the four desks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from truetape.app.sandbox.truth import View

EARLIEST: Final = datetime(1800, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
HTML: Final = "text/html"
TEXT: Final = "text/plain"
JSON: Final = "application/json"


@dataclass(frozen=True)
class Query:
    """One question in a provider's own terms."""

    symbol: str
    today: date  # the dataset's last day
    endpoint: str = ""  # where a provider has several: candle or quote
    range: str = ""  # where it is part of the path
    params: Mapping[str, str] = field(default_factory=dict)  # without the key
    keyed: bool = False  # a key was given; every key is good


@dataclass(frozen=True)
class Reply:
    """One answer as it goes over the wire."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Desk(Protocol):
    """One provider's manners. Desks keep nothing, so that equal questions get equal answers."""

    key_parameter: str  # of the query; "" if the provider wants no key
    key_header: str  # that may carry the key instead; "" if none
    throttled: Reply  # to a client that asks too fast, status 429; Retry-After is added
    reset_header: str  # that tells when to ask again in Unix seconds; "" if none
    soft: Reply  # the provider's error that has status 200
    spent: Reply  # the same, saying that the day's budget is spent

    def refusal(self, query: Query, /) -> Reply | None:
        """Return the provider's answer to a question without a key or with a wrong parameter; None if it is sound."""
        ...

    def unknown(self, query: Query, /) -> Reply:
        """Return the provider's answer about a symbol that it does not know."""
        ...

    def data(self, truth: View, query: Query, /) -> Reply:
        """Return the provider's answer with the data of a sound question."""
        ...


def broken(status: int) -> Reply:
    """Return what a provider's gateway sends when nothing behind it answers."""
    body = f"<html><head><title>{status}</title></head><body><h1>{status} Server Error</h1></body></html>\n"
    return Reply(status, body.encode(), HTML)


def whole_number(text: str | None) -> int | None:
    """Return the integer that `text` names, or None."""
    try:
        return int(text) if text is not None and len(text) < 20 else None  # noqa: PLR2004 - longer is no instant
    except ValueError:
        return None


def first_day(instant_s: int, *, label: time, zone: str) -> date:
    """Return the first date whose wall-clock time `label` in `zone` is at Unix second `instant_s` or later."""
    local = _local(instant_s, zone)
    return local.date() if local.time() <= label else local.date() + timedelta(days=1)


def last_day_before(instant_s: int, *, label: time, zone: str) -> date:
    """Return the last date whose wall-clock time `label` in `zone` is before Unix second `instant_s`."""
    return first_day(instant_s, label=label, zone=zone) - timedelta(days=1)


def months_before(day: date, months: int) -> date:
    """Return the same day of the month `months` earlier, or that month's last day."""
    number = day.year * 12 + day.month - 1 - months
    first = date(number // 12, number % 12 + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def _local(instant_s: int, zone: str) -> datetime:
    bounded = min(max(instant_s, int(EARLIEST.timestamp())), int(LATEST.timestamp()))
    return datetime.fromtimestamp(bounded, ZoneInfo(zone))
