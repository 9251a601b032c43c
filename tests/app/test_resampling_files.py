"""Longer bars of files of bars, and bars of files of trades, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetape.app.plain_files import read_sheet
from truetape.app.plain_files.resampling import resampled, trade_bars
from truetape.domain.errors import BadInput

BARS = """Symbol,Time,Open,High,Low,Close,Volume
A,2024-01-05 14:00:00Z,99,99,99,99,900
A,2024-01-05 14:30:00Z,10,11,9,10.5,100
A,2024-01-05 14:31:00Z,10.5,12,10,11,200
A,2024-01-05 21:00:00Z,11,13,11,12,50
B,2024-01-05 14:30:00Z,20,21,19,20.5,
"""
LUNCH = """time,close
2024-06-14 02:29:00Z,1
2024-06-14 02:45:00Z,5
2024-06-14 03:30:00Z,2
"""
DAYS = """Date,Open,High,Low,Close
2024-01-05,4,5,3,4
2024-01-04,3,4,2,3
2024-01-08,5,6,4,5
"""
TRADES = """ticker,timestamp,price,qty
A,2024-01-05T14:30:00.000000001Z,10,100
A,2024-01-05T14:30:01Z,11,100
B,2024-01-05T14:30:01Z,50,1
A,2024-01-05T14:30:02Z,12,50
"""


def written(folder: Path, text: str) -> str:
    path = folder / "file.csv"
    path.write_text(text)
    return str(path)


def test_minutes_are_cut_as_the_venue_cuts_its_day(tmp_path: Path) -> None:
    """What lies before the session is left out, the closing auction is not; a volume that is not known stays so."""
    made = resampled(read_sheet(written(tmp_path, BARS)), timeframe="1d", source="1m", venue="XNAS")

    assert ["symbol", "date", "open", "high", "low", "close", "volume"] == made.frame.columns
    assert [("A", 10.0, 13.0, 9.0, 12.0, 350.0), ("B", 20.0, 21.0, 19.0, 20.5, None)] == made.frame.drop("date").rows()
    assert (5, "1m") == (made.rows, made.source)


def test_without_a_venue_days_are_those_of_utc(tmp_path: Path) -> None:
    """Everything counts."""
    made = resampled(read_sheet(written(tmp_path, BARS)), timeframe="5m", source="1m")

    assert ["14:00", "14:30", "21:00", "14:30"] == made.frame["ts_event"].dt.strftime("%H:%M").to_list()


def test_lunch_is_no_trading_time(tmp_path: Path) -> None:
    """Tokyo rests from 02:30 to 03:30 UTC; a file of closes alone makes closes alone."""
    made = resampled(read_sheet(written(tmp_path, LUNCH)), timeframe="1h", source="1m", venue="XTKS")

    assert ["ts_event", "close"] == made.frame.columns
    assert [("02:00", 1.0), ("03:30", 2.0)] == [(f"{when:%H:%M}", close) for when, close in made.frame.rows()]


def test_days_make_weeks_with_the_label_of_their_monday(tmp_path: Path) -> None:
    """The distances of the rows tell that they are days, whichever way round they run."""
    made = resampled(read_sheet(written(tmp_path, DAYS)), timeframe="1w")

    assert [("2024-01-01", 3.0, 5.0, 2.0, 4.0), ("2024-01-08", 5.0, 6.0, 4.0, 5.0)] == [
        (str(day), *prices) for day, *prices in made.frame.rows()
    ]


@pytest.mark.parametrize(
    ("by", "amount", "expected"),
    [
        ("ticks", 2, [("A", 2, 2100.0, False), ("A", 1, 600.0, True), ("B", 1, 50.0, True)]),
        ("volume", 150, [("A", 2, 2100.0, False), ("A", 1, 600.0, True), ("B", 1, 50.0, True)]),
        (
            "money",
            1000,
            [("A", 1, 1000.0, False), ("A", 1, 1100.0, False), ("A", 1, 600.0, True), ("B", 1, 50.0, True)],
        ),
    ],
)
def test_bars_of_trades(tmp_path: Path, by: str, amount: float, expected: list[tuple[object, ...]]) -> None:
    """A bar ends with the trade that fills it; the last one runs."""
    made = trade_bars(read_sheet(written(tmp_path, TRADES)), by=by, amount=amount)

    assert expected == made.frame.select("symbol", "trades", "money", "running").rows()
    assert 1_704_465_000_000_000_001 == made.frame["ts_event"].to_physical()[0]


def test_trades_without_a_symbol(tmp_path: Path) -> None:
    """The bars have none either."""
    text = "\n".join(line.partition(",")[2] for line in TRADES.splitlines())

    assert "number" == trade_bars(read_sheet(written(tmp_path, text)), by="ticks", amount=9).frame.columns[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,price\n2024-01-05,1\n", "None of these is the size of a trade; name one size."),
        ("time,size\n2024-01-05,1\n", "None of these is the price of a trade; name one price."),
        ("price,size\n1,1\n", "None of these is the time of a trade; name one time."),
        ("time,price,size\n2024-01-05T14:30:00Z,ten,1\n", "line 2, price was 'ten'. Write a number"),
    ],
)
def test_trades_that_cannot_be_read(tmp_path: Path, text: str, words: str) -> None:
    """The words say what is missing, or where the defect is."""
    with pytest.raises(BadInput, match=words.replace(".", r"\.")):
        trade_bars(read_sheet(written(tmp_path, text)), by="ticks", amount=1)


def test_what_cannot_be_made(tmp_path: Path) -> None:
    """A timeframe that is not longer, and a measure that there is not."""
    sheet = read_sheet(written(tmp_path, DAYS))

    with pytest.raises(BadInput, match="The file holds bars of 1d: choose a longer timeframe"):
        resampled(sheet, timeframe="1h")
    with pytest.raises(BadInput, match=r"--by was 'weight'. Choose one of ticks, volume, money"):
        trade_bars(sheet, by="weight", amount=1)
