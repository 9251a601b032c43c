"""What a provider can do: the table that its folder declares and that everything else selects by."""

from __future__ import annotations

import msgspec


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's capability table."""

    name: str
    title: str
    kinds: tuple[str, ...]  # record kinds that its payloads yield: bars, actions, quotes
    timeframes: tuple[str, ...]
    basis: str  # adjustment basis of its OHLC: raw, split or all
    zone: str  # IANA zone in which its session dates are meant
    feed: str  # venue or feed that the numbers come from
    needs_key: bool
    key_variable: str  # environment variable that holds the key; "" if none
    calls_per_second: float  # sustained pace that the provider tolerates
    trust: float = 1.0  # weight of its vote
    retired: str = ""  # why it is gone and what replaces it; "" while it lives
    redistribution: str = "none"
