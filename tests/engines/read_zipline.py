"""Say in JSON what zipline has after ingesting folders by csvdir: python read_zipline.py daily|minute FOLDER ...

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


def found(part: str, folder: str) -> dict[str, Any]:
    """Ingest the folder, and return the assets, their bars and what they are adjusted by."""
    register = csvdir_equities([part], folder)
    bundles.register(part, register, calendar_name="XNYS", start_session=FIRST, end_session=LAST)
    bundles.ingest(part, os.environ, show_progress=False)
    bundle = bundles.load(part)
    assets = bundle.asset_finder.retrieve_all(bundle.asset_finder.sids)
    read = daily if part == "daily" else minutes
    return {
        "assets": [one.symbol for one in assets],
        "bars": {one.symbol: read(bundle, one) for one in assets},
        "adjusted": adjusted(part),
    }


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


def adjusted(bundle: str) -> dict[str, list[Any]]:
    """Return the splits and dividends that zipline keeps."""
    (path,) = Path(os.environ["ZIPLINE_ROOT"]).glob(f"data/{bundle}/*/adjustments.sqlite")
    with sqlite3.connect(path) as database:
        return {
            "splits": database.execute("select ratio, effective_date from splits").fetchall(),
            "dividends": database.execute("select amount, ex_date from dividend_payouts").fetchall(),
        }


sys.stdout.write(json.dumps([found(*one) for one in zip(sys.argv[1::2], sys.argv[2::2], strict=True)]))
