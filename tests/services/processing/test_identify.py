"""Bulk answers: the rows of one payload are about many instruments, and say which in the provider's symbols."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import FRIDAY, MONDAY, NOW, BothTimes, DictArchive, Heard, Script, capture, instants, provider
from truetape.domain.asks import Ask
from truetape.domain.messages import PayloadDoubted, RawCaptured
from truetape.domain.schema import DECODED, INSTANT, TABLES, check
from truetape.domain.symbology import Symbology
from truetape.domain.wire import unpack
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.identify import identified, is_bulk
from truetape.services.processing.service import ProcessingService

RENAMED = date(2024, 6, 5)
LISTED = [
    ("ins_brkb", "BRK.B", "XNYS", None, None),
    ("ins_x", "OLD", "XNYS", None, RENAMED),
    ("ins_x", "NEW", "XNYS", RENAMED, None),
    ("ins_u", "TWO", "XNYS", None, None),
    ("ins_v", "TWO", "XNAS", None, None),
]


def listings() -> pl.DataFrame:
    names = ("instrument_id", "symbol", "mic", "valid_from", "valid_to")
    columns = TABLES["listings"].columns
    rows = [dict(zip(names, row, strict=True)) | {"ts_known": 1, "version": 1, "simulated": False} for row in LISTED]
    schema = {name: pl.Int64() if dtype == INSTANT else dtype for name, dtype in columns.items()}
    return pl.DataFrame(rows, schema=schema).with_columns(pl.col("ts_known").cast(INSTANT))


def bars(*rows: tuple[str, date, float]) -> pl.DataFrame:
    given: dict[str, Any] = {
        "symbol": [row[0] for row in rows],
        "ts_event": instants([row[1] for row in rows]),
        "close": [row[2] for row in rows],
        "timeframe": ["1d"] * len(rows),
        "basis": ["raw"] * len(rows),
    }
    return pl.DataFrame(
        [pl.Series(name, given.get(name, [None] * len(rows)), dtype=dtype) for name, dtype in DECODED["bars"].items()]
    )


MARKET = (
    ("BRK-B", FRIDAY, 400.0),
    ("OLD", MONDAY, 10.0),
    ("NEW", FRIDAY, 11.0),
    ("OLD", FRIDAY, 99.0),
    ("TWO", FRIDAY, 5.0),
    ("NOPE", FRIDAY, 6.0),
)


def test_rows_are_about_who_bore_the_ticker_on_their_date() -> None:
    """In the provider's spelling; what names nothing or several is left out and told."""
    rows, finding = identified(bars(*MARKET), capture("yahoo", instrument_id=""), Symbology(listings()))

    assert [("ins_brkb", 400.0), ("ins_x", 10.0), ("ins_x", 11.0)] == rows.select("instrument_id", "close").rows()
    check(finding, TABLES["findings"].columns, kind="findings")
    assert finding["explanation"][0].startswith(
        "3 of 6 rows were left out, since of their symbols 2 name no instrument (NOPE, OLD) and 1 name several (TWO). "
        "List them under [[instruments]], and replay."
    )


def test_actions_are_dated_by_their_ex_date() -> None:
    """Nothing is told where every row is certain."""
    rows = pl.DataFrame(
        [{"symbol": "OLD", "ex_date": MONDAY, "type": "dividend", "value": 0.5, "basis": "raw"}],
        schema=DECODED["actions"],
    )

    found, finding = identified(rows, capture("massive", kind="actions", instrument_id=""), Symbology(listings()))

    assert ["ins_x"] == found["instrument_id"].to_list()
    assert finding.is_empty()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"instrument_id": ""}, True),
        ({}, False),
        ({"instrument_id": "", "kind": "listings"}, False),
        ({"instrument_id": "", "kind": "fx_rates"}, False),
        ({"instrument_id": "", "kind": "trades"}, False),
    ],
)
def test_a_bulk_answer_is_about_no_instrument_in_particular(changes: dict[str, Any], expected: bool) -> None:
    """And of a kind whose claims are about instruments."""
    assert expected == is_bulk(capture(**changes))


async def test_the_room_keeps_the_claims_of_a_bulk_answer() -> None:
    """Each under its own instrument; rows of one instrument that differ are told under it, and symbols once."""
    twice = bars(*MARKET, ("BRK-B", FRIDAY, 401.0))

    def decode(_body: bytes, _ask: Ask) -> pl.DataFrame:
        return twice

    bus, store, archive = Heard(), BothTimes(), DictArchive()
    providers = {"yahoo": provider("yahoo", Script(b""), decode={"bars": decode})}
    service = ProcessingService(bus=bus, store=store, archive=archive, providers=providers, config=ProcessingConfig())
    await store.commit({"listings": listings()})
    archive.put(b"body")
    message: RawCaptured = capture("yahoo", instrument_id="", round_id="")

    await service.on_raw_captured(message)

    claims = store.rows["bar_claims"].sort("instrument_id", "ts_event")
    assert [("ins_brkb", 401.0), ("ins_x", 10.0), ("ins_x", 11.0)] == claims.select("instrument_id", "close").rows()
    (doubted,) = bus.of(PayloadDoubted)
    told = unpack(doubted.findings).select("check", "instrument_id")
    assert [("unknown_symbols", ""), ("conflicting_rows", "ins_brkb")] == told.rows()
    assert NOW == doubted.ts_known
