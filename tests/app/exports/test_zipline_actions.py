"""Splits and dividends in csvdir's columns: on the next bar where their own day has none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from exported_market import series
from truetape.app.exports.zipline_csv import ZiplineSink


def test_what_has_no_bar_goes_to_the_next(tmp_path: Path) -> None:
    """Saturday's dividend adds to Monday's, splits multiply; what comes after the last bar is told."""
    friday, monday = date(2024, 1, 5), date(2024, 1, 8)
    paid = [
        (date(2024, 1, 4), "dividend", 9.0),
        (date(2024, 1, 6), "dividend", 0.25),
        (date(2024, 1, 7), "split", 2.0),
        (monday, "dividend", 0.5),
        (monday, "stock_dividend", 0.5),
        (date(2024, 1, 9), "split", 4.0),
    ]
    sink = ZiplineSink(tmp_path / "csvdir", timeframe="1d")

    assert 2 == sink.add(series([friday, monday], paid))

    lines = (tmp_path / "csvdir" / "daily" / "BRK_A.csv").read_text().splitlines()
    assert [
        "2024-01-05,10.0,10.0,10.0,10.0,10,0.0,1.0",
        "2024-01-08,10.0,10.0,10.0,10.0,10,0.75,3.0",
    ] == lines[1:]
    assert ["Splits and dividends that no later bar could carry: 1."] == sink.notes


def test_an_instrument_without_bars_has_no_file(tmp_path: Path) -> None:
    """csvdir cannot read an empty file."""
    sink = ZiplineSink(tmp_path / "csvdir", timeframe="1d")

    assert 0 == sink.add(series([], [(date(2024, 1, 9), "split", 4.0)]))
    assert [] == list((tmp_path / "csvdir" / "daily").iterdir())
