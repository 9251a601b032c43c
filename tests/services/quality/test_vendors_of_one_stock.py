"""Two vendors of one stock over 23 years: every day on which their closes as traded differ is found and explained.

The days were looked at one by one. On all of them the opens agree but for rounding to cents; on eight days one vendor's
range is the wider, on the others only the last price is another, and the vendor with the official close of the auction
has the greater volume on all days but one. None of them is the edge of a split or another session's bar.
"""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import NOW, filled
from truetape.domain.adjust import PRICES, unsplit
from truetape.domain.asks import Ask
from truetape.providers.yahoo import decode as yahoo
from truetape.services.quality.grade import Grades, grade_bars
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance

WIDER_RANGE = {
    date(1998, 1, 8),
    date(2000, 10, 5),
    date(2001, 3, 14),
    date(2001, 6, 29),  # an outage of the venue: its session was longer
    date(2003, 5, 13),
    date(2003, 5, 16),
    date(2003, 10, 28),
    date(2004, 6, 25),  # the yearly change of an index: a fifth of the day's volume in the closing auction
}


def claims(name: str, bars: pl.DataFrame) -> pl.DataFrame:
    values: dict[str, Any] = {column: bars[column] for column in ("ts_event", *PRICES, "volume")}
    given = {
        "instrument_id": "ins_a",
        "timeframe": "1d",
        "provider": name,
        "adj_close": None,
        "currency": "USD",
        "basis": "raw",
        "running": False,
        "feed": f"feed of {name}",
        "payload": name,
        "ts_known": NOW,
        "simulated": False,
    }
    return filled("bar_claims", len(bars), {**values, **given})


def of_yahoo(recordings: Path) -> pl.DataFrame:
    """Return the recorded split-adjusted bars as traded, by the splits of the same answer."""
    body = (recordings / "yahoo/chart_v8/AAPL_1d_max_1980-2022_div_splits.json").read_bytes()
    ask = Ask(kind="bars", symbol="AAPL", timeframe="1d", start=date(1980, 1, 1), end=date(2022, 12, 31))
    actions = yahoo.actions(body, ask).filter(pl.col("type") == "split")
    return unsplit(yahoo.bars(body, ask), actions.select("ex_date", "value"))


def of_lean(recordings: Path) -> pl.DataFrame:
    """Return the bars as traded: whole numbers of ten thousandths."""
    with zipfile.ZipFile(recordings / "lean/equity/usa/daily/aapl.zip") as bundle:
        text = bundle.read("aapl.csv")
    names = ["ts_event", *PRICES, "volume"]
    rows = pl.read_csv(io.BytesIO(text), has_header=False, new_columns=names)
    return rows.with_columns(
        pl.col("ts_event").str.slice(0, 8).str.to_datetime("%Y%m%d", time_unit="ns", time_zone="UTC"),
        *((pl.col(name) / 10_000).round(4).alias(name) for name in PRICES),
        pl.col("volume").cast(pl.Float64),
    )


@pytest.fixture(scope="module")
def both(recordings: Path) -> pl.DataFrame:
    lean, theirs = of_lean(recordings), of_yahoo(recordings)
    days = lean.select("ts_event").join(theirs.select("ts_event"), on="ts_event")
    return pl.concat(
        claims(name, bars.join(days, on="ts_event", how="semi")) for name, bars in (("lean", lean), ("yahoo", theirs))
    )


@pytest.fixture(scope="module")
def grades(both: pl.DataFrame) -> Grades:
    grading = Grading(
        round_id="rnd_1",
        ts_known=NOW,
        tolerance=Tolerance(absolute=0.01, relative=2e-4),
        trust={"yahoo": 1.1},
        stale_sessions=3,
        simulated=False,
    )
    return grade_bars(both, pl.DataFrame(schema={"session": pl.Date}), grading)


def apart(both: pl.DataFrame) -> pl.DataFrame:
    """Return the days on which the closes differ by more than half a percent."""
    wide = both.pivot("provider", index="ts_event", values=["close", "volume"])
    far = (pl.col("close_lean") / pl.col("close_yahoo") - 1).abs() > 0.005
    return wide.filter(far).with_columns(pl.col("ts_event").dt.date().alias("day"))


def test_every_day_is_found_and_explained(both: pl.DataFrame, grades: Grades) -> None:
    """Thirty are another last price within the same range, eight are a range within a range."""
    days = apart(both)
    lost = grades.quarantined.filter(pl.col("ts_event").is_in(days["ts_event"].implode()))
    reasons = dict(lost.select(pl.col("ts_event").dt.date(), "reason").rows())

    assert (5849, 38) == (len(grades.golden), len(days))
    expected = {day: "venue_coverage" if day in WIDER_RANGE else "auction_price" for day in days["day"]}
    assert expected == reasons


def test_the_volume_bears_the_reason_out(both: pl.DataFrame) -> None:
    """Who counts the auction counts more: on all of these days but one."""
    less = apart(both).filter(pl.col("volume_lean") >= pl.col("volume_yahoo"))

    assert [date(2003, 9, 25)] == less["day"].to_list()


def test_the_words_name_both_closes_and_both_volumes(grades: Grades) -> None:
    """What was said and what it was compared with stands in the explanation."""
    on = grades.quarantined.filter(pl.col("ts_event").dt.date() == date(2011, 4, 29))

    (words,) = on["explanation"]
    assert words.startswith("lean said 348.23 where yahoo said 350.13: the range is the same")
    assert "; volume 27036884 (feed of lean) against 35940900 (feed of yahoo); so in " in words


def test_habits_of_years_are_two_findings(grades: Grades) -> None:
    """Thousands of days are told once for each kind of difference, beside the few that nothing explains."""
    kinds = grades.findings.filter(pl.col("provider") == "lean").select("provider", "check").rows()

    assert [("lean", "auction_price"), ("lean", "venue_coverage")] == sorted(kinds)
    assert grades.quarantined.filter(pl.col("reason") == "disagrees").height < 20
