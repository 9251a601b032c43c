"""The quality room: hears batches, tells grades, writes nothing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipeline_doubles import (
    FRIDAY,
    INSTRUMENT,
    MONDAY,
    NOW,
    BothTimes,
    Heard,
    action_claims,
    bar_claims,
    filled,
    weekdays,
)
from truetape.domain.flags import Quality
from truetape.domain.messages import BatchGraded, BatchNormalized
from truetape.domain.wire import pack, unpack
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.service import QualityService

DAYS = weekdays(5)
CLOSES = [10.0, 11.0, 12.0, 13.0, 14.0]


def batch(frame: pl.DataFrame, *, kind: str = "bars", **changes: Any) -> BatchNormalized:
    given: dict[str, Any] = {
        "kind": kind,
        "round_id": "rnd_1",
        "instrument_id": INSTRUMENT,
        "timeframe": "1d",
        "start": MONDAY,
        "end": FRIDAY,
        "ts_known": NOW,
        "providers": ("alpha", "bravo"),
        "frame": pack(frame),
        **changes,
    }
    return BatchNormalized(**given)


def listed(mic: str = "XNAS", *, known: int = NOW) -> dict[str, pl.DataFrame]:
    """Return a store's listing on `mic`, whose calendar lacks the Friday."""
    listing = {
        "instrument_id": INSTRUMENT,
        "symbol": "A",
        "mic": mic,
        "valid_from": None,
        "valid_to": None,
        "ts_known": NOW,
        "version": 1,
        "simulated": False,
    }
    sessions = {
        "mic": mic,
        "session": DAYS[:4],
        "open": None,
        "close": None,
        "ts_known": known,
        "version": 1,
        "simulated": False,
    }
    return {"listings": filled("listings", 1, listing), "sessions": filled("sessions", 4, sessions)}


async def told(store: BothTimes, message: BatchNormalized, **config: Any) -> BatchGraded:
    bus = Heard()
    room = QualityService(bus=bus, store=store, config=QualityConfig(**config))
    room.subscribe()
    await bus.handlers["quality hears BatchNormalized"](message)
    (graded,) = bus.of(BatchGraded)
    assert store.commits == []
    return graded


@pytest.mark.parametrize("last", [True, False])
async def test_a_batch_of_bars_comes_back_graded(last: bool) -> None:
    """Whose round it is, and whether it is the last of it, goes through unchanged."""
    claims = pl.concat([bar_claims("alpha", CLOSES), bar_claims("bravo", [10.0, 1100.0, 12.0, 13.0, 14.0])])

    graded = await told(BothTimes(), batch(claims, last=last, simulated=True), trust={"alpha": 2.0})

    assert unpack(graded.golden)["close"].to_list() == CLOSES
    assert unpack(graded.quarantined)["reason"].to_list() == ["hundredfold"]
    assert unpack(graded.findings).is_empty()
    assert (graded.kind, graded.round_id, graded.instrument_id, graded.timeframe) == ("bars", "rnd_1", "ins_a", "1d")
    assert (graded.start, graded.end, graded.ts_known, graded.last) == (MONDAY, FRIDAY, NOW, last)
    assert (graded.providers, graded.simulated) == (("alpha", "bravo"), True)


async def test_the_calendar_of_the_venue_is_asked() -> None:
    """A bar on a Friday without a session is flagged; another venue's calendar says nothing."""
    claims = pl.concat([bar_claims("alpha", CLOSES), bar_claims("bravo", CLOSES)])

    graded = await told(BothTimes(**listed()), batch(claims))
    elsewhere = await told(BothTimes(listings=listed("XLON")["listings"], sessions=listed()["sessions"]), batch(claims))

    assert unpack(graded.golden)["flags"].to_list() == [0, 0, 0, 0, int(Quality.OUTSIDE_SESSION)]
    assert unpack(elsewhere.golden)["flags"].to_list() == [0] * 5


async def test_the_calendar_is_the_one_known_when_the_round_closed() -> None:
    """A replay after the calendar has changed gives the same flags."""
    claims = pl.concat([bar_claims("alpha", CLOSES), bar_claims("bravo", CLOSES)])

    graded = await told(BothTimes(**listed(known=NOW + 1)), batch(claims))

    assert unpack(graded.golden)["flags"].to_list() == [0] * 5


async def test_a_batch_of_actions_needs_no_calendar() -> None:
    """It is graded by its own rules."""
    graded = await told(BothTimes(), batch(action_claims("alpha", (MONDAY, "split", 2.0)), kind="actions"))

    assert unpack(graded.golden).select("type", "value", "method").rows() == [("split", 2.0, "single_source")]


async def test_an_empty_batch_is_graded_too() -> None:
    """A round in which nobody had a row still ends."""
    graded = await told(BothTimes(**listed()), batch(bar_claims("alpha", [])))

    assert unpack(graded.golden).is_empty()


async def test_settings_decide_what_agrees_and_what_is_stale() -> None:
    """A wider increment lets ten cents agree; four sessions let three equal bars pass."""
    claims = pl.concat(
        [
            bar_claims("alpha", [10.0, 10.0, 10.0], volume=5.0),
            bar_claims("bravo", [10.1, 10.1, 10.1], volume=[5.0, 6.0, 7.0]),
        ]
    )

    strict = await told(BothTimes(), batch(claims))
    wide = await told(BothTimes(), batch(claims), increment=0.1, stale_sessions=4)

    assert unpack(strict.quarantined)["reason"].to_list() == ["stale", "stale", "disagrees"]
    assert unpack(wide.quarantined).is_empty()


@pytest.mark.parametrize(("timeframe", "kept"), [("1d", 1), ("1m", 3)])
async def test_equal_minutes_are_no_feed_that_stands_still(timeframe: str, kept: int) -> None:
    """A market may be quiet for some minutes; equal days are another thing."""
    claims = bar_claims("alpha", [10.0] * 3, volume=[5.0] * 3, timeframe=timeframe)

    graded = await told(BothTimes(), batch(claims, timeframe=timeframe), stale_sessions=3)

    assert kept == len(unpack(graded.golden))
