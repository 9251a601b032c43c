"""Bars as a folder of US equities as QuantConnect's LEAN keeps it: zips of prices, factor files and map files.

- `daily/TICKER.zip` and `hour/TICKER.zip` hold lines `yyyyMMdd HH:mm,open,high,low,close,volume`; the bars of a day are
  in the file of the ticker of that day. `minute/TICKER/yyyyMMdd_trade.zip` holds a day's minutes, each line with the
  milliseconds since midnight at which a bar begins. All times are those of New York.
- Prices are as traded, in ten-thousandths of a dollar.
- `map_files` say which ticker a security had until when, `factor_files` what splits and dividends make of prices.

What these files mean in full stands in `providers.lean.tickers` and `domain.factor_files`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.exports.series import NO_PRICE, NO_VOLUME, PRICES, Era, Losses, Member, Series, filed
from truetape.domain.adjust import factor_table
from truetape.domain.errors import BadInput
from truetape.domain.factor_files import LAST_ROW, lean_rows, written
from truetape.providers.lean.decode import FOLDERS, SCALE, ZONE
from truetape.providers.lean.tickers import exchange_of

BASE: Final = Path("equity", "usa")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # of every zipped file, so that equal exports are equal files
_NO_ACTION: Final = "Corporate actions that are neither split nor cash and have no line in a factor file: {}."
_PAID: Final = ("split", "stock_dividend", "dividend", "special_dividend", "capital_gain", "return_of_capital")
_RANK: Final = "Securities whose newest ticker a newer one has, so that their map files end in .1 and on: {}."


class LeanSink:
    """A folder of LEAN's data."""

    def __init__(self, path: Path, *, members: Sequence[Member], timeframe: str) -> None:
        self._losses = Losses()
        self._base = path / BASE
        self._part = FOLDERS[timeframe]
        self._names = dict(_names(members))
        for part in (self._part, "map_files", "factor_files"):
            (self._base / part).mkdir(parents=True, exist_ok=True)
        self._losses.count(_RANK, sum(name.rpartition(".")[2].isdigit() for name in self._names.values()))

    @property
    def notes(self) -> list[str]:
        """What the form could not hold as it was."""
        return self._losses.told()

    def add(self, series: Series) -> int:
        """Write the bars of a security, and its map and factor file.

        Raises:
            BadInput: It is not traded in dollars, or its ticker cannot be a file's name.
        """
        member, bars = series.member, series.priced()
        currencies = {member.currency, *bars["currency"].drop_nulls()} - {"USD", ""}
        if currencies:
            fix = "LEAN's folder of US equities holds dollars; export it as another format."
            raise BadInput(parameter=f"The currency of {member.symbol}", value=min(currencies), fix=fix)
        self._losses.count(NO_PRICE, len(series.bars) - len(bars))
        self._losses.count(NO_VOLUME, bars["volume"].null_count())
        self._losses.count(_NO_ACTION, series.actions.filter(~pl.col("type").is_in(_PAID)).height)
        rows = _lines(bars)
        for era in member.eras:
            own = rows.filter(pl.col("day").is_between(era.first, era.last))
            self._write_bars(filed(era.symbol).lower(), own)
        if len(rows):
            self._describe(series, first=rows["day"][0])
        return len(bars)

    def finish(self) -> None:
        """Do nothing: every file is whole."""

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _write_bars(self, ticker: str, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return None
        if self._part != "minute":
            when = pl.col("wall").dt.strftime("%Y%m%d 00:00" if self._part == "daily" else "%Y%m%d %H:%M")
            return _add_to_zip(self._base / self._part / f"{ticker}.zip", f"{ticker}.csv", _text(rows, when))
        since = (pl.col("wall") - pl.col("wall").dt.truncate("1d")).dt.total_milliseconds().cast(pl.String)
        folder = self._base / "minute" / ticker
        folder.mkdir(parents=True, exist_ok=True)
        for (day,), own in rows.partition_by("day", as_dict=True, maintain_order=True).items():
            name = f"{day:%Y%m%d}"
            _add_to_zip(folder / f"{name}_trade.zip", f"{name}_{ticker}_minute_trade.csv", _text(own, since))
        return None

    def _describe(self, series: Series, *, first: date) -> None:
        name = self._names[series.member.instrument_id]
        lines = "".join(f"{line}\n" for line in _map_lines(series.member, first))
        (self._base / "map_files" / f"{name}.csv").write_text(lines, encoding="utf-8")
        factors = factor_table(series.actions, series.closes)
        (self._base / "factor_files" / f"{name}.csv").write_text(
            written(lean_rows(factors, series.closes)), encoding="utf-8"
        )


def _names(members: Sequence[Member]) -> Iterator[tuple[str, str]]:
    """Yield the names of map files: the newest ticker, and with .1 and on what had it before another security."""
    taken: dict[str, int] = {}
    for one in sorted(members, key=lambda one: one.ends or date.max, reverse=True):
        ticker = filed(one.symbol).lower()
        number = taken.get(ticker, 0)
        taken[ticker] = number + 1
        yield one.instrument_id, f"{ticker}.{number}" if number else ticker


def _map_lines(member: Member, first: date) -> Iterator[str]:
    """Yield the lines of a map file; the first tells when the data begin."""
    eras = [era for era in member.eras if era.last >= first]
    if len(eras) == 1 or eras[0].last > first:
        yield _map_line(eras[0], first)
    for era in eras[:-1]:
        yield _map_line(era, era.last)
    yield _map_line(eras[-1], member.ends or LAST_ROW)


def _map_line(era: Era, day: date) -> str:
    return ",".join([f"{day:%Y%m%d}", era.symbol.lower(), *filter(None, [exchange_of(era.mic)])])


def _lines(bars: pl.DataFrame) -> pl.DataFrame:
    """Return `wall` (when a bar begins in New York), `day`, and the prices and volume as they are written."""
    local = pl.col("ts_event").dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
    is_daily = bars["ts_event"].dt.truncate("1d").eq(bars["ts_event"]).all()
    wall = pl.col("ts_event").dt.replace_time_zone(None) if is_daily else local
    numbers = [_decimal(pl.col(name) * SCALE).alias(name) for name in PRICES]
    volume = _decimal(pl.col("volume").fill_null(0.0)).alias("volume")
    return bars.select(wall.alias("wall"), wall.dt.date().alias("day"), *numbers, volume)


def _decimal(value: pl.Expr) -> pl.Expr:
    """Return a number as text with up to four decimals, without a point where it is whole."""
    rounded = value.round(4)
    whole = rounded.cast(pl.Int64).cast(pl.String)
    return pl.when(rounded == rounded.round()).then(whole).otherwise(rounded.cast(pl.String))


def _text(rows: pl.DataFrame, when: pl.Expr) -> str:
    return rows.select(when.alias("when"), *PRICES, "volume").write_csv(include_header=False)


def _add_to_zip(path: Path, name: str, text: str) -> None:
    """Write lines into the one file of a zip; two securities may have had its ticker one after another."""
    if path.exists():
        with zipfile.ZipFile(path) as packed:
            text = "".join(
                sorted([*packed.read(name).decode().splitlines(keepends=True), *text.splitlines(keepends=True)])
            )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), text, compress_type=zipfile.ZIP_DEFLATED)
