"""A small folder of LEAN's data, made by hand: securities of every shape that such a folder holds.

A bar is its day's close four times. Volumes differ from day to day, since equal bars in a row are no honest ones.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

import truetape as tt
from truetape.app.cli import app

WEEK_FROM, WEEK_TO = date(2024, 1, 2), date(2024, 1, 12)


def weekdays(first: date, last: date) -> list[date]:
    """The weekdays from `first` to `last`, both inclusive."""
    days = [first + timedelta(number) for number in range((last - first).days + 1)]
    return [day for day in days if day.weekday() < 5]


WEEK = weekdays(WEEK_FROM, WEEK_TO)  # nine days


class LeanFolder:
    """Write files as LEAN keeps them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = root / "equity" / "usa"
        self.base.mkdir(parents=True, exist_ok=True)

    def map(self, name: str, *lines: str) -> None:
        """Write a map file."""
        self._write(f"map_files/{name}.csv", "\n".join(lines).encode())

    def factors(self, name: str, *lines: str) -> None:
        """Write a factor file."""
        self._write(f"factor_files/{name}.csv", "\n".join(lines).encode())

    def daily(self, ticker: str, closes: Mapping[date, float]) -> None:
        """Write daily bars."""
        bars = enumerate(closes.items(), start=100)
        lines = "".join(f"{day:%Y%m%d} 00:00,{_bar(close)},{volume}\n" for volume, (day, close) in bars)
        self.zip(f"daily/{ticker}.zip", f"{ticker}.csv", lines)

    def hours(self, ticker: str, *rows: tuple[str, float]) -> None:
        """Write hourly bars; each begins at a time of New York: 20240105 09:00."""
        self.zip(f"hour/{ticker}.zip", f"{ticker}.csv", "".join(f"{when},{_bar(price)},100\n" for when, price in rows))

    def minutes(self, ticker: str, day: str, *rows: tuple[int, float]) -> None:
        """Write minute bars of a day; each begins so many milliseconds after midnight in New York."""
        lines = "".join(f"{since},{_bar(price)},100\n" for since, price in rows)
        self.zip(f"minute/{ticker}/{day}_trade.zip", f"{day}_{ticker}_minute_trade.csv", lines)

    def zip(self, path: str, name: str, text: str) -> None:
        """Write one file into a zip of its own."""
        target = self.base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(name, text)

    def _write(self, path: str, body: bytes) -> None:
        target = self.base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)


def _bar(price: float) -> str:
    return ",".join([str(round(price * 10_000))] * 4)


def run(*arguments: str | Path) -> Result:
    """Run a command of the command line."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


def resolved(data: Path, ticker: str, day: str, *more: str) -> dict[str, Any]:
    """What `truetape resolve` says of a ticker on a day."""
    found: dict[str, Any] = json.loads(run("resolve", ticker, "--date", day, "--data", data, "--json", *more).stdout)
    return found


def closes(data: Path | tt.Session, symbol: str, adjustment: Any = "raw", **days: str) -> list[float]:
    """The closes of a symbol, from a data folder or a session on one."""
    if isinstance(data, Path):
        with tt.open(data) as opened:
            return closes(opened, symbol, adjustment, **days)
    return [round(one, 9) for one in data.bars(symbol, adjustment=adjustment, **days)["close"]]
