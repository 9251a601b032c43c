"""Bars as the folder that zipline's csvdir bundle ingests: `daily/TICKER.csv` and `minute/TICKER.csv`.

A daily line begins with the session's date and ends with `dividend`, the cash per share of that ex-date, and `split`,
new shares for one old: zipline adjusts by them. A minute is labelled with its end in UTC, as zipline's calendars do;
minutes outside the regular session have no place there. Where an ex-date has no bar, the next one carries it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.exports.series import NO_PRICE, NO_VOLUME, PRICES, Losses, Series, filed
from truetape.app.exports.venue_hours import in_session
from truetape.domain.distributions import per_day
from truetape.domain.errors import BadInput

FOLDERS: Final = {"1d": "daily", "1m": "minute"}
_OUTSIDE: Final = "Minutes that were left out because they lie outside the regular session: {}."
_UNPAID: Final = "Splits and dividends that no later bar could carry: {}."


class ZiplineSink:
    """A folder for csvdir."""

    def __init__(self, path: Path, *, timeframe: str) -> None:
        self._losses = Losses()
        self._folder = path / FOLDERS[timeframe]
        self._folder.mkdir(parents=True)
        self._written: dict[str, str] = {}

    @property
    def notes(self) -> list[str]:
        """What the form could not hold as it was."""
        return self._losses.told()

    def add(self, series: Series) -> int:
        """Write the file of an instrument; one without bars has none.

        Raises:
            BadInput: Another instrument has the same ticker, or it cannot be a file's name.
        """
        member, bars = series.member, series.priced()
        self._losses.count(NO_PRICE, len(series.bars) - len(bars))
        self._losses.count(NO_VOLUME, bars["volume"].null_count())
        rows = self._daily(bars, series.actions) if series.timeframe == "1d" else self._minutes(bars, member.mic)
        name = filed(member.symbol).replace(".", "_").upper()  # csvdir takes a name up to its first point
        if self._written.setdefault(name, member.instrument_id) != member.instrument_id:
            fix = "Two of the instruments have this newest ticker, and csvdir tells them by it: export them apart."
            raise BadInput(parameter="The ticker", value=member.symbol, fix=fix)
        if len(rows):
            rows.write_csv(self._folder / f"{name}.csv")
        return len(rows)

    def finish(self) -> None:
        """Do nothing: every file is whole."""

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _daily(self, bars: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
        rows = _typed(bars, pl.col("ts_event").dt.date())
        days = per_day(actions).select("ex_date", "split", "cash").sort("ex_date")
        if len(rows):
            days = days.filter(pl.col("ex_date") >= rows["date"][0])
        carried = days.join_asof(rows.select("date"), left_on="ex_date", right_on="date", strategy="forward")
        self._losses.count(_UNPAID, carried["date"].null_count())
        sums = carried.drop_nulls("date").group_by("date").agg(pl.col("cash").sum(), pl.col("split").product())
        both = rows.join(sums, on="date", how="left", maintain_order="left")
        return both.select(
            *rows.columns, pl.col("cash").fill_null(0.0).alias("dividend"), pl.col("split").fill_null(1.0)
        )

    def _minutes(self, bars: pl.DataFrame, mic: str) -> pl.DataFrame:
        inside = bars.filter(in_session(bars["ts_event"], mic=mic))
        self._losses.count(_OUTSIDE, len(bars) - len(inside))
        return _typed(inside, pl.col("ts_event").dt.offset_by("1m").dt.strftime("%Y-%m-%d %H:%M:%S"))


def _typed(bars: pl.DataFrame, when: pl.Expr) -> pl.DataFrame:
    volume = pl.col("volume").fill_null(0.0).round().cast(pl.Int64)
    return bars.select(when.alias("date"), *PRICES, volume)
