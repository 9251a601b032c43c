"""The settings of the tiers: what an operator may write, and what is said of the rest."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from truetape.app.tier_settings import MOVABLE, Tiering, days_of, tiering, with_rule
from truetape.domain.schema import TABLES
from truetape.services.storage.costs import Prices
from truetape.services.storage.lifecycle import Ages, Licence

GOOD = """
warm = "cold"
archive = "s3://bucket/prefix"
mirror = "/copy"
form = "delta"
every = "2d"
replaced = "1w"
scrub_every = "2w"
kinds.bars = { hot = "2y", warm = "10y" }
kinds.quotes = { keep = "30d" }
licences.tiingo = { claims = "90d" }
prices = { warm = 0.02, currency = "EUR" }
"""


def read(text: str) -> tuple[Tiering, list[str]]:
    problems: list[str] = []
    return tiering(tomllib.loads(text), beside=Path("/etc/truetape"), problems=problems), problems


def test_everything_that_can_be_written() -> None:
    """Folders are meant beside the settings file, ages in days; a year has 365.25 of them."""
    found, problems = read(GOOD)
    assert problems == []
    assert found == Tiering(
        warm="/etc/truetape/cold",
        archive="s3://bucket/prefix",
        mirror="/copy",
        form="delta",
        every_days=2,
        replaced_days=7,
        scrub_days=14,
        kinds={"bars": Ages(hot=730, warm=3652), "quotes": Ages(keep=30)},
        licences={"tiingo": Licence(claims=90)},
        prices=Prices(warm=0.02, currency="EUR"),
    )
    assert read("") == (Tiering(), [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cold = 1", "tiers.cold is no setting; known are warm, archive"),
        ("warm = 1", "tiers.warm was 1; write a folder, or a bucket"),
        ('form = "iceberg"', "tiers.form was 'iceberg'"),
        ('every = "soon"', "tiers.every was 'soon'; write an age"),
        ('kinds.listings = { hot = "1y" }', "tiers.kinds.listings is no table with dates"),
        ('warm = "c"\nkinds.bars = { hot = "1x" }', "tiers.kinds.bars.hot was '1x'"),
        ('warm = "c"\nkinds.bars = { cool = "1y" }', "tiers.kinds.bars.cool is no setting; known are hot, warm, keep"),
        ("kinds = 1", "tiers.kinds must hold tables"),
        ("licences.tiingo = 1", "tiers.licences must hold tables"),
        ('kinds.bars = { hot = "1y" }', "tiers.warm is missing"),
        ('warm = "c"\nkinds.bars = { hot = "1y", warm = "2y" }', "tiers.archive, the next one, is missing"),
        ('warm = "c"\nkinds.bars = { hot = "2y", keep = "1y" }', "keep must be longer than hot"),
        ("prices = { warm = -1 }", "tiers.prices: Expected `float` >= 0"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    """With the setting, what stood there, and what to write."""
    _, problems = read(text)
    assert len(problems) == 1
    assert words in problems[0]


def test_rows_of_a_key_move_together() -> None:
    """Of every table with versions and dates, the date is part of the key: all versions of a key are equally old."""
    assert [
        name
        for name in MOVABLE
        if TABLES[name].versioned and not {"ts_event", "ex_date", "session"} & {*TABLES[name].key}
    ] == []


def test_tiers_must_be_a_table() -> None:
    """A word in its place is refused."""
    problems: list[str] = []
    assert tiering("cold", beside=Path(), problems=problems) == Tiering()
    assert problems == ["tiers must be a table: write [tiers] before its settings."]


@pytest.mark.parametrize(
    ("text", "days"), [("90d", 90), ("2w", 14), ("1 y", 365), ("0d", None), ("101y", None), ("2", None), (5, None)]
)
def test_ages(text: object, days: int | None) -> None:
    """Days, weeks and years, up to a century."""
    assert days_of(text) == days


def test_one_rule_can_be_tried() -> None:
    """The other rules stay; what is none is refused."""
    found, _ = read(GOOD)
    assert with_rule(found, "bars.hot=1y").kinds["bars"] == Ages(hot=365, warm=3652)
    assert with_rule(found, "bars.warm=never").kinds["bars"] == Ages(hot=730)
    assert with_rule(found, " trades.keep = 30d").kinds["trades"] == Ages(keep=30)
    for rule in ("bars", "bars.hot", "bars.cool=1y", "listings.hot=1y", "bars.hot=soon"):
        with pytest.raises(ValueError, match=r"bars|listings"):
            with_rule(found, rule)
