"""Announced actions over HTTP: of symbols, coming up, one with its history, proposals; and what may be said of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from announced_market import claim, claims, detail, details, stated, statement
from room_doubles import FixedClock, ListBus, rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_cache import MemoryCache
from truetape.domain.time import day_start_ns
from truetape.services.api.config import ApiConfig
from truetape.services.api.rest import build
from truetape.services.api.statements import NewStatement, Stated
from truetape.services.corporate_actions.announcing import Announcing

Client = TestClient[Any]
SAID: list[NewStatement] = []
FIRST = claim("a", "dividend", "2023-11-20", 0.5, known="2023-11-01")
SECOND = claim("b", "dividend", "2023-11-21", 0.5, known="2023-11-02")
SPLIT = statement("ann_a_1", "announced", known="2023-11-03", type="split", effective_date="2023-12-01", value="0.125")
LATER = statement("ann_a_1", "amended", known="2023-11-05", value="0.1")
WRONG = statement("ann_a_1", "amended", known="2023-11-06", type="dividend")


async def _fill(store: DuckdbStore) -> None:
    origin = {"ts_known": 1, "simulated": False}
    await store.commit(
        {
            "instruments": rows("instruments", instrument_id=["ins_a"], name="A", asset_class="equity", **origin),
            "listings": rows("listings", instrument_id=["ins_a"], symbol="AAA", mic="XNYS", **origin),
            "action_claims": claims(FIRST, SECOND),
            "action_details": details(detail(FIRST, pay_date="2023-12-10")),
            "action_statements": stated(SPLIT, LATER, WRONG),
            "findings": rows(
                "findings",
                instrument_id=["ins_a"],
                timeframe="1d",
                ts_event=[date(2023, 10, 2)],
                provider="",
                check="undeclared_split",
                severity="warning",
                explanation="from 40 to 10 at once",
                repair_value=4.0,
                round_id="rnd_a",
                ts_known=date(2023, 10, 3),
            ),
        }
    )
    await Announcing(bus=ListBus(), store=store).settle("ins_a", ts_known=day_start_ns(date(2023, 11, 7)))


async def _take(wanted: NewStatement) -> Stated:
    SAID.append(wanted)
    named = {"statement_id": "sta_x", "announcement_id": "ann_a_1", "instrument_id": "ins_a", "stated": "now"}
    return Stated(said=wanted.said, fields=wanted.fields, actor=wanted.actor, why=wanted.why, **named)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    path: Path = tmp_path_factory.mktemp("actions") / "store.duckdb"
    store = DuckdbStore(path)
    asyncio.run(_fill(store))
    clock = FixedClock()  # 2023-11-14
    cache = MemoryCache(max_bytes=1 << 20, clock=clock)
    app = build(store=store, archive=None, cache=cache, clock=clock, config=ApiConfig(), readiness=dict, state=_take)
    with TestClient(app) as opened:
        yield opened
    asyncio.run(store.close())


def listed(client: Client, path: str) -> list[tuple[Any, ...]]:
    answer = client.get(path).json()
    (found,) = [value for value in answer.values() if isinstance(value, list)]
    return [(one["type"], one["effective_date"], one["value"], one["status"], one["sources"]) for one in found]


def test_the_actions_of_a_symbol_as_all_sources_tell_them(client: Client) -> None:
    """One row for what two providers tell of two days; as of a day before, what was known then."""
    dividend = ("dividend", "2023-11-20", "0.5", "announced", "a,b")
    assert [dividend, ("split", "2023-12-01", "0.1", "announced", "operator")] == listed(
        client, "/v1/actions?symbols=AAA"
    )
    assert [("dividend", "2023-11-20", "0.5", "announced", "a")] == listed(
        client, "/v1/actions?symbols=AAA&as_of=2023-11-01"
    )
    assert [("split", "2023-12-01", "0.125", "announced", "operator")] == listed(
        client, "/v1/actions?symbols=AAA&as_of=2023-11-04&start=2023-11-25"
    )


def test_what_comes_up_by_ex_date_and_by_pay_date(client: Client) -> None:
    """From today on, or from the day that is asked for."""
    assert ["2023-11-20", "2023-12-01"] == [row[1] for row in listed(client, "/v1/actions/calendar")]
    assert ["dividend"] == [row[0] for row in listed(client, "/v1/actions/calendar?by=pay_date&end=2023-12-10")]
    assert [] == listed(client, "/v1/actions/calendar?by=pay_date&end=2023-12-09")
    assert 400 == client.get("/v1/actions/calendar?by=colour").status_code


def test_one_action_with_what_it_is_made_of(client: Client) -> None:
    """Versions, statements and why one of them was not taken; and the same in words."""
    case = client.get("/v1/actions/ann_a_1").json()
    text = client.get("/v1/actions/ann_a_1?format=text").text
    dividend = next(
        row for row in client.get("/v1/actions?symbols=AAA").json()["announcements"] if row["value"] == "0.5"
    )
    told = client.get(f"/v1/actions/{dividend['announcement_id']}?format=text").text

    assert [("announced", "0.125"), ("announced", "0.1")] == [
        (one["status"], one["fields"]["value"]) for one in case["versions"]
    ]
    assert ["", "", "an amendment cannot make another action of it; withdraw it, and announce the other one"] == [
        one["refused"] for one in case["statements"]
    ]
    assert "AAA: split of 2023-12-01, announced" in text
    assert "2023-11-05T00:00:00Z  amended by ann: told by the issuer" in text
    assert "b: days_apart" in told
    assert 404 == client.get("/v1/actions/ann_b_1").status_code
    assert 404 == client.get("/v1/actions/gold").status_code


def test_what_prices_propose(client: Client) -> None:
    """Of one symbol or of all; nothing is applied."""
    for path in ("/v1/actions/proposals", "/v1/actions/proposals?symbols=AAA"):
        one, twice = client.get(path).json()["action_proposals"]
        assert ("announced", "2023-10-02", "split", "4", "proposed") == tuple(
            one[name] for name in ("said", "effective_date", "type", "value", "state")
        )
        assert ("confirmed", "told_twice") == (twice["said"], twice["check"])
    assert [] == client.get("/v1/actions/proposals?as_of=2023-10-02").json()["action_proposals"]
    assert 404 == client.get("/v1/actions/proposals?symbols=NOP").status_code


def test_a_statement_is_taken_once_it_is_sound(client: Client) -> None:
    """What cannot be said is refused with what can."""
    good = {"said": "announced", "symbol": "AAA", "actor": " ann ", "why": "w", "fields": {"value": "1:4"}}
    taken = client.post("/v1/actions/statements", json=good)
    bad = [
        client.post("/v1/actions/statements", json={**good, **change}).json()["fix"]
        for change in ({"said": "sung"}, {"why": " "}, {"target": "ann_a_1"}, {"fields": {"colour": "red"}}, {"x": 1})
    ]

    assert (202, "0.25") == (taken.status_code, taken.json()["fields"]["value"])
    assert ["announced"] == [one.said for one in SAID]
    for words, said in zip(("Write one of", "1 to 2000", "Name a symbol", "Fields are", "Send JSON"), bad, strict=True):
        assert words in said
    assert "POST" == client.put("/v1/actions/statements").headers["allow"]


def test_a_server_without_a_platform_takes_no_statement(tmp_path: Path) -> None:
    """It says so."""
    store, clock = DuckdbStore(tmp_path / "store.duckdb"), FixedClock()
    cache = MemoryCache(max_bytes=1 << 20, clock=clock)
    app = build(store=store, archive=None, cache=cache, clock=clock, config=ApiConfig(), readiness=dict)
    with TestClient(app) as opened:
        assert 503 == opened.post("/v1/actions/statements", json={}).status_code
    asyncio.run(store.close())
