"""What a plan of rounds will take: calls, credits, time and money at each provider, before anything is asked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from truetape.domain.capability import Declaration, Offer
from truetape.domain.plans import Budget, Window
from truetape.services.ingestion.candidates import candidates
from truetape.services.ingestion.chunks import limited, spans
from truetape.services.ingestion.costs import endpoint_of, price
from truetape.services.ingestion.rounds import Round
from truetape.services.ingestion.routing import Policy, ordered

SECONDS: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "month": 30 * 86_400.0}
BARS_PER_SESSION: Final = {"1m": 390, "5m": 78, "15m": 26, "30m": 13, "1h": 7, "1d": 1, "1w": 0.2, "1mo": 1 / 21}
TRADING_DAYS: Final = 252 / 365  # sessions in a calendar day, where the calendar is not asked
Left = tuple[float, int]  # of a window: how much, and the nanosecond at which it begins anew


@dataclass
class Load:
    """What one provider will be asked."""

    rounds: int = 0
    requests: int = 0
    credits: float = 0.0
    money: float = 0.0
    endpoints: dict[str, float] = field(default_factory=dict)  # requests by endpoint
    symbols: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Estimate:
    """What a plan takes at one provider. `seconds` is how long its windows and its pace make it last at least."""

    provider: str
    rounds: int
    requests: int
    credits: float
    money: float
    currency: str
    seconds: float
    bound_by: str  # the window, or the pace, that makes it last so long


def requests_of(offer: Offer | None, *, timeframe: str, start: date, end: date, today: date) -> int:
    """Return how many requests one symbol's range takes: pieces of the longest span, each of so many pages."""
    pieces = spans(offer, timeframe=timeframe, start=start, end=end, today=today)
    if offer is None or not offer.rows:
        return len(pieces)
    per_day = BARS_PER_SESSION.get(timeframe, 1.0) * TRADING_DAYS
    return sum(max(1, math.ceil(((last - first).days + 1) * per_day / offer.rows)) for first, last in pieces)


def shared_out(
    rounds: Iterable[Round],
    declarations: Mapping[str, Declaration],
    budgets: Mapping[str, Budget],
    policy: Policy,
    *,
    today: date,
    assets: Mapping[str, str] = {},
) -> tuple[dict[str, Load], dict[str, str]]:
    """Return what each provider will be asked if none fails, and why the others are not asked.

    Args:
        rounds: What is planned.
        declarations: Of the providers, in the order of the settings.
        budgets: Of those that have one.
        policy: How they share the questions.
        today: The present date.
        assets: The asset class of each instrument, where it is known.
    """
    loads: dict[str, Load] = {}
    reasons: dict[str, str] = {}
    for one in rounds:
        asset_class = assets.get(one.instrument_id, "")
        able, unable = candidates(one, declarations, budgets, asset_class=asset_class, today=today)
        reasons |= unable
        order = [candidate.name for candidate in ordered(policy, able)]
        asked = order[: policy.quorum or len(order)] if policy.name == "consensus" else order[:1]
        for candidate in able:
            if candidate.since is not None and candidate.name not in order:
                reasons[candidate.name] = f"its history begins on {candidate.since} only"
            elif candidate.name not in asked:
                reasons[candidate.name] = f"{policy.name} asks {', '.join(asked) or 'nobody'} first"
        for name in asked:
            _add(loads.setdefault(name, Load()), one, declarations[name], budgets.get(name), today=today)
    return loads, {name: why for name, why in reasons.items() if name not in loads}


def _add(load: Load, one: Round, declared: Declaration, budget: Budget | None, *, today: date) -> None:
    offer = declared.offer(one.kind)
    if offer is not None and budget is not None:
        offer = limited(offer, budget.plan, timeframe=one.timeframe)
    wanted = requests_of(offer, timeframe=one.timeframe, start=one.start, end=one.end, today=today)
    money, weight = price(declared, budget, one.kind, one.timeframe)
    endpoint = endpoint_of(declared, one.kind, one.timeframe)
    load.rounds += 1
    load.requests += wanted
    load.credits += weight * wanted
    load.money += money * wanted
    load.endpoints[endpoint] = load.endpoints.get(endpoint, 0.0) + wanted
    load.symbols.add(one.symbol)


def estimate(
    load: Load, declared: Declaration, budget: Budget | None, *, standings: Mapping[Window, Left] = {}, now_ns: int
) -> Estimate:
    """Return how long `load` lasts and what it costs.

    Args:
        load: What the provider is asked.
        declared: Its capability table.
        budget: Its plan; None where nothing is counted.
        standings: What is left of its windows now; a window without one is taken as unused.
        now_ns: The present.
    """
    pace = (load.requests - 1) / declared.calls_per_second if load.requests else 0.0
    seconds, bound_by = max(0.0, pace), f"its pace of {declared.calls_per_second:g} a second"
    for window in budget.plan.windows if budget else ():
        wait = _waits(window, _used(load, window), standings.get(window), now_ns=now_ns)
        if wait > seconds:
            period = window.period if window.every == 1 else f"{window.every} {window.period}s"
            seconds, bound_by = wait, f"{window.limit:g} {window.unit} a {period}"
    return Estimate(
        provider=declared.name,
        rounds=load.rounds,
        requests=load.requests,
        credits=load.credits,
        money=load.money,
        currency=budget.plan.currency if budget else "USD",
        seconds=seconds,
        bound_by=bound_by,
    )


def _used(load: Load, window: Window) -> float:
    """Return what `load` uses of a window's unit; bytes are not known before they come."""
    if window.endpoint:
        calls = load.endpoints.get(window.endpoint, 0.0)
        share = calls / load.requests if load.requests else 0.0
        return {"calls": calls, "credits": load.credits * share}.get(window.unit, 0.0)
    return {"calls": float(load.requests), "credits": load.credits, "symbols": float(len(load.symbols))}.get(
        window.unit, 0.0
    )


def _waits(window: Window, used: float, left: Left | None, *, now_ns: int) -> float:
    """Return the seconds until the last of `used` fits into the window: what is left now goes at once."""
    length = SECONDS[window.period] * window.every
    free = window.limit if left is None else left[0]
    behind = used - free
    if behind <= 0:
        return 0.0
    first = length if left is None else max(0.0, (left[1] - now_ns) / 1e9)
    return first + (math.ceil(behind / window.limit) - 1) * length
