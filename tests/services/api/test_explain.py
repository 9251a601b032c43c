"""Explanations: every number in them can be reckoned by hand, and every case has words."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import polars as pl
import pytest

from room_doubles import rows
from small_market import APPLE, NOW_NS, ORIGIN, PAYLOAD, claims, correction, findings, listings, quarantine, tables
from truetape.domain.schema import TABLES, empty
from truetape.services.api.directory import Directory
from truetape.services.api.explain import Evidence, Explanation, explain
from truetape.services.api.narrate import WIDTH, lines, narrate
from truetape.services.api.prices import Prices

FRIDAY = date(2005, 2, 25)
LISTING = Directory(listings()).find("AAPL")


def of_day(frame: pl.DataFrame, day: date) -> pl.DataFrame:
    return frame.filter(pl.col("ts_event").dt.date() == day, pl.col("instrument_id") == APPLE)


def explained(day: date = FRIDAY, **other: Any) -> Explanation:
    market = tables()
    evidence = {
        "bars": of_day(pl.concat([market["bars"], correction()]), day),
        "bar_claims": of_day(claims(), day),
        "quarantine": of_day(quarantine(), day),
        "findings": of_day(findings(), day),
        "sessions": market["sessions"].filter(pl.col("session") == day),
        "actions": market["actions"],
        "factors": market["factors"],
        "payload_bytes": {PAYLOAD: 41_233},
    }
    return explain(
        Evidence(**{**evidence, **other}),
        symbol="AAPL",
        listing=LISTING,
        name="Apple Inc.",
        day=day,
        as_of=NOW_NS,
        store_version=2,
    )


def test_prices_in_all_three_bases() -> None:
    """90 as traded is 45 after the split, and 44.55 after the dividend of one hundredth."""
    told = explained()

    assert ["raw", "split", "all"] == list(told.prices)
    assert [90.0, 45.0, 44.55] == pytest.approx([prices.close for prices in told.prices.values()])
    assert [110.0, 220.0, 220.0] == [prices.volume for prices in told.prices.values()]
    assert (2.0, 0.99) == (told.split_product, told.dividend_product)
    assert [(date(2005, 2, 28), None), (date(2005, 3, 3), 0.5)] == [(one.ex_date, one.cash) for one in told.effects]


def test_claims_are_brought_to_one_basis() -> None:
    """A split-adjusted claim is undone by the splits that had happened when it was sent; its outcome is named."""
    told = {claim.provider: claim for claim in explained().claims}

    assert told["yahoo"].said.close == 45.0
    assert told["yahoo"].raw == Prices(open=89.0, high=91.0, low=88.0, close=90.0, volume=110.0)
    assert {"iex_cloud": "agreed", "yahoo": "taken", "finnhub": "quarantined"} == {
        name: claim.outcome for name, claim in told.items()
    }
    assert told["yahoo"].payload_bytes == 41_233


@pytest.mark.parametrize(("basis", "raw"), [("all", None), ("raw", 9000.0)])
def test_a_fully_adjusted_claim_cannot_be_undone(basis: str, raw: float | None) -> None:
    """Dividends cannot be taken out again exactly, so nothing is pretended."""
    strange = claims().filter(pl.col("provider") == "finnhub").with_columns(basis=pl.lit(basis))
    (claim,) = explained(bar_claims=strange, quarantine=empty(TABLES["quarantine"].columns)).claims

    assert (claim.raw.close if claim.raw else None) == raw
    assert claim.outcome == "outvoted"


def test_versions_are_all_told() -> None:
    """A corrected bar shows both of its values, the current one last."""
    told = explained(date(2005, 3, 1))

    assert [(1, 46.0), (2, 46.5)] == [(one.version, one.prices.close) for one in told.versions]
    assert told.prices["raw"].close == 46.5


@pytest.mark.parametrize(
    ("day", "other", "words"),
    [
        (date(2005, 2, 26), {}, "no session on Saturday 2005-02-26"),
        (date(2005, 2, 24), {"bars": empty(TABLES["bars"].columns)}, "no provider has made a claim"),
        (FRIDAY, {"bars": empty(TABLES["bars"].columns)}, "none was good enough"),
    ],
)
def test_a_missing_bar_has_a_reason(day: date, other: dict[str, Any], words: str) -> None:
    """A weekend, a silent market of providers and a lost vote are told apart."""
    told = explained(day, **other)

    assert told.gap is not None
    assert words in told.gap
    assert words.rsplit(maxsplit=1)[-1] in narrate(told)
    assert told.prices == {}


def test_the_story_fits_eighty_columns_and_says_all() -> None:
    """Each part of the explanation has its place in the text."""
    told = explained()
    text = narrate(told)

    assert max(len(line.plain) for line in lines(told)) <= WIDTH
    assert str(told) == text.rstrip("\n")
    for words in (
        "AAPL  Apple Inc.  SIMULATED",
        "Friday 2005-02-25 · XNAS · open 14:30 to 21:00 UTC · USD",
        "consensus, score 1.00",
        "dissented   finnhub",
        "flags       disputed",
        "said at 2024-01-10 00:00:00 UTC split-adjusted, close 45.00",
        "41 kB",
        "finnhub  hundredfold",
        "note  missing_row  alpha_vantage",
        "split 2 for 1",
        "\N{DIVISION SIGN} 2 = 45.00 split-adjusted",
        "\N{MULTIPLICATION SIGN} 0.99 = 44.55 for dividends too",
        "known 2024-01-10 00:00:00 UTC  close 90.00  yahoo  current",
    ):
        assert words in text


def test_real_prices_bear_no_mark() -> None:
    """Only simulated ones say that they are."""
    real = msgspec.structs.replace(explained(), simulated=False)
    assert "SIMULATED" not in narrate(real)


def test_a_bar_that_nothing_adjusts() -> None:
    """After the last ex-date all three are the same, and it is said."""
    assert "all three are the same" in narrate(explained(date(2005, 3, 3)))


def test_only_a_split_or_only_a_dividend() -> None:
    """A step that does nothing is not shown."""
    split = narrate(explained(factors=tables()["factors"].head(1)))
    dividend = narrate(explained(factors=tables()["factors"].tail(1)))

    assert "dividends too" not in split
    assert "45.00 split-adjusted" in split
    assert " split-adjusted\n" not in dividend.partition("From as traded")[2]
    assert "0.99 = 89.10 for dividends too" in dividend


@pytest.mark.parametrize(
    ("count", "spelled"), [(2, "(0.99 \N{MULTIPLICATION SIGN} 0.99)"), (30, "product of 30 factors")]
)
def test_many_dividends_are_summed_up(count: int, spelled: str) -> None:
    """A short product is spelled out; a long one is given as a number, and the rest of the dates are counted."""
    dates = [date(2006 + number, 1, 2) for number in range(count)]
    factors = rows("factors", instrument_id=APPLE, ex_date=dates, split=1.0, dividend=[0.99] * count, **ORIGIN)
    told = explained(factors=factors)
    text = narrate(told)

    assert spelled in text
    assert ("and 18 more ex-dates until 2035-01-02" in text) == (count == 30)
    assert told.prices["all"].close == pytest.approx(90 * 0.99**count)


@pytest.mark.parametrize(
    ("size", "words"),
    [(999, "999 B"), (1_000, "1 kB"), (999_999, "999 kB"), (1_741_000, "1.7 MB"), (64_000_000, "64 MB")],
)
def test_sizes_keep_the_line_within_its_width(size: int, words: str) -> None:
    """However large a payload is, its size is short."""
    told = explained(payload_bytes={PAYLOAD: size})

    assert f" {words}\n" in narrate(told)
    assert max(len(line.plain) for line in lines(told)) <= WIDTH


def test_missing_values_and_long_names_keep_their_place() -> None:
    """Null prices are shown as a dash, long provider names are cut, and unknown sizes left out."""
    holes = claims().with_columns(
        pl.lit(None, dtype=pl.Float64).alias("open"), provider=pl.lit("a_provider_with_a_long_name")
    )
    bars = of_day(tables()["bars"], FRIDAY).with_columns(
        pl.lit(None, dtype=pl.Float64).alias("volume"), pl.lit("").alias("agreed"), pl.lit(0.0).alias("score")
    )
    general = findings().with_columns(provider=pl.lit(""))
    text = narrate(explained(bar_claims=holes, bars=bars, findings=general, payload_bytes={}))

    assert "\N{EN DASH}" in text
    assert "a_provider_w\N{HORIZONTAL ELLIPSIS}" in text
    assert "agreed      nobody" in text
    assert "  note  missing_row\n" in text


def test_who_was_asked_and_why() -> None:
    """Each claim says it, and who was tried before; one whose origin is not on record says nothing of it."""
    asked = rows(
        "captures",
        payload=[PAYLOAD],
        provider="yahoo",
        round_id="rnd_1",
        page="",
        kind="bars",
        instrument_id=APPLE,
        why="next after tiingo, alpaca",
        tried="tiingo: quota: 50 calls an hour are spent\nalpaca: transient: HTTP 503",
        **ORIGIN,
    )
    told = explained(captures=asked)

    claim = {one.provider: one for one in told.claims}["yahoo"]
    assert "next after tiingo, alpaca" == claim.why
    assert ("tiingo: quota: 50 calls an hour are spent", "alpaca: transient: HTTP 503") == claim.tried
    assert {""} == {one.why for one in told.claims if one.provider != "yahoo"}
    story = narrate(told)
    assert "      asked because: next after tiingo, alpaca\n" in story
    assert "      tried before: tiingo: quota: 50 calls an hour are spent\n" in story
    assert "asked because" not in narrate(explained())
