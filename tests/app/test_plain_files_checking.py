"""A file is checked a span of rows at a time, and nobody notices."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from evidence_doubles import day
from truetape.app.plain_files import checked, read_sheet


def test_spans_find_what_the_whole_finds(tmp_path: Path) -> None:
    """Also what lies across their borders: a run of equal bars, a split, and a row that is there twice."""
    closes = [100.0 + (number % 3) + (number % 7) / 10 for number in range(600)]
    closes[208:213] = [101.0] * 5
    closes[420:] = [close / 4 for close in closes[420:]]
    days = [day(number - (number > 300)) for number in range(600)]
    frame = pl.DataFrame({"date": days, "close": closes, "volume": [1000.0] * 600})
    frame.write_parquet(tmp_path / "prices.parquet")
    sheet = read_sheet(str(tmp_path / "prices.parquet"))

    whole, parts = checked(sheet).findings, checked(sheet, span=210).findings
    assert {"stale", "undeclared_split", "duplicate"} <= {*whole["check"]}
    assert whole.drop("row").equals(parts.drop("row"))


def test_an_increment_is_told_by_nearly_all_prices(tmp_path: Path) -> None:
    """Cents, whole numbers, and none where decimals say nothing."""
    cases: list[tuple[list[float | None], float | None]] = [
        ([10.25, 10.5], 0.01),
        ([10.0, 20.0], 1.0),
        ([1 / 3, 2 / 3], None),
        ([None, None], None),
    ]
    for number, (closes, expected) in enumerate(cases):
        path = tmp_path / f"{number}.parquet"
        pl.DataFrame({"date": [day(0), day(1)], "close": pl.Series(closes, dtype=pl.Float64)}).write_parquet(path)

        assert checked(read_sheet(str(path))).increments == {"": expected}
