"""What a provider's plans allow and cost: values that its plans.toml states and quotas are counted by."""

from __future__ import annotations

from typing import Literal

import msgspec

Unit = Literal["calls", "credits", "symbols", "bytes"]
Period = Literal["second", "minute", "hour", "day", "month"]


class Window(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most `limit` of a unit in each period.

    A calendar window begins with the period in `zone`; a rolling one covers the last `every` periods at any moment.
    """

    unit: Unit = "calls"
    limit: float
    period: Period
    every: int = 1  # periods that make one window: 10 minutes are period "minute", every 10
    rolling: bool = False
    zone: str = "UTC"  # IANA zone in which calendar periods begin
    endpoint: str = ""  # the one endpoint that it counts; "" for all together


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One subscription of a provider. Money is in `currency`."""

    windows: tuple[Window, ...] = ()
    weights: dict[str, float] = {}  # credits of one request by endpoint; absent: 1
    per_symbol: bool = False  # a request costs its weight for each symbol in it
    kinds: tuple[str, ...] = ()  # record kinds that it is entitled to; empty: all that the provider has
    depth_days: dict[str, int] = {}  # by kind or "bars/1m": history that it is entitled to, where shorter
    price_per_month: float = 0.0
    price_per_call: float = 0.0
    price_per_credit: float = 0.0
    currency: str = "USD"
    streams: int = 0  # connections at once
    stream_symbols: int = 0  # most symbols on one stream; 0: any number


class Plans(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every plan of a provider by name, and which is meant where none is named."""

    default: str
    plans: dict[str, Plan]
    as_of: str = ""  # state of knowledge, YYYY-MM


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider itself says of one of its windows."""

    unit: Unit
    period: Period
    left: float
    limit: float | None = None
    resets_at_s: float | None = None  # Unix seconds
    resets_in_s: float | None = None


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """What one request costs."""

    provider: str
    account: str  # whose budget it is: a short hash of the key, never the key; "" without a key
    endpoint: str = ""
    calls: float = 1.0
    credits: float = 1.0
    symbols: tuple[str, ...] = ()  # counted once in each window of unit "symbols"
    bytes: float = 0.0  # expected; `settle` tells how many came
    money: float = 0.0  # in the plan's currency


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of one account: a short hash of its key stands for it."""

    account: str
    plan: Plan
