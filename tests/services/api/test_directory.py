"""Symbols mean what they meant then."""

from __future__ import annotations

from datetime import date

import pytest

from room_doubles import rows
from truetape.domain.errors import BadInput, UnknownSymbol
from truetape.services.api.directory import Directory

DIRECTORY = Directory(
    rows(
        "listings",
        instrument_id=[
            "ins_old",
            "ins_new",
            "ins_meta",
            "ins_meta",
            "ins_us",
            "ins_ca",
            "ins_y",
            "ins_y",
            "ins_z",
            "ins_b",
        ],
        symbol=["X", "X", "FB", "META", "SHOP", "SHOP", "Y", "YY", "Y", "BRK.B"],
        mic=["XNYS", "XNYS", "XNAS", "XNAS", "XNYS", "XTSE", *["XNYS"] * 4],
        valid_from=[
            *(None, date(2015, 1, 1), date(2012, 5, 18), date(2022, 6, 9), None, date(2020, 1, 1)),
            *(date(2000, 1, 3), date(2005, 1, 3), date(2010, 1, 4), None),
        ],
        valid_to=[
            date(2010, 1, 1),
            None,
            date(2022, 6, 9),
            None,
            None,
            None,
            date(2005, 1, 3),
            date(2020, 1, 1),
            None,
            None,
        ],
    )
)


@pytest.mark.parametrize(
    ("symbol", "start", "end", "instrument"),
    [
        ("X", None, None, "ins_new"),
        ("X", date(2005, 1, 1), date(2009, 12, 31), "ins_old"),
        ("X", date(2009, 12, 31), date(2014, 12, 31), "ins_old"),
        ("X", date(2010, 1, 1), date(2014, 12, 31), "ins_new"),
        ("X", date(2009, 12, 31), date(2015, 1, 1), "ins_new"),
        ("FB", date(2023, 1, 1), None, "ins_meta"),
        ("META", date(2013, 1, 1), date(2013, 12, 31), "ins_meta"),
        ("SHOP", date(2015, 1, 1), date(2019, 12, 31), "ins_us"),
        ("ins_old", None, None, "ins_old"),
        ("meta", None, None, "ins_meta"),
        ("fb ", date(2013, 1, 1), None, "ins_meta"),
        ("BRK-B", None, None, "ins_b"),
        ("brk/b", None, None, "ins_b"),
        ("Y", date(2006, 1, 1), date(2009, 12, 31), "ins_y"),
        ("Y", date(1999, 1, 1), date(1999, 12, 31), "ins_z"),
        ("Y", date(2009, 12, 31), date(2010, 1, 4), "ins_z"),
    ],
)
def test_a_symbol_in_a_range(symbol: str, start: date | None, end: date | None, instrument: str) -> None:
    """The last instrument of the range counts; where nobody has the ticker, who had it once and is listed then."""
    assert instrument == DIRECTORY.find(symbol, start=start, end=end).instrument_id


def test_an_ambiguous_symbol_is_refused() -> None:
    """Two venues, two instruments, one ticker at one time: the ids are offered."""
    with pytest.raises(BadInput, match=r"ins_us \(XNYS\), ins_ca \(XTSE\)"):
        DIRECTORY.find("SHOP")


def test_an_unknown_symbol_is_told_its_neighbours() -> None:
    """The nearest come first."""
    with pytest.raises(UnknownSymbol) as unknown:
        DIRECTORY.find("METAX")

    assert unknown.value.known[0] == "META"


def test_the_id_of_a_merged_record_means_the_one_that_stands_for_it() -> None:
    """With all its listings, the same as its own id."""
    listed = rows("listings", instrument_id=["ins_a"], symbol=["A"], mic=["XNYS"], valid_from=[None], valid_to=[None])
    directory = Directory(listed, merged={"ins_twin": "ins_a"})
    assert directory.find("ins_a") == directory.find("ins_twin") == directory.find("A")
