"""The settings of checks: which are enabled, how severe they are, with which limits, and where the user's own stand."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from truetape.domain.errors import BadInput
from truetape.domain.identity import instrument_id
from truetape.domain.messages import DeclaredListing
from truetape.services.quality.checks import CHECKS, RECORD_KINDS, SEVERITIES, Check, CheckSetting, Scoped

_OWN: Final = ("enabled", "severity", "limits")
_SCOPE: Final = ("kind", "venue", "instrument")


class Checking(msgspec.Struct, frozen=True, kw_only=True):
    """How checks are set, by their names, and the folder of the user's own; None: there is none."""

    settings: dict[str, CheckSetting] = {}
    folder: Path | None = None


def checking(*, checks: object, folder: object, beside: Path, problems: list[str]) -> Checking:
    """Return the settings [quality.checks.NAME] and quality.user_checks; what is wrong is added to `problems`.

    With a folder, a name that is not in the registry is taken for a check of the user.

    Args:
        checks: What stands under quality.checks.
        folder: What stands under quality.user_checks: a path, relative to `beside`; None: nothing does.
        beside: The folder of the settings file.
        problems: A sentence for each thing that is wrong.
    """
    own = None
    if isinstance(folder, str) and folder:
        own = beside / Path(folder).expanduser()
    elif folder is not None:
        problems.append(f"quality.user_checks was {folder!r}; write the path of a folder, in quotes.")
    if not isinstance(checks, dict) or not all(isinstance(one, dict) for one in checks.values()):
        problems.append("quality.checks must be tables: write [quality.checks.NAME] before the settings of each.")
        return Checking(folder=own)
    settings = {name: _setting(name, table, problems) for name, table in checks.items()}
    if own is None:
        problems += unknown(settings, CHECKS)
    return Checking(settings=settings, folder=own)


def unknown(settings: Iterable[str], known: Collection[str]) -> list[str]:
    """Return a problem for each check that is set but not known."""
    return [f"quality.checks.{name} is no check; {_nearest(name, known)}" for name in settings if name not in known]


def tuned(
    checking: Checking, listings: Iterable[DeclaredListing], user_checks: Iterable[Check]
) -> dict[str, CheckSetting]:
    """Return the settings with instruments by their permanent ids, of which a symbol may have had several.

    Raises:
        BadInput: A check is set that neither the registry nor the user has, or an instrument is no declared symbol.
    """
    names = {*CHECKS, *(check.name for check in user_checks)}
    ids: dict[str, list[str]] = {}
    for one in listings:
        own = one.instrument_id or instrument_id(mic=one.mic, symbol=one.symbol, valid_from=one.valid_from)
        ids.setdefault(one.symbol, []).append(own)
    problems = unknown(checking.settings, names)
    named = {part.instrument for one in checking.settings.values() for part in one.scoped if part.instrument}
    problems += [f"quality.checks: {name} is no declared symbol; {_nearest(name, ids)}" for name in named - {*ids}]
    if problems:
        raise BadInput(parameter="The configuration", value="[quality.checks]", fix=" ".join(problems))
    return {
        name: msgspec.structs.replace(one, scoped=tuple(part for scope in one.scoped for part in _by_id(scope, ids)))
        for name, one in checking.settings.items()
    }


def _by_id(scope: Scoped, ids: Mapping[str, list[str]]) -> list[Scoped]:
    if scope.instrument is None:
        return [scope]
    return [msgspec.structs.replace(scope, instrument=one) for one in ids[scope.instrument]]


def _setting(name: str, table: Mapping[str, Any], problems: list[str]) -> CheckSetting:
    where = f"quality.checks.{name}."
    parts = table.get("where", [])
    if not isinstance(parts, list) or not all(isinstance(one, dict) for one in parts):
        problems.append(f"{where}where must be tables: write [[{where}where]] before each.")
        parts = []
    scoped = [_scoped(name, one, f"{where}where[{number}].", problems) for number, one in enumerate(parts)]
    given = _given(name, {key: value for key, value in table.items() if key != "where"}, where, problems)
    return CheckSetting(**given, scoped=tuple(scoped))


def _scoped(name: str, table: Mapping[str, Any], where: str, problems: list[str]) -> Scoped:
    scope = {key: table[key] for key in _SCOPE if key in table}
    if not scope:
        problems.append(f"{where[:-1]} says not where; write kind, venue or instrument.")
    problems += [f"{where}{key} was {value!r}; write it in quotes." for key, value in scope.items() if not _text(value)]
    if _text(scope.get("kind")) and scope["kind"] not in RECORD_KINDS:
        problems.append(f"{where}kind was {scope['kind']!r}; write one of {', '.join(RECORD_KINDS)}.")
    rest = {key: value for key, value in table.items() if key not in _SCOPE}
    given = _given(name, rest, where, problems, known=(*_SCOPE, *_OWN))
    return Scoped(**{key: value for key, value in scope.items() if _text(value)}, **given)


def _given(
    name: str, table: Mapping[str, Any], where: str, problems: list[str], *, known: tuple[str, ...] = (*_OWN, "where")
) -> dict[str, Any]:
    """Return what is set of a check in one table."""
    problems += [f"{where}{key} is no setting; {_nearest(key, known)}" for key in table if key not in known]
    given: dict[str, Any] = {}
    if "enabled" in table:
        given["enabled"] = table["enabled"]
        if not isinstance(table["enabled"], bool):
            problems.append(f"{where}enabled was {table['enabled']!r}; write true or false, without quotes.")
    if "severity" in table:
        given["severity"] = table["severity"]
        if table["severity"] not in SEVERITIES:
            problems.append(f"{where}severity was {table['severity']!r}; write one of {', '.join(SEVERITIES)}.")
    return given | {"limits": _limits(name, table.get("limits", {}), f"{where}limits", problems)}


def _limits(name: str, found: object, where: str, problems: list[str]) -> dict[str, float]:
    if not isinstance(found, dict):
        problems.append(f"{where} was {found!r}; write a table such as {{ times = 50 }}.")
        return {}
    known = CHECKS[name].limits if name in CHECKS else found
    problems += [f"{where}.{key} is no limit of {name}; {_nearest(key, known)}" for key in found if key not in known]
    wrong = [key for key, value in found.items() if isinstance(value, bool) or not isinstance(value, int | float)]
    problems += [f"{where}.{key} was {found[key]!r}; write a number." for key in wrong]
    return {key: float(value) for key, value in found.items() if key not in wrong}


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known) or 'none'}."
