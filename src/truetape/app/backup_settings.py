"""The settings of backups: where they go, how often, and how often they are proved by a restore."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from truetape.domain.durations import EXAMPLES, seconds_of
from truetape.domain.errors import BadInput

DAY_S: Final = 86_400.0
MOST: Final = 10_000
_KNOWN: Final = ("to", "every", "verify_every", "recipient", "identity", "scratch", "keep")


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How many backups stay: the newest, and the newest of each of the last days, weeks and months (in UTC)."""

    newest: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0


class Backing(msgspec.Struct, frozen=True, kw_only=True):
    """Backups by a running platform. Without a place it makes none."""

    to: str = ""  # a folder or s3://bucket/prefix
    every_s: float = DAY_S
    verify_every_s: float = 7 * DAY_S
    recipient: str = ""  # the age recipient that they are sealed for
    identity: str = ""  # file with the identity that opens them, so that they can be proved; "" where nothing is sealed
    scratch: str = ""  # folder with room for a whole copy; "" for one in the data folder
    keep: Keep = Keep()  # which backups stay; all of them if nothing is said
    config: str = ""  # the settings file, which is backed up too


def backing(table: object, *, file: Path, problems: list[str]) -> Backing:
    """Return the settings [backup] of `file`, with folders beside it; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("backup must be a table: write [backup] before its settings.")
        return Backing()
    problems += [f"backup.{name} is no setting; known are {', '.join(_KNOWN)}." for name in table if name not in _KNOWN]
    given: dict[str, Any] = {"config": str(file.absolute())} if table else {}
    for name in ("to", "identity", "scratch"):
        if name in table:
            given[name] = _place(table[name], name, file.parent, problems)
    for name in ("every", "verify_every"):
        if name in table:
            given[f"{name}_s"] = seconds_of(table[name]) if isinstance(table[name], str) else None
            if given[f"{name}_s"] is None:
                problems.append(f"backup.{name} was {table[name]!r:.100}; write {EXAMPLES}.")
    if "recipient" in table:
        given["recipient"] = _recipient(table["recipient"], problems)
    if "keep" in table:
        given["keep"] = _keep(table["keep"], problems)
    if table and not table.get("to"):
        problems.append("backup.to is missing; write a folder, or a bucket such as s3://bucket/prefix.")
    return Backing(**{name: value for name, value in given.items() if value is not None})


def _place(value: object, name: str, beside: Path, problems: list[str]) -> str | None:
    place = value.strip() if isinstance(value, str) else ""
    if not place or (name != "to" and "://" in place):
        fix = "write a folder, or a bucket such as s3://bucket/prefix" if name == "to" else "write a path, in quotes"
        problems.append(f"backup.{name} was {value!r:.100}; {fix}.")
        return None
    return place if "://" in place else str(beside / Path(place).expanduser())


def _keep(value: object, problems: list[str]) -> Keep | None:
    known = Keep.__struct_fields__
    given = value if isinstance(value, dict) and set(value) <= set(known) else {}
    if any(given.values()) and all(type(one) is int and 0 <= one <= MOST for one in given.values()):
        return Keep(**given)
    fix = f"write numbers such as {{daily = 30, monthly = 12}}, of {', '.join(known)}"
    problems.append(f"backup.keep was {value!r:.100}; {fix}.")
    return None


def _recipient(value: object, problems: list[str]) -> str | None:
    from truetape.app.backups.sealing import RECIPIENT, check_recipient

    try:
        return check_recipient(value) if isinstance(value, str) else _no(value)
    except BadInput as problem:
        problems.append(f"backup.recipient was {value!r:.100}; {problem.fix or RECIPIENT}")
        return None


def _no(value: object) -> str:
    from truetape.app.backups.sealing import RECIPIENT

    raise BadInput(parameter="recipient", value=value, fix=RECIPIENT)
