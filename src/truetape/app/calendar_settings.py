"""The settings of calendars: the operator's own file of corrections, and venues whose calendars are kept anyway."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from truetape.domain.time import to_datetime

_KNOWN: Final = ("corrections", "venues")


class Calendars(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the calendars that come with the platform."""

    corrections: str = ""  # a CSV or Parquet file, read again while the platform runs; "" for none
    venues: tuple[str, ...] = ()  # MICs, beside those of the instruments

    def until(self, end: date | None, *, now_ns: int) -> date | None:
        """Return until when sessions are kept beyond the last full day: the end of next year, if there is no `end`."""
        return date(to_datetime(now_ns).year + 1, 12, 31) if end is None else None


def calendars(table: object, *, beside: Path, problems: list[str]) -> Calendars:
    """Return the settings [calendars], files beside the settings file; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("calendars must be a table: write [calendars] before its settings.")
        return Calendars()
    problems += [
        f"calendars.{name} is no setting; known are {', '.join(_KNOWN)}." for name in table if name not in _KNOWN
    ]
    venues = _venues(table.get("venues", []), problems)
    file = table.get("corrections", "")
    if not isinstance(file, str) or ("corrections" in table and not file.strip()):
        problems.append(f"calendars.corrections was {file!r:.100}; write the path of a CSV or Parquet file, in quotes.")
        return Calendars()
    return Calendars(corrections=str(beside / Path(file).expanduser()) if file else "", venues=venues)


def _venues(value: object, problems: list[str]) -> tuple[str, ...]:
    from truetape.services.reference.calendars import follows_calendar

    wanted = value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None
    if wanted is None:
        problems.append(f'calendars.venues was {value!r:.100}; write MICs in a list such as ["XNYS", "XTKS"].')
    unknown = [one for one in wanted or () if not follows_calendar(one)]
    problems += [f"calendars.venues names {one!r:.40}, which has no calendar." for one in unknown]
    return tuple(dict.fromkeys(one for one in wanted or () if one not in unknown))
