"""The checks that every provider is held to, by number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from truetape.app.conformance.bench import Bench
from truetape.app.conformance.subject import Subject
from truetape.domain.time import DERIVED_TIMEFRAMES

Needs = Callable[[Subject], str]  # why a check does not apply to a provider; "" if it does
Examine = Callable[[Bench], Awaitable[None]]


@dataclass(frozen=True)
class Check:
    """One demand that a provider must keep.

    `examine` returns if it is kept, and raises bench.Broken if not, bench.Unshown where the sandbox cannot show it.
    """

    number: int
    name: str
    demands: str
    needs: Needs
    examine: Examine


CHECKS: Final[dict[int, Check]] = {}


def always(_subject: Subject) -> str:
    """Select every provider."""
    return ""


def desk(subject: Subject) -> str:
    """Select the providers that the sandbox speaks, and those that read the market's files."""
    return "" if subject.desk is not None or subject.local else "the sandbox has no desk for it"


def network(subject: Subject) -> str:
    """Select the providers that are asked over a network."""
    return "it asks nobody" if subject.local else ""


def demand(number: int, name: str, demands: str, *needs: Needs) -> Callable[[Examine], Examine]:
    """Register a function as the check `number`; it applies where none of `needs` names a reason against it."""

    def register(examine: Examine) -> Examine:
        if number in CHECKS:
            raise ValueError(f"check {number} is {CHECKS[number].name} already")
        CHECKS[number] = Check(number, name, demands, _all(needs), examine)
        return examine

    return register


def _all(needs: tuple[Needs, ...]) -> Needs:
    def reason(subject: Subject) -> str:
        return next((words for one in needs if (words := one(subject))), "")

    return reason


def offers(kind: str) -> Needs:
    """Select the providers that have rows of `kind` and a desk."""

    def reason(subject: Subject) -> str:
        told = any(offer.kind == kind and not offer.streamed for offer in subject.declaration.offers)
        return desk(subject) if told else f"it offers no {kind}"

    return reason


def daily(subject: Subject) -> str:
    """Select the providers that have daily bars and a desk."""
    return "it offers no daily bars" if "1d" not in subject.declaration.timeframes else desk(subject)


def intraday(subject: Subject) -> str:
    """Select the providers that have bars below a day and a desk."""
    short = [one for one in subject.declaration.timeframes if one not in (*DERIVED_TIMEFRAMES, "1d")]
    return desk(subject) if short else "it offers no bars below a day"


def keyed(subject: Subject) -> str:
    """Select the providers that want a key."""
    return "" if subject.declaration.needs_key else "it wants no key"


def equities(subject: Subject) -> str:
    """Select the providers of listed securities."""
    return "" if {"equity", "etf"} & set(subject.declaration.assets) else "it has no equities"
