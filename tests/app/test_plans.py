"""Plans read from plans.toml: by value, by default, and with all their errors named."""

from __future__ import annotations

import pytest

from truetape.app.plans import UNLIMITED, faults, plan, plans, read
from truetape.domain.errors import BadInput
from truetape.domain.plans import Plan, Plans, Window

TWO = b"""
as_of = "2026-08"
default = "free"
[plans.free]
kinds = ["bars"]
windows = [{ limit = 5, period = "minute" }]
[plans.paid]
weights = { bars = 2 }
price_per_month = 29.0
windows = [{ unit = "credits", limit = 800, period = "day", zone = "America/New_York" }]
"""
WRONG = b"""
default = "gold"
[plans.free]
kinds = ["candles"]
price_per_month = -1
depth_days = { "ticks/1m" = 3 }
windows = [{ limit = 0, period = "minute", every = 0, zone = "Mars/Olympus" }]
"""


def test_plans_are_read_by_value() -> None:
    """Every plan of the file is there, with the defaults for what it does not say."""
    free = Plan(kinds=("bars",), windows=(Window(limit=5, period="minute"),))
    paid = Plan(
        weights={"bars": 2.0},
        price_per_month=29.0,
        windows=(Window(unit="credits", limit=800, period="day", zone="America/New_York"),),
    )

    assert Plans(default="free", plans={"free": free, "paid": paid}, as_of="2026-08") == read(TWO, name="vendor")


def test_a_plan_is_chosen_or_the_default() -> None:
    """Without a name the default plan is meant; an unknown name is refused with those that there are."""
    assert Window(limit=60, period="minute", rolling=True) == plan("finnhub").windows[0]
    assert plan("finnhub") == plan("finnhub", chosen="free")
    with pytest.raises(BadInput, match=r"plan was 'gold'. finnhub has the plans free"):
        plan("finnhub", chosen="gold")


def test_a_provider_without_plans_has_no_limits() -> None:
    """A provider that states no plans has one without windows; a provider that is none is refused."""
    assert [(), ()] == [UNLIMITED.plans["free"].windows, Plan().windows]
    with pytest.raises(BadInput, match=r"provider was 'nobody'\. Choose one of alpaca"):
        plans("nobody")


def test_all_faults_are_named() -> None:
    """Values that cannot be meant are all named at once."""
    with pytest.raises(BadInput) as raised:
        read(WRONG, name="vendor")

    words = (
        "default was 'gold', no plan is called so",
        "free: a window's limit was 0, it must be above 0",
        "free: a window's every was 0, it must be at least 1",
        "free: a window's zone was 'Mars/Olympus', no IANA zone",
        "free: price_per_month was -1, it must be 0 or more",
        "free: a kind was 'candles', known are bars",
        "free: a kind was 'ticks', known are bars",
    )
    assert [] == [one for one in words if one not in str(raised.value)]
    assert str(raised.value).startswith("plans.toml of vendor was 'wrong'. Mend it: default")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"default = ", "It is no TOML"),
        (b"\xff", "It is no TOML"),
        (b'default = "free"', "the file: Object missing required field `plans`"),
        (
            b'default = "a"\n[plans.a]\nfee = 1\n[plans.b]\nstreams = "x"',
            "plans.a: Object contains unknown field `fee`",
        ),
        (b'default = "a"\n[plans.a]\nfee = 1\n[plans.b]\nstreams = "x"', "plans.b: Expected `int`, got `str`"),
        (b'[plans.a]\nwindows = [{limit = 1, period = "fortnight"}]', "plans.a: Invalid enum value 'fortnight'"),
        (b"[plans.a]\nfee = 1", "the file: Object missing required field `default`"),
    ],
)
def test_what_is_no_plan_is_refused(text: bytes, words: str) -> None:
    """Text that is no TOML, unknown fields and wrong types are refused by their place, each plan by itself."""
    with pytest.raises(BadInput) as raised:
        read(text, name="vendor")

    assert words in str(raised.value)


def test_sound_plans_have_no_faults() -> None:
    """What can be meant is not complained of."""
    assert () == faults(UNLIMITED)
