"""Which rounds about exchange rates are planned, and that a room runs them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec

from ingestion_room import Room
from pipeline_doubles import Script
from truetape.domain.capability import Offer
from truetape.domain.messages import BackfillRequested, RoundClosed
from truetape.ports.provider import Provider
from truetape.services.ingestion.chunks import basis_of
from truetape.services.ingestion.intervals import IntervalLedger
from truetape.services.ingestion.pairs import listed_pairs, plan_rates, weekdays
from truetape.services.ingestion.rounds import Listed

FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2024, 3, day) for day in (1, 2, 3, 4))


def spans(ledger: IntervalLedger, end: date, *, overlap_days: int = 0) -> list[tuple[str, date, date]]:
    rounds = plan_rates(("EUR/USD",), ledger, start=date(2024, 2, 1), end=end, overlap_days=overlap_days)
    return [(one.kind, one.start, one.end) for one in rounds]


def test_weekends_are_not_asked_about() -> None:
    """On Saturday and Sunday nothing is missing that was there on Friday; on Monday three days are."""
    ledger = IntervalLedger()
    assert [("fx_rates", date(2024, 2, 1), FRIDAY)] == spans(ledger, FRIDAY)
    ledger.settled["EUR/USD", "fx_rates", "1d"] = [(date(2024, 2, 1), FRIDAY)]

    assert ([], []) == (spans(ledger, SATURDAY), spans(ledger, SUNDAY))
    assert [("fx_rates", SATURDAY, MONDAY)] == spans(ledger, MONDAY)
    assert [("fx_rates", date(2024, 2, 20), MONDAY)] == spans(ledger, MONDAY, overlap_days=10)


def test_only_pairs_of_currencies_are_asked_about() -> None:
    """A share or a coin is no pair of currencies."""
    found = listed_pairs(["EUR/USD", "AAPL", "BTC/USD"])
    assert {"EUR/USD": Listed("EUR/USD", "EUR/USD"), "AAPL": None, "BTC/USD": None} == found


def test_the_calendar_of_rates_ends_with_time() -> None:
    """The last day there is asks for no day after it."""
    assert date.max == weekdays(date.max, date.max)[""][-1]


async def test_a_room_asks_for_its_pairs_and_for_those_of_a_backfill() -> None:
    """Pairs of the settings are planned beside the bars; others when somebody asks; what is none is unknown."""
    room = Room(p=Script(*[b"rates"] * 4))
    room.providers["p"] = _with_rates(room)
    service = room.build(pairs=("EUR/USD",))
    service.extend([Listed("ins_a", "A")], end=date(2024, 6, 7))
    await service.work(until_idle=True)
    service._market.listed["ins_a"] = Listed("ins_a", "A")
    request: dict[str, Any] = {"job_id": "job_a", "start": FRIDAY, "end": MONDAY, "ts_known": 1, "kind": "fx_rates"}
    await service.on_backfill_requested(BackfillRequested(symbols=("USD/JPY", "AAPL"), **request))
    await service.work(until_idle=True)

    closed = {(one.kind, one.instrument_id) for one in room.recorded(RoundClosed)}
    assert {("bars", "ins_a"), ("fx_rates", "EUR/USD"), ("fx_rates", "USD/JPY")} == closed
    assert (("AAPL",), "done") == (service.jobs["job_a"].unknown, service.jobs["job_a"].state)


def _with_rates(room: Room) -> Provider:
    known = room.providers["p"]
    offers = (*known.declaration.offers, Offer(kind="fx_rates"))
    declared = msgspec.structs.replace(known.declaration, offers=offers, assets=("equity", "fx"), basis="all")
    assert ("raw", "all") == tuple(basis_of(declared, kind=kind, timeframe="1d") for kind in ("fx_rates", "quotes"))
    return replace(known, declaration=declared)
