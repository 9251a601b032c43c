"""The market as files in a folder, for providers that read files instead of asking somebody."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.conformance.market import AUTUMN, FIRST, LAST, market, truth
from truetape.app.sandbox.truth import View
from truetape.domain.adjust import factor_table
from truetape.domain.factor_files import lean_rows

_DAILY: Final = ("open", "high", "low", "close", "volume")
_LETTERS: Final = {"XNAS": "Q", "XNYS": "N"}
_SCALE: Final = 10_000


@lru_cache(maxsize=8)
def folder(provider: str = "files") -> Path:
    """Return a folder with the market as `provider` keeps it; it goes with the process.

    There are daily bars, minutes of stocks, and actions.
    """
    made = Path(tempfile.mkdtemp(prefix="truetape-market-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for symbol in market().symbols:
        _WRITERS.get(provider, _plain)(made, symbol, truth(symbol))
    return made


def _plain(made: Path, symbol: str, view: View) -> None:
    name = symbol.replace("/", "-")
    day = pl.col("ts_event").dt.date().alias("date")
    view.raw.select(day, *_DAILY).write_csv(made / f"{name}.csv")
    if "/" not in symbol:
        minutes = view.between(AUTUMN[0], LAST).minutes()
        stamp = pl.col("ts_event").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("timestamp")
        minutes.select(stamp, *_DAILY).write_csv(made / f"{name}_1m.csv")
    if len(actions := view.actions.filter(pl.col("ex_date") >= FIRST)):
        actions.select("ex_date", "type", "value").write_csv(made / f"{name}_actions.csv")


def _lean(made: Path, symbol: str, view: View) -> None:
    """Write one stock as LEAN keeps it, with factors that are not rounded."""
    mic, name, base = market().series[symbol].mic, symbol.lower(), made / "equity" / "usa"
    if mic not in _LETTERS or symbol.startswith("^"):
        return
    day = pl.col("ts_event").dt.strftime("%Y%m%d 00:00")
    _zip(base / "daily" / f"{name}.zip", f"{name}.csv", view.raw.select(day, *_whole()))
    minutes = (
        view.between(AUTUMN[0], LAST)
        .minutes()
        .with_columns(pl.col("ts_event").dt.convert_time_zone("America/New_York").alias("local"))
    )
    _hours(base / "hour" / f"{name}.zip", name, minutes)
    for (when,), rows in minutes.group_by(pl.col("local").dt.date(), maintain_order=True):
        assert isinstance(when, date)
        since = (
            pl.col("local").dt.hour().cast(pl.Int64) * 3_600_000 + pl.col("local").dt.minute().cast(pl.Int64) * 60_000
        )
        stem = f"{when:%Y%m%d}"
        path = base / "minute" / name / f"{stem}_trade.zip"
        _zip(path, f"{stem}_{name}_minute_trade.csv", rows.select(since.alias("ms"), *_whole()))
    closes = view.raw.select(pl.col("ts_event").dt.date().alias("date"), "close")
    lines = lean_rows(factor_table(view.actions, closes), closes).iter_rows()
    _text(base / "factor_files" / f"{name}.csv", [f"{when:%Y%m%d},{a!r},{b!r},{c!r}" for when, a, b, c in lines])
    letter = _LETTERS[mic]
    _text(base / "map_files" / f"{name}.csv", [f"{FIRST:%Y%m%d},{name},{letter}", f"20501231,{name},{letter}"])


def _hours(path: Path, name: str, minutes: pl.DataFrame) -> None:
    hours = minutes.group_by_dynamic("local", every="1h").agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    )
    _zip(path, f"{name}.csv", hours.select(pl.col("local").dt.strftime("%Y%m%d %H:%M"), *_whole()))


def _whole() -> list[pl.Expr]:
    prices = [(pl.col(name) * _SCALE).round().cast(pl.Int64) for name in _DAILY[:-1]]
    return [*prices, pl.col("volume").round().cast(pl.Int64)]


def _zip(path: Path, name: str, rows: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, rows.write_csv(include_header=False))


def _text(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


_WRITERS: Final[dict[str, Callable[[Path, str, View], None]]] = {"files": _plain, "lean": _lean}
