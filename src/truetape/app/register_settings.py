"""The settings [reference]: which lists are fetched, how often, and how much of a list may be missing."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.durations import EXAMPLES, seconds_of
from truetape.domain.registers import LISTS, Register
from truetape.providers import NAMES, vendor

MOST_GONE: Final = 0.05
SHORTEST_S: Final = 600.0
_KNOWN: Final = ("lists", "most_gone")
_EXAMPLE: Final = 'write [reference.lists] with lines such as sec = "1d" or "sec issuers 320193" = "7d"'


class Referring(msgspec.Struct, frozen=True, kw_only=True):
    """Which lists are fetched, and when one is not believed."""

    lists: tuple[Register, ...] = ()
    most_gone: float = MOST_GONE  # share of a list that may be missing from the next, before nothing of it is believed


def referring(table: object, problems: list[str]) -> Referring:
    """Return the settings [reference]; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("reference must be a table: write [reference] before its settings.")
        return Referring()
    problems += [f"reference.{name} is no setting; known are {', '.join(_KNOWN)}." for name in table.keys() - {*_KNOWN}]
    share = table.get("most_gone", MOST_GONE)
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
        problems.append(f"reference.most_gone was {share!r:.40}; write a share above 0 and up to 1, such as 0.05.")
        share = MOST_GONE
    lists = table.get("lists", {})
    if not isinstance(lists, dict):
        problems.append(f"reference.lists was {lists!r:.60}; {_EXAMPLE}.")
        return Referring(most_gone=share)
    found = [_register(name, every, problems) for name, every in lists.items()]
    return Referring(lists=tuple(one for one in found if one is not None), most_gone=float(share))


def register_of(words: str) -> Register | str:
    """Return the list that `words` name: a provider, perhaps a record kind, and what it is about; or what is wrong."""
    name, _, rest = words.strip().partition(" ")
    kind, _, symbol = rest.strip().partition(" ")
    if name not in NAMES:
        return f"{name!r:.40} is no provider; known are {', '.join(NAMES)}"
    offered = [one for one in vendor(name).DECLARATION.kinds if one in LISTS]
    if not offered:
        return f"{name} has no lists"
    if kind and kind not in offered:
        return f"{name} has no {kind!r:.40}; it has {', '.join(offered)}"
    return Register(provider=name, kind=kind or offered[0], symbol=symbol.strip())


def _register(name: str, every: object, problems: list[str]) -> Register | None:
    found = register_of(name)
    seconds = seconds_of(every) if isinstance(every, str) else None
    if isinstance(found, str):
        problems.append(f"reference.lists: {found}.")
        return None
    if seconds is None or seconds < SHORTEST_S:
        problems.append(f"reference.lists.{name} was {every!r:.40}; write {EXAMPLES}, of ten minutes at least.")
        return None
    return msgspec.structs.replace(found, every_s=seconds)
