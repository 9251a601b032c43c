"""Give decoded rows their identity and origin: what a provider said becomes a claim."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.messages import RawCaptured
from truetape.domain.schema import DECODED, INSTANT, TABLES, check, empty

CLAIM_TABLES: Final = {
    "bars": "bar_claims",
    "actions": "action_claims",
    "quotes": "quotes",
    "listings": "listing_claims",
    "fx_rates": "rate_claims",
    "index_levels": "level_claims",
    "observations": "observation_claims",
    "venues": "venue_claims",
    "currencies": "currency_claims",
    "issuers": "issuer_claims",
    "identifiers": "identifier_claims",
}
TOLD_BESIDE: Final = ("declared_date", "record_date", "pay_date", "new_symbol")  # fields of actions beside the claim
RANGED: Final = frozenset({"bars", "quotes", "fx_rates", "index_levels"})  # kinds of which only the asked days are kept


def claim(decoded: pl.DataFrame, capture: RawCaptured, *, kind: str, feed: str) -> pl.DataFrame:
    """Return the rows of `decoded` that lie in the range of `capture`, as rows of the claims table of `kind`.

    A payload may hold several rows about one thing, in any order. Of bars and quotes that is kept which `best_last`
    puts last. Actions of one type on one day work together: dividends add up, split ratios multiply. Rows of a bulk
    answer have their own `instrument_id` behind the columns of their kind; others are about that of `capture`.

    Raises:
        SchemaMismatch: `decoded` is no frame of that record kind.
    """
    named = "instrument_id" in decoded.columns
    check(decoded.drop("instrument_id") if named else decoded, DECODED[kind], kind=kind)
    columns = TABLES[CLAIM_TABLES[kind]].columns
    if decoded.is_empty():
        return empty(columns)
    ranged = kind in RANGED  # splits after the range are needed to undo an adjustment, so actions are kept whole
    rows = (in_range(decoded, capture) if ranged else decoded).lazy()
    origin = {
        "instrument_id": pl.col("instrument_id") if named else pl.lit(capture.instrument_id),
        "provider": pl.lit(capture.provider),
        "feed": pl.lit(feed),
        "payload": pl.lit(capture.key),
        "ts_known": pl.lit(capture.ts_known).cast(INSTANT),
        "simulated": pl.lit(capture.simulated),
        "number": pl.int_range(pl.len(), dtype=pl.UInt32),
    }
    added = [expression.alias(name) for name, expression in origin.items() if name in columns]
    return _one_each(rows.with_columns(added).select(list(columns)).collect(), kind)


def details(decoded: pl.DataFrame, capture: RawCaptured) -> pl.DataFrame:
    """Return what rows of actions tell beside their claims, as rows of action_details: dates and the new symbol.

    Of rows of one action, whose amounts work together, the last that tells something is kept.
    """
    columns = TABLES["action_details"].columns
    told = decoded.filter(pl.any_horizontal(pl.col(TOLD_BESIDE).is_not_null()))
    rows = told.with_columns(
        pl.col("instrument_id")
        if "instrument_id" in told.columns
        else pl.lit(capture.instrument_id).alias("instrument_id"),
        pl.lit(capture.provider).alias("provider"),
        pl.lit(capture.key).alias("payload"),
        pl.lit(capture.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(capture.simulated).alias("simulated"),
    ).select(list(columns))
    ordered = rows.sort("ex_date", "type", *TOLD_BESIDE, maintain_order=True)
    return ordered.unique(TABLES["action_details"].key, keep="last", maintain_order=True)


def in_range(decoded: pl.DataFrame, capture: RawCaptured) -> pl.DataFrame:
    """Return the rows of `decoded` whose date lies in the range that was asked for, both ends included."""
    days = decoded["ts_event"].dt.date()
    inside = days.is_between(capture.start, capture.end)
    return decoded if inside.all() else decoded.filter(inside)


def best_last(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` by time; of those of one time a bar still running comes last, which is sent after finished ones.

    Else that with the greatest volume, which only grows as a bar does; else that with the greater values.
    """
    values = [name for name, dtype in rows.schema.items() if dtype == pl.Float64 and name != "volume"]
    order = [name for name in ("ts_event", "running", "volume") if name in rows.columns]
    return rows.sort([*order, *values], maintain_order=True)


def origin_of(capture: RawCaptured) -> pl.DataFrame:
    """Return the row of the table captures that says why the provider of a payload was asked, and who was before."""
    values = {name: getattr(capture, name) for name in ("provider", "round_id", "page", "kind", "instrument_id", "why")}
    values |= {"payload": capture.key, "tried": "\n".join(capture.tried), "simulated": capture.simulated}
    stamp = pl.Series("ts_known", [capture.ts_known], dtype=pl.Int64).cast(INSTANT)
    return pl.DataFrame([values]).with_columns(stamp).select(list(TABLES["captures"].columns))


def _one_each(claims: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return `claims`, all of one payload, with one row for each key of their table."""
    key = TABLES[CLAIM_TABLES[kind]].key
    if kind in RANGED:
        if claims["ts_event"].n_unique() == len(claims):
            return claims if claims["ts_event"].is_sorted() else claims.sort("ts_event")
        return best_last(claims).unique(key, keep="last", maintain_order=True)
    if kind == "actions":
        together = pl.when(pl.col("type") == "split").then(pl.col("value").product()).otherwise(pl.col("value").sum())
        claims = claims.sort("ex_date", "type", "value", maintain_order=True)
        claims = claims.with_columns(together.over(key).alias("value"))
    return claims.unique(key, keep="last", maintain_order=True)
