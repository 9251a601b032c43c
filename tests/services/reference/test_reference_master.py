"""Declared listings as instruments and dated listings."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from truetape.domain.errors import BadInput
from truetape.domain.identity import instrument_id
from truetape.domain.messages import DeclaredListing
from truetape.domain.schema import TABLES, check
from truetape.services.reference.master import identify, instruments, listings, refuse_conflicts

META = DeclaredListing(symbol="META", mic="XNAS", name="Meta Platforms", valid_from=date(2022, 6, 9))
EARLY = DeclaredListing(symbol="META", mic="XNAS", valid_to=date(2022, 6, 9))


def listed(*declared: DeclaredListing) -> pl.DataFrame:
    return listings(declared, ts_known=7, simulated=True)


def test_listings_and_instruments_carry_identity_and_origin() -> None:
    """One row for each declared listing; a name that was not given is the symbol."""
    ids = [
        instrument_id(mic="XNAS", symbol="META", valid_from=date(2022, 6, 9)),
        instrument_id(mic="XNAS", symbol="META", valid_from=None),
    ]
    master = check(
        instruments([META, EARLY], ts_known=7, simulated=True), TABLES["instruments"].columns, kind="instruments"
    )
    claims = check(listed(META, EARLY), TABLES["listings"].columns, kind="listings")

    assert ids == [identify(META), identify(EARLY)]
    assert master.drop("ts_known").rows() == [
        (ids[0], "Meta Platforms", "equity", "USD", 1, True),
        (ids[1], "META", "equity", "USD", 1, True),
    ]
    assert claims.drop("ts_known").rows() == [
        (ids[0], "META", "XNAS", date(2022, 6, 9), None, 1, True),
        (ids[1], "META", "XNAS", None, date(2022, 6, 9), 1, True),
    ]
    assert claims["ts_known"].cast(pl.Int64).to_list() == [7, 7]


def claim(begins: date | None, ends: date | None, *, symbol: str = "A", mic: str = "XNYS") -> DeclaredListing:
    return DeclaredListing(symbol=symbol, mic=mic, valid_from=begins, valid_to=ends)


DAY, NEXT = date(2020, 1, 1), date(2021, 1, 1)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param([claim(None, DAY), claim(DAY, NEXT), claim(NEXT, None)], id="one after another"),
        pytest.param([claim(None, None), claim(None, None, mic="XNAS")], id="two venues"),
        pytest.param([claim(None, None), claim(None, None, symbol="B")], id="two tickers"),
        pytest.param([claim(None, DAY), claim(NEXT, None)], id="a pause between"),
    ],
)
def test_claims_that_do_not_overlap_are_accepted(claims: list[DeclaredListing]) -> None:
    """valid_to is exclusive: the day that ends one claim may begin the next."""
    refuse_conflicts(listed(*claims))


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        pytest.param([claim(None, None), claim(None, None)], r"from ever until today, the next from ever", id="twice"),
        pytest.param([claim(DAY, None), claim(NEXT, None)], r"from 2020-01-01 until today", id="the first has no end"),
        pytest.param([claim(None, NEXT), claim(DAY, None)], r"next from 2020-01-01", id="a year of overlap"),
        pytest.param([claim(NEXT, DAY)], r"valid_to of A on XNYS was '2020-01-01'", id="ends before it begins"),
        pytest.param([claim(DAY, DAY)], r"begins on 2020-01-01", id="never valid"),
    ],
)
def test_conflicting_claims_are_refused(claims: list[DeclaredListing], words: str) -> None:
    """The error names the ticker, the venue and both intervals."""
    with pytest.raises(BadInput, match=words):
        refuse_conflicts(listed(*claims))
