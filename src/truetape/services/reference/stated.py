"""What one list says of its listings, in our words: tickers, venues, dates and identifiers that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.identifiers import valid
from truetape.domain.papers import paper
from truetape.domain.symbology import keyed
from truetape.domain.venue_suffixes import Spelling, spelling_of
from truetape.services.reference.config import NO_VENUE
from truetape.services.reference.questions import questions

SECURITY: Final = ("figi", "isin", "cusip")  # schemes of one security, those that change least first
IDENTIFIERS: Final = (*SECURITY, "cik")
_DAY: Final = pl.duration(days=1)
_BLANKS: Final = r"[\s\-]"
_CIK_DIGITS: Final = 10


@dataclass(frozen=True)
class Stated:
    """Rows that can be placed, and questions about the others.

    Columns of `rows`: `number`, `provider`, `spelled` (the provider's symbol), `symbol` (ours), `mic`, `board` (the
    venue in the provider's code), `name`, `asset_class`, `currency`, `paper`, `live`, `begins` (inclusive; null: not
    told), `ends` (exclusive; null: it goes on), `day` (on which it was said), IDENTIFIERS, `payload`, `ts_known`,
    `simulated`.
    """

    rows: pl.DataFrame
    questions: pl.DataFrame


def stated(claims: pl.DataFrame, *, segments: Mapping[str, str]) -> Stated:
    """Return what `claims`, rows of the table listing_claims of one payload, say.

    Args:
        claims: Of one provider.
        segments: The MIC of the exchange for MICs of its parts.
    """
    named = claims.filter(pl.col("symbol").is_not_null() & (pl.col("symbol").str.strip_chars() != ""))
    spelling = spelling_of(named["provider"][0]) if len(named) else Spelling()
    keys = keyed(named["symbol"], spelling=spelling)
    rows = named.rename({"symbol": "spelled"}).with_columns(
        keys["key"].alias("symbol"),
        _venue(keys["ending"], spelling, segments).alias("mic"),
        pl.coalesce("exchange", "mic").alias("board"),
        pl.col("asset_class").fill_null("equity"),
        (pl.col("status").fill_null("active") != "delisted").alias("live"),
        pl.col("first_date").alias("begins"),
        pl.col("ts_known").dt.date().alias("day"),
    )
    ended = pl.when("live").then(None).otherwise(pl.col("last_date") + _DAY)
    rows = rows.with_columns(ended.alias("ends"), paper(key=pl.col("symbol"), name=pl.col("name"),
                                                        asset_class=pl.col("asset_class")).alias("paper"))  # fmt: skip
    rows, bad = _checked(rows)
    dated, wrong = _dated(rows)
    return Stated(dated.drop("exchange", "status", "first_date", "last_date"), pl.concat([bad, wrong]))


def _venue(endings: pl.Series, spelling: Spelling, segments: Mapping[str, str]) -> pl.Expr:
    """Return the MIC of the exchange: as told, or as the symbol's ending says, or NO_VENUE."""
    single = {ending: venues[0] for ending, venues in spelling.venues.items() if len(venues) == 1}
    by_ending = pl.lit(endings).replace_strict(single, default=None, return_dtype=pl.String)
    return pl.coalesce(pl.col("mic").replace(dict(segments)), by_ending, pl.lit(NO_VENUE))


def _checked(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `rows` with identifiers as they are written, null where one is wrong, and questions about those."""
    asked = []
    for scheme in IDENTIFIERS:
        text = pl.col(scheme).str.replace_all(_BLANKS, "").str.to_uppercase()
        rows = rows.with_columns(pl.when(text != "").then(text).alias(scheme))
        sound = valid(scheme, rows[scheme])
        words = pl.format("{} says that the {} is {}, whose check digit or form is wrong", "provider",
                          pl.lit(scheme.upper()), scheme)  # fmt: skip
        asked.append(questions(rows.filter(~sound), kind="bad_identifier", words=words))
        kept: pl.Expr = pl.when(pl.lit(sound)).then(pl.col(scheme))
        if scheme == "cik":
            kept = kept.str.strip_chars_start("0").str.zfill(_CIK_DIGITS)
        rows = rows.with_columns(kept.alias(scheme))
    return rows, pl.concat(asked)


def _dated(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows whose dates can be, and questions about the others."""
    endless = ~pl.col("live") & pl.col("ends").is_null()
    inverted = (pl.col("begins") >= pl.col("ends")).fill_null(value=False)
    early = pl.when("live").then(pl.col("begins") > pl.col("day")).otherwise(pl.lit(value=False))
    announced = early.fill_null(value=False)  # a listing that is still to come begins when it begins
    rows = rows.with_columns(pl.when(announced).then(pl.col("begins")).otherwise(pl.col("day")).alias("day"))
    asked = [
        questions(
            rows.filter(endless),
            kind="no_end",
            words=pl.format("{} says that {} is listed no more, and not since when", "provider", "spelled"),
        ),
        questions(
            rows.filter(inverted),
            kind="dates",
            words=pl.format("{} says that {} began on {} and ended before {}", "provider", "spelled", "begins", "ends"),
        ),
    ]
    return rows.filter(~endless & ~inverted), pl.concat(asked)
