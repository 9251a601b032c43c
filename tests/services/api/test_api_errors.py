"""Bad questions to the REST interface: each gets a document that names the parameter, the value and the fix."""

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
        yield client


@pytest.mark.parametrize(
    ("question", "status", "parameter", "value", "fix"),
    [
        ("/v1/bars", 400, "symbols", None, "symbols=AAPL,MSFT"),
        ("/v1/bars?symbols=", 400, "symbols", "", "leave it out"),
        ("/v1/bars?symbols=AAPL,,META", 400, "symbols", "AAPL,,META", "single commas"),
        ("/v1/bars?symbols=A,B,C,D", 400, "symbols", "4 symbols", "At most 3"),
        ("/v1/bars?symbols=AAPL&strat=2005-01-01", 400, "strat", "2005-01-01", "Did you mean 'start'?"),
        ("/v1/bars?symbols=AAPL&symbols=META", 400, "symbols", "META", "symbols=A,B"),
        ("/v1/bars?symbols=AAPL&start=yesterday", 400, "start", "yesterday", "YYYY-MM-DD"),
        ("/v1/bars?symbols=AAPL&start=2005-02-30", 400, "start", "2005-02-30", "YYYY-MM-DD"),
        ("/v1/bars?symbols=AAPL&start=2005-03-02&end=2005-03-01", 400, "start", "2005-03-02", "swap"),
        ("/v1/bars?symbols=AAPL&as_of=2005-03-02T10:00:00", 400, "as_of", "2005-03-02T10:00:00", "zone is missing"),
        ("/v1/bars?symbols=AAPL&as_of=0001-01-01T00:00:00%2B10:00", 400, "as_of", "0001-01-01T00:00:00+10:00", "1678"),
        ("/v1/bars?symbols=AAPL&timeframe=1D", 400, "timeframe", "1D", "Did you mean '1d'?"),
        ("/v1/bars?symbols=AAPL&adjustment=both", 400, "adjustment", "both", "raw, split, all"),
        ("/v1/bars?symbols=AAPL&limit=51", 400, "limit", "51", "from 1 to 50"),
        ("/v1/bars?symbols=AAPL&limit=0", 400, "limit", "0", "from 1 to 50"),
        ("/v1/bars?symbols=AAPL&limit=-1", 400, "limit", "-1", "from 1 to 50"),
        ("/v1/bars?symbols=AAPL&cursor=xyz", 400, "cursor", "xyz", "leave it out"),
        ("/v1/bars?symbols=AAPL&cursor=%C3%A9", 400, "cursor", "é", "leave it out"),
        ("/v1/bars?symbols=APPL", 404, "symbol", "APPL", "AAPL"),
        ("/v1/bars?symbols=SHOP", 400, "symbols", "SHOP", "ins_shop_us (XNYS), ins_shop_ca (XTSE)"),
        ("/v1/bars?symbols=" + "A" * 41, 400, "symbols", "A" * 41, "single commas"),
        ("/v1/bars?symbols=AAPL&" + "q" * 5000, 400, "the query string", "5013 bytes", "4096"),
        ("/v1/bars?" + "&".join(f"p{n}=1" for n in range(40)), 400, "the query string", "too many parameters", "32"),
        ("/v1/instruments?q=" + "x" * 101, 400, "q", "x" * 100 + "...", "100"),
        ("/v1/explain/AAPL/monday", 400, "ts", "monday", "YYYY-MM-DD"),
        ("/v1/explain/AAPL/2005-02-25T10:00", 400, "ts", "2005-02-25T10:00", "zone"),
        ("/v1/explain/NOPE/2005-02-25", 404, "symbol", "NOPE", "AAPL"),
        ("/v1/explain/" + "A" * 41 + "/2005-02-25", 400, "symbol", "A" * 41, "one symbol"),
        ("/v1/explain/AAPL/2005-02-25?format=csv", 400, "format", "csv", "json, text"),
    ],
)
def test_errors_name_the_parameter_the_value_and_the_fix(
    client: Client, question: str, status: int, parameter: str, value: str | None, fix: str
) -> None:
    """Every bad question gets a problem document with the way out."""
    answer = client.get(question)
    told = answer.json()

    assert answer.headers["content-type"] == "application/problem+json"
    assert (status, status, parameter, value) == (
        answer.status_code,
        told["status"],
        told["parameter"],
        told.get("value"),
    )
    assert fix in told["fix"]
    assert "Traceback" not in answer.text


def test_a_cursor_belongs_to_its_question(client: Client) -> None:
    """Another question, or a changed letter, is refused."""
    cursor = client.get("/v1/bars?symbols=AAPL&limit=2").json()["next"]
    other = client.get("/v1/bars", params={"symbols": "META", "cursor": cursor})
    changed = client.get(
        "/v1/bars", params={"symbols": "AAPL", "cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "B")}
    )

    assert [400, 400] == [other.status_code, changed.status_code]


def test_an_unacceptable_form_is_refused(client: Client) -> None:
    """The answer lists what could be had."""
    answer = client.get("/v1/bars?symbols=AAPL", headers={"accept": "image/png;q=x, application/json;q=0"})

    assert answer.status_code == 406
    assert "text/csv" in answer.json()["fix"]


def test_nothing_can_be_written(client: Client) -> None:
    """Every method but GET is refused with a problem document."""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = client.request(method, "/v1/bars?symbols=AAPL")
        assert (405, "GET") == (answer.status_code, answer.headers["allow"])
        assert answer.json()["value"] == method


def test_an_unknown_path_lists_the_known_ones(client: Client) -> None:
    """Lost callers find their way."""
    answer = client.get("/v2/bars")

    assert answer.status_code == 404
    assert "/v1/bars" in answer.json()["fix"]
