"""The REST interface: right answers in every form."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
import pytest
from litestar.testing import TestClient

from small_market import BODY, PAYLOAD, asking

Client = TestClient[Any]


@pytest.fixture(scope="module")
def troubles() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, troubles: dict[str, str]) -> Iterator[Client]:
    with asking(tmp_path_factory.mktemp("api"), readiness=lambda: troubles) as client:
        yield client


def bars(client: Client, **parameters: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/bars", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["bars"])


def test_bars_are_as_traded_unless_asked_otherwise(client: Client) -> None:
    """A plain question gives raw bars with their verdict, and says what it was made of."""
    answer = client.get("/v1/bars", params={"symbols": "AAPL", "start": "2005-02-25", "end": "2005-02-25"})

    told = answer.json()
    assert told["receipt"].pop("id")
    assert told == {
        "bars": [
            {
                "symbol": "AAPL",
                "ts_event": "2005-02-25T00:00:00Z",
                "open": 89.0,
                "high": 91.0,
                "low": 88.0,
                "close": 90.0,
                "volume": 110.0,
                "currency": "USD",
                "basis": "raw",
                "provider": "yahoo",
                "score": 1.0,
                "method": "consensus",
                "agreed": "iex_cloud,yahoo",
                "version": 1,
                "ts_known": "2024-01-10T00:00:00Z",
                "simulated": True,
                "derived_from": None,
            }
        ],
        "next": None,
        "receipt": {
            "store_version": 2,
            "as_of": "2024-01-15T00:00:00Z",
            "count": 1,
            "timeframe": "1d",
            "adjustment": "raw",
        },
    }


@pytest.mark.parametrize(
    ("adjustment", "closes"),
    [
        ("raw", [88.0, 90.0, 44.0, 46.5, 50.0, 49.0]),
        ("split", [44.0, 45.0, 44.0, 46.5, 50.0, 49.0]),
        ("all", [43.56, 44.55, 43.56, 46.035, 49.5, 49.0]),
    ],
)
def test_prices_are_adjusted_on_read(client: Client, adjustment: str, closes: list[float]) -> None:
    """Splits divide, dividends multiply, and the basis says which."""
    found = bars(client, symbols="AAPL", adjustment=adjustment)

    assert closes == pytest.approx([row["close"] for row in found], rel=1e-12)
    assert {adjustment} == {row["basis"] for row in found}


@pytest.mark.parametrize(
    ("as_of", "close"), [("2024-01-10", 46.0), ("2024-01-10T23:59:59%2B00:00", 46.0), ("2024-01-11", 46.5)]
)
def test_as_of_shows_what_was_known(client: Client, as_of: str, close: float) -> None:
    """Before the correction the old value stands, from its instant on the new one."""
    answer = client.get(f"/v1/bars?symbols=AAPL&start=2005-03-01&end=2005-03-01&as_of={as_of}")

    assert [close] == [row["close"] for row in answer.json()["bars"]]


def test_nothing_was_known_before_the_first_row(client: Client) -> None:
    """A question about a time before any data gives no rows, not an error."""
    assert [] == bars(client, symbols="AAPL", as_of="2020-01-01")


@pytest.mark.parametrize(
    ("timeframe", "expected"),
    [
        ("1w", [("2005-02-21", 87.0, 91.0, 86.0, 90.0, 210.0), ("2005-02-28", 43.0, 51.0, 42.0, 49.0, None)]),
        ("1mo", [("2005-02-01", 87.0, 91.0, 42.0, 44.0, 450.0), ("2005-03-01", 45.5, 51.0, 44.5, 49.0, None)]),
    ],
)
def test_longer_bars(client: Client, timeframe: str, expected: list[tuple[Any, ...]]) -> None:
    """Weeks are labelled with their Monday, months with the first; a sum that misses a session is no sum."""
    found = bars(client, symbols="AAPL", timeframe=timeframe)
    names = ("open", "high", "low", "close", "volume")

    assert expected == [(row["ts_event"][:10], *(row[name] for name in names)) for row in found]


def test_a_longer_bar_is_whole_or_left_out(client: Client) -> None:
    """A range that begins inside a week does not cut its bar in two: the bar belongs where its label is."""
    assert ["2005-02-28"] == [
        row["ts_event"][:10]
        for row in bars(client, symbols="AAPL", timeframe="1w", start="2005-02-25", end="2005-03-01")
    ]


@pytest.mark.parametrize(
    ("symbols", "start", "end"), [("FB", "2022-01-01", "2022-12-31"), ("META", "2022-06-01", "2022-06-30")]
)
def test_tickers_are_dated(client: Client, symbols: str, start: str, end: str) -> None:
    """The old ticker and the new one name one instrument with one history."""
    assert [196.0, 184.0] == [row["close"] for row in bars(client, symbols=symbols, start=start, end=end)]


def test_symbols_come_in_the_order_of_the_question(client: Client) -> None:
    """Rows stand symbol by symbol."""
    found = bars(client, symbols="META,AAPL,META")

    assert ["META"] * 2 + ["AAPL"] * 6 == [row["symbol"] for row in found]


@pytest.mark.parametrize("form", ["json", "csv", "arrow", "parquet"])
def test_every_form_says_the_same(client: Client, form: str) -> None:
    """The rows are equal in all forms, and the receipt comes along."""
    answer = client.get("/v1/bars", params={"symbols": "AAPL", "format": form, "adjustment": "split"})
    readers = {
        "json": lambda body: pl.DataFrame(json.loads(body)["bars"]),
        "csv": pl.read_csv,
        "arrow": pl.read_ipc_stream,
        "parquet": pl.read_parquet,
    }
    frame = readers[form](io.BytesIO(answer.content) if form != "json" else answer.content)

    assert [44.0, 45.0, 44.0, 46.5, 50.0, 49.0] == frame["close"].to_list()
    assert [100.0 * 2, 110.0 * 2, 240.0, 200.0, 220.0, None] == frame["volume"].to_list()
    if form in {"arrow", "parquet"}:
        assert frame.schema["ts_event"] == pl.Datetime("ns", "UTC")
        assert frame["ts_event"].dt.date()[0] == date(2005, 2, 24)
    if form != "json":
        assert json.loads(answer.headers["truetape-receipt"])["count"] == 6


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html, application/json;q=0.9, */*;q=0.1", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("application/json;q=0.2, application/vnd.apache.parquet;q=0.7", "application/vnd.apache.parquet"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
    ],
)
def test_accept_chooses_the_form(client: Client, accept: str, media_type: str) -> None:
    """The form with the greatest weight is sent."""
    answer = client.get("/v1/bars?symbols=AAPL", headers={"accept": accept})

    assert answer.headers["content-type"].partition(";")[0] == media_type


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/v1/bars?symbols=AAPL", "application/json"),
        ("/v1/bars?symbols=AAPL&format=csv", "text/csv; charset=utf-8"),
        ("/v1/explain/AAPL/2005-02-25?format=text", "text/plain; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
        ("/metrics", "text/plain; version=1.0.0; charset=utf-8"),
    ],
)
def test_texts_name_their_encoding_once(client: Client, path: str, content_type: str) -> None:
    """The content type is as the standards write it."""
    assert content_type == client.get(path).headers["content-type"]


def test_the_parameter_wins_over_accept(client: Client) -> None:
    """format= is stronger than the header."""
    answer = client.get("/v1/bars?symbols=AAPL&format=csv", headers={"accept": "application/json"})

    assert answer.text.startswith("symbol,ts_event,open,")


@pytest.mark.parametrize("parameters", [{"timeframe": "1d"}, {"timeframe": "1w"}, {"adjustment": "all"}])
def test_pages_add_up_to_the_whole(client: Client, parameters: dict[str, str]) -> None:
    """Following `next` with two rows a page gives every row once, in order."""
    asked = {"symbols": "AAPL,META", **parameters}
    whole = bars(client, **asked)
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/bars", params={**asked, **cursor, "limit": "2"}).json()
        assert len(page["bars"]) <= 2
        found += page["bars"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert whole == found


def test_instruments_can_be_searched_and_paged(client: Client) -> None:
    """Part of a name is enough; pages add up."""
    assert ["AAPL"] == [row["symbol"] for row in client.get("/v1/instruments?q=apple%20i").json()["instruments"]]
    named = client.get("/v1/instruments?symbols=FB,AAPL").json()["instruments"]
    assert ["AAPL", "FB", "META"] == [row["symbol"] for row in named]
    first = client.get("/v1/instruments?limit=3").json()
    second = client.get("/v1/instruments", params={"limit": "3", "cursor": first["next"]}).json()
    assert ["AAPL", "FB", "META"] == [row["symbol"] for row in first["instruments"]]
    assert ["XNYS", "XTSE"] == [row["mic"] for row in second["instruments"]]
    assert second["next"] is None


def test_corporate_actions(client: Client) -> None:
    """Splits and dividends come by ex-date, in their range."""
    found = client.get("/v1/corporate-actions?symbols=AAPL&start=2005-03-01").json()["actions"]

    assert [("AAPL", "2005-03-03", "dividend", 0.5, "USD")] == [
        (row["symbol"], row["ex_date"], row["type"], row["value"], row["currency"]) for row in found
    ]


def test_index_levels(client: Client) -> None:
    """An index has its levels; an unknown one is told the known ones."""
    found = client.get("/v1/index-levels?index=EW5&end=2005-02-25").json()["levels"]
    unknown = client.get("/v1/index-levels?index=EW6").json()

    assert [100.0, 102.0] == [row["level"] for row in found]
    assert (unknown["status"], unknown["fix"]) == (400, "Known indices: EW5.")
    assert client.get("/v1/index-levels?index=EW5&end=1999-01-01").json()["levels"] == []


def test_explanation_in_json_and_in_words(client: Client) -> None:
    """Both forms come from the same path; the archive vouches for its payload."""
    told = client.get("/v1/explain/AAPL/2005-02-25").json()
    words = client.get("/v1/explain/AAPL/2005-02-25T12:00:00Z?format=text").text

    assert {"iex_cloud": None, "yahoo": len(BODY), "finnhub": None} == {
        claim["provider"]: claim["payload_bytes"] for claim in told["claims"]
    }
    assert told["verdict"]["payload"] == PAYLOAD
    assert "hundredfold" in words


def test_operators_see_life_readiness_and_metrics(client: Client, troubles: dict[str, str]) -> None:
    """Troubles of the rooms are named and do not stop answers; metrics have no label that a caller writes."""
    for path in ("/v1/bars?symbols=AAPL", "/v1/bars?symbols=AAPL&start=secret", "/secret"):
        client.get(path)
    ready = client.get("/readyz").json()
    troubles["provider yahoo"] = "throttled"
    degraded = client.get("/readyz")
    troubles.clear()
    text = client.get("/metrics").text

    assert client.get("/healthz").json()["status"] == "alive"
    assert {"status": "ready", "troubles": {}} == ready
    assert (200, "degraded") == (degraded.status_code, degraded.json()["status"])
    assert 'truetape_api_requests_total{route="/v1/bars",status="200"}' in text
    assert 'truetape_api_requests_total{route="/v1/bars",status="400"}' in text
    assert 'truetape_api_requests_total{route="other",status="404"}' in text
    assert "truetape_store_version 2.0" in text
    assert "secret" not in text


def test_the_same_question_is_answered_from_the_cache(client: Client) -> None:
    """A kept answer is the same, byte for byte."""
    first = client.get("/v1/bars?symbols=AAPL&end=2005-03-02")
    before = _kept(client)
    second = client.get("/v1/bars?symbols=AAPL&end=2005-03-02")

    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"]
    assert _kept(client) == before + 1


def test_documentation_needs_no_network(client: Client) -> None:
    """The page names every path and loads nothing from elsewhere; the schema lists every parameter."""
    page = client.get("/docs")
    schema = client.get("/openapi.json").json()

    assert all(path in page.text for path in schema["paths"] if path.startswith("/v1/"))
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    names = [parameter["name"] for parameter in schema["paths"]["/v1/bars"]["get"]["parameters"]]
    assert [
        "symbols",
        "timeframe",
        "start",
        "end",
        "adjustment",
        "anchor",
        "currency",
        "fixing",
        "as_of",
        "snapshot",
        "format",
        "limit",
        "cursor",
    ] == names


def _kept(client: Client) -> float:
    text = client.get("/metrics").text
    line = next(line for line in text.splitlines() if line.startswith("truetape_api_kept_answers_total"))
    return float(line.split()[1])
