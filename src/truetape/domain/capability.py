"""What a provider can do: the table that its folder declares and that everything else selects by."""

from __future__ import annotations

import msgspec


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider gives of one record kind, and how much of it one request brings."""

    kind: str  # a key of schema.DECODED
    timeframes: tuple[str, ...] = ()  # of bars
    depth_days: dict[str, int] = {}  # by timeframe ("" for other kinds): calendar days back from today; absent: all
    span_days: dict[str, int] = {}  # by timeframe: calendar days that one request may cover; absent: any
    rows: int = 0  # most rows of one page; 0: all of them
    symbols: int = 1  # most symbols of one request
    endpoint: str = ""  # what a plan's weights call it; "" for the kind
    with_bars: bool = False  # these rows come in the payload of bars, and are not asked for by themselves
    basis: str = ""  # of bars, where it differs from the provider's
    streamed: bool = False  # live, over the provider's stream
    basis_intraday: str = ""  # of bars below a day, where it differs


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's capability table. What its plans allow and cost stands in the plans.toml beside it."""

    name: str
    title: str
    offers: tuple[Offer, ...]
    basis: str  # adjustment basis of its OHLC: raw, split or all
    zone: str  # IANA zone in which its session dates are meant
    feed: str  # venue or feed that the numbers come from
    needs_key: bool
    key_variable: str  # environment variable that holds the key; "" if none
    calls_per_second: float  # sustained pace that the provider tolerates
    secret_variable: str = ""  # environment variable of the second half of the key; "" if there is none
    assets: tuple[str, ...] = ("equity",)  # of schema.ASSET_CLASSES
    trust: float = 1.0  # weight of its vote
    retired: str = ""  # why it is gone and what replaces it; "" while it lives
    redistribution: str = "none"  # what its terms let a licensee pass on: none, display, derived or free

    @property
    def kinds(self) -> tuple[str, ...]:
        """The record kinds that its payloads yield."""
        return tuple(offer.kind for offer in self.offers)

    @property
    def timeframes(self) -> tuple[str, ...]:
        """The timeframes of its bars."""
        return next((offer.timeframes for offer in self.offers if offer.kind == "bars"), ())

    def offer(self, kind: str) -> Offer | None:
        """Return what it gives of `kind`; None if that is nothing."""
        return next((offer for offer in self.offers if offer.kind == kind), None)
