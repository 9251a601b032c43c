"""Rates are acquired beside bars, voted on, stored with their versions, and asked for by a backfill."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl

from small_platform import DAYS, tape
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
    finally:
        await sandbox.stop()

    days = pl.col("ts_event").dt.date()
    bank = rates.filter(fixing="ecb").select(days, "rate", "method", "version").rows()
    assert [(day, RATE + (55 + place) / 1000, "single_source", 1) for place, day in enumerate(DAYS[-5:])] == bank
    close = rates.filter(pl.col("fixing") == "close", days == DAYS[-1]).select("rate", "agreed", "dissented").rows()
    assert [(RATE + 59 / 1000, "alpha_vantage,finnhub", "")] == close
