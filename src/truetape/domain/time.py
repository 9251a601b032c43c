"""Instants, session dates and timeframes.

Instants are UTC nanoseconds since 1970. A daily bar is labelled with its session's date, a weekly one with the Monday
and a monthly one with the first day that it covers, at 00:00 UTC, whether anything was traded on that day or not.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

from truetape.domain.errors import BadInput

NANOSECONDS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * NANOSECONDS
TIMEFRAMES: Final = ("1m", "5m", "15m", "30m", "1h", "1d", "1w", "1mo")
DERIVED_TIMEFRAMES: Final = ("1w", "1mo")
_BELOW_MICROSECONDS: Final = re.compile(r"[.,]\d{6}(\d{1,3})(?!\d)")


def day_start_ns(day: date) -> int:
    """Return 00:00 UTC of `day` in nanoseconds."""
    return (day - date(1970, 1, 1)).days * DAY_NS


def to_datetime(instant_ns: int) -> datetime:
    """Return the UTC datetime of `instant_ns`, cut to microseconds."""
    seconds, rest = divmod(instant_ns, NANOSECONDS)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def from_datetime(moment: datetime) -> int:
    """Return the nanoseconds of an aware datetime."""
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * NANOSECONDS + delta.microseconds * 1000


def iso(instant_ns: int) -> str:
    """Return `instant_ns` in ISO 8601 with a Z, with as many fractional digits as it has."""
    seconds, rest = divmod(instant_ns, NANOSECONDS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


def parse_day(text: str, *, parameter: str) -> date:
    """Return the date that `text` (YYYY-MM-DD) names.

    Raises:
        BadInput: `text` is no such date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(
            parameter=parameter, value=text, fix="Write a date as YYYY-MM-DD, for example 2005-02-28."
        ) from None


def parse_instant(text: str, *, parameter: str) -> int:
    """Return the UTC nanoseconds that `text` names: a date (its 00:00 UTC) or an ISO 8601 instant with a zone.

    An instant has up to nine digits after the second.

    Raises:
        BadInput: `text` is neither, or an instant without a zone.
    """
    if len(text) == len("2005-02-28"):
        return day_start_ns(parse_day(text, parameter=parameter))
    fix = "Write an instant as 2024-06-10T20:00:00Z, or a date as 2024-06-10."
    finer = _BELOW_MICROSECONDS.search(text)
    cut = text if finer is None else text.replace(finer[0], finer[0][: -len(finer[1])])
    try:
        moment = datetime.fromisoformat(cut.replace(" ", "+"))
    except ValueError:
        raise BadInput(parameter=parameter, value=text, fix=fix) from None
    if moment.tzinfo is None:
        raise BadInput(parameter=parameter, value=text, fix=f"The zone is missing. {fix}")
    return from_datetime(moment) + (int(finer[1].ljust(3, "0")) if finer is not None else 0)
