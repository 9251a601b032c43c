"""LEAN's own rule, price x price factor x split factor of the next line, holds for any factor file and any bars."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_folder import weekdays
from truetape.domain.adjust import Adjustment, adjust, factor_table
from truetape.domain.asks import Ask
from truetape.domain.factor_files import lean_rows, parsed, written
from truetape.providers.lean.bundle import packed, series_name
from truetape.providers.lean.decode import actions, bars

ASK = Ask(kind="bars", symbol="X", timeframe="1d")
FIRST, LAST = date(2024, 1, 1), date(2024, 3, 29)
DAYS = weekdays(FIRST, LAST)
RATIOS = st.sampled_from([0.1, 0.5, 1.0, 1.0, 1.0, 2.0, 3.0, 7.0])  # of old to new factors: split of so many shares


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[date, int], list[tuple[date, float, float]]]:
    """Bars on some weekdays, in ten-thousandths, and the lines of a factor file on some days, bars or not."""
    traded = sorted(draw(st.sets(st.sampled_from(DAYS), min_size=2)))
    prices = draw(st.lists(st.integers(5_000, 5_000_000), min_size=len(traded), max_size=len(traded)))
    dates = sorted(draw(st.sets(st.sampled_from(traded[:-1]), max_size=6)), reverse=True)
    lines = [(date(2050, 12, 31), 1.0, 1.0)]
    for day in dates:
        _, price, split = lines[-1]
        kept = draw(st.floats(0.5, 1.0))
        lines.append((day, max(round(price * kept, 7), 0.01), round(split / draw(RATIOS), 8)))
    return dict(zip(traded, prices, strict=True)), lines[::-1]


def body(prices: dict[date, int], lines: list[tuple[date, float, float]]) -> bytes:
    rows = "".join(f"{day:%Y%m%d} 00:00,{price},{price},{price},{price},100\n" for day, price in prices.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x.csv", rows)
    references = [prices.get(day, 0) / 10_000 for day, *_ in lines]
    text = "".join(
        f"{day:%Y%m%d},{price},{split:.8f},{close}\n"
        for (day, price, split), close in zip(lines, references, strict=True)
    )
    name = series_name("daily", "x", FIRST - timedelta(1), date(2199, 12, 31))
    return packed({name: buffer.getvalue(), "factor_files/x.csv": text.encode()})


def expected(prices: dict[date, int], lines: list[tuple[date, float, float]], adjustment: Adjustment) -> list[float]:
    result = []
    for day, price in prices.items():
        factor, split = next((line[1:] for line in lines if line[0] >= day), (1.0, 1.0))
        result.append(price / 10_000 * {"raw": 1.0, "split": split, "all": factor * split}[adjustment])
    return result


@settings(max_examples=60)
@given(files(), st.sampled_from(["raw", "split", "all"]))
def test_adjusted_prices_are_leans(
    made: tuple[dict[date, int], list[tuple[date, float, float]]], adjustment: Adjustment
) -> None:
    """Through our own actions and factors, to a hundred-millionth."""
    prices, lines = made
    read, events = bars(body(prices, lines), ASK), actions(body(prices, lines), ASK)
    closes = read.select(pl.col("ts_event").dt.date().alias("date"), "close")

    adjusted = adjust(read, factor_table(events, closes), adjustment=adjustment)

    assert expected(prices, lines, adjustment) == pytest.approx(adjusted["close"].to_list(), rel=1e-8)


@settings(max_examples=40)
@given(files())
def test_a_factor_file_is_written_as_it_was(
    made: tuple[dict[date, int], list[tuple[date, float, float]]],
) -> None:
    """Every line that changes something comes back from the actions and the closes, rounded as it was."""
    prices, lines = made
    read, events = bars(body(prices, lines), ASK), actions(body(prices, lines), ASK)
    closes = read.select(pl.col("ts_event").dt.date().alias("date"), "close")

    again = parsed(written(lean_rows(factor_table(events, closes), closes)))

    steps = [one for one, after in zip(lines, [*lines[1:], lines[-1]], strict=True) if one[1:] != after[1:]]
    found = {day: (price, split) for day, price, split, _ in again.iter_rows()}
    assert [one[1:] for one in steps] == [pytest.approx(found[one[0]], rel=1e-7) for one in steps]
    assert [closes.filter(pl.col("date") == one[0])["close"][0] for one in steps if one[0] != closes["date"][0]] == [
        again.filter(pl.col("date") == one[0])["reference_price"][0] for one in steps if one[0] != closes["date"][0]
    ]
