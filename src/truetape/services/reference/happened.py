"""What happened between two lists of a source, for the master: listings that ended, and tickers that took their place.

An event counts from a confidence of SURE on, and where one instrument alone can be meant; else it is a question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from truetape.domain.symbology import keyed
from truetape.domain.venue_suffixes import spelling_of
from truetape.services.reference.config import NO_VENUE
from truetape.services.reference.matching import LAST, Master
from truetape.services.reference.questions import questions

SURE: Final = 0.8
_GONE: Final = ("delisting", "rename")
_SAME: Final = ("rename", "issuer_change")
ENDED: Final = ("instrument_id", "record", "symbol", "mic", "valid_from", "valid_to")


@dataclass(frozen=True)
class Happened:
    """The master as it is after the events, whose rows are `placed` by them, and what could not be decided.

    `placed` has `number` and `instrument_id`; `ended` the rows of the table listings that end, with `record`.
    """

    master: Master
    placed: pl.DataFrame
    ended: pl.DataFrame
    questions: pl.DataFrame


def happened(events: pl.DataFrame, rows: pl.DataFrame, master: Master) -> Happened:
    """Return what `events` make of the master, before the listings of the newer list are matched.

    Args:
        events: Rows of the table listing_events of one payload: those that are believed.
        rows: What the payload says, columns of stated.Stated.
        master: What is known.
    """
    told = _told(events.filter(pl.col("kind").is_in([*_GONE, *_SAME])))
    holders = _holders(told, rows, master)
    one = holders.filter(pl.col("ids").list.len() == 1).with_columns(instrument_id=pl.col("ids").list.first())
    sure = one.filter(pl.col("confidence") >= SURE)
    asked = _asked(holders.join(sure, on="event", how="anti"))
    gone = sure.filter(pl.col("kind").is_in(list(_GONE)))
    open_ones = master.listings.filter(pl.col("valid_to").is_null()).drop("valid_to")
    over = gone.select("instrument_id", pl.col("before").alias("symbol"), pl.col("over").alias("valid_to"))
    ended = open_ones.join(over.unique(["instrument_id", "symbol"]), on=["instrument_id", "symbol"])
    ended = ended.filter(pl.col("valid_from").is_null() | (pl.col("valid_from") < pl.col("valid_to"))).select(ENDED)
    placed = sure.filter(pl.col("kind").is_in(list(_SAME))).join(
        rows.select("number", "spelled"), left_on="now", right_on="spelled"
    )
    return Happened(
        replace(master, listings=_with_ends(master.listings, ended)),
        placed.select("number", "instrument_id").unique("number", keep="first", maintain_order=True),
        ended,
        asked,
    )


def _told(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events with `before` and `now` (the tickers in our spelling and the source's), and `over`."""
    numbered = events.with_row_index("event")
    old = pl.coalesce("old_symbol", "symbol")
    spelled = numbered.with_columns(spelled=old, now=pl.col("symbol"), day=pl.col("ts_known").dt.date())
    spelling = spelling_of(events["provider"][0]) if len(events) else spelling_of("")
    keys = keyed(spelled["spelled"], spelling=spelling)["key"]
    last = pl.when(pl.col("kind") == "delisting").then(pl.col("date") + pl.duration(days=1))
    return spelled.with_columns(keys.alias("before"), over=pl.coalesce(last, "date", "day"))


def _holders(told: pl.DataFrame, rows: pl.DataFrame, master: Master) -> pl.DataFrame:
    """Return `told` with `ids`: the instruments that have the old ticker then, and that its source has told of."""
    mine = master.listing_details.select("instrument_id", "symbol", "source").unique()
    known = master.listings.filter(pl.col("valid_to").fill_null(LAST) == LAST).select("instrument_id", "symbol", "mic")
    by_source = known.join(mine, on=["instrument_id", "symbol"], how="left")
    pairs = told.select("event", "before", "provider", "now").join(by_source, left_on="before", right_on="symbol")
    venues = rows.select(pl.col("spelled").alias("now"), pl.col("mic").alias("at")).unique("now")
    near = pairs.join(venues, on="now", how="left")
    fits = (pl.col("source") == pl.col("provider")) | (pl.col("mic") == pl.col("at")) | (pl.col("mic") == NO_VENUE)
    ids = near.filter(fits.fill_null(value=False)).group_by("event").agg(pl.col("instrument_id").unique().alias("ids"))
    return told.join(ids, on="event", how="left").with_columns(pl.col("ids").fill_null([]), mic=pl.lit(""))


def _asked(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the questions of events that are not sure, or of which it is not clear what they are about."""
    found = []
    for kind, name, words in (
        ("rename", "maybe_renamed", "{} lists {}, which may be the new ticker of {}: {}"),
        ("delisting", "maybe_delisted", "{} lists {} no more, which was the ticker of {}: {}"),
    ):
        some = rows.filter(pl.col("kind") == kind, pl.col("ids").list.len() > 0).with_columns(spelled=pl.col("now"))
        one = pl.col("ids").list.sort().list.join(", ")
        told = pl.format(words, "provider", "spelled", one, "evidence")
        found.append(questions(some, kind=name, words=told, instruments=pl.col("ids").list.sort().list.join(",")))
    return pl.concat(found)


def _with_ends(listings: pl.DataFrame, ended: pl.DataFrame) -> pl.DataFrame:
    """Return `listings` with the ends that `ended` says."""
    until = ended.select("record", "symbol", "mic", "valid_from", pl.col("valid_to").alias("until"))
    known = listings.join(until, on=["record", "symbol", "mic", "valid_from"], how="left", nulls_equal=True)
    return known.with_columns(pl.coalesce("until", "valid_to").alias("valid_to")).drop("until")
