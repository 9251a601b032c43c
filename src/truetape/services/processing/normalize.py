"""Bring claims to one unit, one basis and one order, so that they can be compared.

Doing it again changes nothing, and the order in which claims come does not matter, since `latest_claims` orders them:

- amounts in pence, cents and agorot become whole units (`domain.units`);
- prices and volumes become as traded (`basis`), by the splits that are known;
- prices that 32-bit numbers pushed off their step go back (`domain.price_steps`).

Claims that are adjusted for dividends as well are as good as split-adjusted ones after the last dividend, where the
actions of the instrument are known. Earlier ones cannot be undone exactly: their factors come of rounded prices. They
stay in the store as evidence and are compared with nothing.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES, snap
from truetape.domain.distributions import CASH
from truetape.domain.price_steps import may_be_off, on_steps
from truetape.domain.units import in_whole_units
from truetape.services.processing.basis import shares_of, undone

_HARMLESS: Final = ("split", "symbol_change", "delisting")  # actions that put no dividend factor into prices
_CENTS: Final = 6  # decimals of cash per share


def latest_claims(claims: pl.DataFrame, *, key: tuple[str, ...], captured: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return each provider's newest claim for each `key`, ordered by (`key`, provider).

    Args:
        claims: Rows of a claims table.
        key: What a claim is about.
        captured: The payloads that just came. They count as the newest even if the same bytes came before: a provider
            may return to what it said earlier. Of other payloads known at once, the one with the greater key wins.
    """
    by_age = claims.sort(pl.col("payload").is_in(captured), "ts_known", "payload")
    ordered = by_age.sort([*key, "provider"], maintain_order=True)
    which = pl.struct(*key, "provider").rle_id()
    return ordered.filter(which.ne_missing(which.shift(-1)))


def known_splits(action_claims: pl.DataFrame) -> pl.DataFrame:
    """Return the splits that any provider claims: `instrument_id`, `ex_date` (ascending, unique) and `value`.

    Of several ratios for one date the one with the most providers is taken; at a tie, the smaller.
    """
    splits = action_claims.filter(pl.col("type") == "split", pl.col("value") > 0, pl.col("value").is_finite())
    counted = splits.group_by("instrument_id", "ex_date", "value").agg(pl.col("provider").n_unique().alias("providers"))
    order = ["instrument_id", "ex_date", "providers", "value"]
    ranked = counted.sort(order, descending=[False, False, True, False])
    return ranked.unique(order[:2], keep="first", maintain_order=True).select("instrument_id", "ex_date", "value")


def raw_bars(claims: pl.DataFrame, splits: pl.DataFrame, *, actions: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return `claims` (schema bar_claims, of any instruments) as traded, by time and provider, else in their order.

    Args:
        claims: One row for each instrument, timeframe, time and provider.
        splits: As `known_splits` returns them.
        actions: What is known of the instruments, schema action_claims; None: nothing, and claims that are adjusted for
            dividends cannot be used.
    """
    usable = _without_dividends(in_whole_units(claims, amounts=(*PRICES, "adj_close")), actions)
    raw = undone(shares_of(usable, splits))
    stepped = [on_steps(pl.col(name)).alias(name) for name in PRICES if may_be_off(raw[name])]
    ordered = raw.with_columns(*stepped, pl.lit("raw").alias("basis"))
    return ordered.sort("ts_event", "provider", maintain_order=True)


def _without_dividends(claims: pl.DataFrame, actions: pl.DataFrame | None) -> pl.DataFrame:
    """Return `claims` without those that dividends changed; of the others, those of basis all are of basis split."""
    full = pl.col("basis") == "all"
    if not (claims["basis"] == "all").any():
        return claims
    if actions is None or actions.is_empty():
        return claims.filter(~full)
    known = claims["ts_known"].dt.date().dt.offset_by("1d").max()
    paid = actions.filter(~pl.col("type").is_in(_HARMLESS), pl.col("ex_date") <= known)
    last = (
        actions.select("instrument_id")
        .unique()
        .join(paid.group_by("instrument_id").agg(pl.col("ex_date").max().alias("last")), on="instrument_id", how="left")
    )
    rows = claims.join(
        last.with_columns(known=pl.lit(value=True)), on="instrument_id", how="left", maintain_order="left"
    )
    untouched = pl.col("known") & (pl.col("last").is_null() | (pl.col("ts_event").dt.date() >= pl.col("last")))
    kept = rows.filter(~full | untouched.fill_null(value=False))
    return kept.with_columns(basis=pl.when(full).then(pl.lit("split")).otherwise("basis")).select(claims.columns)


def raw_actions(claims: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return `claims` (schema action_claims, of any instruments) with cash as paid then, in whole units of currency.

    They are ordered by ex-date, type and provider, else as they came. Ratios of shares have no unit and stay.

    Args:
        claims: One row for each instrument, ex-date, type and provider.
        splits: As `known_splits` returns them.
    """
    in_cash = pl.col("type").is_in(CASH)
    money = in_whole_units(claims.filter(in_cash), amounts=("value",))
    cash = pl.concat([_as_paid(money, splits), in_whole_units(claims.filter(~in_cash), amounts=())])
    raw = cash.with_columns(pl.lit("raw").alias("basis"))
    return raw.sort("ex_date", "type", "provider", maintain_order=True)


def _as_paid(cash: pl.DataFrame, splits: pl.DataFrame) -> pl.DataFrame:
    """Return `cash` per share of the count on its ex-date: an answer is adjusted for every split before it was sent."""
    if not (cash["basis"] == "split").any():
        return cash
    numbered = cash.with_row_index("row")
    later = numbered.filter(pl.col("basis") == "split").join(
        splits.rename({"ex_date": "split_date", "value": "ratio"}), on="instrument_id"
    )
    counted = later.filter(
        pl.col("split_date") > pl.col("ex_date"), pl.col("split_date") <= pl.col("ts_known").dt.date()
    )
    shares = counted.group_by("row").agg(pl.col("ratio").sort_by("split_date").product().alias("shares"))
    paid = snap(pl.col("value") * pl.col("shares"), decimals=(_CENTS,))
    rows = numbered.join(shares, on="row", how="left", maintain_order="left")
    return rows.with_columns(value=pl.when(pl.col("shares").is_null()).then("value").otherwise(paid)).select(
        cash.columns
    )
