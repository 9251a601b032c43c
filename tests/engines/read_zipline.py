"""Say in JSON what zipline has after ingesting a folder by csvdir: python read_zipline.py FOLDER daily|minute.

ZIPLINE_ROOT says where it ingests to.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]

warnings.simplefilter("ignore")

from zipline.data import bundles  # noqa: E402  it warns of the future
from zipline.data.bundles.csvdir import csvdir_equities  # noqa: E402

FIRST, LAST = pd.Timestamp("2005-02-24"), pd.Timestamp("2005-03-03")
FIELDS = ["open", "high", "low", "close", "volume"]


def main() -> None:
    """Ingest the folder, and print the assets, their bars and what they are adjusted by."""
    folder, part = sys.argv[1:]
    register = csvdir_equities([part], folder)
    bundles.register("truetape", register, calendar_name="XNYS", start_session=FIRST, end_session=LAST)
    bundles.ingest("truetape", os.environ, show_progress=False)
    bundle = bundles.load("truetape")
    assets = bundle.asset_finder.retrieve_all(bundle.asset_finder.sids)
    told: dict[str, Any] = {"assets": [one.symbol for one in assets], "bars": {}, "adjusted": adjusted()}
    for one in assets:
        told["bars"][one.symbol] = daily(bundle, one) if part == "daily" else minutes(bundle, one)
    sys.stdout.write(json.dumps(told))


def daily(bundle: Any, asset: Any) -> list[list[float]]:
    """Return open to volume of each session."""
    arrays = bundle.equity_daily_bar_reader.load_raw_arrays(FIELDS, FIRST, LAST, [asset.sid])
    return [list(map(float, row)) for row in zip(*(array[:, 0] for array in arrays), strict=True)]


def minutes(bundle: Any, asset: Any) -> dict[str, list[float]]:
    """Return open to volume of the minutes that are known, by their labels."""
    reader = bundle.equity_minute_bar_reader
    known: dict[str, list[float]] = {}
    for minute in reader.trading_calendar.session_minutes(pd.Timestamp("2005-02-25")):
        values = [float(reader.get_value(asset.sid, minute, field)) for field in FIELDS]
        if values[-1]:
            known[str(minute)] = values
    return known


def adjusted() -> dict[str, list[Any]]:
    """Return the splits and dividends that zipline keeps."""
    (path,) = Path(os.environ["ZIPLINE_ROOT"]).glob("data/truetape/*/adjustments.sqlite")
    with sqlite3.connect(path) as database:
        return {
            "splits": database.execute("select ratio, effective_date from splits").fetchall(),
            "dividends": database.execute("select amount, ex_date from dividend_payouts").fetchall(),
        }


main()
