"""Searching instruments over HTTP, all that is known of one, and merges of two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from small_market import APPLE, META, SHOP_CA, SHOP_US, asking

Client = TestClient[Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with asking(tmp_path_factory.mktemp("asked")) as client:
        yield client


def found(client: Client, q: str, **more: str) -> list[tuple[str, str, str]]:
    rows = client.get("/v1/instruments/search", params={"q": q, **more}).json()["search"]
    return [(row["instrument_id"], row["symbol"], row["matched"]) for row in rows]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("AAPL", [(APPLE, "AAPL", "ticker")]),
        ("apple", [(APPLE, "AAPL", "name begins so")]),
        ("aple", [(APPLE, "AAPL", "nearly")]),
        ("FB", [(META, "META", "former ticker")]),
        ("shop", [(SHOP_US, "SHOP", "ticker"), (SHOP_CA, "SHOP", "ticker")]),
        (META, [(META, "META", "identifier")]),
        ("nothing of the kind", []),
    ],
)
def test_a_search_ranks_what_may_be_meant(client: Client, q: str, expected: list[tuple[str, str, str]]) -> None:
    """Whatever is typed, with the ticker that it has now."""
    assert expected == found(client, q)


def test_a_search_tells_the_listing_and_its_form(client: Client) -> None:
    """Rows of a table, with what matched; no more than are asked for."""
    told = client.get("/v1/instruments/search", params={"q": "shop", "limit": "1"}).json()

    assert told["search"] == [
        {
            "rank": 1,
            "instrument_id": SHOP_US,
            "symbol": "SHOP",
            "mic": "XNYS",
            "name": "Shopify US",
            "asset_class": "equity",
            "currency": "USD",
            "listed": True,
            "valid_to": None,
            "matched": "ticker",
        }
    ]
    assert told["next"] is None
    assert "rank,instrument_id,symbol" in client.get("/v1/instruments/search?q=shop&format=csv").text


def test_what_was_not_known_then_is_not_found_then(client: Client) -> None:
    """Before the first listing was known there was nothing."""
    assert [] == found(client, "AAPL", as_of="2023-01-01")
    assert [(APPLE, "AAPL", "ticker")] == found(client, "AAPL", as_of="2024-01-12")


def test_an_instrument_is_told_whole_by_id_and_by_ticker(client: Client) -> None:
    """Its tickers in their order."""
    told = client.get(f"/v1/instruments/{META}").json()

    assert told == client.get("/v1/instruments/META").json() | {"asked": META}
    assert [("FB", "2022-06-09"), ("META", None)] == [(one["symbol"], one["valid_to"]) for one in told["listings"]]
    assert (told["name"], told["listed"], told["records"]) == ("Meta Platforms", True, [META])
    assert client.get("/v1/instruments/META?format=text").text.splitlines() == [
        f"Meta Platforms: equity, {META}",
        "  FB on XNAS from 2012-05-18 until 2022-06-09",
        "  META on XNAS from 2022-06-09 until today",
    ]


@pytest.mark.parametrize(("name", "status"), [("NONE", 404), ("x" * 50, 404), ("SHOP", 400)])
def test_what_is_none_or_several_is_refused(client: Client, name: str, status: int) -> None:
    """With the way out: the search, or the ids."""
    answer = client.get(f"/v1/instruments/{name}")

    assert status == answer.status_code
    assert answer.json()["fix"]


def test_a_question_without_end_is_refused(client: Client) -> None:
    """With the most that may be asked."""
    answer = client.get("/v1/instruments/search", params={"q": "x" * 101})

    assert (400, "Write at most 100 characters.") == (answer.status_code, answer.json()["fix"])


def merge(client: Client, one: str, **body: str) -> Any:
    return client.post(f"/v1/instruments/{one}/{'merge' if 'into' in body else 'unmerge'}", json=body)


def test_merged_records_are_one_instrument_until_that_is_taken_back(tmp_path: Path) -> None:
    """Either id and either ticker mean the one that stands for both; the bars stay where they are."""
    with asking(tmp_path) as client:
        _merged_and_apart(client)


def _merged_and_apart(client: Client) -> None:
    made = merge(client, SHOP_CA, into=SHOP_US, why="one share", actor="ann")
    assert 201 == made.status_code
    assert (f"/v1/instruments/{SHOP_US}", True, "ann") == (
        made.headers["location"], made.json()["stands"], made.json()["actor"]
    )  # fmt: skip

    told = client.get(f"/v1/instruments/{SHOP_CA}").json()
    assert (told["instrument_id"], told["records"]) == (SHOP_US, [SHOP_US, SHOP_CA])
    assert [(SHOP_CA, SHOP_US, True, "one share")] == [
        (one["instrument_id"], one["into"], one["stands"], one["why"]) for one in told["merges"]
    ]
    assert "was merged into" in client.get(f"/v1/instruments/{SHOP_CA}?format=text").text
    assert [(SHOP_US, "SHOP", "ticker")] == found(client, "shop")
    assert {SHOP_US} == {row["instrument_id"] for row in client.get("/v1/instruments?q=shop").json()["instruments"]}

    assert 201 == merge(client, SHOP_CA, why="two shares").status_code
    assert [SHOP_CA] == client.get(f"/v1/instruments/{SHOP_CA}").json()["records"]
    assert 2 == len(client.get(f"/v1/instruments/{SHOP_CA}").json()["merges"])


@pytest.mark.parametrize(
    ("one", "body", "status", "words"),
    [
        (SHOP_CA, {"into": SHOP_CA, "why": "w"}, 400, "into itself"),
        (SHOP_CA, {"into": "ins_none", "why": "w"}, 404, "search"),
        (SHOP_CA, {"into": SHOP_US, "why": " "}, 400, "1 to 1000 characters"),
        (SHOP_CA, {"into": " ", "why": "w"}, 400, "Name the record"),
        (SHOP_CA, {"into": SHOP_US, "why": "w", "actor": "a\nb"}, 400, "one line"),
        (SHOP_CA, {"why": "w"}, 400, "merged into none"),
        (SHOP_CA, {"into": SHOP_US}, 400, "JSON such as"),
    ],
)
def test_what_cannot_be_merged_is_refused(
    client: Client, one: str, body: dict[str, str], status: int, words: str
) -> None:
    """With the reason, and nothing is told."""
    answer = merge(client, one, **body)

    assert (status, True) == (answer.status_code, words in answer.json()["fix"])
    assert [] == client.get(f"/v1/instruments/{SHOP_CA}").json()["merges"]


def test_a_server_that_only_reads_takes_no_merge(tmp_path: Path) -> None:
    """It says so."""
    with asking(tmp_path, decides=False) as client:
        assert 503 == merge(client, SHOP_CA, into=SHOP_US, why="w").status_code
