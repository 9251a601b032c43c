"""Receipts over HTTP: the same bytes again, whatever was written since."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from room_doubles import rows
from small_market import APPLE, BODY, META, NOW_NS, fill, golden
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.adapters.watched_store import WatchedStore
from truetape.services.api.config import ApiConfig
from truetape.services.api.receipts import Question, Slip, encode_slip
from truetape.services.api.rest import build

Client = TestClient[Any]
FORMS = ("json", "csv", "arrow", "parquet", "ndjson")
PATHS = [
    "/v1/bars?symbols=AAPL",
    "/v1/bars?symbols=META,AAPL&adjustment=all&limit=3",
    "/v1/bars?symbols=AAPL&timeframe=1w&adjustment=split",
    "/v1/bars?symbols=AAPL&as_of=2024-01-10T12:00:00Z&start=2005-02-28",
    "/v1/bars?symbols=AAPL&snapshot=eod&adjustment=all",
    "/v1/corporate-actions?symbols=AAPL",
    "/v1/instruments?q=a&limit=2",
    "/v1/index-levels?index=EW5",
    "/v1/quarantine?state=open",
    "/v1/repairs?symbols=AAPL",
    "/v1/snapshots?",
]
DOCUMENTS = ["/v1/explain/AAPL/2005-02-25?", "/v1/explain/AAPL/2005-03-01?snapshot=eod", "/v1/repairs/rep_apple_unit?"]
STREAMS = ["/v1/bars/stream?symbols=AAPL,META&adjustment=all", "/v1/bars/stream?symbols=AAPL&timeframe=1mo"]
LATER = datetime(2024, 1, 13, tzinfo=UTC)


@contextmanager
def open_room(folder: Path, clock: SetClock) -> Iterator[tuple[Client, WatchedStore]]:
    """The api on the store of `folder`, opened anew."""
    store = WatchedStore(DuckdbStore(folder / "store.duckdb"), is_alone=True)
    archive = FileArchive(folder / "archive")
    archive.put(BODY)
    cache = MemoryCache(max_bytes=1 << 20, clock=clock)
    app = build(store=store, archive=archive, cache=cache, clock=clock, config=ApiConfig(), readiness=dict)
    with TestClient(app) as client:
        yield client, store
    asyncio.run(store.close())
    archive.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return filled(tmp_path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with open_room(filled(tmp_path_factory.mktemp("untouched")), SetClock(NOW_NS)) as (client, _):
        yield client


def filled(folder: Path) -> Path:
    """The market, with a snapshot of its first commit."""

    async def make() -> None:
        store = await fill(DuckdbStore(folder / "store.duckdb"))
        named = rows("snapshots", name=["eod"], as_of=date(2024, 1, 12), store_version=1, ts_known=date(2024, 1, 12))
        await store.commit({"snapshots": named})
        await store.close()

    asyncio.run(make())
    return folder


def write(store: WatchedStore, number: int) -> None:
    """Change bars, factors, actions, listings, levels, quarantine and repairs of the market."""
    known = LATER + timedelta(minutes=number)
    of = {"version": 10 + number, "ts_known": known, "simulated": True}
    day = date(2005, 2, 25)
    asyncio.run(
        store.commit(
            {
                "bars": golden(APPLE, [day, date(2005, 3, 4 + number)], [50.0 + number, 7.0], [1.0, 1.0], **of),
                "factors": rows(
                    "factors", instrument_id=APPLE, ex_date=[date(2005, 3, 3)], split=1.0, dividend=0.5, **of
                ),
                "actions": rows("actions", instrument_id=APPLE, ex_date=[day], type="dividend", value=number / 2, **of),
                "listings": rows("listings", instrument_id=META, symbol=[f"META{number}"], mic="XNAS", **of),
                "index_levels": rows("index_levels", index_id="EW5", ts_event=[day], level=float(number), **of),
                "repairs": rows(
                    "repairs",
                    repair_id=["rep_apple_unit"],
                    instrument_id=APPLE,
                    record="bars",
                    timeframe="1d",
                    provider="finnhub",
                    start=day,
                    end=day,
                    columns="close",
                    rows=1,
                    kind="unit_flip",
                    edits="[]",
                    explanation="x",
                    evidence="y",
                    confidence=0.9,
                    state="applied",
                    decision_id="d",
                    decided_by="ann",
                    **of,
                ),
            }
        )
    )


def receipt_of(headers: Any) -> dict[str, Any]:
    return dict(json.loads(headers["truetape-receipt"]))


def test_every_answer_comes_back_byte_for_byte(folder: Path) -> None:
    """All endpoints in all forms, later pages and streams: after more was written, and after a restart."""
    clock = SetClock(NOW_NS)
    chance = random.Random(3)
    asked = [f"{path}&format={form}" for path in PATHS for form in chance.sample(FORMS, 1)]
    asked += [f"{path}&format={form}" for path in DOCUMENTS for form in ("json", "text")]
    asked += [f"{path}&format={form}" for path in STREAMS for form in ("arrow", "csv", "ndjson")]
    chance.shuffle(asked)
    given: dict[str, tuple[bytes, str]] = {}
    with open_room(folder, clock) as (client, store):
        for number, path in enumerate(asked):
            if number % 8 == 0:
                write(store, number // 8)
            clock.set(NOW_NS + number)
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            given[receipt_of(answer.headers)["id"]] = (answer.content, answer.headers["content-type"])
            while following := answer.headers.get("truetape-next"):
                answer = client.get(f"{path}&cursor={following}")
                given[receipt_of(answer.headers)["id"]] = (answer.content, answer.headers["content-type"])
        write(store, 20)
        again = {one: client.get(f"/v1/receipts/{one}") for one in given}
    clock.set(NOW_NS + 10**15)
    with open_room(folder, clock) as (client, _):
        restarted = {one: client.get(f"/v1/receipts/{one}") for one in given}

    assert len(given) > 24
    for answers in (again, restarted):
        assert given == {one: (answer.content, answer.headers["content-type"]) for one, answer in answers.items()}
        assert set(given) == {receipt_of(answer.headers)["id"] for answer in answers.values()}


def test_an_answer_says_what_it_used(folder: Path) -> None:
    """Store version, knowledge time, snapshot, factors, rows: in the header, and in JSON beside the rows too."""
    with open_room(folder, SetClock(NOW_NS)) as (client, _):
        now = client.get("/v1/bars?symbols=AAPL&adjustment=all&format=json")
        snapshot = client.get("/v1/bars?symbols=AAPL&snapshot=eod&format=csv")
        explained = client.get("/v1/explain/AAPL/2005-02-25?snapshot=eod")

    told = now.json()["receipt"]
    assert told == receipt_of(now.headers)
    del told["id"]
    assert {
        "store_version": 3,
        "as_of": "2024-01-15T00:00:00Z",
        "count": 6,
        "timeframe": "1d",
        "adjustment": "all",
        "factors": {"rows": 2, "version": 1, "known": "2024-01-10T00:00:00Z"},
    } == told
    named = receipt_of(snapshot.headers)
    assert (1, "2024-01-12T00:00:00Z", "eod") == tuple(named[one] for one in ("store_version", "as_of", "snapshot"))
    assert (1, "2024-01-12T00:00:00Z") == tuple(explained.json()[one] for one in ("store_version", "as_of"))
    assert "eod" == receipt_of(explained.headers)["snapshot"]


def test_a_long_question_is_answered_without_a_receipt(folder: Path) -> None:
    """The note says why."""
    symbols = [hashlib.sha256(bytes([number])).hexdigest()[:38] for number in range(90)]
    with open_room(folder, SetClock(NOW_NS)) as (client, store):
        listed = rows("listings", instrument_id=symbols, symbol=symbols, mic="XNAS", ts_known=LATER)
        asyncio.run(store.commit({"listings": listed}))
        answer = client.get("/v1/bars", params={"symbols": ",".join(symbols)})
        stream = client.get("/v1/bars/stream", params={"symbols": ",".join(symbols), "format": "csv"})

    assert (200, None) == (answer.status_code, answer.json()["receipt"].get("id"))
    assert "too long for a receipt" in answer.json()["receipt"]["note"]
    assert "too long for a receipt" in receipt_of(stream.headers)["note"]


def test_a_store_that_is_not_the_same_says_so(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Another store under the same api: 410 with the nearest question, of answers, and of streams too."""
    clock = SetClock(NOW_NS)
    with open_room(folder, clock) as (client, _):
        bars = receipt_of(client.get("/v1/bars?symbols=AAPL&adjustment=all").headers)["id"]
        stream = receipt_of(client.get("/v1/bars/stream?symbols=AAPL&format=csv").headers)["id"]
    other = tmp_path_factory.mktemp("other")

    async def make(commits: int) -> None:
        store = DuckdbStore(other / "store.duckdb")
        if commits > 1:
            await store.commit({"listings": rows("listings", instrument_id=[APPLE], symbol="AAPL", mic="XNAS")})
        for number in range(commits):
            close = [1.0 + number]
            await store.commit({"bars": golden(APPLE, [date(2005, 2, 25)], close, [1.0], version=number + 1)})
        await store.close()

    asyncio.run(make(1))
    with open_room(other, clock) as (client, _):
        shorter = [client.get(f"/v1/receipts/{one}") for one in (bars, stream)]
    asyncio.run(make(4))
    with open_room(other, clock) as (client, _):
        apart = [client.get(f"/v1/receipts/{one}") for one in (bars, stream)]

    assert [410] * 4 == [one.status_code for one in (*shorter, *apart)]
    nearest = "/v1/bars?symbols=AAPL&timeframe=1d&adjustment=all&limit=10000&as_of=2024-01-15T00%3A00%3A00Z"
    assert nearest in shorter[0].json()["fix"]
    assert "/v1/bars/stream?symbols=AAPL" in apart[1].json()["fix"]
    assert {"urn:truetape:problem:gone-answer"} == {one.json()["type"] for one in (*shorter, *apart)}


@pytest.mark.parametrize(
    "question",
    [
        Question("dreams", {}, {}, "csv"),
        Question("bars", {}, {"symbols": "AAPL"}, "text"),
        Question("bars", {"symbol": "AAPL"}, {"symbols": "AAPL"}, "csv"),
        Question("bars", {}, {"symbols": "AAPL", "dream": "1"}, "csv"),
        Question("bars", {}, {"symbols": "AAPL", "start": "soon"}, "csv"),
        Question("explanation", {"symbol": "AAPL", "ts": "soon"}, {}, "json"),
    ],
)
def test_a_receipt_of_a_question_that_is_none_is_refused(untouched: Client, question: Question) -> None:
    """Forged, or of another version of truetape: in words."""
    forged = encode_slip(Slip(question=question, version=1, as_of=None, told=0, snapshot="", digest=b""))
    answer = untouched.get(f"/v1/receipts/{forged}")

    assert (400, True) == (answer.status_code, bool(answer.json()["fix"]))


def test_a_snapshot_of_a_store_that_was_set_back_is_refused(folder: Path) -> None:
    """What its commit held is not known."""
    named = rows("snapshots", name=["ahead"], as_of=date(2024, 1, 12), store_version=99, ts_known=date(2024, 1, 12))
    with open_room(folder, SetClock(NOW_NS)) as (client, store):
        asyncio.run(store.commit({"snapshots": named}))
        answer = client.get("/v1/bars?symbols=AAPL&snapshot=ahead")

    assert (400, "snapshot") == (answer.status_code, answer.json()["parameter"])


@pytest.mark.parametrize("text", ["abc", "x" * 3000, "%00", "..%2f..%2fetc"])
def test_what_is_no_receipt_is_refused(untouched: Client, text: str) -> None:
    """In words, as a problem document."""
    answer = untouched.get(f"/v1/receipts/{text}")

    assert answer.status_code in {400, 404}
    assert "fix" in answer.json()


def test_who_has_the_rows_gets_no_body(folder: Path) -> None:
    """The tag of an answer stays while its rows do, whatever else is written."""
    with open_room(folder, SetClock(NOW_NS)) as (client, store):
        first = client.get("/v1/bars?symbols=META")
        tag = first.headers["etag"]
        write(store, 1)
        asked = {"if-none-match": f'"other", {tag}'}
        same = client.get("/v1/bars?symbols=META", headers=asked)
        receipt = client.get(f"/v1/receipts/{receipt_of(first.headers)['id']}", headers=asked)
        asyncio.run(store.commit({"bars": golden(META, [date(2022, 6, 9)], [1.0], [1.0], version=2, ts_known=LATER)}))
        other = client.get("/v1/bars?symbols=META", headers=asked)

    assert [(304, b""), (304, b"")] == [(one.status_code, one.content) for one in (same, receipt)]
    assert tag == same.headers["etag"]
    assert (200, False) == (other.status_code, other.headers["etag"] == tag)
