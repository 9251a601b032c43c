"""Settings of the ingestion room."""

from __future__ import annotations

from datetime import date

import msgspec

from truetape.domain.registers import Register
from truetape.domain.time import to_datetime
from truetape.services.ingestion.breaker import BreakerRules
from truetape.services.ingestion.routing import Policy
from truetape.services.ingestion.streams import StreamsConfig


class IngestionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to acquire, from whom, and how patiently."""

    start: date
    end: date
    timeframe: str = "1d"
    registers: tuple[Register, ...] = ()  # lists that are fetched now and then
    pairs: tuple[str, ...] = ()  # of currencies, such as EUR/USD, whose rates are acquired
    policies: dict[str, Policy] = {}  # by record kind; absent: everybody is asked
    attempts: int = 5  # requests to one provider in one round before it is given up
    backoff_s: float = 0.5  # first wait; doubles with each attempt
    backoff_max_s: float = 60.0
    quota_patience_s: float = 90.0  # a spent window that begins anew so soon is waited for
    spend_evenly: bool = True  # patient questions use of a day's or a month's quota what has passed of it
    reserved_share: float = 0.1  # of each limit, that patient questions leave to urgent ones
    breaker: BreakerRules = BreakerRules()
    concurrent_rounds: int = 4
    retry_round_s: float = 300.0  # wait before a round that nobody answered is opened again
    debt_after_s: float = 3600.0  # wait before a provider that was given up is asked for what it owes
    overlap_days: int = 10  # calendar days before the last covered session that a refresh asks again
    streams: StreamsConfig = StreamsConfig()
    simulated: bool = False

    def policy(self, kind: str) -> Policy:
        """Return how providers share the questions about `kind`."""
        return self.policies.get(kind, Policy())

    def today(self, now_ns: int, *, end: date) -> date:
        """Return the date that providers count their history back from: of a sandbox, the `end` of what is asked."""
        return end if self.simulated else to_datetime(now_ns).date()
