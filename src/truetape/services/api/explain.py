"""The explanation of one price: who said what, what was decided and why, and what adjusts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import msgspec
import polars as pl

from truetape.domain.adjust import unsplit
from truetape.domain.flags import Quality
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import iso
from truetape.domain.versions import WITHDRAWN
from truetape.services.api.directory import Listing
from truetape.services.api.mended import repaired_bar
from truetape.services.api.prices import Prices
from truetape.services.api.render import written

Struct = TypeVar("Struct", bound=msgspec.Struct)


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
    why: str = ""  # why this provider was asked
    tried: tuple[str, ...] = ()  # who was asked before, and what came of it
    repaired: Prices | None = None  # as an applied repair has it vote, as traded


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
    """One version of the golden row, or its withdrawal: then it has no prices, and `withdrawn` says why."""

    version: int
    prices: Prices
    taken_from: str
    ts_known: str
    withdrawn: str = ""


class DecidedAbout(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody decided about this session."""

    decision_id: str
    action: str
    target: str
    provider: str
    actor: str
    why: str
    ts_known: str


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """A repair of a provider's series that is about this session."""

    repair_id: str
    provider: str
    kind: str
    state: str  # proposed, applied, undone or rejected
    explanation: str
    decided_by: str
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
    decisions: tuple[DecidedAbout, ...] = ()
    repairs: tuple[Mended, ...] = ()

    def __str__(self) -> str:
        from truetape.services.api.narrate import lines

        return "\n".join(line.plain for line in lines(self))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Rows of the tables of the same names, of one instrument; of claims, verdicts and findings those of one session.

    `bars` holds every version, `withdrawals` every withdrawal (schema bars). `payload_bytes` gives sizes of the
    archived payloads by key.
    """

    bars: pl.DataFrame
    bar_claims: pl.DataFrame
    quarantine: pl.DataFrame
    findings: pl.DataFrame
    sessions: pl.DataFrame
    actions: pl.DataFrame
    factors: pl.DataFrame
    payload_bytes: Mapping[str, int | None]
    captures: pl.DataFrame = field(default_factory=lambda: empty(TABLES["captures"].columns))  # of those payloads
    decisions: pl.DataFrame = field(default_factory=lambda: empty(TABLES["decisions"].columns))
    repairs: pl.DataFrame = field(default_factory=lambda: empty(TABLES["repairs"].columns))
    withdrawals: pl.DataFrame = field(default_factory=lambda: empty(TABLES["bars"].columns))


def explain(
    evidence: Evidence, *, symbol: str, listing: Listing, name: str, day: date, as_of: int, store_version: int
) -> Explanation:
    """Return the explanation of `symbol` on `day`, from what was known at `as_of` (UTC nanoseconds)."""
    versions = _versions(evidence)
    golden = evidence.bars.sort("version").row(-1, named=True) if versions and not versions[-1].withdrawn else None
    effects = _effects(evidence, day)
    splits, dividends = 1.0, 1.0
    for effect in effects:
        splits, dividends = splits * effect.split, dividends * effect.dividend
    evidenced = (evidence.bars, evidence.bar_claims, evidence.sessions, evidence.actions, evidence.factors)
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
        gap=None if golden else _gap(evidence, day, versions),
        verdict=_verdict(golden) if golden else None,
        claims=_claims(evidence, golden),
        quarantined=tuple(_of(Quarantined, row) for row in written(evidence.quarantine).iter_rows(named=True)),
        findings=tuple(_of(Finding, row) for row in written(evidence.findings).iter_rows(named=True)),
        effects=effects,
        split_product=splits,
        dividend_product=dividends,
        versions=versions,
        as_of=iso(as_of),
        store_version=store_version,
        decisions=tuple(_of(DecidedAbout, row) for row in _about(evidence.decisions, day)),
        repairs=tuple(_of(Mended, row) for row in _about(evidence.repairs, day)),
    )


def as_traded(claim: pl.DataFrame, splits: pl.DataFrame) -> Prices | None:
    """Return one claim as traded: a provider that adjusts has done so for every split until it answered.

    Args:
        claim: One row of bar_claims.
        splits: `ex_date` (ascending) and `value`, of its instrument.
    """
    basis = claim["basis"][0]
    if basis == "all":
        return None
    if basis == "split":
        claim = unsplit(claim, splits.filter(pl.col("ex_date") <= claim["ts_known"].dt.date()[0]))
    return _prices(claim.row(0, named=True))


def _about(rows: pl.DataFrame, day: date) -> Iterator[Mapping[str, Any]]:
    """Yield the decisions or repairs that are about `day`, the oldest first."""
    near = rows.filter((pl.col("start") <= day) & (pl.col("end") >= day)).sort("ts_known")
    return written(near).iter_rows(named=True)


def _claims(evidence: Evidence, golden: Mapping[str, Any] | None) -> tuple[Claim, ...]:
    splits = evidence.actions.filter(pl.col("type") == "split").select("ex_date", "value").sort("ex_date")
    claims = evidence.bar_claims.sort("provider", "ts_known", "payload")
    told = written(claims)
    out = set(evidence.quarantine["payload"])
    asked = {
        (row["payload"], row["provider"]): row
        for row in evidence.captures.sort("ts_known", descending=True).iter_rows(named=True)
    }
    return tuple(
        _claim(
            row,
            raw=(raw := as_traded(claims[number], splits)),
            repaired=(mended := repaired_bar(evidence.repairs, claims[number], raw)),
            outcome=_outcome(row, golden, set() if mended else out),
            payload_bytes=evidence.payload_bytes.get(row["payload"]),
            asked=asked.get((row["payload"], row["provider"]), {}),
        )
        for number, row in enumerate(told.iter_rows(named=True))
    )


def _claim(
    row: Mapping[str, Any],
    *,
    raw: Prices | None,
    repaired: Prices | None,
    outcome: str,
    payload_bytes: int | None,
    asked: Mapping[str, Any],
) -> Claim:
    return Claim(
        provider=row["provider"],
        said=_prices(row),
        basis=row["basis"],
        raw=raw,
        currency=row["currency"],
        adj_close=row["adj_close"],
        feed=row["feed"],
        outcome=outcome,
        ts_known=row["ts_known"],
        payload=row["payload"],
        payload_bytes=payload_bytes,
        why=asked.get("why", ""),
        tried=tuple(one for one in asked.get("tried", "").split("\n") if one),
        repaired=repaired,
    )


def _outcome(row: Mapping[str, Any], golden: Mapping[str, Any] | None, quarantined: set[str]) -> str:
    if golden is not None and row["payload"] == golden["payload"]:
        return "taken"
    if row["payload"] in quarantined:
        return "quarantined"
    agreed = golden is not None and row["provider"] in _names(golden["agreed"])
    return "agreed" if agreed else "outvoted"


def _effects(evidence: Evidence, day: date) -> tuple[Effect, ...]:
    dividends = evidence.actions.filter(pl.col("type") == "dividend").select(
        "ex_date", pl.col("value").alias("cash"), "currency"
    )
    factors = evidence.factors.filter(pl.col("ex_date") > day, (pl.col("split") != 1.0) | (pl.col("dividend") != 1.0))
    rows = factors.join(dividends, on="ex_date", how="left").sort("ex_date")
    return tuple(_of(Effect, row) for row in written(rows).iter_rows(named=True))


def _verdict(golden: Mapping[str, Any]) -> Verdict:
    flags = Quality(golden["flags"] or 0)
    return Verdict(
        method=golden["method"],
        score=golden["score"],
        agreed=_names(golden["agreed"]),
        dissented=_names(golden["dissented"]),
        taken_from=golden["provider"],
        payload=golden["payload"],
        flags=tuple(str(flag.name).lower() for flag in flags),
    )


def _versions(evidence: Evidence) -> tuple[Version, ...]:
    """Return the versions of the golden row and its withdrawals, in their order; reasons stand in the findings."""
    told = evidence.findings.filter(pl.col("check") == WITHDRAWN).select("ts_known", withdrawn="explanation")
    gone = evidence.withdrawals.join(told.unique("ts_known", keep="first"), on="ts_known", how="left")
    reasoned = gone.with_columns(pl.col("withdrawn").fill_null("The stored row no longer stands."), provider=pl.lit(""))
    every = pl.concat([evidence.bars.with_columns(withdrawn=pl.lit("")), reasoned]).sort("version")
    return tuple(_version(row) for row in written(every).iter_rows(named=True))


def _version(row: Mapping[str, Any]) -> Version:
    return Version(
        version=row["version"],
        prices=_prices(row),
        taken_from=row["provider"],
        ts_known=row["ts_known"],
        withdrawn=row["withdrawn"],
    )


def _session(sessions: pl.DataFrame) -> SessionTimes | None:
    rows = list(written(sessions).iter_rows(named=True))
    return SessionTimes(open=rows[0]["open"], close=rows[0]["close"]) if rows else None


def _gap(evidence: Evidence, day: date, versions: tuple[Version, ...]) -> str:
    if versions:
        return versions[-1].withdrawn
    if len(evidence.bar_claims):
        return "Providers made claims about this session, and none was good enough to become the golden row."
    if evidence.sessions.is_empty():
        return f"The calendar of the venue knows no session on {day:%A} {day}: a weekend, a holiday, or not loaded."
    return "There was a session, and no provider has made a claim about it yet."


def _adjusted(raw: Prices, splits: float, dividends: float) -> dict[str, Prices]:
    return {
        "raw": raw,
        "split": _scaled(raw, price=1 / splits, volume=splits),
        "all": _scaled(raw, price=dividends / splits, volume=splits),
    }


def _scaled(prices: Prices, *, price: float, volume: float) -> Prices:
    def by(value: float | None, factor: float) -> float | None:
        return None if value is None else value * factor

    return Prices(
        open=by(prices.open, price),
        high=by(prices.high, price),
        low=by(prices.low, price),
        close=by(prices.close, price),
        volume=by(prices.volume, volume),
    )


def _prices(row: Mapping[str, Any]) -> Prices:
    return _of(Prices, row)


def _of(kind: type[Struct], row: Mapping[str, Any]) -> Struct:
    return kind(**{name: row[name] for name in kind.__struct_fields__})


def _names(joined: str | None) -> tuple[str, ...]:
    return tuple(joined.split(",")) if joined else ()
