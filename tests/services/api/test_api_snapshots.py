"""Snapshots over HTTP: named once, looked up, and read at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from small_market import asking

Client = TestClient[Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with asking(tmp_path_factory.mktemp("api")) as client:
        for name, as_of in (("now", None), ("eod-2024-01-10", "2024-01-10")):
            made = client.post(
                "/v1/snapshots", json={"name": name, "as_of": as_of, "note": " as sold ", "actor": "ann"}
            )
            assert 201 == made.status_code, made.text
            assert f"/v1/snapshots/{name}" == made.headers["location"]
        yield client


def test_a_snapshot_says_what_it_stands_for(client: Client) -> None:
    """Each is found by its name, and stands in the list."""
    one = client.get("/v1/snapshots/eod-2024-01-10").json()
    text = client.get("/v1/snapshots/eod-2024-01-10?format=text").text
    listed = client.get("/v1/snapshots").json()["snapshots"]

    assert {
        "name": "eod-2024-01-10",
        "as_of": "2024-01-10T00:00:00Z",
        "store_version": 3,
        "created": "2024-01-15T00:00:00Z",
        "actor": "ann",
        "note": "as sold",
        "simulated": True,
    } == one
    assert "--snapshot eod-2024-01-10" in text
    assert "Its data are simulated." in text
    assert ["now", "eod-2024-01-10"] == [row["name"] for row in listed]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/bars?symbols=AAPL&start=2005-03-01&end=2005-03-01",
        "/v1/corporate-actions?symbols=AAPL",
        "/v1/index-levels?index=EW5",
        "/v1/instruments?symbols=AAPL",
        "/v1/explain/AAPL/2005-03-01?",
        "/v1/bars/stream?symbols=AAPL&format=csv",
    ],
)
def test_every_read_can_name_a_snapshot(client: Client, path: str) -> None:
    """It is answered as known then, and by the name `now` as now."""
    answers = [client.get(f"{path}&snapshot={name}") for name in ("now", "eod-2024-01-10")]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert all(name in answer.headers["truetape-receipt"] for name, answer in zip(("now", "eod"), answers, strict=True))


def test_a_snapshot_of_before_a_correction_shows_what_was_known(client: Client) -> None:
    """The bar was corrected on 2024-01-11; as_of may go further back than the snapshot."""
    asked = "/v1/bars?symbols=AAPL&start=2005-03-01&end=2005-03-01"
    closes = {
        more: [row["close"] for row in client.get(f"{asked}&{more}").json()["bars"]]
        for more in (
            "snapshot=now",
            "snapshot=eod-2024-01-10",
            "snapshot=now&as_of=2024-01-10T12:00:00Z",
            "snapshot=now&as_of=2024-01-09",
        )
    }

    assert [[46.5], [46.0], [46.0], []] == list(closes.values())


@pytest.mark.parametrize(
    ("path", "status", "parameter", "words"),
    [
        ("/v1/bars?symbols=AAPL&snapshot=eod-2024-01-11", 400, "snapshot", "the nearest first: eod-2024-01-10"),
        ("/v1/bars?symbols=AAPL&snapshot=EOD", 400, "snapshot", "small letters"),
        ("/v1/bars?symbols=AAPL&snapshot=eod-2024-01-10&as_of=2024-01-11", 400, "as_of", "later than 2024-01-10"),
        ("/v1/bars/stream?symbols=AAPL&snapshot=nothing", 400, "snapshot", "No snapshot has this name."),
        ("/v1/snapshots/nothing", 404, "id", "the nearest first: now, eod-2024-01-10"),
    ],
)
def test_questions_at_no_snapshot(client: Client, path: str, status: int, parameter: str, words: str) -> None:
    """The problem names the parameter and what may have been meant."""
    answer = client.get(path)

    assert (status, parameter) == (answer.status_code, answer.json()["parameter"])
    assert words in answer.json()["fix"]


@pytest.mark.parametrize(
    ("body", "status", "parameter"),
    [
        ({"name": "now"}, 409, "name"),
        ({"name": "Now"}, 400, "name"),
        ({"name": "x", "as_of": "yesterday"}, 400, "as_of"),
        ({"name": "x", "note": "n" * 1001}, 400, "note"),
        ({"name": "x", "actor": " "}, 400, "actor"),
        ({"name": "x", "actor": "a\x00b"}, 400, "actor"),
        ({"name": "x", "more": 1}, 400, "body"),
        ({}, 400, "body"),
        ([1], 400, "body"),
    ],
)
def test_names_that_cannot_be_given(client: Client, body: object, status: int, parameter: str) -> None:
    """Each is refused in words, and nothing is named."""
    answer = client.post("/v1/snapshots", json=body)

    assert (status, parameter) == (answer.status_code, answer.json()["parameter"])
    assert 2 == len(client.get("/v1/snapshots").json()["snapshots"])


def test_a_server_that_only_reads_names_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It says who does; and a body that is no JSON is refused by one that names."""
    with asking(tmp_path_factory.mktemp("reads"), decides=False) as client:
        answer = client.post("/v1/snapshots", json={"name": "x"})

    assert (503, "urn:truetape:problem:reads-only") == (answer.status_code, answer.json()["type"])


def test_a_cursor_of_another_store_is_refused(client: Client, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A store with fewer commits never was what the first page showed."""
    cursor = client.get("/v1/instruments?limit=1").json()["next"]
    with asking(tmp_path_factory.mktemp("fresh")) as other:
        answer = other.get(f"/v1/instruments?limit=1&cursor={cursor}")

    assert (400, "cursor") == (answer.status_code, answer.json()["parameter"])
    assert "start again" in answer.json()["fix"]
