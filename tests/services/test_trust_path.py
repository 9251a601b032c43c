"""What is learnt on one day weighs the next, over the real bus and store, in every order of the rounds of a day."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline_doubles import FRIDAY, MONDAY, NOW, bar_claims
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_bus import MemoryBus
from truetape.adapters.set_clock import SetClock
from truetape.domain.messages import BatchNormalized
from truetape.domain.time import DAY_NS
from truetape.domain.wire import pack
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.service import QualityService
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

CLOSES = [10.0, 11.0, 12.0, 13.0, 14.0]
INSTRUMENTS = [f"ins_{number}" for number in range(3)]


def days() -> list[list[BatchNormalized]]:
    """Return the rounds of three days: alpha is wrong beside two others, then only bravo contradicts it."""
    closes = {"alpha": [close * 1.3 for close in CLOSES], "bravo": CLOSES, "charlie": CLOSES}
    return [
        [told(instrument, {name: closes[name] for name in names}, day) for instrument in INSTRUMENTS]
        for day, names in enumerate((("alpha", "bravo", "charlie"), ("alpha", "bravo"), ("alpha", "bravo")))
    ]


def told(instrument: str, closes: dict[str, list[float]], day: int) -> BatchNormalized:
    known = NOW + day * DAY_NS + int(instrument[-1])
    claims = [
        bar_claims(name, values, instrument_id=f"{instrument}{day}", ts_known=known) for name, values in closes.items()
    ]
    return BatchNormalized(
        kind="bars",
        round_id=f"rnd_{instrument}_{day}",
        instrument_id=f"{instrument}{day}",
        timeframe="1d",
        start=MONDAY,
        end=FRIDAY,
        ts_known=known,
        providers=tuple(closes),
        frame=pack(pl.concat(claims)),
    )


async def stored(folder: Path, rounds: list[list[BatchNormalized]]) -> dict[str, pl.DataFrame]:
    """Return what is stored when each day's rounds are told at once, and the next day's when those are handled."""
    bus, store = MemoryBus(clock=SetClock(NOW), lanes=4), DuckdbStore(folder)
    QualityService(bus=bus, store=store, config=QualityConfig()).subscribe()
    StorageService(bus=bus, store=store, config=StorageConfig()).subscribe()
    for day in rounds:
        for one in day:
            await bus.publish(one)
        await bus.drain()
    assert not bus.dead_letters
    found = {name: await store.read(name) for name in ("bars", "quarantine", "votes", "trust")}
    await bus.close()
    await store.close()
    return found


async def test_a_day_weighs_by_the_days_before_it_in_any_order(tmp_path: Path) -> None:
    """The tie of the second and third day goes to the one that was right on the first; a replay finds the same."""
    turned = [day[::-1] for day in days()]

    live = await stored(tmp_path / "live.duckdb", days())
    replayed = await stored(tmp_path / "replayed.duckdb", turned)

    assert {"bravo"} == set(live["bars"].filter(pl.col("method") == "plurality")["provider"])
    assert ["alpha", "bravo", "charlie"] == live["trust"]["provider"].to_list()
    assert 0.772 == live["trust"]["weight"][0]  # 47.5 / (50 + 15 / 2 ** (2 / 90)) / 0.95
    assert [2, 2, 2] == live["trust"]["version"].to_list()
    assert all(live[name].equals(replayed[name]) for name in live)
