"""Rows of one payload that contradict each other are told with their values, and the order of rows does not matter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_doubles import FRIDAY, MONDAY, NOW, BothTimes, DictArchive, Heard, Script, capture, instants, provider
from truetape.domain.asks import Ask
from truetape.domain.messages import PayloadDoubted
from truetape.domain.schema import DECODED, TABLES, check
from truetape.domain.wire import unpack
from truetape.services.processing.claim import claim
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.doubts import conflicts
from truetape.services.processing.service import ProcessingService

Row = tuple[Any, ...]  # days after Monday, close, volume, running


def bars(*rows: Row) -> pl.DataFrame:
    given_ = {
        "symbol": "a",
        "timeframe": "1d",
        "ts_event": instants([MONDAY + timedelta(row[0]) for row in rows]),
        "close": [row[1] for row in rows],
        "volume": [row[2] for row in rows],
        "running": [row[3] if len(row) > 3 else False for row in rows],
        "basis": "raw",
    }
    columns = []
    for name, dtype in DECODED["bars"].items():
        value = given_.get(name)
        columns.append(
            pl.Series(name, value if isinstance(value, list | pl.Series) else [value] * len(rows), dtype=dtype)
        )
    return pl.DataFrame(columns)


def test_a_contradiction_is_told_with_both_values() -> None:
    """Which fields differ, what stood in each row, and which was kept."""
    found = conflicts(bars((0, 10.0, 100.0), (1, 11.0, 50.0), (1, 11.5, 70.0)), capture(), kind="bars")

    check(found, TABLES["findings"].columns, kind="findings")
    told = found.select("instrument_id", "timeframe", "provider", "check", "severity", "field", "value", "expected_low")
    assert [("ins_a", "1d", "p", "conflicting_rows", "warning", "close", 11.0, 11.5)] == told.rows()
    assert [
        (
            "One answer has 2 rows about 2024-06-04 00:00 UTC, and they differ: close 11 and 11.5; volume 50 and 70. "
            f"The last of each was kept. Payload {capture().key[:16]}."
        )
    ] == found["explanation"].to_list()


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ((0, 10.0, 1.0), (1, 10.0, 1.0)),
        ((0, 10.0, 1.0), (0, 10.0, 1.0)),  # the same twice
        ((0, 10.0, 1.0), (0, 11.0, 2.0, True)),  # the bar goes on
        ((7, 10.0, 1.0), (7, 11.0, 2.0)),  # outside of what was asked
    ],
)
def test_what_is_no_contradiction_is_not_told(rows: tuple[Row, ...]) -> None:
    """Repeats, running bars, and days that nobody asked for."""
    assert conflicts(bars(*rows), capture(), kind="bars").is_empty()


def test_a_missing_value_contradicts_a_number() -> None:
    """Of other kinds too; actions of one day work together and are none."""
    rates = pl.DataFrame(
        {
            "base": "EUR",
            "quote": "USD",
            "ts_event": instants([MONDAY, MONDAY]),
            "rate": [1.1, None],
            "bid": None,
            "ask": None,
        },
        schema=DECODED["fx_rates"],
    )

    found = conflicts(rates, capture(kind="fx_rates"), kind="fx_rates")

    assert "they differ: rate nothing and 1.1." in found["explanation"][0]
    assert conflicts(bars((0, 1.0, 1.0)), capture(), kind="actions").is_empty()


row = st.tuples(st.integers(0, 4), st.floats(1, 100), st.one_of(st.none(), st.integers(0, 5).map(float)), st.booleans())


@settings(max_examples=60)
@given(rows=st.lists(row, min_size=1, max_size=10), seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(rows: list[Row], seed: int) -> None:
    """Claims and contradictions are the same, claims ascend, and of each day one is left."""
    frame = bars(*rows)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=seed)
    claims = claim(frame, capture(), kind="bars", feed="")

    assert claims.equals(claim(mixed, capture(), kind="bars", feed=""))
    assert claims["ts_event"].is_sorted()
    assert len({row[0] for row in rows}) == len(claims)
    same = conflicts(frame, capture(), kind="bars").equals(conflicts(mixed, capture(), kind="bars"))
    assert same


def twice(_body: bytes, _ask: Ask) -> pl.DataFrame:
    return bars((0, 10.0, 1.0), (4, 12.0, 1.0), (4, 13.0, 2.0))


async def test_the_room_tells_contradictions_and_keeps_the_claims() -> None:
    """The row with the greater volume is kept; the finding goes its own way."""
    bus, store, archive = Heard(), BothTimes(), DictArchive()
    providers = {"p": provider("p", Script(b""), decode={"bars": twice})}
    service = ProcessingService(bus=bus, store=store, archive=archive, providers=providers, config=ProcessingConfig())
    archive.put(b"body")

    await service.on_raw_captured(capture(round_id=""))

    (doubted,) = bus.of(PayloadDoubted)
    assert ("p", "p", capture().key, NOW) == (doubted.provider, doubted.subject, doubted.key, doubted.ts_known)
    assert [FRIDAY] == unpack(doubted.findings)["ts_event"].dt.date().to_list()
    assert [10.0, 13.0] == store.rows["bar_claims"]["close"].to_list()
