"""Real series without faults, in the form of Yahoo's files: what repairs must leave alone, and faults are put into."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from truetape.app.plain_files import read_prices, read_sheet
from truetape.domain.kinds import INSTANT
from truetape.domain.price_series import FIELDS, PriceSeries

LEAN: Final = ("aapl", "bac", "eem", "iwm", "spy", "goog", "fb", "uso", "bno", "aaa")
LEAN_UNIT: Final = 1e4
CHARTS: Final = {
    "AAPL": "AAPL_1d_max_1980-2022_div_splits.json",
    "GME 1h": "GME_60m_2022.json",
    "GM": "GM_1d_2020-2021.json",
    "MUV2.DE": "MUV2.DE_1d_2020.json",
    "SPY": "SPY_1d_2020-2021_div.json",
    "MSFT": "chartH-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json",
    "NVDA": "chartH-NVDA-split-2021-02-01-to-2022-01-31.csv.json",
    "GSPC 1m": "GSPC_1m_2022-03-18.json",
    "AAPL 1mo": "AAPL_1mo_with_div_rows.json",
    "ALL.AX": "ALL.AX_1d_2022.json",
}
FILES: Final = (
    "stooq/gme_us_d_2026.csv.gz",
    "stooq/aapl_us_d.csv.gz",
    "pypi/bokeh_sampledata-2024.2_AAPL.csv.gz",
    "pypi/bokeh_sampledata-2024.2_GOOG.csv.gz",
    "pypi/bokeh_sampledata-2024.2_FB.csv.gz",
)


def clean_series(recordings: Path) -> Iterator[tuple[str, PriceSeries]]:
    """Yield the name and the series of every real series that nobody knows a fault of."""
    for name, file in CHARTS.items():
        yield f"yahoo {name}", _chart(recordings / "yahoo" / "chart_v8" / file)
    for symbol in LEAN:
        folder = recordings / "lean" / "equity" / "usa"
        raw = _lean_bars(folder / "daily" / f"{symbol}.zip")
        yield f"lean {symbol} raw", PriceSeries(frame=raw, timeframe="1d")
        factors = folder / "factor_files" / f"{symbol}.csv"
        if factors.exists():
            yield f"lean {symbol}", _lean(raw, factors)
    for file in FILES:
        yield file, read_prices(read_sheet(str(recordings / file))).series
    for path in sorted((recordings / "bad_prices_yfinance").glob("*.csv")):
        if "-fixed" in path.name or "no-bad" in path.name:
            yield path.name, read_prices(read_sheet(str(path))).series


def longer(series: PriceSeries, every: str) -> PriceSeries:
    """Return the weekly ("1w") or monthly ("1mo") bars of a daily series, as Yahoo makes them."""
    day = pl.col("date").cast(pl.Datetime("ns"))
    sums = [name for name in ("volume", "dividends", "capital_gains") if name in series.fields]
    parts = {"open": "first", "high": "max", "low": "min", "close": "last", "adj_close": "last"}
    frame = series.frame.group_by(day.dt.truncate(every).alias("ts"), maintain_order=True).agg(
        *[getattr(pl.col(name), how)() for name, how in parts.items() if name in series.fields],
        *[pl.col(name).sum() for name in sums],
        *([pl.col("splits").filter(pl.col("splits") > 0).product()] if "splits" in series.fields else []),
    )
    whole = frame.with_columns(pl.col("ts").cast(INSTANT), pl.col("ts").dt.date().alias("date"))
    return PriceSeries(frame=whole, timeframe=every)


def part(series: PriceSeries, start: int, length: int) -> PriceSeries:
    """Return `length` rows of `series` from `start` on."""
    return PriceSeries(frame=series.frame.slice(start, length), timeframe=series.timeframe)


def _chart(path: Path) -> PriceSeries:
    body = json.loads(path.read_text())["chart"]["result"][0]
    quote = body["indicators"]["quote"][0]
    adjusted = body["indicators"].get("adjclose", [{}])[0].get("adjclose")
    stamps = pl.Series("ts", body["timestamp"]).cast(pl.Int64) * 1_000_000_000
    offset = body["meta"].get("gmtoffset", 0) * 1_000_000_000
    columns = {name: quote[name] for name in ("open", "high", "low", "close", "volume") if name in quote}
    frame = pl.DataFrame({"ts": stamps, **columns} | ({"adj_close": adjusted} if adjusted else {}))
    events = body.get("events", {})
    paid = {int(key): one["amount"] for key, one in events.get("dividends", {}).items()}
    split = {int(key): one["numerator"] / one["denominator"] for key, one in events.get("splits", {}).items()}
    rows = [stamp // 1_000_000_000 for stamp in stamps.to_list()]
    frame = frame.with_columns(
        pl.Series("dividends", [paid.get(row, 0.0) for row in rows], dtype=pl.Float64),
        pl.Series("splits", [split.get(row, 0.0) for row in rows], dtype=pl.Float64),
        (pl.col("ts") + offset).cast(pl.Datetime("ns")).dt.date().alias("date"),
    )
    frame = frame.with_columns(pl.col("ts").cast(INSTANT), *[pl.col(name).cast(pl.Float64) for name in columns])
    timeframe = {"60m": "1h"}.get(body["meta"]["dataGranularity"], body["meta"]["dataGranularity"])
    return PriceSeries(frame=frame, timeframe=timeframe)


def _lean_bars(path: Path) -> pl.DataFrame:
    with zipfile.ZipFile(path) as archive:
        body = archive.read(archive.namelist()[0])
    names = ["when", "open", "high", "low", "close", "volume"]
    rows = pl.read_csv(io.BytesIO(body), has_header=False, new_columns=names, infer_schema=False)
    day = pl.col("when").str.slice(0, 8).str.to_date("%Y%m%d")
    prices = [pl.col(name).cast(pl.Float64) / LEAN_UNIT for name in names[1:5]]
    return rows.select(
        day.cast(pl.Datetime("ns")).cast(INSTANT).alias("ts"),
        day.alias("date"),
        *prices,
        pl.col("volume").cast(pl.Float64),
    )


def _lean(raw: pl.DataFrame, factors: Path) -> PriceSeries:
    """Return LEAN's bars as Yahoo tells them: prices adjusted for splits, dividends and splits on their ex-dates."""
    table = pl.read_csv(
        factors, has_header=False, new_columns=["date", "price", "split", "reference"], infer_schema=False
    ).select(pl.col("date").str.to_date("%Y%m%d"), *[pl.col(n).cast(pl.Float64) for n in ("price", "split")])
    joined = raw.sort("date").join_asof(table.sort("date"), on="date", strategy="forward")
    price, split = joined["price"].fill_null(1.0).to_numpy(), joined["split"].fill_null(1.0).to_numpy()
    columns = {name: raw[name].to_numpy() * split for name in ("open", "high", "low", "close")}
    close = columns["close"]
    dividends, splits = np.zeros(len(raw)), np.zeros(len(raw))
    dividends[1:] = np.where(price[1:] != price[:-1], (1 - price[:-1] / price[1:]) * close[:-1], 0.0)
    splits[1:] = np.where(split[1:] != split[:-1], split[1:] / split[:-1], 0.0)
    frame = raw.select("ts", "date").with_columns(
        *[pl.Series(name, values) for name, values in columns.items()],
        pl.Series("adj_close", close * price),
        pl.Series("volume", np.round(raw["volume"].to_numpy() / split)),
        pl.Series("dividends", np.round(np.maximum(dividends, 0.0), 6)),
        pl.Series("splits", splits),
    )
    return PriceSeries(frame=frame.select("ts", "date", *[n for n in FIELDS if n in frame.columns]), timeframe="1d")
