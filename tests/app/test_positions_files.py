"""Positions and the terms of actions in files."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from truetape.app.plain_files import Sheet, read_sheet
from truetape.app.plain_files.positions import positions_frame, read_closes, read_positions, read_terms
from truetape.domain.errors import BadInput
from truetape.domain.holdings import Owed, Portfolio


def _sheet(folder: Path, text: str, name: str = "file.csv") -> Sheet:
    (folder / name).write_text(text)
    return read_sheet(str(folder / name))


def test_positions_are_read_and_written_back(tmp_path: Path) -> None:
    """Shares, cash and what is owed come back as they were; rows of one symbol add up."""
    text = "kind,symbol,quantity,due\nshares,AAA,1.5,\n,AAA,1,\ncash,USD,-3.25,\nowed,USD,24,2024-06-28\n"
    held = read_positions(_sheet(tmp_path, text))
    expected = Portfolio(
        shares={"AAA": Fraction(5, 2)},
        cash={"USD": Fraction(-13, 4)},
        owed=(Owed(date(2024, 6, 28), "USD", Fraction(24)),),
    )
    assert expected == held
    positions_frame(held).write_parquet(tmp_path / "again.parquet")
    assert expected == read_positions(read_sheet(str(tmp_path / "again.parquet")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("symbol,quantity\nAAA,many\n", r"line 2, quantity was 'many'"),
        ("symbol,quantity\nAAA,\n", r"line 2, quantity was ''"),
        ("symbol,quantity\n,3\n", r"line 2, symbol was ''"),
        ("symbol,quantity,kind\nUSD,3,money\n", r"kind was 'money'.*shares, cash, owed"),
        ("symbol,quantity,kind\nUSD,3,owed\n", r"due was ''.*day on which it is paid"),
        ("symbol\nAAA\n", r"Add the column quantity"),
    ],
)
def test_positions_that_make_no_sense_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """The place of the defect is named."""
    with pytest.raises(BadInput, match=words):
        read_positions(_sheet(tmp_path, text))


def test_terms_are_read_with_their_elections(tmp_path: Path) -> None:
    """Rows with an option are one action; what a type does not need may be blank."""
    text = (
        "symbol,ex_date,type,value,price,currency,new_symbol,pay_date,option\n"
        "AAA,2024-06-10,dividend,0.24,,USD,,2024-06-28,\n"
        "BBB,2024-07-01,merger,,20,USD,,,cash\n"
        "BBB,2024-07-01,merger,0.5,,,CCC,,stock\n"
    )
    dividend, merger = read_terms(_sheet(tmp_path, text))
    assert (dividend.pay_date, dividend.options[0].cash) == (date(2024, 6, 28), (("USD", Fraction(6, 25)),))
    assert ["cash", "stock"] == [one.label for one in merger.options]


def test_a_wrong_action_is_named_with_its_line(tmp_path: Path) -> None:
    """An unknown type, or a number that is missing, says where it stands."""
    with pytest.raises(BadInput, match=r"line 2, type was 'raffle'"):
        read_terms(_sheet(tmp_path, "symbol,ex_date,type,value\nAAA,2024-06-10,raffle,1\n"))
    with pytest.raises(BadInput, match=r"line 3, value of a split was ''"):
        read_terms(_sheet(tmp_path, "symbol,ex_date,type,value\nAAA,2024-06-10,split,2\nAAA,2024-06-11,split,\n"))


def test_closes_are_read(tmp_path: Path) -> None:
    """A blank close is none."""
    text = "symbol,date,close\nAAA,2024-06-10,20.02\nAAA,2024-06-11,\n"
    assert {("AAA", date(2024, 6, 10)): Fraction(2002, 100)} == read_closes(_sheet(tmp_path, text))
