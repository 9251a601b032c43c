"""Structures of taxonomies and what changed between two revisions; a small one by hand, the published ones by count."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from truetape.domain.errors import BadInput
from truetape.domain.taxonomies import NODE, coded, differences, lineages, structure

SMALL = {
    "10": "Goods",
    "1010": "Food & Drink",
    "101010": "Bread",
    "101020": "Beer",
    "20": "Services",
    "2010": "Food & Drink",
    "201010": "Pubs",
}


def built(classes: dict[str, str], parents: dict[str, str] | None = None) -> pl.DataFrame:
    rows = pl.DataFrame({"code": list(classes), "name": list(classes.values())})
    return structure(
        rows if parents is None else rows.with_columns(parent=pl.Series([parents[one] for one in classes]))
    )


def published(recordings: Path, revision: str) -> pl.DataFrame:
    told = json.loads((recordings / "reference" / f"gics_{revision}.json").read_text())
    return built({code: one["name"] for code, one in told.items()})


def test_a_code_begins_with_that_of_its_parent() -> None:
    """Two digits lie at the top, six in the third level; names lose spaces to spare."""
    found = built({**SMALL, "101010": " Bread \n and  Rolls"})
    assert list(NODE) == found.columns
    assert ("101010", "1010", 3, "Bread and Rolls") == found.filter(code="101010").row(0)
    assert [("10", "", 1), ("20", "", 1)] == found.filter(level=1).select("code", "parent", "level").rows()


def test_a_range_of_codes_is_a_parent() -> None:
    """NAICS puts 311 and 321 into the sector 31-33, and 331 too; 41 is none of it."""
    found = built({"31-33": "Manufacturing", "311": "Food", "331": "Metals", "3311": "Steel", "41": "Trade"})
    assert {"31-33": "", "311": "31-33", "331": "31-33", "3311": "331", "41": ""} == dict(
        found.select("code", "parent").iter_rows()
    )


def test_parents_may_be_named() -> None:
    """A taxonomy of one's own needs no digits."""
    parents = {"all": "", "tech": "all", "chips": "tech", "memory": "chips"}
    found = built({code: code.title() for code in parents}, parents)
    assert {"all": 1, "tech": 2, "chips": 3, "memory": 4} == dict(found.select("code", "level").iter_rows())
    assert ["all", "tech", "chips", "memory"] == lineages(found).filter(code="memory")["codes"].to_list()[0]
    assert ["All", "Tech"] == lineages(found).filter(code="tech")["names"].to_list()[0]


@pytest.mark.parametrize(
    ("classes", "parents", "words"),
    [
        ({"a": "A", " a": "B"}, None, "It stands in two rows"),
        ({"": "A"}, None, "A class has no code"),
        ({"a": "A"}, {"a": "b"}, "No row has this code"),
        ({"a": "A", "b": "B"}, {"a": "b", "b": "a"}, "Classes lie in a circle"),
    ],
)
def test_what_is_no_structure_is_refused(classes: dict[str, str], parents: dict[str, str] | None, words: str) -> None:
    """Codes twice, missing parents and circles are told with the code."""
    with pytest.raises(BadInput, match=words):
        built(classes, parents)


def test_what_became_of_each_class() -> None:
    """Beer went and came under another code, bread was renamed, pubs got another parent; spelling is no change."""
    later = {"10": "GOODS", "1010": "Food and drink", "101010": "Bread & Rolls", "101030": "Beer", "20": "Services"}
    parents = {"10": "", "1010": "10", "101010": "1010", "101030": "1010", "20": "", "201010": "20"}
    found = differences(built(SMALL), built({**later, "201010": "Pubs"}, parents))
    assert [
        ("came", "101030", 3, None, "Beer", None),
        ("went", "101020", 3, "Beer", None, "101030"),
        ("went", "2010", 2, "Food & Drink", None, None),
        ("renamed", "101010", 3, "Bread", "Bread & Rolls", None),
        ("moved", "201010", 2, "2010", "20", None),
    ] == [
        (change, code, level, *rest)
        for change, code, level, *rest in found.with_columns(
            level=pl.when(pl.col("code") == "201010").then(2).otherwise("level")
        ).rows()
    ]


def test_two_candidates_are_none() -> None:
    """What may be either of two classes is not told to be one of them."""
    old, new = built({"1": "Beer"}), built({"2": "Beer", "3": "Beer"})
    assert [None] == differences(old, new).filter(change="went")["candidate"].to_list()
    assert [None, None] == differences(new, old).filter(change="went")["candidate"].to_list()


def test_names_become_codes() -> None:
    """The deepest name counts, within those above it; what several classes are called is not certain."""
    names = pl.DataFrame(
        {
            "1": ["Goods", "services", None, "Goods", None, "Goods", None],
            "2": [None, "Food and Drink", "Food & Drink", "Food & Drink", None, None, None],
            "3": [None, None, None, "bread", "Pubs", "Pubs", "Wine"],
        }
    )
    found = coded(names, built(SMALL))
    assert [("10", 1), ("2010", 1), (None, 2), ("101010", 1), ("201010", 1), (None, 0), (None, 0)] == found.rows()
    assert [(None, 0)] == coded(pl.DataFrame({"1": [" "]}), built(SMALL)).rows()


def test_the_published_revisions(recordings: Path) -> None:
    """11 sectors in both; 2018 has 24, 69 and 158 below them, 2023 has 25, 74 and 163; what went is found."""
    old, new = published(recordings, "20180929"), published(recordings, "20230318")
    counts = [one.group_by("level").len().sort("level")["len"].to_list() for one in (old, new)]
    assert [[11, 24, 69, 158], [11, 25, 74, 163]] == counts
    found = differences(old, new)
    assert {"came": 31, "went": 20, "renamed": 29} == dict(found["change"].value_counts().iter_rows())
    moved = dict(found.filter(change="went").select("code", "candidate").iter_rows())
    assert ("20202030", "60102510", None) == (moved["45102020"], moved["60101020"], moved["25502020"])


def test_published_names_are_found(recordings: Path) -> None:
    """All 503 names of one list are of 2023, the other list's 170 are of 2018, and 57 of its rows name nothing."""
    old, new = published(recordings, "20180929"), published(recordings, "20230318")
    listed = pl.read_csv(recordings / "index_membership" / "sp500_current.csv", infer_schema=False)
    found = coded(listed.select(pl.col("GICS Sector").alias("1"), pl.col("GICS Sub-Industry").alias("4")), new)
    assert [1] * 503 == found["matches"].to_list()
    assert "45301020" == found["code"][listed["Symbol"].to_list().index("NVDA")]
    other = pl.read_csv(recordings / "reference" / "financedatabase_AMS.csv.gz", infer_schema=False)
    three = other.select(**{"1": "sector", "2": "industry_group", "3": "industry"})
    assert {1: 170, 0: 57} == dict(coded(three, old)["matches"].value_counts().iter_rows())
