"""Calendars and venues over HTTP: sessions as known then, venues with their markets, and corrections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from room_doubles import FixedClock, rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_cache import MemoryCache
from truetape.services.api.calendars import Correct, Corrected, NewCorrection
from truetape.services.api.config import ApiConfig
from truetape.services.api.rest import build

Client = TestClient[Any]
MONDAY, TUESDAY = date(2023, 6, 12), date(2023, 6, 13)
KNOWN, LATER = date(2023, 6, 1), date(2023, 6, 10)


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


async def fill(store: DuckdbStore) -> None:
    """Let Tokyo trade on Monday and Tuesday, and from 10 June on, only until lunch on Tuesday."""
    both = [MONDAY, TUESDAY]
    sessions = {"mic": "XTKS", "session": both, "open": [at(day, 0) for day in both]}
    pauses = {"break_start": [at(day, 2) for day in both], "break_end": [at(day, 3) for day in both]}
    calendar = {"mic": "XTKS", "keeper": "XTKS", "zone": "Asia/Tokyo", "rules": "r", "first": MONDAY, "last": [TUESDAY]}
    venue = {"operating_mic": ["XJPX", "XJPX", "XNAS"], "level": ["segment", "operating", "operating"]}
    names = {"mic": ["XTKS", "XJPX", "XNAS"], "name": ["TOKYO", "JAPAN EXCHANGE GROUP", "NASDAQ"]}
    await store.commit(
        {
            "sessions": rows("sessions", **sessions, close=[at(day, 6) for day in both], ts_known=KNOWN),
            "session_breaks": rows("session_breaks", mic="XTKS", session=both, **pauses, ts_known=KNOWN),
            "calendars": rows("calendars", **calendar, ts_known=KNOWN),
            "venues": rows("venues", **venue, **names, country=["JP", "JP", "US"], status="active", ts_known=KNOWN),
        }
    )
    short = {"mic": "XTKS", "session": [TUESDAY], "version": 2, "ts_known": LATER}
    said = {"what": "open", "close": [at(TUESDAY, 2)], "why": "a storm", "source": "notice", "known": [at(LATER, 1)]}
    await store.commit(
        {
            "sessions": rows("sessions", **short, open=[at(TUESDAY, 0)], close=[at(TUESDAY, 2)]),
            "calendar_corrections": rows("calendar_corrections", **{**short, "version": 1}, **said),
        },
        withdrawals={
            "session_breaks": rows("session_breaks", **short).select(
                "mic", "session", "ts_known", "version", "simulated"
            )
        },
    )


async def told(mic: str, wanted: NewCorrection) -> Corrected:
    return Corrected(mic=mic, session=wanted.session, what=wanted.what, known=wanted.known or "now", told="now")


def serving(folder: Path, correct: Correct | None) -> Iterator[Client]:
    store = DuckdbStore(folder / "store.duckdb")
    asyncio.run(fill(store))
    clock = FixedClock()
    cache = MemoryCache(max_bytes=1 << 20, clock=clock)
    app = build(
        store=store, archive=None, cache=cache, clock=clock, config=ApiConfig(), readiness=dict, correct=correct
    )  # fmt: skip
    with TestClient(app) as client:
        yield client
    asyncio.run(store.close())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    yield from serving(tmp_path_factory.mktemp("api"), told)


def test_sessions_are_told_with_lunch_and_why_they_are_special(client: Client) -> None:
    """Tuesday ends with lunch, as a correction says; Monday is a day like others."""
    page = client.get("/v1/calendars/xtks?start=2023-06-12&end=2023-06-13").json()
    monday, tuesday = page["calendar"]

    moments = ("session", "open", "close", "break_start", "break_end", "zone", "known", "why", "source", "version")
    day = "2023-06-12"
    hours = [f"{day}T{hour}:00:00Z" for hour in ("00", "06", "02", "03")]
    assert [day, *hours, "Asia/Tokyo", None, None, None, 1] == [monday[name] for name in moments]
    day = "2023-06-13"
    told = [
        f"{day}T00:00:00Z",
        f"{day}T02:00:00Z",
        None,
        None,
        "Asia/Tokyo",
        "2023-06-10T01:00:00Z",
        "a storm",
        "notice",
        2,
    ]
    assert [day, *told] == [tuesday[name] for name in moments]


def test_a_calendar_as_it_was_known_before_its_correction(client: Client) -> None:
    """On 9 June nobody knew; on 31 May the platform knew no calendar at all."""
    page = client.get("/v1/calendars/XTKS?start=2023-06-13&as_of=2023-06-09").json()["calendar"]
    assert [("2023-06-13T06:00:00Z", "2023-06-13T02:00:00Z", None)] == [
        (one["close"], one["break_start"], one["why"]) for one in page
    ]

    early = client.get("/v1/calendars/XTKS?as_of=2023-05-31")
    assert (400, "mic") == (early.status_code, early.json()["parameter"])
    assert "Kept then: none yet." in early.json()["fix"]


@pytest.mark.parametrize(
    ("path", "parameter", "words"),
    [
        (
            "/v1/calendars/XNYS",
            "mic",
            "The calendar of this venue was not kept. Declare an instrument of it, or name it in `venues`",
        ),
        ("/v1/calendars/XTKS?start=2023-06-13&end=2023-06-12", "start", "later than end"),
        ("/v1/calendars/XTKS?start=June", "start", "YYYY-MM-DD"),
        ("/v1/calendars/XTKS?symbols=A", "symbols", "There is no such parameter."),
        (f"/v1/venues?q={'x' * 101}", "q", "Write at most 100 characters."),
    ],
)
def test_what_cannot_be_asked_of_calendars(client: Client, path: str, parameter: str, words: str) -> None:
    """A problem document names the parameter and the fix."""
    refused = client.get(path)

    assert (400, parameter) == (refused.status_code, refused.json()["parameter"])
    assert words in refused.json()["fix"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["XJPX", "XTKS", "XNAS"]),
        ("mic=XJPX", ["XJPX", "XTKS"]),
        ("q=tokyo", ["XTKS"]),
        ("country=us", ["XNAS"]),
        ("as_of=2023-05-31", []),
    ],
)
def test_venues_are_a_tree(client: Client, query: str, expected: list[str]) -> None:
    """Each operating venue stands before its markets, which name it."""
    found = client.get(f"/v1/venues?{query}").json()["venues"]

    assert expected == [one["mic"] for one in found]
    assert {("XTKS", "XJPX", "segment")} >= {
        (one["mic"], one["operating_mic"], one["level"]) for one in found if one["level"] == "segment"
    }


def test_a_correction_is_told_and_answered(client: Client) -> None:
    """With where to read it; a body that is none is refused with an example."""
    wanted = {"session": "2023-06-14", "what": "closed", "why": "w", "source": "s"}
    made = client.post("/v1/calendars/xtks/corrections", json=wanted)

    assert (201, "/v1/calendars/XTKS") == (made.status_code, made.headers["location"])
    assert {"mic": "XTKS", "session": "2023-06-14", "what": "closed", "known": "now", "told": "now"} == made.json()
    refused = client.post("/v1/calendars/XTKS/corrections", json={**wanted, "day": "x"})
    assert 400 == refused.status_code
    assert 'Send JSON such as {"session": ' in refused.json()["fix"]
    assert "POST" == client.get("/v1/calendars/XTKS/corrections").headers["allow"]


def test_where_nobody_takes_corrections_asking_says_so(tmp_path: Path) -> None:
    """A server that only reads answers 503."""
    for client in serving(tmp_path, None):
        assert 503 == client.post("/v1/calendars/XTKS/corrections", json={}).status_code
