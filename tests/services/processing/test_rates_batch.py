"""A closed round about a pair tells the newest word of each provider on each of its days."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from pipeline_doubles import NOW, BothTimes, capture, closing, filled, instants
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import DAY_NS
from truetape.domain.wire import unpack
from truetape.services.processing.batches import round_batches
from truetape.services.processing.earlier import claims_before

FRIDAY, MONDAY = date(2024, 3, 1), date(2024, 3, 4)
ROUND: dict[str, Any] = {"instrument_id": "EUR/USD", "kind": "fx_rates", "start": FRIDAY, "end": MONDAY}
OTHERS = {name: empty(TABLES[name].columns) for name in ("action_claims", "bar_claims")}


def rates(*rows: tuple[str, str, date, float], payload: str = "new", known: int = NOW, later: int = 0) -> pl.DataFrame:
    """Claims of (provider, quote, day, rate); `later` is how many nanoseconds after midnight they are of."""
    names, quotes, days, values = map(list, zip(*rows, strict=True))
    at = instants(days).dt.offset_by(f"{later}ns")
    given = {
        "bid": None,
        "ask": None,
        "base": "EUR",
        "quote": quotes,
        "provider": names,
        "ts_event": at,
        "rate": values,
        "payload": payload,
    }
    return filled("rate_claims", len(rows), {**given, "ts_known": known, "simulated": False})


def told(older: pl.DataFrame, *fresh: pl.DataFrame) -> list[tuple[Any, ...]]:
    message = closing(capture("p", **ROUND), **ROUND)
    (batch,) = round_batches(message, {**OTHERS, "rate_claims": older}, [{"rate_claims": one} for one in fresh])
    assert ("fx_rates", "EUR/USD", True) == (batch.kind, batch.instrument_id, batch.last)
    return unpack(batch.frame).select("provider", pl.col("ts_event").dt.date(), "rate").rows()


def test_the_newest_word_of_each_provider_counts() -> None:
    """What was claimed before stands until the same provider says otherwise; other pairs are not told."""
    older = rates(("p", "USD", FRIDAY, 1.07), ("q", "USD", FRIDAY, 1.075), payload="old", known=NOW - DAY_NS)
    fresh = rates(("p", "USD", FRIDAY, 1.08), ("p", "GBP", FRIDAY, 0.85), ("p", "USD", MONDAY, 1.09))

    assert [("p", FRIDAY, 1.08), ("q", FRIDAY, 1.075), ("p", MONDAY, 1.09)] == told(older, fresh)


def test_the_last_rate_of_a_day_counts() -> None:
    """A present rate stands for its day, and the later one of a day is the day's."""
    early, late = rates(("p", "USD", MONDAY, 1.08), later=1), rates(("p", "USD", MONDAY, 1.09), later=DAY_NS - 1)

    assert [("p", MONDAY, 1.09)] == told(early.clear(), late, early)


async def test_what_was_claimed_before_is_read_by_pair_and_day() -> None:
    """Claims about other pairs and days, and of later rounds, are no part of what was known."""
    store = BothTimes(
        rate_claims=pl.concat(
            [
                rates(("p", "USD", FRIDAY, 1.08), ("p", "GBP", FRIDAY, 0.85), payload="a"),
                rates(("p", "USD", MONDAY, 1.09), payload="b", known=NOW + DAY_NS),
            ]
        )
    )
    before = await claims_before(store, closing(capture("p", **ROUND), **ROUND))

    assert [1.08] == before["rate_claims"]["rate"].to_list()
    assert [0, 0] == [len(before[name]) for name in OTHERS]
