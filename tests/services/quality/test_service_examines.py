"""The quality room examines golden bars: by the actions of their round, the settings, and the user's checks."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipeline_doubles import (
    FRIDAY,
    INSTRUMENT,
    MONDAY,
    NOW,
    BothTimes,
    Heard,
    action_claims,
    bar_claims,
    weekdays,
)
from truetape.domain.messages import BatchGraded, BatchNormalized
from truetape.domain.wire import pack, unpack
from truetape.services.quality.checks import Broken, Check, CheckSetting
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.service import QualityService

DAYS = weekdays(5)
FALLEN = bar_claims("alpha", [100.0, 101.0, 25.0, 25.5, 25.0])
SPLIT = action_claims("alpha", (DAYS[2], "split", 4.0))
MINE = Check(
    name="mine",
    kinds=("bars",),
    family="user",
    severity="note",
    sentence="It closes above 100.",
    judge=lambda _frame, _: Broken(where=pl.col("close") > 100, words=pl.lit("above 100")),
)


def batch(frame: pl.DataFrame, *, kind: str, round_id: str) -> BatchNormalized:
    return BatchNormalized(
        kind=kind,
        round_id=round_id,
        instrument_id=INSTRUMENT,
        timeframe="1d",
        start=MONDAY,
        end=FRIDAY,
        ts_known=NOW,
        providers=("alpha",),
        frame=pack(frame),
    )


async def found(*batches: BatchNormalized, user_checks: tuple[Check, ...] = (), **config: Any) -> list[tuple[str, str]]:
    """Return the check and severity of what is found in the last of `batches`."""
    bus = Heard()
    room = QualityService(bus=bus, store=BothTimes(), config=QualityConfig(**config), user_checks=user_checks)
    room.subscribe()
    for one in batches:
        await bus.handlers["quality hears BatchNormalized"](one)
    return unpack(bus.of(BatchGraded)[-1].findings).select("check", "severity").rows()


async def test_the_actions_of_a_round_explain_its_bars() -> None:
    """Actions come before bars in a round; those of another round, that nobody keeps, explain nothing."""
    bars = batch(FALLEN, kind="bars", round_id="rnd_1")
    fell = [("unexplained_jump", "warning")]

    assert await found(bars) == fell
    assert await found(batch(SPLIT, kind="actions", round_id="rnd_1"), bars) == []
    assert await found(batch(SPLIT, kind="actions", round_id="rnd_2"), bars) == fell


async def test_only_so_many_rounds_are_remembered() -> None:
    """After 64 others the first one is forgotten."""
    first = batch(SPLIT, kind="actions", round_id="rnd_1")
    others = [batch(SPLIT.clear(), kind="actions", round_id=f"rnd_{number}") for number in range(2, 66)]
    bars = batch(FALLEN, kind="bars", round_id="rnd_1")

    assert await found(first, *others[:-1], bars) == []
    assert await found(first, *others, bars) == [("unexplained_jump", "warning")]


async def test_checks_are_as_they_are_set() -> None:
    """A check is disabled, another one more severe; the user's own is asked."""
    bars = batch(FALLEN, kind="bars", round_id="rnd_1")

    assert await found(bars, checks={"unexplained_jump": CheckSetting(enabled=False)}) == []
    assert await found(bars, user_checks=(MINE,), checks={"mine": CheckSetting(severity="error")}) == [
        ("mine", "error"),
        ("unexplained_jump", "warning"),
    ]


async def test_actions_are_examined_too() -> None:
    """A split of 5000 new shares for one old is kept, for nobody contradicts it, and told."""
    wild = action_claims("alpha", (DAYS[1], "split", 5000.0), (DAYS[2], "dividend", 0.5))

    assert await found(batch(wild, kind="actions", round_id="rnd_1")) == [("ratio_implausible", "warning")]
