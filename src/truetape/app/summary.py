"""What an acquisition brought, as tables that a person reads."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from truetape.domain.messages import RawCaptured, RoundClosed
from truetape.ports.archive import Archive, Attempted
from truetape.ports.store import Selection, Store

REASONS: Final = {
    "hundredfold": "price 100 times off",
    "currency_unit": "price in another unit of the currency",
    "currency": "price in another currency",
    "misplaced_columns": "numbers in the wrong columns",
    "split_ratio": "split missed or applied twice",
    "adjustment_basis": "price adjusted, others' as traded",
    "session_label": "bar of another session",
    "late_correction": "corrected later",
    "rounding": "rounded to fewer decimals",
    "auction_price": "another auction or last trade",
    "venue_coverage": "trades of other venues or hours",
    "stale": "repeats earlier bars",
    "disagrees": "others agree on another price",
    "ohlc_order": "high or low impossible",
    "not_positive": "price not positive",
    "no_close": "close missing",
}


@dataclass(frozen=True)
class Summary:
    """Counts over everything that a data folder holds."""

    providers: pl.DataFrame  # provider, answers, failures, bars, actions, quarantined
    failures: pl.DataFrame  # provider, failure, times, first_words
    quarantined: pl.DataFrame  # provider, reason, rows
    instruments: pl.DataFrame  # symbol, golden, first, last, consensus, single_source, actions
    rejected: pl.DataFrame  # provider, kind, reason, times, since, last
    findings: pl.DataFrame  # check, provider, rows
    failovers: tuple[str, ...]  # "yahoo for FB: transient"
    index_rows: int


@dataclass
class _Told:
    """What the journal says of the providers."""

    answers: Counter[str] = field(default_factory=Counter)  # by provider
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)  # by provider and failure class
    words: dict[tuple[str, str], str] = field(default_factory=dict)  # the first of each failure
    failovers: list[str] = field(default_factory=list)

    @property
    def providers(self) -> list[str]:
        return sorted({*self.answers, *(provider for provider, _ in self.failures)})

    def failed(self, provider: str) -> int:
        return sum(times for (name, _), times in self.failures.items() if name == provider)


async def summarize(store: Store, archive: Archive) -> Summary:
    """Return the counts of a data folder."""
    listings = await store.read("listings")
    symbols = {row["instrument_id"]: row["symbol"] for row in listings.iter_rows(named=True)}
    told = await asyncio.to_thread(_told, archive, symbols)
    bars = await store.read("bars", Selection(columns=("instrument_id", "ts_event", "method")))
    actions = await store.read("actions", Selection(columns=("instrument_id",)))
    quarantined = await store.read("quarantine", Selection(columns=("provider", "reason")))
    findings = await store.read("findings", Selection(columns=("check", "provider")))
    return Summary(
        providers=await _providers(store, told, quarantined),
        failures=_failures(told),
        quarantined=_counted(quarantined, "provider", "reason"),
        instruments=_instruments(bars, actions, symbols),
        rejected=_rejected(await store.read("rejected_payloads")),
        findings=_counted(findings, "check", "provider"),
        failovers=tuple(told.failovers),
        index_rows=len(await store.read("index_levels", Selection(columns=("index_id",)))),
    )


def _told(archive: Archive, symbols: Mapping[str, str]) -> _Told:
    told = _Told()
    for entry in archive.journal():
        if isinstance(entry, RawCaptured):
            told.answers[entry.provider] += 1
        elif isinstance(entry, Attempted):
            told.failures[entry.provider, entry.failure_class] += 1
            told.words.setdefault((entry.provider, entry.failure_class), _short(entry.words))
        elif isinstance(entry, RoundClosed):
            symbol = symbols.get(entry.instrument_id, entry.instrument_id)
            told.failovers += [f"{one.provider} for {symbol}: {one.failure_class}" for one in entry.gave_up]
    return told


async def _providers(store: Store, told: _Told, quarantined: pl.DataFrame) -> pl.DataFrame:
    claims = await store.read("bar_claims", Selection(columns=("provider",)))
    actions = await store.read("action_claims", Selection(columns=("provider",)))
    names = told.providers
    return pl.DataFrame(
        {
            "provider": names,
            "answers": [told.answers[name] for name in names],
            "failures": [told.failed(name) for name in names],
            "bars": [_count(claims, name) for name in names],
            "actions": [_count(actions, name) for name in names],
            "quarantined": [_count(quarantined, name) for name in names],
        }
    )


def _failures(told: _Told) -> pl.DataFrame:
    return pl.DataFrame(
        [(*key, times, told.words[key]) for key, times in sorted(told.failures.items())],
        schema={"provider": pl.String, "failure": pl.String, "times": pl.Int64, "first_words": pl.String},
        orient="row",
    )


def _rejected(payloads: pl.DataFrame) -> pl.DataFrame:
    """Return how often and since when each provider's payloads are not readable, by reason; numbers in it aside."""
    alike = pl.col("reason").str.replace_all(r"\d+", "#").alias("alike")
    counted = (
        payloads.sort("ts_known")
        .group_by("provider", "kind", alike, maintain_order=True)
        .agg(
            pl.col("reason").first(),
            pl.len().alias("times"),
            pl.col("ts_known").first().dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("since"),
            pl.col("ts_known").last().dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("last"),
        )
    )
    return counted.drop("alike").sort("provider", "kind", "since", maintain_order=True)


def _counted(frame: pl.DataFrame, *by: str) -> pl.DataFrame:
    return frame.group_by(by).agg(pl.len().alias("rows")).sort(by)


def _count(frame: pl.DataFrame, provider: str) -> int:
    return len(frame.filter(pl.col("provider") == provider))


def _short(words: str) -> str:
    return " ".join(words.split())[:60]


def _instruments(bars: pl.DataFrame, actions: pl.DataFrame, symbols: dict[str, str]) -> pl.DataFrame:
    counted = bars.group_by("instrument_id").agg(
        pl.len().alias("golden"),
        pl.col("ts_event").min().dt.date().alias("first"),
        pl.col("ts_event").max().dt.date().alias("last"),
        (pl.col("method") == "consensus").sum().alias("consensus"),
        (pl.col("method") == "single_source").sum().alias("single_source"),
    )
    acted = actions.group_by("instrument_id").agg(pl.len().alias("actions"))
    named = counted.join(acted, on="instrument_id", how="left").with_columns(
        pl.col("actions").fill_null(0),
        pl.col("instrument_id").replace_strict(symbols, default=pl.col("instrument_id")).alias("symbol"),
    )
    columns = ["symbol", "golden", "first", "last", "consensus", "single_source", "actions"]
    return named.select(columns).sort("symbol")


def tables(summary: Summary) -> RenderableType:
    """Return `summary` as tables for a terminal."""
    parts: list[RenderableType] = [
        _table("What each provider brought", summary.providers),
    ]
    if len(summary.failures):
        parts.append(_table("Failed requests, by what they meant", summary.failures))
    if len(summary.rejected):
        parts.append(_table("Answers that could not be decoded (kept in the archive)", summary.rejected))
    if len(summary.quarantined):
        said = pl.col("reason").replace_strict(REASONS, return_dtype=pl.String, default=pl.col("reason"))
        parts.append(_table("Rows quarantined, and why", summary.quarantined.with_columns(said)))
    if len(summary.findings):
        parts.append(_table("Findings", summary.findings))
    parts.append(_table("Golden rows", summary.instruments))
    if summary.failovers:
        parts.append(escape("Failed over (the others delivered): " + "; ".join(summary.failovers)))
    return Group(*parts)


def _table(title: str, frame: pl.DataFrame) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for name, dtype in frame.schema.items():
        table.add_column(name.replace("_", " "), justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*(f"{value:,}" if isinstance(value, int) else escape(str(value)) for value in row))
    return table
