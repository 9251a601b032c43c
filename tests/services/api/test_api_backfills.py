"""Backfills over HTTP: taken as jobs, looked at, and refused with the value that was wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from pipeline_doubles import NOW
from small_market import NOW_NS, asking
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.messages import BackfillRequested
from truetape.services.api.backfills import LARGEST_BODY, Job, Wanted, checked, job_of
from truetape.services.ingestion.jobs import Job as RunningJob

Client = TestClient[Any]
GOOD = {"symbols": ["AAPL", "MSFT", "AAPL"], "start": "2020-01-02", "end": "2020-12-31"}
asked: list[Wanted] = []


async def accept(wanted: Wanted) -> tuple[str, int]:
    asked.append(wanted)
    return "job_1", NOW_NS


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    asked.clear()
    with asking(tmp_path, accept=accept) as client:
        yield client


def test_a_backfill_is_taken_as_a_job(client: Client) -> None:
    """The answer is 202 with the job and where it stands; each symbol is asked for once."""
    answer = client.post("/v1/backfills", json=GOOD)

    assert (202, "/v1/backfills/job_1") == (answer.status_code, answer.headers["location"])
    told = answer.json()
    expected = {
        "job_id": "job_1",
        "state": "accepted",
        "symbols": 2,
        "kind": "bars",
        "timeframe": "1d",
        "start": "2020-01-02",
        "end": "2020-12-31",
        "requested": "2024-01-15T00:00:00Z",
    }
    assert expected == {name: told[name] for name in expected}
    assert [Wanted(symbols=("AAPL", "MSFT"), start=date(2020, 1, 2), end=date(2020, 12, 31))] == asked


@pytest.mark.parametrize(
    ("change", "parameter", "words"),
    [
        ({"symbols": []}, "symbols", "Name symbols of 1 to 40 characters."),
        ({"symbols": ["A" * 41]}, "symbols", "Name symbols of 1 to 40 characters."),
        ({"symbols": ["A", " "]}, "symbols", "Name symbols of 1 to 40 characters."),
        ({"symbols": [str(number) for number in range(100_001)]}, "symbols", "At most 100,000 are taken at once"),
        ({"start": "2021-01-01"}, "start", "It is later than end, which was 2020-12-31."),
        ({"start": "yesterday"}, "body", "Send JSON such as"),
        ({"timeframe": "2d"}, "timeframe", "Write one of 1m, 5m"),
        ({"kind": "prices"}, "kind", "Write one of bars, actions"),
        ({"colour": "red"}, "body", "Send JSON such as"),
    ],
)
def test_what_is_wrong_is_named(client: Client, change: dict[str, object], parameter: str, words: str) -> None:
    """Nothing is asked for then."""
    answer = client.post("/v1/backfills", json={**GOOD, **change})

    told = answer.json()
    assert (400, parameter) == (answer.status_code, told["parameter"])
    assert words in told["fix"]
    assert [] == asked


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_request_is_refused(client: Client, body: bytes) -> None:
    """Whatever bytes come."""
    answer = client.post("/v1/backfills", content=body, headers={"content-type": "application/json"})

    assert 400 == answer.status_code
    assert [] == asked


def test_only_json_is_taken(client: Client) -> None:
    """A form on another site's page could send text without anybody noticing."""
    answer = client.post("/v1/backfills", content=json.dumps(GOOD), headers={"content-type": "text/plain"})

    assert (400, "content-type") == (answer.status_code, answer.json()["parameter"])
    assert [] == asked


def test_a_body_without_end_is_not_read(client: Client) -> None:
    """At most 4 MiB are."""
    answer = client.post(
        "/v1/backfills", content=b" " * (LARGEST_BODY + 1), headers={"content-type": "application/json"}
    )

    assert 400 == answer.status_code
    assert "Ask for fewer symbols" in answer.json()["fix"]


def test_a_server_that_only_reads_takes_none(tmp_path: Path) -> None:
    """And says whom to ask instead."""
    with asking(tmp_path) as client:
        answer = client.post("/v1/backfills", json=GOOD)

    assert 503 == answer.status_code
    assert "truetape up" in answer.json()["fix"]


REQUEST = BackfillRequested(
    job_id="job_7", symbols=("A", "B"), start=date(2020, 1, 1), end=date(2020, 1, 31), ts_known=NOW
)


def test_jobs_are_listed_and_looked_at(tmp_path: Path) -> None:
    """The newest first; one that nobody knows is 404."""
    job = RunningJob(REQUEST, unknown=("B",), planned=4)
    job.note("rnd_1", "closed")

    async def keep() -> None:
        store = DuckdbStore(tmp_path / "store.duckdb")
        await store.commit({"jobs": job.row(now_ns=NOW + 10**10)})
        await store.close()

    asyncio.run(keep())
    with asking(tmp_path) as client:
        listed = client.get("/v1/backfills").json()["backfills"]
        one = client.get("/v1/backfills/job_7").json()
        missing = client.get("/v1/backfills/job_8")

    assert [one] == listed
    assert (["B"], 4, 1, "running", "2024-06-10T00:00:00Z") == tuple(
        one[name] for name in ("unknown", "planned", "done", "state", "requested")
    )
    assert 404 == missing.status_code


ROW = {
    "job_id": "job_7",
    "state": "running",
    "symbols": 2,
    "kind": "bars",
    "timeframe": "1d",
    "start": date(2020, 1, 1),
    "end": date(2020, 1, 31),
    "requested": NOW,
    "ts_known": NOW + 10 * 10**9,
    "unknown": "",
    "planned": 30,
    "done": 10,
    "empty": 1,
    "waiting": 0,
}


@pytest.mark.parametrize(
    ("changes", "rate", "left"),
    [
        pytest.param({}, 0.5, 40.0, id="running: as of now"),
        pytest.param({"done": 0}, None, None, id="nothing done yet"),
        pytest.param({"state": "done", "done": 30}, 3.0, None, id="done: as of its end"),
        pytest.param({"state": "waiting"}, 1.0, None, id="waiting: nobody knows how long"),
    ],
)
def test_rate_and_time_left(changes: dict[str, object], rate: float | None, left: float | None) -> None:
    """Twenty seconds after it was asked for."""
    told: Job = job_of({**ROW, **changes}, now_ns=NOW + 20 * 10**9)

    assert (rate, left) == (told.rate, told.seconds_left)


def test_a_request_is_read_by_value() -> None:
    """Dates, timeframe and kind."""
    body = json.dumps({**GOOD, "timeframe": "1m", "kind": "trades"}).encode()

    assert checked(body) == Wanted(
        symbols=("AAPL", "MSFT"),
        start=date(2020, 1, 2),
        end=date(2020, 12, 31),
        timeframe="1m",
        kind="trades",
    )
