"""What is asked at a provider's desk, and what it answers: values that all desks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

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
    parts: Mapping[str, str] = field(default_factory=dict)  # the variables of the path
    params: Mapping[str, str] = field(default_factory=dict)  # without the key
    keyed: bool = False  # a key was given; every key is good
    body: bytes = b""  # of a POST


@dataclass(frozen=True)
class Reply:
    """One answer as it goes over the wire."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Desk(Protocol):
    """One provider's manners. Desks keep nothing, so that equal questions get equal answers.

    What most providers do not have stands here as a default; a desk names this class as its own.
    """

    routes: tuple[str, ...]  # paths below the provider's name, with {symbol} and other variables
    symbol_parameter: str = "symbol"  # of the query, where the path does not hold the symbol
    key_parameter: str = ""  # of the query; "" if the provider wants no key there
    key_header: str = ""  # that may carry the key instead; "" if none
    throttled: Reply  # to a client that asks too fast, status 429; Retry-After is added
    reset_header: str = ""  # that tells when to ask again in Unix seconds; "" if none
    posted: bool = False  # it is asked by POST
    soft: Reply  # the provider's error that has status 200; where it has none, `throttled`
    spent: Reply  # the same, saying that the day's budget is spent
    drifting: str  # the field of the bodies that a drift of the schema hits
    refusals: Mapping[FailureClass, Reply] = MappingProxyType({})  # how it says each failure that it can say

    def ours(self, symbol: str, /) -> str:
        """Return the dataset's spelling of a symbol in the provider's."""
        return symbol

    def refusal(self, query: Query, /) -> Reply | None:
        """Return the provider's answer to a question without a key or with a wrong parameter; None if it is sound."""
        ...

    def unknown(self, query: Query, /) -> Reply:
        """Return the provider's answer about a symbol that it does not know."""
        ...

    def data(self, truth: View, query: Query, /) -> Reply:
        """Return the provider's answer with the data of a sound question."""
        ...

    def catalogue(self, dataset: Dataset, query: Query, /) -> Reply | None:  # noqa: ARG002 - most have none
        """Return the answer to a sound question that is about no single symbol; None if it is about one."""
        return None


def query(
    manners: Desk,
    *,
    parts: Mapping[str, str],
    params: Mapping[str, str],
    headers: Mapping[str, str],
    today: date,
    body: bytes = b"",
) -> Query:
    """Return the question that a GET or POST asks at the desk `manners`.

    Args:
        manners: The desk.
        parts: The variables of the path.
        params: The query, with the key where it stands there.
        headers: By name, whatever its case.
        today: The dataset's last day.
        body: Of a POST.
    """
    parameter = manners.key_parameter
    asked = {name: value for name, value in params.items() if name != parameter}
    header = manners.key_header.lower()
    key = params.get(parameter, "") or next((value for name, value in headers.items() if name.lower() == header), "")
    return Query(
        symbol=manners.ours(parts.get("symbol") or asked.get(manners.symbol_parameter, "")),
        today=today,
        parts=dict(parts),
        params=asked,
        keyed=bool(key) or not (parameter or header),
        body=body,
    )


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


def since(name: str, today: date, months: Mapping[str, int]) -> date:
    """Return the first date of the range `name` that ends `today`: so many `months`, ytd, or everything."""
    if name in months:
        return months_before(today, months[name])
    return date(today.year, 1, 1) if name == "ytd" else EARLIEST.date()


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
