"""Venues of a register: rows of the golden table, in a sound tree, with their zones; and their versions."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path
from zoneinfo import available_timezones

import polars as pl

from lengths import usually
from room_doubles import FrameStore, ListBus, rows
from truetape.domain.asks import Ask
from truetape.domain.schema import TABLES, check
from truetape.domain.venues import broken_branches, searched, tree
from truetape.providers.iso10383 import decode
from truetape.services.reference import exchange_rules
from truetape.services.reference.calendars import known_mics
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.service import ReferenceService
from truetape.services.reference.venue_list import venue_rows
from truetape.services.reference.venue_zones import CITIES, COUNTRIES, OWN

DAY = date(2024, 6, 10)


def claims(*venues: dict[str, object], payload: str = "p", known: date = DAY) -> pl.DataFrame:
    """Return rows of venue_claims of one payload."""
    columns: dict[str, object] = {
        name: [one.get(name) for one in venues] for name in TABLES["venue_claims"].columns if name in {*venues[0]}
    }
    numbers = list(range(len(venues)))
    return rows("venue_claims", number=numbers, provider="iso10383", payload=payload, ts_known=known, **columns)


XNAS = {
    "mic": "XNAS",
    "operating_mic": "XNAS",
    "is_segment": False,
    "name": "NASDAQ",
    "country": "US",
    "status": "active",
}
XNGS = {**XNAS, "mic": "XNGS", "is_segment": True, "name": "SELECT", "country": "US"}


def test_a_list_becomes_rows_of_the_table() -> None:
    """A market keeps the clock of its venue; of a code that stands twice the last counts."""
    found = check(
        venue_rows(claims(XNAS, XNGS, {**XNGS, "name": "GLOBAL SELECT"})), TABLES["venues"].columns, kind="venues"
    )

    shown = found.select("mic", "operating_mic", "level", "name", "zone", "status", "version")
    assert [
        ("XNAS", "XNAS", "operating", "NASDAQ", "America/New_York", "active", 1),
        ("XNGS", "XNAS", "segment", "GLOBAL SELECT", "America/New_York", "active", 1),
    ] == shown.rows()


def test_the_register_is_a_sound_tree(recordings: Path) -> None:
    """Of 2,701 venues only seven markets, all expired, belong to a market; hardly any that lives has no zone."""
    body = gzip.decompress((recordings / "reference" / "ISO10383_MIC.csv.gz").read_bytes())
    register = decode.venues(body, Ask(kind="venues", symbol="", timeframe="", start=DAY, end=DAY))
    said = register.with_columns(
        pl.lit("iso10383").alias("provider"), pl.lit("p").alias("payload"), pl.lit(value=False).alias("simulated"),
        pl.lit(DAY).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").alias("ts_known"),
    ).with_row_index("number")  # fmt: skip

    found = venue_rows(said)

    assert [("operating", 1502), ("segment", 1199)] == sorted(found["level"].value_counts().iter_rows())
    broken = broken_branches(found)
    assert (7, {"expired"}) == (len(broken), {*broken["status"]})
    living = found.filter(pl.col("status") != "expired")
    assert living["zone"].null_count() < 0.05 * len(living)
    japan = searched(tree(found), mic="XJPX").filter(pl.col("status") == "active")
    assert "XTKS" in japan["mic"]
    assert {"Asia/Tokyo"} == {*japan["zone"]}


def test_zones_are_those_of_the_calendars() -> None:
    """Of venues with a calendar, the zone is the one that it counts in; all zones exist."""
    looked_at = usually(["XNYS", "XNAS", "CMES", "XTKS"], long=[*OWN])
    assert [] == [mic for mic in looked_at if exchange_rules.zone(mic) != OWN[mic]]
    assert {*known_mics()} == {*OWN}
    assert {*OWN.values(), *COUNTRIES.values(), *CITIES.values()} <= available_timezones()


async def test_lists_are_settled_one_after_the_other() -> None:
    """A newer list gives new versions to what it changed, known since it came; the same again changes nothing."""
    older = claims(XNAS, XNGS)
    newer = claims({**XNAS, "name": "NASDAQ - ALL MARKETS"}, XNGS, payload="q", known=date(2024, 6, 11))
    origin = {"provider": "iso10383", "kind": "venues", "round_id": "r", "page": "", "instrument_id": ""}
    captures = rows("captures", payload=["q", "p"], ts_known=[date(2024, 6, 11), DAY], **origin)
    store = FrameStore(venue_claims=pl.concat([older, newer]), captures=captures)
    room = ReferenceService(bus=ListBus(), store=store, config=ReferenceConfig())

    await room.settle()
    await room.settle()
    await ReferenceService(bus=ListBus(), store=store, config=ReferenceConfig()).settle()

    assert [{"venues": 2}, {"venues": 1}] == [one for one in store.commits if "venues" in one]
    versions = (
        store.rows["venues"].sort("mic", "version").select("mic", "name", "version", pl.col("ts_known").dt.date())
    )
    assert [
        ("XNAS", "NASDAQ", 1, DAY),
        ("XNAS", "NASDAQ - ALL MARKETS", 2, date(2024, 6, 11)),
        ("XNGS", "SELECT", 1, DAY),
    ] == versions.rows()
