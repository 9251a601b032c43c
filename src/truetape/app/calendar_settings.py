"""The settings of calendars: the operator's own file of corrections."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

_KNOWN: Final = ("corrections",)


class Calendars(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the calendars that come with the platform."""

    corrections: str = ""  # a CSV or Parquet file, read again while the platform runs; "" for none


def calendars(table: object, *, beside: Path, problems: list[str]) -> Calendars:
    """Return the settings [calendars], files beside the settings file; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("calendars must be a table: write [calendars] before its settings.")
        return Calendars()
    problems += [
        f"calendars.{name} is no setting; known are {', '.join(_KNOWN)}." for name in table if name not in _KNOWN
    ]
    file = table.get("corrections", "")
    if not isinstance(file, str) or ("corrections" in table and not file.strip()):
        problems.append(f"calendars.corrections was {file!r:.100}; write the path of a CSV or Parquet file, in quotes.")
        return Calendars()
    return Calendars(corrections=str(beside / Path(file).expanduser()) if file else "")
