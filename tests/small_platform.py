"""A data folder that the whole platform filled: two listings from four simulated providers, one of which failed once.

AAA splits two for one on session number 30 of 60 and pays once, BBB does nothing. Both are meant to trade on XNAS.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from truetape.app.demo import demo_settings
from truetape.app.run import Platform
from truetape.app.sandbox import Fault, Sandbox
from truetape.app.sandbox.dataset import Dataset, read
from truetape.app.settings import Settings

SESSIONS = 60
HOLIDAYS = {date(2012, 1, 16), date(2012, 2, 20)}
WEEKDAYS = [day for day in (date(2012, 1, 3) + timedelta(days=number) for number in range(100)) if day.weekday() < 5]
DAYS = [day for day in WEEKDAYS if day not in HOLIDAYS][:SESSIONS]
SPLIT = DAYS[30]
ACTIONS = [("AAA", DAYS[10].isoformat(), "dividend", 0.5), ("AAA", SPLIT.isoformat(), "split", 2.0)]


def tape(folder: Path) -> Path:
    """Write the bars of both, and AAA's actions beside, into `folder`; return the path of the bars."""
    rows = []
    for number, day in enumerate(DAYS):
        for symbol, cents in (("AAA", 8000 if day < SPLIT else 4000), ("BBB", 2000)):
            close = cents + number
            prices = [price / 100 for price in (close - 10, close + 20, close - 30, close)]
            rows.append((symbol, day, *prices, 1000.0 + number))
    names = ["symbol", "date", "open", "high", "low", "close", "volume"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(folder / "tape.csv")
    names = ["symbol", "ex_date", "type", "value"]
    pl.DataFrame(ACTIONS, schema=names, orient="row").write_csv(folder / "tape_actions.csv")
    return folder / "tape.csv"


def declared_settings(data: Path, *, sandbox_url: str) -> Settings:
    """Return the settings of the demo for the two listings."""
    data.parent.mkdir(parents=True, exist_ok=True)
    return _settings(read(tape(data.parent)), data, sandbox_url)


async def acquired(data: Path) -> Path:
    """Make the data folder `data` by a whole run of the platform, and return its path."""
    dataset = read(tape(data.parent))
    sandbox = Sandbox(dataset, (Fault(provider="yahoo", kind="server_error", symbol="AAA"),))
    url = await sandbox.start()
    try:
        async with Platform(_settings(dataset, data, url), command="truetape demo") as platform:
            await platform.recover()
            await platform.declare()
            await platform.acquire()
    finally:
        await sandbox.stop()
    return data


def _settings(dataset: Dataset, data: Path, url: str) -> Settings:
    return demo_settings(dataset, data=data, host="127.0.0.1", port=0, sandbox_url=url)
