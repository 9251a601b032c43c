"""The settings of a store in PostgreSQL: its address, from the environment, and how its rows grow old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from truetape.app.tier_settings import days_of

STORE: Final = "TRUETAPE_STORE"  # the address of a PostgreSQL server that keeps the store; it may hold a password
TABLES: Final = ("bars", "bar_claims", "quotes", "trades")  # that are cut into chunks
_KNOWN: Final = ("compress_after", "chunk", "keep")
_EXAMPLE: Final = 'an age such as "30d", "13w" or "2y"'


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """Where the store lies, if not in the data folder, and what becomes of its rows. The address is never shown."""

    address: str = ""  # postgresql://...; "" for a file in the data folder
    compress_after_days: int = 30
    chunk_days: dict[str, int] = {}  # by table
    keep_days: dict[str, int] = {}  # by table; others are kept for ever

    def __repr__(self) -> str:
        hidden = "***" if self.address else ""
        return f"Database(address={hidden!r}, chunk_days={self.chunk_days}, keep_days={self.keep_days})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What stands in no log."""
        try:
            password = urlsplit(self.address).password
        except ValueError:
            password = None
        return (self.address, password or "")


def database(table: object, *, environ: Mapping[str, str], problems: list[str]) -> Database:
    """Return the settings [timescale] with the address of the environment; what is wrong is added to `problems`."""
    address = environ.get(STORE, "").strip()
    if not isinstance(table, dict):
        problems.append("timescale must be a table: write [timescale] before its settings.")
        return Database(address=address)
    known = ", ".join(_KNOWN)
    problems += [f"timescale.{name} is no setting; known are {known}." for name in table if name not in _KNOWN]
    values: dict[str, Any] = {"address": address}
    if "compress_after" in table:
        values["compress_after_days"] = _days(table["compress_after"], "timescale.compress_after", problems)
    for name in ("chunk", "keep"):
        values[f"{name}_days"] = _by_table(table.get(name, {}), f"timescale.{name}", problems)
    return Database(**values)


def _by_table(found: object, where: str, problems: list[str]) -> dict[str, int]:
    if not isinstance(found, dict):
        problems.append(f"{where} must be a table: write [{where}] before its settings.")
        return {}
    problems += [f"{where}.{one} is no table; known are {', '.join(TABLES)}." for one in found if one not in TABLES]
    return {one: _days(age, f"{where}.{one}", problems) for one, age in found.items() if one in TABLES}


def _days(age: object, where: str, problems: list[str]) -> int:
    days = days_of(age)
    if days is None:
        problems.append(f"{where} was {age!r}; write {_EXAMPLE}.")
    return days or 1
