"""How bars are answered, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from small_market import asking

Client = TestClient[Any]
PLAN = "/v1/bars/plan"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with asking(tmp_path_factory.mktemp("api")) as client:
        yield client


def test_a_plan_says_what_was_read(client: Client) -> None:
    """Six bars and two factors of the store, at its version, in some time; it is not to be kept."""
    answer = client.get(f"{PLAN}?symbols=AAPL&adjustment=all")
    plan = answer.json()
    bars, factors, listings = plan["sources"]
    assert {"place": "store", "table": "bars", "reads": 1, "rows": 6, "files": 0, "bytes": 0, "why": ""} == bars
    assert ("factors", 2) == (factors["table"], factors["rows"])
    assert "listings" == listings["table"]
    assert (6, True, 2, []) == (plan["rows"], plan["is_whole"], plan["store_version"], plan["hints"])
    assert 0 < plan["seconds"] < 60
    assert "2024-01-15T00:00:00Z" == plan["as_of"]
    assert "no-store" == answer.headers["cache-control"]


def test_a_plan_is_of_what_is_asked(client: Client) -> None:
    """A range, and another instrument."""
    plan = client.get(f"{PLAN}?symbols=AAPL,META&start=2005-03-01&end=2022-06-08").json()
    assert (4, 2) == (plan["rows"], plan["sources"][0]["reads"])


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [("symbols=NONE", 404, "symbol"), ("symbols=AAPL&limit=5", 400, "limit"), ("", 400, "symbols")],
)
def test_what_cannot_be_planned(client: Client, query: str, status: int, parameter: str) -> None:
    """It is refused as the bars themselves are; pages and forms are not planned."""
    answer = client.get(f"{PLAN}?{query}")
    assert (status, parameter) == (answer.status_code, answer.json().get("parameter"))


def test_the_document_tells_of_it(client: Client) -> None:
    """With the parameters of the bars, but for form and page."""
    operation = client.get("/openapi.json").json()["paths"][PLAN]["get"]
    names = {one["name"] for one in operation["parameters"]}
    assert {"symbols", "start", "end", "timeframe", "adjustment", "as_of", "snapshot"} <= names
    assert not names & {"limit", "cursor", "format"}
