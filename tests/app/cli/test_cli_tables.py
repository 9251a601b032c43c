"""Bars as a table on a terminal: short ones whole, long ones by their ends, prices to the last place."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta

import polars as pl
from rich.console import Console

from truetape.app.cli.tables import bars_table
from truetape.domain.schema import INSTANT


def shown(closes: list[float | None], *, volume: float = 100.0) -> list[list[str]]:
    """Return the cells of the table of bars with these closes, line by line, without its frame."""
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(len(closes))]
    frame = pl.DataFrame({"symbol": "BRK.A", "ts_event": pl.Series(days).cast(INSTANT)}).with_columns(
        *(pl.Series(name, closes, dtype=pl.Float64) for name in ("open", "high", "low", "close")),
        pl.lit(volume).alias("volume"),
        pl.lit("raw").alias("basis"),
        pl.lit("USD").alias("currency"),
    )
    page = io.StringIO()
    Console(file=page, width=200).print(bars_table(frame))
    lines = page.getvalue().splitlines()
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]


def test_prices_are_shown_to_the_last_place() -> None:
    """A price of six digits keeps its cents, an adjusted one is not shown with its rounding, missing is a dash."""
    rows = shown([741971.39, 44.550000000000004, None], volume=1234567.0)

    assert ["741971.39", "44.55", "-"] == [row[5] for row in rows]
    assert ["BRK.A", "2024-01-01"] == rows[0][:2]
    assert "1,234,567" == rows[0][6]


def test_bars_below_a_day_show_their_time() -> None:
    """In UTC, as the heading says."""
    minute = pl.Series([datetime(2024, 1, 2, 14, 31)]).cast(INSTANT)  # noqa: DTZ001
    frame = pl.DataFrame({"symbol": "A", "ts_event": minute, "basis": "raw", "currency": "USD"})
    prices = [pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close", "volume")]
    page = io.StringIO()

    Console(file=page, width=200).print(bars_table(frame.with_columns(prices)))

    assert "UTC" in page.getvalue()
    assert "2024-01-02 14:31" in page.getvalue()


def test_long_tables_show_their_ends() -> None:
    """Of more than twenty bars the first and the last ten are shown."""
    rows = shown([float(number) for number in range(1, 31)])

    assert [*map(str, range(1, 11)), "...", *map(str, range(21, 31))] == [row[5] for row in rows]


def test_twenty_bars_are_shown_whole() -> None:
    """Nothing is left out where everything fits."""
    assert 20 == len(shown([1.5] * 20))
