"""How the scheduled backups of a data folder stand, as the folder remembers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from truetape.app.backups.memory import BACKUPS, write_privately
from truetape.domain.durations import spoken
from truetape.domain.time import iso

STANDING: Final = "standing.json"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the scheduled backups of a data folder stand. Instants are UTC nanoseconds, 0 for never."""

    place: str = ""
    since: int = 0  # when the schedule began
    made: int = 0  # until when the newest backup knows everything
    backup_id: str = ""
    tried: int = 0
    failed: str = ""  # why the last try failed, "" if it did not
    proved: int = 0  # when one was last proved
    proved_id: str = ""
    opened: bool = False  # whether that was by a restore, or by its sums alone
    drilled: int = 0  # when that was last tried
    damaged: str = ""  # what the last try found, "" if nothing


def standing_of(folder: Path) -> Standing:
    """Return how the scheduled backups of the data folder `folder` stand."""
    try:
        return msgspec.json.decode((folder / BACKUPS / STANDING).read_bytes(), type=Standing)
    except (OSError, msgspec.DecodeError):
        return Standing()


def keep_standing(folder: Path, standing: Standing) -> None:
    """Write down how they stand."""
    write_privately(folder / BACKUPS / STANDING, msgspec.json.encode(standing))


def told_of(folder: Path) -> dict[str, Any] | None:
    """Return how they stand for programs, instants in ISO 8601, "" for never; None where none are scheduled."""
    standing = standing_of(folder)
    if not standing.place:
        return None
    told: dict[str, Any] = msgspec.to_builtins(standing)
    instants = ("since", "made", "tried", "proved", "drilled")
    return told | {name: iso(told[name] // 10**9 * 10**9) if told[name] else "" for name in instants}


def in_words(standing: Standing, *, now_ns: int) -> list[str]:
    """Return lines about them for people; none where none are scheduled."""
    if not standing.place:
        return []
    told = [f"backups: at {standing.place}, none was made yet"]
    if standing.made:
        told = [f"backups: at {standing.place}, the newest is {_age(standing.made, now_ns)} old ({standing.backup_id})"]
    if standing.proved:
        how = "by a restore" if standing.opened else "by its sums"
        told.append(f"backups: {standing.proved_id} was proved {how} {_age(standing.proved, now_ns)} ago")
    if standing.failed:
        told.append(f"backups: the last try failed: {standing.failed}")
    if standing.damaged:
        told.append(f"backups: the newest was not proved: {standing.damaged}")
    return told


def _age(instant_ns: int, now_ns: int) -> str:
    return spoken((now_ns - instant_ns) / 10**9)
