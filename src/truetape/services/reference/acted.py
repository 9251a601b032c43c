"""What announced corporate actions say of tickers: new ones, ended ones, and instruments that are handed out.

An action counts once it is confirmed, or where an operator tells it. The master is left alone where it knows already,
and where another instrument has the ticker at that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from truetape.domain.action_fields import OPERATOR
from truetape.domain.announcements import ENDED
from truetape.domain.entitlements import REMOVALS
from truetape.domain.identity import instrument_id

TELLING: Final = ("symbol_change", "spin_off", "delisting", *REMOVALS)  # types that say something of tickers
KNOWN_DAYS: Final = timedelta(days=31)  # from an action's day, within which a listing is the one that it speaks of
Row = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass
class Acted:
    """Rows of listings and instruments by their keys, as they are to be, and keys of listings that are to go."""

    listings: dict[Key, dict[str, Any]] = field(default_factory=dict)
    instruments: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: set[Key] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)  # ids of announcements whose ticker another instrument has


def acted(announced: pl.DataFrame, listings: pl.DataFrame, instruments: pl.DataFrame) -> Acted:
    """Return what `announced` changes of the master.

    Args:
        announced: Rows of announcements of the types TELLING.
        listings: Rows of listings of their instruments, and of their new symbols.
        instruments: Rows of instruments of the same.
    """
    found = Acted()
    rows = {_key(row): dict(row) for row in listings.iter_rows(named=True)}
    about = {row["instrument_id"]: row for row in instruments.iter_rows(named=True)}
    dated = announced.filter(pl.col("effective_date").is_not_null()).sort("effective_date", "announcement_id")
    for one in dated.iter_rows(named=True):
        if one["status"] in ENDED:
            _take_back(one, rows, found)
        elif one["status"] != "announced" or OPERATOR in one["sources"].split(","):
            _act(one, rows, about, found)
    return found


def _act(one: Row, rows: dict[Key, dict[str, Any]], about: Mapping[str, Row], found: Acted) -> None:
    day, new = one["effective_date"], one["new_symbol"]
    known = _is_known(one, rows)
    if one["type"] in ("symbol_change", "spin_off") and not known:
        if not new:
            return
        if any(row["symbol"] == new and _reaches(row, day) for row in rows.values()):
            found.refused.append(one["announcement_id"])
            return
    if one["type"] == "spin_off":
        if not known:
            _list_new(one, rows, about, found)
        return
    for row in [*_open(one["instrument_id"], rows)]:
        began = row["valid_from"] or date.min
        if began < day and row["symbol"] != new:
            _put({**row, "valid_to": day}, rows, found)
            if one["type"] == "symbol_change" and not known:
                _put({**row, "symbol": new, "valid_from": day, "valid_to": None}, rows, found)


def _list_new(one: Row, rows: dict[Key, dict[str, Any]], about: Mapping[str, Row], found: Acted) -> None:
    """List what is handed out on the first venue of the instrument that hands it out, in its currency."""
    parent = about.get(one["instrument_id"])
    venues = sorted(row["mic"] for row in _open(one["instrument_id"], rows))
    if parent is None or not venues:
        return
    new, day = one["new_symbol"], one["effective_date"]
    identity = instrument_id(mic=venues[0], symbol=new, valid_from=day)
    found.instruments[identity] = {**parent, "instrument_id": identity, "name": new}
    listing = {"instrument_id": identity, "symbol": new, "mic": venues[0], "valid_from": day, "valid_to": None}
    _put({"version": 1, "simulated": one["simulated"], **listing}, rows, found)


def _take_back(one: Row, rows: dict[Key, dict[str, Any]], found: Acted) -> None:
    """Withdraw the listing that a change of symbol or a spin-off began, and let the one before it go on."""
    day, new = one["effective_date"], one["new_symbol"]
    begun = [row for row in rows.values() if row["symbol"] == new and row["valid_from"] == day and new]
    for row in begun:
        made = instrument_id(mic=row["mic"], symbol=new, valid_from=day)
        renamed = one["type"] == "symbol_change" and row["instrument_id"] == one["instrument_id"]
        if renamed or (one["type"] == "spin_off" and row["instrument_id"] == made):
            found.gone.add(_key(row))
            found.listings.pop(_key(row), None)
            del rows[_key(row)]
        if renamed:
            for before in [*rows.values()]:
                same = (before["instrument_id"], before["mic"]) == (row["instrument_id"], row["mic"])
                if same and before["valid_to"] == day:
                    _put({**before, "valid_to": None}, rows, found)


def _open(instrument: str, rows: Mapping[Key, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield from (row for row in rows.values() if row["instrument_id"] == instrument and row["valid_to"] is None)


def _is_known(one: Row, rows: Mapping[Key, dict[str, Any]]) -> bool:
    """Return whether the master has the new ticker since about that day."""
    day: date = one["effective_date"]
    for row in rows.values():
        own = row["instrument_id"] == one["instrument_id"] or one["type"] == "spin_off"
        begins = row["valid_from"]
        if own and row["symbol"] == one["new_symbol"] and begins is not None and abs(begins - day) <= KNOWN_DAYS:
            return True
    return False


def _reaches(row: Row, day: date) -> bool:
    """Return whether a listing is valid on `day` or later."""
    return row["valid_to"] is None or row["valid_to"] > day


def _put(row: dict[str, Any], rows: dict[Key, dict[str, Any]], found: Acted) -> None:
    rows[_key(row)] = found.listings[_key(row)] = row


def _key(row: Row) -> Key:
    return row["instrument_id"], row["symbol"], row["mic"], row["valid_from"]
