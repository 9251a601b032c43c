"""The bars that the sandbox serves: raw daily bars and actions of each symbol, as if they were the whole truth."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.sandbox.implied import implied_actions
from truetape.domain.errors import BadInput
from truetape.domain.schema import DECODED, INSTANT

_LISTINGS: Final = {
    "AAPL": ("XNAS", "Apple Inc."),
    "FB": ("XNAS", "Facebook, Inc."),
    "GOOG": ("XNAS", "Google Inc."),
    "IBM": ("XNYS", "International Business Machines Corporation"),
    "MSFT": ("XNAS", "Microsoft Corporation"),
}
_AS_PAID: Final = {
    "AAPL": (
        ("2000-06-21", "split", 2.0),
        ("2005-02-28", "split", 2.0),
        ("2012-08-09", "dividend", 2.65),
        ("2012-11-07", "dividend", 2.65),
        ("2013-02-07", "dividend", 2.65),
    )
}
_INSTALL: Final = "The demo's prices are in an optional package; install it with: pip install 'truetape[demo]'."
_NEEDED: Final = ("symbol", "date", "open", "high", "low", "close", "volume")
_ACTION_COLUMNS: Final = ("symbol", "ex_date", "type", "value")


@dataclass(frozen=True)
class Series:
    """One listing's truth."""

    symbol: str
    mic: str
    name: str
    currency: str
    bars: pl.DataFrame  # schema.DECODED["bars"], basis raw, ascending; adj_close is anchored on the last bar
    actions: pl.DataFrame  # schema.DECODED["actions"], basis raw, ascending


@dataclass(frozen=True)
class Dataset:
    """Every series by symbol, in alphabetical order. The last day of all is the sandbox's today."""

    name: str
    series: Mapping[str, Series]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in alphabetical order."""
        return tuple(self.series)

    @property
    def with_splits(self) -> frozenset[str]:
        """The symbols that have a split."""
        return frozenset(name for name, one in self.series.items() if "split" in one.actions["type"])

    @property
    def start(self) -> date:
        """The first session date of all."""
        return min(_dates(one)[0] for one in self.series.values())

    @cached_property
    def end(self) -> date:
        """The last session date of all, inclusive."""
        return max(_dates(one)[-1] for one in self.series.values())


def _dates(series: Series) -> list[date]:
    return series.bars["ts_event"].dt.date().to_list()


def bokeh(package: str = "bokeh_sampledata") -> Dataset:
    """Return five US stocks, 2000-03-01 to 2013-03-01, from the package bokeh_sampledata.

    `package` has raw bars and adjusted closes, but no actions: Apple's are stated here as they were paid, the others'
    are those that the adjusted closes imply.

    Raises:
        BadInput: The package is not installed, or holds no stocks.
    """
    try:
        folder = files(package) / "_data"
    except ModuleNotFoundError:
        raise BadInput(parameter="--data", value=package, fix=_INSTALL) from None
    return bokeh_folder(folder)


def bokeh_folder(folder: Traversable) -> Dataset:
    """Return the dataset of bokeh_sampledata's data folder, in the layout of 2026 or of 2024.

    Raises:
        BadInput: The folder holds no stocks in either layout.
    """
    one_file = folder / "stocks.csv.gz"
    if one_file.is_file():
        frame = pl.read_csv(one_file.read_bytes()).rename({"Ticker": "symbol"})
        frame = frame.filter(pl.col("symbol").is_in(list(_LISTINGS)))
    else:
        each = {symbol: folder / f"{symbol}.csv" for symbol in _LISTINGS}
        present = {symbol: file for symbol, file in each.items() if file.is_file()}
        if not present:
            raise BadInput(parameter="--data", value=str(folder), fix=_INSTALL)
        frame = pl.concat(
            pl.read_csv(file.read_bytes()).with_columns(pl.lit(symbol).alias("symbol"))
            for symbol, file in present.items()
        )
    bars = _typed(frame.rename(lambda name: name.lower().replace(" ", "_")))
    stated = [(symbol, *row) for symbol, rows in _AS_PAID.items() for row in rows]
    actions = pl.DataFrame(stated, schema=list(_ACTION_COLUMNS), orient="row")
    known = actions.with_columns(pl.col("ex_date").str.to_date())
    return Dataset(name="bokeh_sampledata", series=_series(bars, known, implied_for=set(_LISTINGS) - set(_AS_PAID)))


def read(path: Path) -> Dataset:
    """Return the dataset in a CSV or Parquet file.

    The file has the columns symbol, date, open, high, low, close (as traded) and volume; adj_close, currency, mic and
    name may be there too. Actions are read from the file beside it whose name ends in `_actions` (`prices.csv` and
    `prices_actions.csv`), with the columns symbol, ex_date, type (split or dividend) and value (new shares for one
    old; cash per share as paid then). Without that file they are inferred from adj_close, if there is one.

    Raises:
        BadInput: A file is missing, unreadable, lacks a column, or holds a bar without date or close or
            two bars of one day.
    """
    bars = _typed(_load(path, needed=_NEEDED))
    if bars.is_empty():
        raise BadInput(parameter="--data", value=str(path), fix="The file has no rows; give one with bars.")
    beside = path.with_name(f"{path.stem}_actions{path.suffix}")
    if beside.exists():
        actions = _load(beside, needed=_ACTION_COLUMNS).with_columns(_date("ex_date"), pl.col("value").cast(pl.Float64))
        _sound(actions, beside, columns=_ACTION_COLUMNS)
        inferred: set[str] = set()
    else:
        actions = pl.DataFrame(schema={"symbol": pl.String, "ex_date": pl.Date, "type": pl.String, "value": pl.Float64})
        complete = (
            bars.group_by("symbol").agg(pl.col("adj_close").null_count().alias("gaps")).filter(pl.col("gaps") == 0)
        )
        inferred = set(complete["symbol"])
    _sound(bars, path, columns=("symbol", "date", "close"))
    if bars.select("symbol", "date").is_duplicated().any():
        raise BadInput(parameter="--data", value=str(path), fix="A symbol has two bars of one date; keep one of them.")
    return Dataset(name=path.name, series=_series(bars, actions, implied_for=inferred))


def _load(path: Path, *, needed: tuple[str, ...]) -> pl.DataFrame:
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise BadInput(parameter="--data", value=str(path), fix="Give a file that ends in .csv or .parquet.")
    try:
        content = path.read_bytes()
        frame = pl.read_parquet(io.BytesIO(content)) if path.suffix.lower() == ".parquet" else pl.read_csv(content)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(parameter="--data", value=str(path), fix=f"The file could not be read: {reason}.") from None
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        fix = f"The columns {', '.join(missing)} are missing; needed are {', '.join(needed)}."
        raise BadInput(parameter="--data", value=str(path), fix=fix)
    return frame


def _sound(frame: pl.DataFrame, path: Path, *, columns: tuple[str, ...]) -> None:
    gaps = [name for name in columns if frame[name].null_count()]
    if gaps:
        fix = f"The columns {', '.join(gaps)} have cells that are empty or unreadable; fill them (dates as YYYY-MM-DD)."
        raise BadInput(parameter="--data", value=str(path), fix=fix)


def _date(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with every column that a series is made of, null or by default where it was missing."""
    given = frame.with_columns(
        _date("date"), pl.col("open", "high", "low", "close", "volume").cast(pl.Float64, strict=False)
    )
    defaults = {"adj_close": pl.lit(None), "currency": pl.lit("USD"), "mic": pl.lit(None), "name": pl.lit(None)}
    added = given.with_columns([value.alias(name) for name, value in defaults.items() if name not in frame.columns])
    return added.with_columns(
        pl.col("adj_close").cast(pl.Float64, strict=False), pl.col("symbol", "currency", "mic", "name").cast(pl.String)
    )


def _series(bars: pl.DataFrame, actions: pl.DataFrame, *, implied_for: set[str]) -> dict[str, Series]:
    made = {}
    for (symbol,), rows in bars.sort("symbol", "date").group_by("symbol", maintain_order=True):
        name = str(symbol)
        mine = _bars(name, rows)
        told = implied_actions(mine) if name in implied_for else actions.filter(pl.col("symbol") == name)
        first = rows.row(0, named=True)
        mic, title = _LISTINGS.get(name, ("XNAS", name))
        made[name] = Series(
            symbol=name,
            mic=first["mic"] or mic,
            name=first["name"] or title,
            currency=first["currency"],
            bars=mine,
            actions=_actions(name, told, first["currency"]),
        )
    return made


def _bars(symbol: str, rows: pl.DataFrame) -> pl.DataFrame:
    anchored = pl.col("adj_close") * (pl.col("close").last() / pl.col("adj_close").last())
    return rows.with_columns(
        anchored.alias("adj_close"),
        pl.col("date").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").cast(INSTANT).alias("ts_event"),
        pl.lit("1d").alias("timeframe"),
        pl.lit("raw").alias("basis"),
        pl.lit(value=False).alias("running"),
        pl.lit(symbol).alias("symbol"),
    ).select(list(DECODED["bars"]))


def _actions(symbol: str, rows: pl.DataFrame, currency: str) -> pl.DataFrame:
    schema = DECODED["actions"]
    told = {*rows.columns, "symbol", "currency", "basis"}
    return (
        rows.with_columns(
            pl.lit(symbol).alias("symbol"), pl.lit(currency).alias("currency"), pl.lit("raw").alias("basis")
        )
        .select([pl.col(name) if name in told else pl.lit(None, dtype).alias(name) for name, dtype in schema.items()])
        .sort("ex_date", "type")
    )
