"""The explanation of one price: who said what, what was decided and why, and what adjusts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import polars as pl

from truetape.domain.adjust import unsplit
from truetape.domain.flags import Quality
from truetape.domain.time import iso
from truetape.services.api.directory import Listing


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """Open to volume; null where it is missing."""

    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one provider said in one payload. `raw` is the same as traded, null where it cannot be known."""

    provider: str
    said: Prices
    basis: str
    raw: Prices | None
    currency: str | None
    adj_close: float | None
    feed: str | None
    outcome: str  # taken, agreed, outvoted or quarantined
    ts_known: str
    payload: str  # sha256 of the bytes
    payload_bytes: int | None = None  # their number in the archive, null where they are missing or damaged


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How the golden row was chosen."""

    method: str
    score: float
    agreed: tuple[str, ...]
    dissented: tuple[str, ...]
    taken_from: str
    payload: str
    flags: tuple[str, ...]


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that was kept out, and why."""

    provider: str
    reason: str
    explanation: str
    payload: str
    ts_known: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check noticed about this session."""

    check: str
    severity: str
    provider: str
    explanation: str
    ts_known: str


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the golden row."""

    version: int
    prices: Prices
    taken_from: str
    ts_known: str


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """An ex-date after the session: prices are divided by `split` and multiplied by `dividend`."""

    ex_date: date
    split: float
    dividend: float
    cash: float | None  # per share, as paid
    currency: str | None
    ts_known: str


class SessionTimes(msgspec.Struct, frozen=True, kw_only=True):
    """When the venue was open."""

    open: str
    close: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about one daily bar. `prices` is by adjustment: raw, split and all; empty if there is no bar."""

    symbol: str
    instrument_id: str
    name: str
    mic: str
    session: date
    currency: str | None
    simulated: bool
    session_times: SessionTimes | None
    prices: dict[str, Prices]
    gap: str | None  # why there is no golden row
    verdict: Verdict | None
    claims: tuple[Claim, ...]
    quarantined: tuple[Quarantined, ...]
    findings: tuple[Finding, ...]
    effects: tuple[Effect, ...]
    split_product: float
    dividend_product: float
    versions: tuple[Version, ...]
    as_of: str
    store_version: int

    def __str__(self) -> str:
        from truetape.services.api.narrate import lines

        return "\n".join(line.plain for line in lines(self))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Rows of the tables of the same names, of one instrument and, but for actions and factors, one session.

    `bars` holds every version. `payload_bytes` gives sizes of the archived payloads by key.
    """

    bars: pl.DataFrame
    bar_claims: pl.DataFrame
    quarantine: pl.DataFrame
    findings: pl.DataFrame
    sessions: pl.DataFrame
    actions: pl.DataFrame
    factors: pl.DataFrame
    payload_bytes: Mapping[str, int | None]


def explain(
    evidence: Evidence, *, symbol: str, listing: Listing, name: str, day: date, as_of: int, store_version: int
) -> Explanation:
    """Return the explanation of `symbol` on `day`, from what was known at `as_of` (UTC nanoseconds)."""
    versions = evidence.bars.sort("version")
    golden = versions.row(-1, named=True) if len(versions) else None
    effects = _effects(evidence, day)
    splits, dividends = 1.0, 1.0
    for effect in effects:
        splits, dividends = splits * effect.split, dividends * effect.dividend
    evidenced = (evidence.bars, evidence.bar_claims, evidence.quarantine, evidence.findings, evidence.sessions)
    return Explanation(
        symbol=symbol,
        instrument_id=listing.instrument_id,
        name=name,
        mic=listing.mic,
        session=day,
        currency=golden["currency"] if golden else None,
        simulated=any(bool(frame["simulated"].any()) for frame in evidenced),
        session_times=_session(evidence.sessions),
        prices=_adjusted(_prices(golden), splits, dividends) if golden else {},
        gap=None if golden else _gap(evidence, day),
        verdict=_verdict(golden) if golden else None,
        claims=_claims(evidence, golden),
        quarantined=tuple(_of(Quarantined, row) for row in evidence.quarantine.iter_rows(named=True)),
        findings=tuple(_of(Finding, row) for row in _instants(evidence.findings).iter_rows(named=True)),
        effects=effects,
        split_product=splits,
        dividend_product=dividends,
        versions=tuple(_version(row) for row in _instants(versions).iter_rows(named=True)),
        as_of=iso(as_of),
        store_version=store_version,
    )
