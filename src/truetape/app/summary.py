"""What an acquisition brought, as tables that a person reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl
from rich.console import Group, RenderableType
from rich.table import Table

from truetape.domain.messages import RawCaptured, RoundClosed
from truetape.ports.archive import Archive, Attempted
from truetape.ports.store import Selection, Store

REASONS = {
    "hundredfold": "price 100 times off",
    "split_ratio": "split missed or applied twice",
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
    rejected: pl.DataFrame  # provider, reason
    findings: pl.DataFrame  # check, provider, rows
    failovers: tuple[str, ...]  # "yahoo for FB: transient"
    index_rows: int


async def summarize(store: Store, archive: Archive) -> Summary:
    """Return the counts of a data folder."""
    listings = await store.read("listings")
    symbols = {row["instrument_id"]: row["symbol"] for row in listings.iter_rows(named=True)}
    claims = await store.read("bar_claims", Selection(columns=("provider", "payload")))
    actions = await store.read("action_claims", Selection(columns=("provider",)))
    bars = await store.read("bars", Selection(columns=("instrument_id", "ts_event", "method")))
    golden_actions = await store.read("actions", Selection(columns=("instrument_id",)))
    quarantined = await store.read("quarantine", Selection(columns=("provider", "reason")))
    findings = await store.read("findings", Selection(columns=("check", "provider")))
    rejected = await store.read("rejected_payloads", Selection(columns=("provider", "reason")))
    index = await store.read("index_levels", Selection(columns=("index_id",)))
    answers: Counter[str] = Counter()
    failures: Counter[tuple[str, str]] = Counter()
    words: dict[tuple[str, str], str] = {}
    failovers = []
    for entry in archive.journal():
        if isinstance(entry, RawCaptured):
            answers[entry.provider] += 1
        elif isinstance(entry, Attempted):
            failures[entry.provider, entry.failure_class] += 1
            words.setdefault((entry.provider, entry.failure_class), _short(entry.words))
        elif isinstance(entry, RoundClosed):
            symbol = symbols.get(entry.instrument_id, entry.instrument_id)
            failovers += [f"{one.provider} for {symbol}: {one.failure_class}" for one in entry.gave_up]
    failed: Counter[str] = Counter()
    for (provider, _), times in failures.items():
        failed[provider] += times
    names = sorted({*answers, *failed})
    return Summary(
        providers=pl.DataFrame(
            {
                "provider": names,
                "answers": [answers[name] for name in names],
                "failures": [failed[name] for name in names],
                "bars": [_count(claims, name) for name in names],
                "actions": [_count(actions, name) for name in names],
                "quarantined": [_count(quarantined, name) for name in names],
            }
        ),
        failures=pl.DataFrame(
            [(*key, times, words[key]) for key, times in sorted(failures.items())],
            schema={"provider": pl.String, "failure": pl.String, "times": pl.Int64, "first_words": pl.String},
            orient="row",
        ),
        quarantined=quarantined.group_by("provider", "reason").agg(pl.len().alias("rows")).sort("provider", "reason"),
        instruments=_instruments(bars, golden_actions, symbols),
        rejected=rejected,
        findings=findings.group_by("check", "provider").agg(pl.len().alias("rows")).sort("check", "provider"),
        failovers=tuple(failovers),
        index_rows=len(index),
    )


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
        parts.append("Failed over (the others delivered): " + "; ".join(summary.failovers))
    return Group(*parts)


def _table(title: str, frame: pl.DataFrame) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for name, dtype in frame.schema.items():
        table.add_column(name.replace("_", " "), justify="right" if dtype.is_numeric() else "left")
    for row in frame.iter_rows():
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    return table
