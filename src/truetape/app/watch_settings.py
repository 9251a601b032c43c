"""The settings of watching: alerts, their channels, and how soon what is due."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from truetape.app.disk_settings import Disk, disk_of
from truetape.domain.durations import EXAMPLES, seconds_of
from truetape.services.distribution.config import GROUPS, AlertRule
from truetape.services.quality.objectives import (
    DAILY,
    DAILY_FORM,
    IN_SESSION,
    IN_SESSION_FORM,
    Objective,
    Objectives,
    objective_of,
)

Security = Literal["starttls", "tls", "none"]
SEVERITIES: Final = ("note", "warning", "error")
BY: Final = ("webhook", "alertmanager", "email")
PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
MOST_COUNT: Final = 1_000_000
_URL: Final = re.compile(r"https?://[^\s/?#@]+(/[^\s#]*)?")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")
_VARIABLE: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_MAILBOX: Final = re.compile(r"[^\s@<>,]+@[^\s@<>,]+")
_LISTS: Final = {"check": "checks", "provider": "providers", "instrument": "instruments", "kind": "kinds"}
_LENGTHS: Final = {
    "within": "within_s",
    "cool_down": "cool_down_s",
    "resolve_after": "resolve_after_s",
    "newer_than": "newer_than_s",
}
_RULE: Final = ("name", "channel", "severity", "count", "group_by", *_LISTS, *_LENGTHS)
_VARIABLES: Final = ("url_variable", "token_variable", "secret_variable", "password_variable")
_POSTED: Final = ("by", "url", "url_variable", "token_variable")
_CHANNEL: Final = {
    "webhook": (*_POSTED, "secret_variable"),
    "alertmanager": _POSTED,
    "email": ("by", "host", "port", "security", "user", "password_variable", "sender", "to"),
}


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one channel is reached. What may be secret is never shown."""

    by: str
    url: str = ""
    token: str = ""
    secret: str = ""
    host: str = ""
    port: int = 0
    security: Security = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ChannelSettings(by={self.by!r}, host={self.host!r}, to={self.to!r})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What stands in no log: the address too, since its path may hold a token."""
        return (self.url, self.url.partition("//")[2].partition("/")[2], self.token, self.secret, self.password)


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """Who is alarmed of what, and how soon what is due."""

    rules: tuple[AlertRule, ...] = ()
    channels: dict[str, ChannelSettings] = {}
    freshness: Objectives = Objectives()
    disk: Disk = Disk()  # from when on it is in trouble


def watching(
    *,
    alerts: object,
    channels: object,
    disk: object,
    freshness: object,
    environ: Mapping[str, str],
    problems: list[str],
) -> Watching:
    """Return the settings [[alerts]], [channels], [disk] and [quality.freshness]; `problems` gets what is wrong."""
    reached = _channels(channels, environ, problems)
    named = set(reached) | (set(channels) if isinstance(channels, dict) else set())
    rules = _rules(alerts, named, problems)
    due, limits = _objectives(freshness, problems), disk_of(disk, problems)
    return Watching(rules=rules, channels=reached, freshness=due, disk=limits)


def _rules(found: object, channels: Iterable[str], problems: list[str]) -> tuple[AlertRule, ...]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        problems.append("alerts must be tables: write [[alerts]] before each.")
        return ()
    rules = [_rule(one, number, sorted(channels), problems) for number, one in enumerate(found)]
    made = [one for one in rules if one is not None]
    names = [one.name for one in made]
    problems += [
        f"alerts: two have the name {name!r}; name them apart." for name in sorted({*names}) if names.count(name) > 1
    ]
    return tuple(made)


def _rule(table: dict[str, Any], number: int, channels: list[str], problems: list[str]) -> AlertRule | None:
    where, before = f"alerts[{number}].", len(problems)
    problems += [f"{where}{name} is no setting; {_nearest(name, _RULE)}" for name in table if name not in _RULE]
    given: dict[str, Any] = {"name": table.get("name", f"alert {number}"), "channel": table.get("channel")}
    if not isinstance(given["name"], str) or not _NAME.fullmatch(given["name"]):
        problems.append(f"{where}name was {given['name']!r}; write letters, digits and blanks, 60 at most.")
    if given["channel"] not in channels:
        known = f"known are {', '.join(channels)}" if channels else "write [channels.NAME] for it"
        problems.append(f"{where}channel was {given['channel']!r}; {known}.")
    given |= _choice(table, "severity", SEVERITIES, where, problems)
    if "count" in table:
        given["count"] = table["count"]
        if type(table["count"]) is not int or not 1 <= table["count"] <= MOST_COUNT:
            problems.append(f"{where}count was {table['count']!r}; write a whole number from 1 to {MOST_COUNT}.")
    for name, field in _LISTS.items():
        given |= _texts(table, name, field, where, problems)
    given |= _texts(table, "group_by", "group_by", where, problems)
    problems += [
        f"{where}group_by has {one!r}; {_nearest(one, GROUPS)}"
        for one in given.get("group_by", ())
        if one not in GROUPS
    ]
    for name, field in _LENGTHS.items():
        given |= _length(table, name, field, where, problems)
    return AlertRule(**given) if len(problems) == before else None


def _choice(
    table: dict[str, Any], name: str, known: tuple[str, ...], where: str, problems: list[str]
) -> dict[str, str]:
    if name not in table:
        return {}
    if table[name] not in known:
        problems.append(f"{where}{name} was {table[name]!r}; write one of {', '.join(known)}.")
    return {name: table[name]}


def _texts(table: dict[str, Any], name: str, field: str, where: str, problems: list[str]) -> dict[str, tuple[str, ...]]:
    if name not in table:
        return {}
    value = [table[name]] if isinstance(table[name], str) else table[name]
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        problems.append(f'{where}{name} was {table[name]!r}; write a text, or several in a list such as ["a", "b"].')
        return {}
    return {field: tuple(value)}


def _length(table: dict[str, Any], name: str, field: str, where: str, problems: list[str]) -> dict[str, float]:
    if name not in table:
        return {}
    seconds = seconds_of(table[name]) if isinstance(table[name], str) else None
    if seconds is None:
        problems.append(f"{where}{name} was {table[name]!r}; write {EXAMPLES}.")
    return {field: seconds or 0.0}


def _channels(found: object, environ: Mapping[str, str], problems: list[str]) -> dict[str, ChannelSettings]:
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        problems.append("channels must be tables: write [channels.NAME] before the settings of each.")
        return {}
    made = {name: _channel(table, f"channels.{name}.", environ, problems) for name, table in found.items()}
    return {name: one for name, one in made.items() if one is not None}


def _channel(
    table: dict[str, Any], where: str, environ: Mapping[str, str], problems: list[str]
) -> ChannelSettings | None:
    before, by = len(problems), table.get("by")
    if by not in BY:
        problems.append(f"{where}by was {by!r}; write one of {', '.join(BY)}.")
        return None
    known = _CHANNEL[str(by)]
    problems += [f"{where}{name} is no setting of it; {_nearest(name, known)}" for name in table if name not in known]
    given: dict[str, Any] = {"by": by, **_secret_values(table, where, environ, problems)}
    if by == "email":
        given |= _mail(table, where, problems)
    else:
        given["url"] = given.get("url") or table.get("url", "")
        if "url_variable" not in table and not (isinstance(given["url"], str) and _URL.fullmatch(given["url"])):
            problems.append(f'{where}url was ***; write an address such as "http://127.0.0.1:9093", or url_variable.')
        elif "url_variable" in table and given["url"] and not _URL.fullmatch(given["url"]):
            problems.append(f"{where}url_variable: what it holds is no address that starts with http:// or https://.")
    return ChannelSettings(**given) if len(problems) == before else None


def _secret_values(
    table: dict[str, Any], where: str, environ: Mapping[str, str], problems: list[str]
) -> dict[str, str]:
    """Return the secrets that the environment holds; a variable that is not set is told."""
    given = {}
    for name in _VARIABLES:
        if name in table:
            variable = table[name]
            if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
                problems.append(f"{where}{name} was ***; write the name of an environment variable, not a secret.")
            elif not environ.get(variable, "").strip():
                problems.append(f"{where}{name}: the environment variable {variable} is not set; set it.")
            else:
                given[name.removesuffix("_variable")] = environ[variable].strip()
    return given


def _mail(table: dict[str, Any], where: str, problems: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = _choice(table, "security", tuple(PORTS), where, problems)
    given |= {name: table.get(name, "") for name in ("host", "sender", "user")}
    given["port"] = table.get("port", PORTS.get(given.get("security", "starttls"), 0))
    if not isinstance(given["host"], str) or not re.fullmatch(r"[A-Za-z0-9.:-]{1,255}", given["host"]):
        problems.append(f'{where}host was {given["host"]!r}; write the name of a mail server, such as "mail.host".')
    if type(given["port"]) is not int or not 1 <= given["port"] <= 65_535:  # noqa: PLR2004  a port
        problems.append(f"{where}port was {given['port']!r}; write a whole number from 1 to 65535.")
    if not isinstance(given["user"], str) or bool(given["user"]) != ("password_variable" in table):
        problems.append(f"{where}user and password_variable belong together; write both or none.")
    given |= _texts(table, "to", "to", where, problems)
    boxes = [given["sender"], *given.get("to", ("",))]
    if not all(isinstance(one, str) and _MAILBOX.fullmatch(one) for one in boxes):
        problems.append(f'{where}sender and to are addresses such as "you@host"; write both.')
    return given


def _objectives(found: object, problems: list[str]) -> Objectives:
    where = "quality.freshness."
    if not isinstance(found, dict):
        problems.append("quality.freshness must be a table: write [quality.freshness] before its settings.")
        return Objectives()
    special: dict[str, dict[str, dict[str, Objective]]] = {}
    for level in ("venues", "instruments"):
        tables = found.get(level, {})
        if not isinstance(tables, dict) or not all(isinstance(one, dict) for one in tables.values()):
            problems.append(f"{where}{level} must hold tables: write [{where}{level}.NAME] before each.")
            continue
        special[level] = {name: _by_kind(one, f"{where}{level}.{name}.", problems) for name, one in tables.items()}
    plain = {name: value for name, value in found.items() if name not in ("venues", "instruments")}
    return Objectives(everywhere=_by_kind(plain, where, problems), **special)


def _by_kind(table: Mapping[str, object], where: str, problems: list[str]) -> dict[str, Objective]:
    made = {}
    for kind, text in table.items():
        if kind not in (*DAILY, *IN_SESSION):
            problems.append(f"{where}{kind} is no kind with an objective; {_nearest(kind, (*DAILY, *IN_SESSION))}")
            continue
        objective = objective_of(kind, text) if isinstance(text, str) else None
        if objective is None:
            form = DAILY_FORM if kind in DAILY else IN_SESSION_FORM
            problems.append(f"{where}{kind} was {text!r}; write {form}.")
        else:
            made[kind] = objective
    return made


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
