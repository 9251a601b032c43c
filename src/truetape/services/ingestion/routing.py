"""Which provider is asked, in which order, and when it is enough: one policy for each record kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import msgspec

from truetape.domain.capability import Declaration
from truetape.domain.plans import Plan
from truetape.services.ingestion.chunks import limited

PolicyName = Literal["consensus", "failover", "hedged", "cheapest"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How providers share the questions about one record kind.

    - consensus: ask so many that `quorum` deliver; with quorum 0 ask everybody.
    - failover: ask the first; if it fails, the next.
    - hedged: as failover, but the next is asked too when the one before is silent for `hedge_s`.
    - cheapest: as failover, in the order of what the question costs.
    """

    name: PolicyName = "consensus"
    providers: tuple[
        str, ...
    ] = ()  # in the order of preference; empty: all that are enabled, as the settings list them
    quorum: int = 0
    fall_through: bool = True  # False: only the first choice is asked, whatever comes of it
    hedge_s: float = 3.0

    @property
    def asks_everybody(self) -> bool:
        """Whether every provider is asked, so that one more failing changes nothing about whom to ask."""
        return self.name == "consensus" and not self.quorum and self.fall_through


@dataclass(frozen=True)
class Candidate:
    """A provider that has what is asked for."""

    name: str
    basis: str  # what its prices are adjusted for
    money: float = 0.0  # what the question costs there
    credits: float = 0.0
    since: date | None = None  # its history begins there; None: long before what is asked


@dataclass(frozen=True)
class Choice:
    """A provider to be asked now, and why."""

    name: str
    why: str


def comparable(basis: str, settled: str) -> bool:
    """Return whether prices of `basis` can stand in one series with those of `settled` ("" while there are none).

    Raw and split-adjusted prices can be turned into each other by the known splits; prices adjusted for dividends too
    cannot, and stand by themselves.
    """
    return not settled or (basis == "all") == (settled == "all")


def ineligible(
    declaration: Declaration,
    plan: Plan | None,
    *,
    kind: str,
    timeframe: str,
    asset_class: str,
    end: date,
    today: date,
) -> str:
    """Return why a provider has nothing of what is asked; "" if it may have.

    Args:
        declaration: Of the provider.
        plan: Its subscription; None where it is not known.
        kind: The record kind.
        timeframe: Of bars.
        asset_class: Of the instrument; "" where it is not known.
        end: The last session date that is asked for.
        today: The present date; what a provider keeps is counted back from it.
    """
    offer = declaration.offer(kind)
    if offer is None or offer.with_bars:
        return f"it has no {kind}"
    if plan is not None and plan.kinds and kind not in plan.kinds:
        return f"its plan has no {kind}"
    if offer.timeframes and timeframe not in offer.timeframes:
        return f"it has no {kind} of {timeframe}"
    if asset_class and asset_class not in declaration.assets and not _kin(asset_class, declaration.assets):
        return f"it has no {asset_class}"
    depth = limited(offer, plan, timeframe=timeframe).depth_days.get(timeframe if kind == "bars" else "")
    if depth is not None and (today - end).days > depth:
        return f"its history of {timeframe} reaches back {depth} days only"
    return ""


def history_since(
    declaration: Declaration, plan: Plan | None, *, kind: str, timeframe: str, start: date, today: date
) -> date | None:
    """Return where a provider's history begins, if that is after `start`; None if it has all of it."""
    offer = declaration.offer(kind)
    if offer is None:
        return None
    depth = limited(offer, plan, timeframe=timeframe).depth_days.get(timeframe if kind == "bars" else "")
    since = None if depth is None else today - timedelta(days=depth)
    return since if since is not None and since > start else None


def _kin(asset_class: str, assets: Collection[str]) -> bool:
    return asset_class in {"etf", "fund"} and "equity" in assets


def ordered(policy: Policy, candidates: Sequence[Candidate], *, settled_basis: str = "") -> list[Candidate]:
    """Return whom `policy` may ask, first choice first; a provider whose basis would be mixed in is left out.

    Where not everybody is asked, those who have all of it go before those whose history begins later; of these, the
    longer history goes first.
    """
    fitting = [one for one in candidates if comparable(one.basis, settled_basis)]
    if not policy.asks_everybody:
        whole = [one for one in fitting if one.since is None]
        fitting = whole or sorted(fitting, key=lambda one: one.since or date.min)
    if policy.providers:
        rank = {name: place for place, name in enumerate(policy.providers)}
        fitting = sorted((one for one in fitting if one.name in rank), key=lambda one: rank[one.name])
    if policy.name == "cheapest":
        fitting = sorted(fitting, key=lambda one: (one.money, one.credits))
    if not settled_basis and fitting:  # the first choice decides on which side of the divide a new series stands
        fitting = [one for one in fitting if comparable(one.basis, fitting[0].basis)]
    return fitting if policy.fall_through else fitting[: max(1, policy.quorum)]


def free_first(candidates: Sequence[Candidate], *, patient: bool) -> Sequence[Candidate]:
    """Return whom a question may cost: a patient one is put only to those who charge nothing, where there are any."""
    free = [one for one in candidates if not one.money]
    return free if patient and free else candidates


def choose(
    policy: Policy,
    order: Sequence[Candidate],
    *,
    delivered: Collection[str],
    failed: Mapping[str, str],
    running: Collection[str],
    silent: bool = False,
) -> list[Choice]:
    """Return whom to ask now, besides those who are being asked.

    Args:
        policy: How providers share the questions.
        order: As `ordered` returns it.
        delivered: Who has delivered.
        failed: Who was given up, with the reason in words.
        running: Who is being asked.
        silent: Whether all of `running` have been silent for `hedge_s`.
    """
    left = [one.name for one in order if one.name not in {*delivered, *failed, *running}]
    if policy.name == "consensus":
        wanted = (policy.quorum or len(order)) - len(delivered) - len(running)
        voters = "every provider votes" if not policy.quorum else f"{policy.quorum} of {len(order)} are to agree"
        return [Choice(name, _after(voters, failed)) for name in left[: max(0, wanted)]]
    if delivered or not left or (running and not (policy.name == "hedged" and silent)):
        return []
    if running:
        return [Choice(left[0], f"{', '.join(sorted(running))} silent for {policy.hedge_s:g} s")]
    first = "cheapest choice" if policy.name == "cheapest" else "first choice"
    return [Choice(left[0], _after(first, failed) if not failed else f"next after {_listed(failed)}")]


def enough(policy: Policy, order: Sequence[Candidate], delivered: Collection[str]) -> bool:
    """Return whether nobody else needs to be asked."""
    if policy.name == "consensus":
        return len(delivered) >= (policy.quorum or len(order))
    return bool(delivered)


def _after(reason: str, failed: Mapping[str, str]) -> str:
    return f"{reason}; {_listed(failed)} failed" if failed else reason


def _listed(failed: Mapping[str, str]) -> str:
    return ", ".join(failed)
