"""What a provider can do: the table that its folder declares and that everything else selects by."""

from __future__ import annotations

from typing import Final

import msgspec

INTRADAY: Final = ("1m", "5m", "15m", "30m", "1h")


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
    basis_intraday: str = ""  # of bars below a day, where it differs; so are the next two
    endpoint_intraday: str = ""
    feed_intraday: str = ""

    def endpoint_of(self, timeframe: str) -> str:
        """Return what a plan's weights and windows call the request for `timeframe`."""
        return (self.endpoint_intraday if self._below_a_day(timeframe) else "") or self.endpoint or self.kind

    def basis_of(self, timeframe: str) -> str:
        """Return what its rows of `timeframe` are adjusted for; "" where that is the provider's basis."""
        return (self.basis_intraday if self._below_a_day(timeframe) else "") or self.basis

    def feed_of(self, timeframe: str) -> str:
        """Return the venue or feed of its rows of `timeframe`; "" where that is the provider's."""
        return self.feed_intraday if self._below_a_day(timeframe) else ""

    def _below_a_day(self, timeframe: str) -> bool:
        return self.kind == "bars" and timeframe in INTRADAY


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
    relays: str = ""  # the provider whose numbers it passes on, where they are not its own: both are one witness
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
