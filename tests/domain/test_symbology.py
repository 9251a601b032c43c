"""Symbols of all spellings and the instruments that they named on a date."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.errors import UnknownInstrument
from truetape.domain.symbology import Symbology, keyed
from truetape.domain.venue_suffixes import OURS, Spelling, spelling_of

Listing = tuple[str, str, str, date | None, date | None]
SCHEMA = {"instrument_id": pl.String, "symbol": pl.String, "mic": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
DAY = date(2024, 6, 10)
RENAMED = date(2022, 6, 9)
LISTINGS: list[Listing] = [
    ("ins_brkb", "BRK.B", "XNYS", date(1996, 5, 9), None),
    ("ins_meta", "FB", "XNAS", date(2012, 5, 18), RENAMED),
    ("ins_meta", "META", "XNAS", RENAMED, None),
    ("ins_fbold", "FB", "XNAS", date(1999, 9, 29), date(2003, 3, 29)),
    ("ins_metv", "META", "ARCX", date(2021, 6, 30), date(2022, 1, 31)),
    ("ins_vod", "VOD.L", "XLON", None, None),
    ("ins_vodus", "VOD", "XNAS", None, None),
    ("ins_rds", "RDS.A", "XNYS", None, date(2022, 1, 29)),
    ("ins_tencent", "0700.HK", "XHKG", None, None),
    ("ins_siemens", "SIE", "XETR", None, None),
    ("ins_sienna", "SIE", "XTSE", None, None),
    ("ins_ab", "AB", "XNYS", None, None),
    ("ins_aclassb", "A.B", "XNYS", None, None),
]


def symbology(listings: list[Listing] | None = None) -> Symbology:
    return Symbology(pl.DataFrame(listings or LISTINGS, schema=SCHEMA, orient="row"))


@pytest.mark.parametrize(
    ("provider", "spelled", "key", "ending"),
    [
        ("yahoo", ("BRK-B",), "BRK.B", ""),
        ("massive", ("BRK.B", "BRKb"), "BRK.B", ""),
        ("alpaca", ("BRK.B", "BRK/B", "BRK B", "BRK_B", " brk.b "), "BRK.B", ""),
        ("stooq", ("brk-b.us",), "BRK.B", "US"),
        ("eodhd", ("BRK-B.US",), "BRK.B", "US"),
        ("bloomberg", ("BRK/B US Equity", "BRK/B US"), "BRK.B", "US"),
        ("refinitiv", ("BRKb.N",), "BRK.B", "N"),
        ("yahoo", ("BAC-PA", "BAC-P-A"), "BAC.PR.A", ""),
        ("massive", ("BACpA", "BAC.PRA", "BAC.PR.A", "BAC^A", "BAC$A", "BAC/PRA", "BAC PR A"), "BAC.PR.A", ""),
        ("refinitiv", ("BAC_pA.N",), "BAC.PR.A", "N"),
        ("yahoo", ("XYZ-P", "XYZ-PR"), "XYZ.PR", ""),
        ("yahoo", ("XYZ-WT", "XYZ-WS", "XYZ.W", "XYZ+", "XYZws", "XYZ/WS"), "XYZ.WS", ""),
        ("massive", ("XYZ.WS.A", "XYZ+A", "XYZ.WSA", "XYZ/WS/A"), "XYZ.WS.A", ""),
        ("yahoo", ("XYZ-UN", "XYZ-U", "XYZ=", "XYZu"), "XYZ.U", ""),
        ("massive", ("XYZ.R", "XYZ.RT", "XYZ.RI", "XYZr"), "XYZ.RT", ""),
        ("massive", ("XYZ.WI", "XYZ#", "XYZwi"), "XYZ.WI", ""),
        ("yahoo", ("VOD.L",), "VOD", "L"),
        ("stooq", ("vod.uk",), "VOD", "UK"),
        ("bloomberg", ("VOD LN Equity",), "VOD", "LN"),
        ("alpha_vantage", ("VOD.LON",), "VOD", "LON"),
        ("yahoo", ("0700.HK",), "700", "HK"),
        ("bloomberg", ("700 HK Equity",), "700", "HK"),
        ("yahoo", ("EURUSD=X", "EUR-USD"), "EUR/USD", ""),
        ("massive", ("C:EURUSD", "X:EUR-USD"), "EUR/USD", ""),
        ("eodhd", ("EURUSD.FOREX", "EUR-USD.CC"), "EUR/USD", ""),
        ("yahoo", ("^GSPC",), "^GSPC", ""),
        ("stooq", ("pko",), "PKO", ""),
        ("nobody we know", ("AAPL", "AAPL.Q"), None, ""),
    ],
)  # fmt: skip
def test_every_spelling_has_one_key(provider: str, spelled: tuple[str, ...], key: str | None, ending: str) -> None:
    """The ticker and what kind of paper it is, without its venue."""
    found = keyed(pl.Series(spelled), spelling=spelling_of(provider))

    expected = [key] * len(spelled) if key else ["AAPL", "AAPL.Q"]
    assert expected == found["key"].to_list()
    assert [ending] * len(spelled) == found["ending"].to_list()


@pytest.mark.parametrize(
    ("provider", "symbol", "on", "expected"),
    [
        ("yahoo", "BRK-B", DAY, "ins_brkb"),
        ("massive", "BRK.B", DAY, "ins_brkb"),
        ("alpaca", "BRKB", DAY, "ins_brkb"),
        ("bloomberg", "BRK/B US Equity", DAY, "ins_brkb"),
        ("refinitiv", "BRKb.N", DAY, "ins_brkb"),
        ("yahoo", "FB", date(2003, 3, 28), "ins_fbold"),
        ("yahoo", "FB", date(2012, 5, 18), "ins_meta"),
        ("yahoo", "FB", date(2022, 6, 8), "ins_meta"),
        ("yahoo", "META", RENAMED, "ins_meta"),
        ("yahoo", "META", date(2021, 12, 1), "ins_metv"),
        ("yahoo", "META", None, "ins_meta"),
        ("yahoo", "VOD", DAY, "ins_vodus"),
        ("yahoo", "VOD.L", DAY, "ins_vod"),
        ("stooq", "vod.uk", DAY, "ins_vod"),
        ("bloomberg", "VOD LN Equity", DAY, "ins_vod"),
        ("bloomberg", "700 HK Equity", DAY, "ins_tencent"),
        ("ours", "SIE.DE", DAY, "ins_siemens"),
        ("ours", "SIE.TO", DAY, "ins_sienna"),
        ("massive", "AB", DAY, "ins_ab"),  # it is called so itself, and is not A.B without its mark
        ("massive", "A.B", DAY, "ins_aclassb"),
    ],
)
def test_a_symbol_means_the_instrument_that_bore_it_then(
    provider: str, symbol: str, on: date | None, expected: str
) -> None:
    """Whatever the spelling, after a change of name, and where a ticker was used again."""
    assert expected == symbology().find(symbol, on=on, spelling=spelling_of(provider))


@pytest.mark.parametrize(
    ("symbol", "on", "words"),
    [
        (
            "SIE",
            DAY,
            (
                "The symbol 'SIE' named 2 instruments on 2024-06-10. Listings of that name: ins_siemens (SIE on XETR); "
                "ins_sienna (SIE on XTSE). Name the venue in the symbol, or the instrument by its id."
            ),
        ),
        (
            "FB",
            date(2010, 1, 4),
            (
                "The symbol 'FB' named no instrument on 2010-01-04. Listings of that name: ins_meta (FB on XNAS from "
                "2012-05-18 until 2022-06-09); ins_fbold (FB on XNAS from 1999-09-29 until 2003-03-29). Ask for one of "
                "its dates."
            ),
        ),
        (
            "NOPE",
            None,
            "The symbol 'NOPE' named no instrument today. No listing has that name. Add it under [[instruments]].",
        ),
    ],
)
def test_what_is_not_certain_is_refused(symbol: str, on: date | None, words: str) -> None:
    """The error names the candidates and what to do."""
    with pytest.raises(UnknownInstrument) as caught:
        symbology().find(symbol, on=on)

    assert words == str(caught.value)


def test_rows_keep_their_order_and_say_how_many_they_may_be() -> None:
    """Many rows at once: known, ambiguous and unknown ones, and the same twice."""
    rows = pl.DataFrame(
        {
            "symbol": ["SIE", "BRK.B", "NOPE", "FB", "FB", "BRK.B"],
            "date": [DAY, DAY, DAY, RENAMED, DAY, None],
            "n": range(6),
        },
        schema={"symbol": pl.String, "date": pl.Date, "n": pl.Int64},
    )

    found = symbology().resolve(rows, spelling=OURS)

    assert [
        (0, None, 2),
        (1, "ins_brkb", 1),
        (2, None, 0),
        (3, None, 0),
        (4, None, 0),
        (5, "ins_brkb", 1),
    ] == found.select("n", "instrument_id", "matches").rows()


def test_an_ending_of_another_venue_is_part_of_the_ticker() -> None:
    """A listing in New York that is called ABC.L is no paper of London; nobody's symbols name no venue at all."""
    american = symbology([("ins_abcl", "ABC.L", "XNYS", None, None)])

    assert "ins_abcl" == american.find("ABC-L", on=DAY, spelling=spelling_of("yahoo"))
    assert "ins_abcl" == american.find("ABC.L", on=DAY, spelling=Spelling())
    with pytest.raises(UnknownInstrument):
        american.find("ABC.L", on=DAY, spelling=spelling_of("yahoo"))


@settings(max_examples=100)
@given(
    stem=st.from_regex(r"[A-Z]{1,5}", fullmatch=True),
    paper=st.sampled_from(["", ".A", "-B", "/C", "-PA", ".PR.B", "-WT", "+", ".WS.A", "-UN", "=", ".RT", "#", "-WI"]),
)
def test_a_key_is_its_own_key(stem: str, paper: str) -> None:
    """However it was written, it needs to be read once only."""
    key = keyed(pl.Series([stem + paper]))["key"][0]

    assert [key] == keyed(pl.Series([key]), spelling=Spelling())["key"].to_list()
    assert stem == key.split(".")[0]


def test_leans_map_files_name_one_instrument_for_each_date(recordings: Path) -> None:
    """On the day of every row, and on the day after the one before, the ticker names the security of its file."""
    listings: list[Listing] = []
    for path in sorted((recordings / "lean/equity/usa/map_files").glob("*.csv")):
        rows = [line.split(",") for line in path.read_text().split()]
        begin = date.fromisoformat(rows[0][0])
        for when, ticker, *_ in rows[1:]:
            ends = date.fromisoformat(when)
            listings.append((path.stem, ticker.upper(), "XNYS", begin, ends.fromordinal(ends.toordinal() + 1)))
            begin = listings[-1][4] or begin
    asked = pl.DataFrame(
        [(symbol, day, owner) for owner, symbol, _, first, after in listings for day in (first, _before(after))],
        schema={"symbol": pl.String, "date": pl.Date, "owner": pl.String},
        orient="row",
    )
    found = symbology(listings).resolve(asked)
    once = found.filter(pl.col("matches") == 1)

    assert {"fb", "fb.1", "bac", "goog", "gooav"} <= set(once["owner"])
    assert once["owner"].to_list() == once["instrument_id"].to_list()
    assert 0 == (found["matches"] == 0).sum()


def _before(day: date | None) -> date | None:
    return day and date.fromordinal(day.toordinal() - 1)
