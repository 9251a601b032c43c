"""The settings of the tiers: where old rows go, when, how long they are kept, and what that costs."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from truetape.domain.schema import TABLES
from truetape.services.storage.costs import Prices
from truetape.services.storage.lifecycle import Ages, Licence

Form = Literal["parquet", "delta"]
LONGEST_DAYS: Final = 36_600
_UNITS: Final = {"d": 1, "w": 7, "y": 365.25}
_AGE: Final = re.compile(r"([0-9]{1,5})\s*([dwy])")
_EXAMPLES: Final = 'an age such as "90d", "26w" or "2y"'
_EVENTS: Final = ("ts_event", "ex_date", "session")
MOVABLE: Final = tuple(name for name, table in TABLES.items() if any(one in table.columns for one in _EVENTS))
_KNOWN: Final = ("warm", "archive", "mirror", "form", "every", "replaced", "scrub_every", "kinds", "licences", "prices")


class Tiering(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tiers lie and what goes there when. Without a warm place nothing moves."""

    warm: str = ""  # a folder or s3://bucket/prefix
    archive: str = ""  # likewise; "" for none
    mirror: str = ""  # likewise: a second copy of every cold file, from which damage is repaired; "" for none
    form: Form = "parquet"
    every_days: int = 1  # between two looks at what is due
    replaced_days: int = 2  # for which files that were folded into others stay: a backup may still be reading them
    scrub_days: int = 30  # between two readings of everything that is kept cold
    kinds: dict[str, Ages] = {}  # by table
    licences: dict[str, Licence] = {}  # by provider
    prices: Prices = Prices()


def tiering(table: object, *, beside: Path, problems: list[str]) -> Tiering:
    """Return the settings [tiers], with folders beside the settings file; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("tiers must be a table: write [tiers] before its settings.")
        return Tiering()
    problems += [f"tiers.{name} is no setting; known are {', '.join(_KNOWN)}." for name in table if name not in _KNOWN]
    values: dict[str, Any] = {
        name: _place(table, name, beside, problems) for name in ("warm", "archive", "mirror") if name in table
    }
    if "form" in table:
        values |= _choice(table["form"], problems)
    for name, field in (("every", "every_days"), ("replaced", "replaced_days"), ("scrub_every", "scrub_days")):
        if name in table:
            values[field] = _days(table[name], f"tiers.{name}", problems)
    values["kinds"] = {name: Ages(**given) for name, given in _ages(table, "kinds", Ages, MOVABLE, problems).items()}
    values["licences"] = {
        name: Licence(**given) for name, given in _ages(table, "licences", Licence, None, problems).items()
    }
    values["prices"] = _prices(table.get("prices", {}), problems)
    found = Tiering(**{name: value for name, value in values.items() if value is not None})
    _contradictions(found, problems)
    return found


def days_of(text: object) -> int | None:
    """Return how many days an age means, "2y" for example; None if it is none. A year has 365.25 days."""
    found = _AGE.fullmatch(text.strip()) if isinstance(text, str) else None
    days = int(int(found[1]) * _UNITS[found[2]]) if found else 0
    return days if 0 < days <= LONGEST_DAYS else None


def with_rule(tiers: Tiering, rule: str) -> Tiering:
    """Return `tiers` with one rule changed, such as "bars.hot=2y" or "bars.keep=never".

    Raises:
        ValueError: It is no rule.
    """
    name, _, age = rule.partition("=")
    kind, _, field = name.strip().partition(".")
    days = None if age.strip() == "never" else days_of(age)
    if kind not in MOVABLE or field not in Ages.__struct_fields__ or (days is None and age.strip() != "never"):
        raise ValueError(rule)
    ages = msgspec.structs.replace(tiers.kinds.get(kind, Ages()), **{field: days})
    return msgspec.structs.replace(tiers, kinds={**tiers.kinds, kind: ages})


def _place(table: dict[str, Any], name: str, beside: Path, problems: list[str]) -> str | None:
    place = table[name].strip() if isinstance(table[name], str) else ""
    if not place:
        fix = "write a folder, or a bucket such as s3://bucket/prefix"
        problems.append(f"tiers.{name} was {table[name]!r:.100}; {fix}.")
        return None
    return place if "://" in place else str(beside / place)


def _choice(value: object, problems: list[str]) -> dict[str, Any]:
    if value in ("parquet", "delta"):
        return {"form": value}
    problems.append(f'tiers.form was {value!r:.100}; write "parquet" or "delta".')
    return {}


def _days(value: object, where: str, problems: list[str]) -> int | None:
    days = days_of(value)
    if days is None:
        problems.append(f"{where} was {value!r:.100}; write {_EXAMPLES}.")
    return days


def _ages(
    table: dict[str, Any], name: str, form: type[msgspec.Struct], known: tuple[str, ...] | None, problems: list[str]
) -> dict[str, dict[str, int | None]]:
    """Return the ages of [tiers.<name>.X], by X."""
    given = table.get(name, {})
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        problems.append(f"tiers.{name} must hold tables: write [tiers.{name}.NAME] before its settings.")
        return {}
    found: dict[str, dict[str, int | None]] = {}
    for key, ages in given.items():
        if known is not None and key not in known:
            problems.append(f"tiers.{name}.{key} is no table with dates; known are {', '.join(known)}.")
            continue
        fields = form.__struct_fields__
        problems += [
            f"tiers.{name}.{key}.{field} is no setting; known are {', '.join(fields)}."
            for field in ages
            if field not in fields
        ]
        found[key] = {
            field: _days(value, f"tiers.{name}.{key}.{field}", problems)
            for field, value in ages.items()
            if field in fields
        }
    return found


def _prices(given: object, problems: list[str]) -> Prices | None:
    try:
        return msgspec.convert(given, Prices, strict=True)
    except msgspec.ValidationError as error:
        problems.append(f"tiers.prices: {error}. Write prices of a gigabyte and month, such as warm = 0.023.")
        return None


def _contradictions(tiers: Tiering, problems: list[str]) -> None:
    for name, ages in tiers.kinds.items():
        order = [("hot", ages.hot), ("warm", ages.warm), ("keep", ages.keep)]
        told = [(field, days) for field, days in order if days is not None]
        for (sooner, less), (later, more) in pairwise(told):
            if less >= more:
                problems.append(f"tiers.kinds.{name}.{later} must be longer than {sooner}: they are ages of a row.")
        if (ages.hot is not None or ages.warm is not None) and not tiers.warm:
            problems.append(f'tiers.kinds.{name} moves rows, and tiers.warm is missing: write warm = "cold".')
        if ages.warm is not None and not tiers.archive:
            problems.append(f"tiers.kinds.{name}.warm ends a tier, and tiers.archive, the next one, is missing.")
