"""Longer bars that were recorded equal those that the shorter ones make up, and golden sessions cut them."""

from __future__ import annotations

import gzip
import json
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from truetape.domain.kinds import INSTANT
from truetape.domain.resampling import resample
from truetape.domain.spans import SPANS, outside, trading_spans

FIELDS = ("open", "high", "low", "close", "volume")
NOTHING = pl.DataFrame(schema=SPANS)


def golden(recordings: Path, venue: str) -> pl.DataFrame:
    """Sessions of a venue since 2010, as recorded."""
    table = pl.read_csv(gzip.decompress((recordings / f"calendars/{venue}.csv.gz").read_bytes()))
    instants = [
        pl.col(name).cast(pl.String).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ns").dt.replace_time_zone("UTC")
        for name in ("open", "close", "break_start", "break_end")
    ]
    days = table.rename({table.columns[0]: "session"}).with_columns(
        pl.col("session").str.slice(0, 10).str.to_date(), *instants
    )
    return days.filter(pl.col("session") >= date(2010, 1, 1))


def yahoo_csv(recordings: Path, name: str) -> pl.DataFrame:
    table = pl.read_csv(gzip.decompress((recordings / "market_prices" / name).read_bytes()))
    stamp = pl.col("date").str.to_datetime("%Y-%m-%d %H:%M:%S%#z", time_unit="ns").cast(INSTANT)
    return table.select(stamp.alias("ts_event"), *(pl.col(name).cast(pl.Float64) for name in FIELDS))


def yahoo_chart(recordings: Path, name: str, zone: str) -> pl.DataFrame:
    """Bars of a chart, labelled by their dates in `zone`."""
    chart = json.loads((recordings / "yahoo/chart_v8" / name).read_bytes())["chart"]["result"][0]
    quote = chart["indicators"]["quote"][0]
    stamps = pl.Series("ts_event", chart["timestamp"]) * 10**9
    days = stamps.cast(INSTANT).dt.convert_time_zone(zone).dt.date().cast(pl.Datetime("ns")).cast(INSTANT)
    return pl.DataFrame({"ts_event": days, **{one: pl.Series(quote[one], dtype=pl.Float64) for one in FIELDS}})


def lean(recordings: Path, path: str) -> list[list[str]]:
    with zipfile.ZipFile(recordings / "lean/equity/usa" / path) as archive:
        return [line.split(",") for line in archive.read(archive.namelist()[0]).decode().splitlines()]


def lean_minutes(recordings: Path, symbol: str, day: date) -> pl.DataFrame:
    """Minutes of a day in New York, in ten-thousandths of a dollar."""
    rows = lean(recordings, f"minute/{symbol}/{day:%Y%m%d}_trade.zip")
    midnight = pl.Series([day]).cast(pl.Datetime("ns")).dt.replace_time_zone("America/New_York").to_physical()[0]
    stamps = pl.Series([midnight + int(row[0]) * 1_000_000 for row in rows]).cast(INSTANT)
    values = {name: [float(row[place]) for row in rows] for place, name in enumerate(FIELDS, 1)}
    return pl.DataFrame({"ts_event": stamps, **values})


def agreeing(made: pl.DataFrame, told: pl.DataFrame) -> tuple[int, list[int]]:
    """Return how many bars both have, and in how many each field is the same 32-bit price."""
    both = made.join(told, on="ts_event", suffix="_told")
    same = [(both[name] / both[f"{name}_told"] - 1).abs() < 1e-7 for name in FIELDS]
    return len(both), [int(one.fill_null(value=False).sum()) for one in same]


def test_five_minutes_of_minutes_equal_yahoos_own(recordings: Path) -> None:
    """Of 1,482 bars at least 1,477 have each field in common; what differs, Yahoo changed between two requests."""
    spans = trading_spans(golden(recordings, "xnys"))
    minutes, told = yahoo_csv(recordings, "MSFT_T1.csv.gz"), yahoo_csv(recordings, "MSFT_T5_with_added_indice.csv.gz")

    made = resample(minutes, source="1m", target="5m", spans=spans, by=())

    assert (1482, [1481, 1481, 1482, 1482, 1477]) == agreeing(made, told)


def test_months_of_days_equal_yahoos_own(recordings: Path) -> None:
    """All fields of all 25 recorded months of Apple."""
    days = yahoo_chart(recordings, "AAPL_1d_max_1980-2022_div_splits.json", "America/New_York")
    told = yahoo_chart(recordings, "AAPL_1mo_with_div_rows.json", "America/New_York")

    made = resample(days, source="1d", target="1mo", spans=NOTHING, by=())

    assert (25, [25] * 5) == agreeing(made, told)


@pytest.mark.parametrize(
    ("symbol", "day"),
    [
        ("spy", date(2013, 10, 7)),
        ("spy", date(2013, 10, 8)),
        ("bac", date(2013, 10, 8)),
        ("aapl", date(2014, 6, 6)),
        ("aapl", date(2014, 6, 9)),
    ],
)
def test_the_day_of_a_sessions_minutes_equals_leans_own(recordings: Path, symbol: str, day: date) -> None:
    """Open, close and volume are the same, high and low to a cent; the minutes before and after count for nothing."""
    spans = trading_spans(golden(recordings, "xnys"))
    minutes = lean_minutes(recordings, symbol, day)
    told = next(row for row in lean(recordings, f"daily/{symbol}.zip") if row[0].startswith(f"{day:%Y%m%d}"))
    made = resample(minutes, source="1m", target="1d", spans=spans, by=()).row(0, named=True)

    assert 390 == len(minutes) - len(outside(minutes, spans))
    assert [float(told[1]), float(told[4]), float(told[5])] == [made["open"], made["close"], made["volume"]]
    assert [pytest.approx(float(told[2]), abs=100), pytest.approx(float(told[3]), abs=100)] == [
        made["high"],
        made["low"],
    ]


HOURS = {  # of a whole session, and of the shortest, counted by hand from the venue's own hours
    "xnys": (7, 4),  # 09:30 to 16:00, and to 13:00
    "xlon": (9, 5),  # 08:00 to 16:30, and to 12:30
    "xhkg": (6, 3),  # 09:30 to 12:00 and 13:00 to 16:00, and the morning only
    "xtks": (6, 6),  # 09:00 to 11:30 and 12:30 to 15:00: no half days any more
    "xpar": (9, 6),  # 09:00 to 17:30, and to 14:05
    "24-7": (24, 24),
}


@pytest.mark.parametrize("venue", HOURS)
def test_every_golden_session_is_one_day_and_its_own_hours(recordings: Path, venue: str) -> None:
    """Whatever the clocks do, half days and lunch included, hours begin with the parts of the session."""
    sessions = golden(recordings, venue)
    spans = trading_spans(sessions)
    every = pl.datetime_ranges("start", "end", "1m", closed="left").alias("ts_event")
    minutes = spans.select(every).explode("ts_event").with_columns(pl.lit(1.0).alias(name) for name in FIELDS)

    days = resample(minutes, source="1m", target="1d", spans=spans, by=())
    hours = resample(minutes, source="1m", target="1h", spans=spans, by=())

    assert sessions["session"].to_list() == days["ts_event"].dt.date().to_list()
    pause = (pl.col("break_end") - pl.col("break_start")).fill_null(pl.duration(minutes=0))
    lasted = sessions.select((pl.col("close") - pl.col("open") - pause).dt.total_minutes().cast(pl.Float64))
    assert lasted.to_series().to_list() == days["volume"].to_list()
    held = spans["start"].search_sorted(hours["ts_event"], side="right") - 1
    each = pl.DataFrame({"session": spans["session"].gather(held)}).group_by("session").len()["len"]
    assert HOURS[venue] == (each.mode()[0], each.min())
