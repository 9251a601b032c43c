"""Numbers of a Nautilus catalog to the last bit, and what it has no place for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exported_market import series
from truetape.app.exports.nautilus import NautilusSink
from truetape.app.exports.venue_hours import ended, in_session
from truetape.domain.errors import BadInput

WHOLE = st.integers(-(10**13), 10**13)


def stored(folder: Path) -> pl.DataFrame:
    """The one file of bars in a catalog, its numbers as whole numbers of any size."""
    (path,) = folder.glob("catalog/data/bar/*/*.parquet")
    table = pq.read_table(path)
    return pl.DataFrame(
        {
            name: [str(int.from_bytes(cell.as_py(), "little", signed=True)) for cell in table[name]]
            for name in ("open", "high", "low", "close", "volume")
        }
    )


def catalog(folder: Path, *, prices: list[float]) -> NautilusSink:
    day = datetime(2024, 1, 5, tzinfo=UTC).date()
    names = ("open", "high", "low", "close")
    one = series([day], [])
    told = [pl.Series(name, [price]) for name, price in zip(names, prices, strict=True)]
    sink = NautilusSink(folder / "catalog")
    sink.add(replace(one, bars=one.bars.with_columns(*told, volume=1.0)))
    return sink


@settings(max_examples=5)
@given(whole=st.tuples(WHOLE, WHOLE, WHOLE, WHOLE), decimals=st.integers(0, 2))
def test_every_number_is_exact(tmp_path_factory: pytest.TempPathFactory, whole: tuple[int, ...], decimals: int) -> None:
    """A number of 13 digits is stored as so many times 10^-16, whatever its sign: whole numbers of Python's agree."""
    folder = tmp_path_factory.mktemp("numbers")

    catalog(folder, prices=[one / 10**decimals for one in whole])

    expected = [str(one * 10 ** (16 - decimals)) for one in whole]
    assert [*expected, str(10**16)] == list(stored(folder).row(0))


def test_more_than_nine_decimals_are_rounded(tmp_path: Path) -> None:
    """A third of a dollar has nine threes; that is told."""
    sink = catalog(tmp_path, prices=[1 / 3, 1.0, 0.25, 1 / 3])

    assert ["3333333330000000", "10000000000000000", "2500000000000000"] == list(stored(tmp_path).row(0)[:3])
    assert ["Prices and volumes of more than 9 decimals that stand rounded: 2."] == sink.notes


def test_a_number_that_has_too_many_digits(tmp_path: Path) -> None:
    """It is refused rather than written wrong."""
    with pytest.raises(BadInput, match="It has too many digits for a number of NautilusTrader"):
        catalog(tmp_path, prices=[1e16, 1e16, 1e16, 1e16])


def test_when_bars_had_ended() -> None:
    """Half days end at noon, weeks and months with the calendar's; without a calendar a day ends at midnight."""
    days = pl.Series([datetime(2023, 11, 24, tzinfo=UTC)], dtype=pl.Datetime("ns", "UTC"))

    found = {
        (timeframe, mic): ended(days, timeframe=timeframe, mic=mic).dt.strftime("%m-%d %H:%M")[0]
        for timeframe, mic in [("1d", "XNYS"), ("1d", "XXXX"), ("1w", "XNYS"), ("1mo", "XNYS"), ("30m", "XNYS")]
    }

    assert {
        ("1d", "XNYS"): "11-24 18:00",
        ("1d", "XXXX"): "11-25 00:00",
        ("1w", "XNYS"): "11-27 00:00",
        ("1mo", "XNYS"): "12-01 00:00",
        ("30m", "XNYS"): "11-24 00:30",
    } == found


def test_a_venue_without_a_calendar_never_closes() -> None:
    """All of its minutes lie in session; none is no mistake."""
    minutes = pl.Series([datetime(2024, 1, 6, 3, tzinfo=UTC)], dtype=pl.Datetime("ns", "UTC"))

    assert [True] == in_session(minutes, mic="XXXX").to_list()
    assert [False] == in_session(minutes, mic="XNYS").to_list()
    assert [] == in_session(minutes.clear(), mic="XNYS").to_list()
