"""Real daily series that faults are put into, as traded, each with the splits and dividends that were declared.

From the recordings beside the project, where they are: QuantConnect's LEAN sample of US stocks and funds 1998-2021
(Apache-2.0), and Yahoo's chart of Apple 1980-2022. Everywhere: Apple, Facebook, Google, IBM and Microsoft 2000-2013 of
the package bokeh_sampledata (BSD-3).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.sandbox.dataset import bokeh

RECORDINGS: Final = Path(__file__).parents[3] / "shared" / "recordings"
ACTIONS: Final = {"ex_date": pl.Date(), "type": pl.String(), "value": pl.Float64()}
PRICES: Final = ("open", "high", "low", "close")
TUNED_ON: Final = frozenset({"AAPL", "EEM", "GOOG", "IBM", "SPY"})  # the other instruments are only reported on
NOT_CLEAN: Final = {
    # What the sources themselves have wrong or leave out; windows that hold such a day are not used.
    ("yahoo", "AAPL"): (date(1983, 1, 11), date(1992, 7, 27)),  # volumes a hundredth of those beside them
    ("bokeh", "MSFT"): (date(2004, 11, 22), date(2008, 7, 1)),  # lows of 24.86 and 23.19; others have 26.10 and 26.44
    ("lean", "GOOG"): (date(2014, 4, 3),),  # a split that its factor file does not declare
}
_SCALE: Final = 1e4  # of LEAN's prices
_NORMAL: Final = 1.4826  # the sigma of a normal distribution / the median of its distance from 0
_BAD_TRADE: Final = 4.0  # sigmas
_WHOLE_MARKET: Final = [date(2010, 5, 6), date(2015, 8, 24)]  # lows of minutes that many saw


@dataclass(frozen=True, eq=False)
class Real:
    """One listing's daily bars: `date`, open, high, low, close as traded, `volume`; and its actions (ACTIONS)."""

    universe: str  # lean, yahoo or bokeh
    symbol: str
    bars: pl.DataFrame
    actions: pl.DataFrame

    @property
    def half(self) -> str:
        """Return whether thresholds may be chosen on it: "tuned" or "held out"."""
        return "tuned" if self.symbol in TUNED_ON else "held out"


def series() -> list[Real]:
    """Return every real series there is."""
    return [*_lean(), *_yahoo(), *_bokeh()]


def _bokeh() -> Iterator[Real]:
    for symbol, one in bokeh().series.items():
        bars = one.bars.select(pl.col("ts_event").dt.date().alias("date"), *PRICES, "volume")
        actions = one.actions.filter(pl.col("type").is_in(["split", "dividend"])).select(list(ACTIONS))
        yield Real("bokeh", symbol, bars, actions)


def _lean() -> Iterator[Real]:
    folder = RECORDINGS / "lean" / "equity" / "usa"
    for file in sorted((folder / "daily").glob("*.zip")) if folder.is_dir() else ():
        factors = folder / "factor_files" / f"{file.stem}.csv"
        mapped = folder / "map_files" / f"{file.stem}.csv"
        if not factors.is_file() or not mapped.is_file():
            continue
        first = date.fromisoformat(mapped.read_text(encoding="ascii").split(",", 1)[0])
        bars = _without_bad_trades(_lean_bars(file).filter(pl.col("date") >= first))
        yield Real("lean", file.stem.upper(), bars, _lean_actions(factors, bars))


def _lean_bars(file: Path) -> pl.DataFrame:
    with zipfile.ZipFile(file) as archive:
        body = archive.read(archive.namelist()[0])
    rows = pl.read_csv(body, has_header=False, new_columns=["time", *PRICES, "volume"])
    return rows.select(
        pl.col("time").str.slice(0, 8).str.to_date("%Y%m%d").alias("date"),
        *[pl.col(name) / _SCALE for name in PRICES],
        pl.col("volume").cast(pl.Float64),
    )


def _without_bad_trades(bars: pl.DataFrame) -> pl.DataFrame:
    """Return `bars` with highs and lows that a bad trade made brought to the nearer of open and close.

    LEAN's sample keeps trades that others strike out. Of Apple's 27 rows whose high or low lies more than 4 local
    sigmas beyond open and close, Yahoo has another high or low, by more than 1 %, on 26; the other is that of
    2010-05-06, when the whole market fell for minutes. Such rows are no clean control, so they are mended here.
    """
    sigma = _NORMAL * pl.col("close").log().diff().abs().rolling_median(63, center=True, min_samples=20)
    top, bottom = pl.max_horizontal("open", "close"), pl.min_horizontal("open", "close")
    true_day = pl.col("date").is_in(_WHOLE_MARKET)
    high = (pl.col("high") / top).log() > _BAD_TRADE * sigma
    low = (bottom / pl.col("low")).log() > _BAD_TRADE * sigma
    return bars.with_columns(
        pl.when(high & ~true_day).then(top).otherwise("high").alias("high"),
        pl.when(low & ~true_day).then(bottom).otherwise("low").alias("low"),
    )


def _lean_actions(file: Path, bars: pl.DataFrame) -> pl.DataFrame:
    """Return the actions that the steps of a factor file mean; each takes effect on the session after its row."""
    rows = pl.read_csv(file, has_header=False, new_columns=["last", "price", "split", "close"])
    days = bars.select(pl.col("date").alias("ex_date"))
    steps = rows.with_columns(
        (pl.col("last").cast(pl.String).str.to_date("%Y%m%d") + pl.duration(days=1)).alias("ex_date"),
        (pl.col("split").shift(-1) / pl.col("split")).alias("ratio"),
        (pl.col("close") * (1 - pl.col("price") / pl.col("price").shift(-1))).alias("cash"),
    ).join_asof(days.with_columns(pl.col("ex_date").alias("session")), on="ex_date", strategy="forward")
    known = steps.filter(pl.col("session").is_not_null() & (pl.col("session") > days["ex_date"][0]))
    splits = known.filter((pl.col("ratio") - 1).abs() > 1e-6)
    cash = known.filter(pl.col("cash") > 1e-4)
    return pl.concat(
        [
            splits.select(pl.col("session").alias("ex_date"), pl.lit("split").alias("type"), value="ratio"),
            cash.select(pl.col("session").alias("ex_date"), pl.lit("dividend").alias("type"), value="cash"),
        ]
    ).sort("ex_date")


def _yahoo() -> Iterator[Real]:
    file = RECORDINGS / "yahoo" / "chart_v8" / "AAPL_1d_max_1980-2022_div_splits.json"
    if not file.is_file():
        return
    told = json.loads(file.read_text(encoding="utf-8"))["chart"]["result"][0]
    quotes, events = told["indicators"]["quote"][0], told["events"]
    local = pl.from_epoch("ts").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York").dt.date()
    adjusted = pl.DataFrame({"ts": told["timestamp"], **{name: quotes[name] for name in (*PRICES, "volume")}})
    stated = [(one["date"], "split", one["numerator"] / one["denominator"]) for one in events["splits"].values()]
    stated += [(one["date"], "dividend", one["amount"]) for one in events["dividends"].values()]
    actions = pl.DataFrame(stated, schema=["ts", "type", "value"], orient="row").sort("ts")
    actions = actions.select(local.alias("ex_date"), "type", pl.col("value").cast(pl.Float64))
    yield _as_traded("AAPL", adjusted.with_columns(local.alias("date")), actions)


def _as_traded(symbol: str, bars: pl.DataFrame, actions: pl.DataFrame) -> Real:
    later = pl.lit(1.0)
    cash = pl.lit(1.0)
    for ex_date, value in actions.filter(pl.col("type") == "split").select("ex_date", "value").iter_rows():
        later = later * pl.when(pl.col("date") < ex_date).then(value).otherwise(1.0)
        cash = cash * pl.when((pl.col("ex_date") < ex_date) & (pl.col("type") == "dividend")).then(value).otherwise(1.0)
    raw = bars.drop_nulls("close").select(
        "date", *[(pl.col(name) * later).round(4) for name in PRICES], (pl.col("volume") / later).round()
    )
    return Real("yahoo", symbol, raw, actions.with_columns(pl.col("value") * cash))
