"""What somebody decides about a quarantined claim or a repair, and whether that can be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from truetape.domain.adjust import PRICES
from truetape.domain.errors import BadInput
from truetape.services.api.docket import CLAIM_PREFIX, VALUES

CLAIM_ACTIONS: Final = ("accept", "correct", "reject", "undo")
REPAIR_ACTIONS: Final = ("apply", "undo", "reject")
LONGEST_WHY: Final = 1000
LONGEST_ACTOR: Final = 100
_EXAMPLE: Final = '{"action": "reject", "why": "the venue printed no such trade"}'
_NEXT: Final = {  # actions that a repair can take, by its state
    "proposed": ("apply", "reject"),
    "applied": ("undo",),
    "undone": ("apply", "reject"),
    "rejected": ("apply",),
}


class Ruling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision as it is asked for. `values` are the true ones of a correction, by column; others stay as claimed."""

    action: str
    why: str
    actor: str = "api"
    values: dict[str, float] = {}


def read_ruling(body: bytes, *, actions: tuple[str, ...]) -> Ruling:
    """Return the ruling that `body` holds.

    Raises:
        BadInput: It is no such JSON, or a value in it is not usable.
    """
    try:
        ruling = msgspec.json.decode(body, type=Ruling)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(parameter="body", value=str(error)[:200], fix=f"Send JSON such as {_EXAMPLE}.") from None
    return sound_ruling(ruling, actions=actions)


def sound_ruling(ruling: Ruling, *, actions: tuple[str, ...]) -> Ruling:
    """Return `ruling` with its words trimmed.

    Raises:
        BadInput: The action is none of `actions`, words are missing or too long, or values stand where none belong.
    """
    why, actor = ruling.why.strip(), ruling.actor.strip()
    if ruling.action not in actions:
        raise BadInput(parameter="action", value=ruling.action[:40], fix=f"Write one of {', '.join(actions)}.")
    for name, words, longest in (("why", why, LONGEST_WHY), ("actor", actor, LONGEST_ACTOR)):
        if not 1 <= len(words) <= longest:
            fix = f"Write 1 to {longest} characters: it stands in the audit for ever."
            raise BadInput(parameter=name, value=words[:40], fix=fix)
    if not actor.isprintable():
        raise BadInput(parameter="actor", value=actor[:40], fix="Write a name on one line.")
    if (ruling.action == "correct") != bool(ruling.values):
        fix = "Give what is true, by column, with a correction, and with nothing else."
        raise BadInput(parameter="values", value=dict(ruling.values), fix=fix)
    if unknown := [name for name in ruling.values if name not in VALUES]:
        raise BadInput(parameter="values", value=unknown[0][:40], fix=f"Columns are {', '.join(VALUES)}.")
    return msgspec.structs.replace(ruling, why=why, actor=actor)


def check_claim_ruling(ruling: Ruling, claim: Mapping[str, Any]) -> None:
    """Return if `ruling` can be made about `claim`, a row of docket.QUARANTINED.

    Raises:
        BadInput: What would become golden is no sound bar, or there is nothing to undo.
    """
    if ruling.action == "undo" and claim["state"] == "open":
        fix = "Nobody has decided about it, or the decision was undone; accept, correct or reject it."
        raise BadInput(parameter="action", value="undo", fix=fix)
    if ruling.action in {"accept", "correct"}:
        _check_bar({name: claim[name] for name in VALUES} | ruling.values, ruling.action)


def check_repair_ruling(ruling: Ruling, repair: Mapping[str, Any]) -> None:
    """Return if `ruling` can be made about `repair`, a row of the table repairs.

    Raises:
        BadInput: The repair is in another state.
    """
    possible = _NEXT[repair["state"]]
    if ruling.action not in possible:
        fix = f"The repair is {repair['state']}: it can take {' or '.join(possible)}."
        raise BadInput(parameter="action", value=ruling.action, fix=fix)


def actions_for(target: str) -> tuple[str, ...]:
    """Return the actions that what has the id `target` can take."""
    return CLAIM_ACTIONS if target.startswith(CLAIM_PREFIX) else REPAIR_ACTIONS


def _check_bar(bar: Mapping[str, float | None], action: str) -> None:
    way = "Correct it instead" if action == "accept" else "Give the other columns too"
    if bar["close"] is None:
        raise BadInput(parameter="close", value=None, fix=f"A golden bar has a close. {way}, with its close.")
    for name in VALUES:
        value = bar[name]
        least = "0 or more" if name == "volume" else "above 0"
        wrong = value is not None and (not math.isfinite(value) or value < 0 or (name != "volume" and value == 0))
        if wrong:
            raise BadInput(parameter=name, value=value, fix=f"It must be a number {least}. {way}, with its {name}.")
    prices = {name: value for name in PRICES if (value := bar[name]) is not None}
    for name, worst in (("high", max(prices.values())), ("low", min(prices.values()))):
        if name in prices and prices[name] != worst:
            told = ", ".join(f"{one} {value:g}" for one, value in prices.items())
            limit = "greatest" if name == "high" else "least"
            fix = f"It must be the {limit} of the bar's prices ({told}). {way}, with its {name}."
            raise BadInput(parameter=name, value=prices[name], fix=fix)
