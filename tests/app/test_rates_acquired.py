"""Rates are acquired beside bars, voted on, stored with their versions, and asked for by a backfill."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner

from small_platform import DAYS, tape
from truetape.app import library
from truetape.app.cli.commands import app
from truetape.app.demo import demo_settings
from truetape.app.run import Platform
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read
from truetape.app.settings import ProviderSettings, Settings
from truetape.services.api.backfills import Wanted

RATE = 1.25


def with_rates(folder: Path) -> Path:
    """Write the tape of a small platform with a dollar rate of the euro that grows by a thousandth a day."""
    path = tape(folder)
    rows = pl.read_csv(path)
    rates = [("EUR/USD", str(day), *[RATE + number / 1000] * 4, 0.0) for number, day in enumerate(DAYS)]
    pl.concat([rows, pl.DataFrame(rates, schema=rows.columns, orient="row")]).write_csv(path)
    return path


def settings_of(folder: Path, url: str, *, pairs: tuple[str, ...]) -> Settings:
    """Return settings that ask the sandbox at `url` for shares and rates."""
    found = demo_settings(read(folder / "tape.csv"), data=folder / "data", host="127.0.0.1", port=0, sandbox_url=url)
    known = {name: found.providers[name] for name in ("yahoo", "finnhub", "alpha_vantage")}
    providers = {**known, "ecb": ProviderSettings(base_url=f"{url}/ecb", calls_per_second=200.0)}
    instruments = tuple(one for one in found.instruments if "/" not in one.symbol)
    return msgspec.structs.replace(found, instruments=instruments, pairs=pairs, providers=providers)


async def test_rates_become_golden(tmp_path: Path) -> None:
    """The pairs of the settings are acquired like bars, and earlier days of them by a backfill."""
    with_rates(tmp_path)
    sandbox = Sandbox(read(tmp_path / "tape.csv"), ())
    url = await sandbox.start()
    try:
        settings = settings_of(tmp_path, url, pairs=("EUR/USD",))
        settings = msgspec.structs.replace(settings, start=DAYS[-2])
        async with Platform(settings, command="truetape up") as platform:
            await platform.recover()
            await platform.declare()
            await platform.acquire()
            await platform.backfill(Wanted(symbols=("EUR/USD",), start=DAYS[-5], end=DAYS[-1], kind="fx_rates"))
            await platform.parts.bus.drain()
            await platform.acquire()
            rates = await platform.parts.store.read("fx_rates")
            assert 0 == len(platform.parts.bus.dead_letters)
            url = await platform.serve()
            over_http = await asyncio.to_thread(_in_euros, url)
    finally:
        await sandbox.stop()

    here = _in_euros(str(tmp_path / "data"))
    assert here.equals(over_http)
    # New York closes after the bank has told: each day has its own rate.
    assert [20.58 / (RATE + 58 / 1000), 20.59 / (RATE + 59 / 1000)] == pytest.approx(here["close"].to_list())
    assert [("EUR", "ecb", "1/(EUR/USD)", day, 0) for day in DAYS[-2:]] == here.select(
        "currency", "fx_fixing", "fx_path", "fx_fixed", "fx_age_days"
    ).rows()
    shown = CliRunner().invoke(app, ["get", "BBB", "--currency", "EUR", "--data", str(tmp_path / "data")])
    told = CliRunner().invoke(app, ["fx", "USD/EUR", "--fixing", "ecb", "--data", str(tmp_path / "data")])
    assert "1/(EUR/USD)" in told.stdout
    assert "2 bars (raw, EUR). Rates: 1/(EUR/USD), fixing ecb, at most 0 days old." in shown.stdout
    days = pl.col("ts_event").dt.date()
    bank = rates.filter(fixing="ecb").select(days, "rate", "method", "version").rows()
    assert [(day, RATE + (55 + place) / 1000, "single_source", 1) for place, day in enumerate(DAYS[-5:])] == bank
    close = rates.filter(pl.col("fixing") == "close", days == DAYS[-1]).select("rate", "agreed", "dissented").rows()
    assert [(RATE + 59 / 1000, "alpha_vantage,finnhub", "")] == close


def _in_euros(where: str) -> pl.DataFrame:
    """Return the bars of BBB in euros, and check that a stream tells the same."""
    with library.open(where) as session:
        bars = session.bars("BBB", currency="EUR", fixing="ecb")
        assert bars.equals(pl.concat(list(session.stream("BBB", currency="EUR", fixing="ecb"))))
        return bars
