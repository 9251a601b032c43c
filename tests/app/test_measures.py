"""What the rooms count stands on /metrics, with labels of few values."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.request import urlopen

import polars as pl
import pytest

from room_doubles import FixedClock, FrameStore
from small_platform import declared_settings
from truetape.app.run import Platform
from truetape.domain.messages import FindingsStored
from truetape.domain.wire import pack
from truetape.services.api.metrics import Family, Metrics
from truetape.services.distribution.alarms import Alarms
from truetape.services.distribution.config import AlertRule

NOW = FixedClock().now_ns()


def test_families_are_shown_as_they_are_when_somebody_asks() -> None:
    """Counters end in _total; a gauge does not."""
    counts = {("spike", "error"): 2}
    families = [
        Family("findings", "Findings.", ("check", "severity"), counts),
        Family("late", "Late.", (), {(): 1}, grows=False),
    ]
    metrics = Metrics(FrameStore(), lambda: iter(families))
    counts["spike", "error"] = 3
    text = metrics.text().decode()

    assert 'truetape_findings_total{check="spike",severity="error"} 3.0' in text
    assert "\ntruetape_late 1.0" in text


@pytest.fixture
async def platform(tmp_path: Path) -> Platform:
    settings = declared_settings(tmp_path / "data", sandbox_url="http://127.0.0.1:9")
    return Platform(settings, command="test")


async def test_a_platform_shows_what_it_found(platform: Platform) -> None:
    """A finding, a quarantined claim, and an alert that is owed."""
    troubles = pl.DataFrame(
        {"check": ["spike", "stale"], "severity": ["error", "quarantine"], "explanation": ["words"] * 2}
    ).with_columns(
        instrument_id=pl.lit("ins_a"),
        timeframe=pl.lit("1d"),
        ts_event=pl.lit(NOW * 2).cast(pl.Datetime("ns", "UTC")),
        provider=pl.lit("p"),
    )
    async with platform as one:
        one.rooms.distribution.alarms = Alarms([AlertRule(name="r", channel="c")])
        one.rooms.distribution.alarms.take(troubles.with_columns(symbol=pl.lit("A")), now_ns=NOW)
        await one.rooms.distribution.on_findings_stored(
            FindingsStored(ts_known=NOW, troubles=pack(troubles), simulated=True)
        )
        address = await one.serve()
        text = (await _read(f"{address}/metrics")).decode()

    for line in (
        'truetape_findings_total{check="spike",severity="error"} 1.0',
        'truetape_quarantined_claims_total{reason="stale"} 1.0',
        'truetape_alerts_firing{rule="r"} 1.0',
        'truetape_alerts_owed{channel="c"} 1.0',
        "truetape_alerts_overflowed_total 0.0",
        "# TYPE truetape_late_series gauge",
        "# TYPE truetape_stream_troubles_total counter",
        "# TYPE truetape_alerts_sent_total counter",
    ):
        assert line in text


async def _read(url: str) -> bytes:
    def body() -> bytes:
        with urlopen(url, timeout=10) as answer:
            return bytes(answer.read())

    return await asyncio.to_thread(body)
