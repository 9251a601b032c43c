"""The tree of venues, what is looked for in it, and the zones of clocks."""

from __future__ import annotations

import polars as pl
import pytest

from truetape.domain.venues import broken_branches, searched, tree, zones


def venues(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Return venues of (MIC, operating MIC, city); those that are their own are operating ones."""
    return pl.DataFrame(
        {
            "mic": [mic for mic, _, _ in rows],
            "operating_mic": [above for _, above, _ in rows],
            "level": ["operating" if mic == above else "segment" for mic, above, _ in rows],
            "name": [f"{mic} EXCHANGE" for mic, _, _ in rows],
            "acronym": [None for _ in rows],
            "country": [city[:2] for _, _, city in rows],
            "city": [city[3:] for _, _, city in rows],
        }
    )


NASDAQ = ("XNAS", "XNAS", "US NEW YORK")
SELECT = ("XNGS", "XNAS", "US NEW YORK")
TOKYO = ("XTKS", "XJPX", "JP TOKYO")
JAPAN = ("XJPX", "XJPX", "JP TOKYO")
DALLAS = ("XDAL", "XDAL", "US DALLAS")


def test_markets_stand_under_their_venue() -> None:
    """Each operating venue comes before its markets, all by MIC."""
    assert ["XDAL", "XJPX", "XTKS", "XNAS", "XNGS"] == tree(venues(SELECT, TOKYO, NASDAQ, JAPAN, DALLAS))[
        "mic"
    ].to_list()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"mic": "xnas"}, ["XNAS", "XNGS"]),
        ({"mic": "XNGS"}, ["XNGS"]),
        ({"country": "jp"}, ["XJPX", "XTKS"]),
        ({"q": "dallas"}, ["XDAL"]),
        ({"q": "tks exch"}, ["XTKS"]),
        ({"q": "x", "country": "US", "mic": "XDAL"}, ["XDAL"]),
        ({"q": "london"}, []),
        ({}, ["XDAL", "XJPX", "XTKS", "XNAS", "XNGS"]),
    ],
)
def test_venues_are_found_in_either_case(asked: dict[str, str], expected: list[str]) -> None:
    """By a part of their words, with their markets, and by country."""
    every = tree(venues(SELECT, TOKYO, NASDAQ, JAPAN, DALLAS))

    assert expected == searched(every, **asked)["mic"].to_list()


def test_branches_that_cannot_be_are_told() -> None:
    """A market of nobody, one of a market, one of itself, and an operating venue of another."""
    rows = venues(NASDAQ, SELECT, ("AAAA", "NONE", "US X"), ("BBBB", "XNGS", "US X"), ("CCCC", "XNAS", "US X"))
    odd = rows.with_columns(
        level=pl.when(pl.col("mic") == "CCCC").then(pl.lit("operating")).otherwise("level"),
    )
    own = venues(("DDDD", "DDDD", "US X")).with_columns(level=pl.lit("segment"))

    found = broken_branches(pl.concat([odd, own]))

    assert [
        ("AAAA", "AAAA is a market of NONE, which nobody knows"),
        ("BBBB", "BBBB is a market of XNGS, which is a market itself"),
        ("CCCC", "CCCC is an operating venue, and names XNAS as its own"),
        ("DDDD", "DDDD is a market, and names no venue but itself"),
    ] == found.select("mic", "words").rows()
    assert broken_branches(venues(NASDAQ, SELECT)).is_empty()


def test_a_zone_is_its_own_or_that_of_venue_city_or_country() -> None:
    """In this order; where nothing tells it, it is null."""
    rows = venues(SELECT, TOKYO, DALLAS, ("XCHI", "XCHI", "US Chicago"), ("XLON", "XLON", "GB LONDON"))

    found = zones(
        rows,
        own={"XNAS": "America/New_York", "XTKS": "Asia/Tokyo", "XJPX": "Etc/GMT"},
        countries={"GB": "Europe/London"},
        cities={("US", "CHICAGO"): "America/Chicago", ("US", "NEW YORK"): "America/Nowhere"},
    )

    assert ["America/New_York", "Asia/Tokyo", None, "America/Chicago", "Europe/London"] == found.to_list()
