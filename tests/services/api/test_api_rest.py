"""The REST interface: right answers, and errors that help."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl
import pytest
from litestar.testing import TestClient

from small_market import BODY, NOW_NS, PAYLOAD, fill
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.services.api.config import ApiConfig
from truetape.services.api.rest import build

Client = TestClient[Any]


@pytest.fixture(scope="module")
def troubles() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, troubles: dict[str, str]) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("api")
    store = asyncio.run(fill(DuckdbStore(folder / "store.duckdb")))
    archive = FileArchive(folder / "archive")
    archive.put(BODY)
    clock = SetClock(NOW_NS)
    app = build(
        store=store,
        archive=archive,
        cache=MemoryCache(max_bytes=1 << 20, clock=clock),
        clock=clock,
        config=ApiConfig(max_symbols=3, max_limit=50, default_limit=20),
        readiness=lambda: troubles,
    )
    with TestClient(app) as client:
        yield client
    asyncio.run(store.close())
    archive.close()


def bars(client: Client, **parameters: str) -> list[dict[str, Any]]:
    answer = client.get("/v1/bars", params=parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["bars"])


def test_bars_are_as_traded_unless_asked_otherwise(client: Client) -> None:
    """A plain question gives raw bars with their verdict, and says what it was made of."""
    answer = client.get("/v1/bars", params={"symbols": "AAPL", "start": "2005-02-25", "end": "2005-02-25"})

    assert answer.json() == {
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
        ("1w", [("2005-02-24", 87.0, 91.0, 86.0, 90.0, 210.0), ("2005-02-28", 43.0, 51.0, 42.0, 49.0, None)]),
        ("1mo", [("2005-02-24", 87.0, 91.0, 42.0, 44.0, 450.0), ("2005-03-01", 45.5, 51.0, 44.5, 49.0, None)]),
    ],
)
def test_longer_bars(client: Client, timeframe: str, expected: list[tuple[Any, ...]]) -> None:
    """Weeks and months are labelled by their first session; a sum that misses a session is no sum."""
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
    frame = readers[form](io.BytesIO(answer.content) if form != "json" else answer.content)  # type: ignore[operator]

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
    client.get("/v1/bars?symbols=AAPL&start=secret")
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
    assert ["symbols", "timeframe", "start", "end", "adjustment", "as_of", "format", "limit", "cursor"] == names


def _kept(client: Client) -> float:
    text = client.get("/metrics").text
    line = next(line for line in text.splitlines() if line.startswith("truetape_api_kept_answers_total"))
    return float(line.split()[1])
