"""Which instrument a stated listing is of: by identifiers first, then by ticker, venue and date; or a new one.

An instrument is one security in one currency; listings of it on several venues are its own. Rules in their order:

1. A FIGI, ISIN or CUSIP that is one instrument's in the same currency says that it is that one. Where it is that of
   several, the one that has the ticker on the venue is meant.
2. The ticker on the venue says it, where one instrument has it on the day: of a listing that goes on, the day on which
   it was said; of one that is over, its last day, if both records begin or end together, or the list tells the use of
   the ticker after it too. A venue that nobody told may be any.
3. What matches nothing is new, unless another instrument has had the ticker on the venue at that time.

Everything else is a question. In particular a ticker whose instrument has another ISIN, CUSIP or CIK is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.services.reference.config import NO_VENUE
from truetape.services.reference.questions import questions
from truetape.services.reference.stated import IDENTIFIERS, SECURITY

NEAR_DAYS: Final = 7  # that two sources may differ by about when a listing began or ended
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)
_DAY: Final = pl.duration(days=1)
_FIXED: Final = ("isin", "cusip", "cik")  # schemes of which an instrument has one at a time


@dataclass(frozen=True)
class Master:
    """What is known: current rows of the tables of the same names.

    Merged records are read as one: `instrument_id` is that which stands for the row's own, which is `record`.
    """

    instruments: pl.DataFrame
    listings: pl.DataFrame
    identifiers: pl.DataFrame
    instrument_details: pl.DataFrame
    listing_details: pl.DataFrame
    issuers: pl.DataFrame


@dataclass(frozen=True)
class Matched:
    """Stated rows with `instrument_id`, null of those that are new, and questions about the others."""

    rows: pl.DataFrame
    questions: pl.DataFrame


def matched(rows: pl.DataFrame, master: Master) -> Matched:
    """Return the instruments of `rows`, columns of stated.Stated, in their order."""
    by_number = _by_identifier(rows, master)
    by_ticker = _by_ticker(rows, master)
    asked = []
    found = rows.join(by_number, on="number", how="left").join(by_ticker, on="number", how="left")
    several = found.filter(pl.col("ids").list.len() > 1)
    narrowed = several.with_columns(pl.col("ids").list.set_intersection(pl.col("holders").fill_null([])))
    asked.append(_several(several.filter(narrowed["ids"].list.len() != 1)))
    chosen = narrowed.filter(pl.col("ids").list.len() == 1)
    sure = pl.concat([found.filter(pl.col("ids").list.len() == 1), chosen])
    left = found.filter(pl.col("ids").is_null())
    held = left.filter(pl.col("holders").list.len() > 1).with_columns(ids=pl.col("holders"))
    asked.append(_several(held))
    one = left.filter(pl.col("holders").list.len() == 1).with_columns(ids=pl.col("holders"))
    agreeing, differing = _without_contradiction(one, master)
    asked.append(differing)
    placed = pl.concat([sure, agreeing]).with_columns(instrument_id=pl.col("ids").list.first())
    new, taken = _unclaimed(left.filter(pl.col("holders").is_null()), with_ends(master.listings, placed))
    asked.append(taken)
    whole = pl.concat([placed, new.with_columns(instrument_id=pl.lit(None, dtype=pl.String))])
    return Matched(whole.select(*rows.columns, "instrument_id").sort("number"), pl.concat(asked))


def _by_identifier(rows: pl.DataFrame, master: Master) -> pl.DataFrame:
    """Return `number` and `ids`: the instruments of the same currency that have an identifier of the row."""
    told = rows.select("number", "currency", "begins", "ends", "day", *SECURITY).unpivot(
        index=["number", "currency", "begins", "ends", "day"], on=list(SECURITY), variable_name="scheme"
    )
    known = master.identifiers.select("instrument_id", "scheme", "value", "valid_from", "valid_to")
    currencies = master.instruments.select("instrument_id", pl.col("currency").alias("own"))
    hits = told.drop_nulls("value").join(known, on=["scheme", "value"]).join(currencies, on="instrument_id", how="left")
    same = (pl.col("own") == pl.col("currency")).fill_null(value=True)
    last = pl.col("ends").fill_null(LAST)
    meets = (pl.col("valid_from").fill_null(FIRST) < last) & (
        pl.col("valid_to").fill_null(LAST) > pl.coalesce("begins", "day").clip(upper_bound=last)
    )
    return hits.filter(same & meets).group_by("number").agg(pl.col("instrument_id").unique().sort().alias("ids"))


def _by_ticker(rows: pl.DataFrame, master: Master) -> pl.DataFrame:
    """Return `number` and `holders`: the instruments that have the ticker of the row on its venue, then."""
    known = master.listings.select(
        "instrument_id",
        "symbol",
        pl.col("mic").alias("at"),
        pl.col("valid_from").fill_null(FIRST),
        pl.col("valid_to").fill_null(LAST),
        pl.col("valid_from").is_null().alias("since_ever"),
    )
    used = rows.select("number", "symbol", "mic", "live", "begins", "ends", "day").with_columns(
        pl.col("ends").max().over("mic", "symbol").alias("closed"),
        pl.col("live").any().over("mic", "symbol").alias("again"),
    )
    pairs = used.join(known, on="symbol")
    venue = (pl.col("mic") == pl.col("at")) | (pl.col("mic") == NO_VENUE) | (pl.col("at") == NO_VENUE)
    goes_on = pl.col("live") & (pl.col("valid_from") <= pl.col("day")) & (pl.col("day") < pl.col("valid_to"))
    ends_alike = _near("ends", "valid_to") | (_near("begins", "valid_from") & ~pl.col("since_ever"))
    last = pl.col("ends") - _DAY
    before = pl.col("valid_from") < pl.col("closed")  # the list itself tells that that use is over
    goes_on &= ~before.fill_null(value=False)
    followed = pl.col("again") & (pl.col("ends") == pl.col("closed")) & (pl.col("valid_to") == LAST)
    was = ~pl.col("live") & (pl.col("valid_from") <= last) & (ends_alike.fill_null(value=False) | followed)
    return (
        pairs.filter(venue & (goes_on | was))
        .group_by("number")
        .agg(pl.col("instrument_id").unique().sort().alias("holders"))
    )


def _near(one: str, other: str) -> pl.Expr:
    return (pl.col(one) - pl.col(other)).dt.total_days().abs() <= NEAR_DAYS


def _without_contradiction(rows: pl.DataFrame, master: Master) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows whose instrument has no other identifier of a scheme than they say, and questions of the rest."""
    fixed = master.identifiers.filter(pl.col("scheme").is_in(list(_FIXED)))
    told = rows.select("number", pl.col("ids").list.first().alias("instrument_id"), "day", *_FIXED).unpivot(
        index=["number", "instrument_id", "day"], on=list(_FIXED), variable_name="scheme", value_name="told"
    )
    pairs = told.drop_nulls("told").join(fixed, on=["instrument_id", "scheme"])
    then = (pl.col("valid_from").fill_null(FIRST) <= pl.col("day")) & (
        pl.col("day") < pl.col("valid_to").fill_null(LAST)
    )
    other = (
        pairs.filter(then)
        .group_by("number", "scheme", maintain_order=True)
        .agg((pl.col("value") == pl.col("told")).any().alias("agrees"), pl.col("told").first(), pl.col("value").first())
        .filter(~pl.col("agrees"))
    )
    first = other.unique("number", keep="first", maintain_order=True)
    differing = rows.join(first, on="number")
    words = pl.format(
        "{} says that {} on {} has the {} {}, but its instrument has {}: another security may use the ticker now",
        "provider", "spelled", "mic", pl.col("scheme").str.to_uppercase(), "told", "value",
    )  # fmt: skip
    asked = questions(differing, kind="identifier_differs", words=words, instruments=pl.col("ids").list.first())
    return rows.join(first, on="number", how="anti"), asked


def with_ends(listings: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `listings` with the ends that `rows`, of known instruments, tell of those that had none."""
    over = rows.filter(pl.col("ends").is_not_null()).select(
        "instrument_id", "symbol", "mic", pl.col("ends").alias("until")
    )
    known = listings.join(
        over.unique(["instrument_id", "symbol", "mic"]), on=["instrument_id", "symbol", "mic"], how="left"
    )
    begun = pl.col("valid_from").is_null() | (pl.col("valid_from") < pl.col("until"))
    return known.with_columns(pl.coalesce("valid_to", pl.when(begun).then("until")).alias("valid_to")).drop("until")


def _unclaimed(rows: pl.DataFrame, listings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows whose ticker nobody has had on the venue at their time, and questions about the others."""
    known = listings.select("symbol", "mic", pl.col("instrument_id").alias("other"), "valid_from", "valid_to")
    since = pl.coalesce(pl.col("begins"), pl.when("live").then(pl.col("day")), pl.col("ends") - _DAY)
    pairs = rows.with_columns(since=since).join(known, on=["symbol", "mic"])
    meets = (pl.col("valid_from").fill_null(FIRST) < pl.col("ends").fill_null(LAST)) & (
        pl.col("since") < pl.col("valid_to").fill_null(LAST)
    )
    taken = pairs.filter(meets).unique("number", keep="first", maintain_order=True)
    words = pl.format(
        "{} lists {} on {} {}, but the ticker was another instrument's in that time, {}",
        "provider",
        "spelled",
        "mic",
        _span("begins", "ends"),
        _span("valid_from", "valid_to"),
    )
    asked = questions(taken, kind="overlap", words=words, instruments=pl.col("other"))
    return rows.join(taken, on="number", how="anti"), asked


def _several(rows: pl.DataFrame) -> pl.DataFrame:
    told = pl.concat_str(
        [pl.concat_str(pl.lit(f"{scheme.upper()} "), pl.col(scheme)) for scheme in IDENTIFIERS],
        separator=", ",
        ignore_nulls=True,
    )
    venue = pl.when(pl.col("mic") == NO_VENUE).then(pl.lit("no venue")).otherwise("mic")
    by = pl.when(told == "").then(pl.lit("no identifier")).otherwise(told)
    words = pl.format(
        "{} lists {} on {} ({}), which may be any of several instruments", "provider", "spelled", venue, by
    )
    return questions(rows, kind="several", words=words, instruments=pl.col("ids").list.join(","))


def _span(begins: str, ends: str) -> pl.Expr:
    since = pl.col(begins).dt.to_string("from %Y-%m-%d").fill_null("from ever")
    until = pl.col(ends).dt.to_string("until %Y-%m-%d").fill_null("until today")
    return pl.concat_str(since, until, separator=" ")
