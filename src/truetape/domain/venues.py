"""Venues by ISO 10383: the tree of operating venues and their markets, and the zones of their clocks.

A MIC is an operating one, or that of a market (segment) of one. A market keeps the clock of its venue, where nobody
says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

LEVELS: Final = ("operating", "segment")
VENUE: Final = (
    "mic",
    "operating_mic",
    "level",
    "name",
    "acronym",
    "country",
    "city",
    "zone",
    "status",
    "category",
    "legal_entity",
    "lei",
    "website",
    "created",
    "updated",
    "expired",
)
_LOOKED_IN: Final = ("mic", "name", "acronym", "city")


def tree(venues: pl.DataFrame) -> pl.DataFrame:
    """Return `venues` (`mic`, `operating_mic` and others) with each operating one before its markets, by MIC."""
    return venues.sort("operating_mic", pl.col("mic") != pl.col("operating_mic"), "mic")


def searched(venues: pl.DataFrame, *, q: str = "", mic: str = "", country: str = "") -> pl.DataFrame:
    """Return the `venues` in which `q` stands, that are `mic` or a market of it, and of a country; "" for any.

    Case does not matter.
    """
    looked_in = pl.concat_str([pl.col(name).fill_null("") for name in _LOOKED_IN], separator="\n").str.to_lowercase()
    own = (pl.col("mic") == mic.upper()) | (pl.col("operating_mic") == mic.upper())
    return venues.filter(
        looked_in.str.contains(q.lower(), literal=True),
        own if mic else pl.lit(value=True),
        pl.col("country") == country.upper() if country else pl.lit(value=True),
    )


def broken_branches(venues: pl.DataFrame) -> pl.DataFrame:
    """Return the `venues` whose place in the tree cannot be, with `words` that say why, by MIC.

    An operating venue is its own; a market belongs to a known operating one.
    """
    levels = venues.select(pl.col("mic").alias("operating_mic"), pl.col("level").alias("above"))
    placed = venues.join(levels, on="operating_mic", how="left")
    own = pl.col("mic") == pl.col("operating_mic")
    words = (
        pl.when((pl.col("level") == "operating") & ~own)
        .then(pl.format("{} is an operating venue, and names {} as its own", "mic", "operating_mic"))
        .when((pl.col("level") == "segment") & own)
        .then(pl.format("{} is a market, and names no venue but itself", "mic"))
        .when(pl.col("above").is_null())
        .then(pl.format("{} is a market of {}, which nobody knows", "mic", "operating_mic"))
        .when((pl.col("level") == "segment") & (pl.col("above") == "segment"))
        .then(pl.format("{} is a market of {}, which is a market itself", "mic", "operating_mic"))
    )
    return placed.with_columns(words.alias("words")).filter(pl.col("words").is_not_null()).drop("above").sort("mic")


def zones(
    venues: pl.DataFrame, *, own: Mapping[str, str], countries: Mapping[str, str], cities: Mapping[tuple[str, str], str]
) -> pl.Series:
    """Return the IANA zone of each of `venues`; null where nothing tells it.

    Its own is known best, then that of the venue that it is a market of, that of its city, and that of its country.

    Args:
        venues: `mic`, `operating_mic`, `country` and `city`.
        own: Zones by MIC.
        countries: Zones of countries that have one alone, by ISO 3166 code.
        cities: Zones by country and city, in capitals.
    """
    text = pl.String()
    known = pl.DataFrame({"of": list(own), "zone": list(own.values())}, schema={"of": text, "zone": text})
    placed = pl.DataFrame(
        [(country, city, zone) for (country, city), zone in cities.items()],
        schema={"country": text, "place": text, "city_zone": text},
        orient="row",
    )
    single = pl.DataFrame(
        {"country": list(countries), "country_zone": list(countries.values())},
        schema={"country": text, "country_zone": text},
    )
    found = (
        venues.select("mic", "operating_mic", "country", pl.col("city").str.to_uppercase().alias("place"))
        .join(known.rename({"zone": "own_zone"}), left_on="mic", right_on="of", how="left", maintain_order="left")
        .join(known, left_on="operating_mic", right_on="of", how="left", maintain_order="left")
        .join(placed, on=["country", "place"], how="left", maintain_order="left")
        .join(single, on="country", how="left", maintain_order="left")
    )
    return found.select(pl.coalesce("own_zone", "zone", "city_zone", "country_zone").alias("zone")).to_series()
