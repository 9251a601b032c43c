"""When something behind the api fails: callers get an id or a time to come back, operators get the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
import structlog
from litestar.exceptions import ClientException, InternalServerException
from litestar.testing import RequestFactory, TestClient

from room_doubles import FrameStore
from small_market import NOW_NS, tables
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.domain.errors import CorruptArchive, StoreUnavailable
from truetape.ports.store import Selection
from truetape.services.api.asking import Teller
from truetape.services.api.config import ApiConfig
from truetape.services.api.rest import Rest, build

CLOCK = SetClock(NOW_NS)


class Failing(FrameStore):
    """A store that raises `error` when it is read, if there is one."""

    def __init__(self) -> None:
        super().__init__(**tables())
        self.error: Exception | None = None

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        if self.error is not None:
            raise self.error
        return await super().read(table, Selection(equal=selection.equal, columns=selection.columns))


@pytest.fixture
def store() -> Failing:
    return Failing()


@pytest.fixture
def client(store: Failing) -> Iterator[TestClient[Any]]:
    app = build(
        store=store,
        archive=None,
        cache=MemoryCache(max_bytes=1 << 20, clock=CLOCK),
        clock=CLOCK,
        config=ApiConfig(max_cached_bytes=1000),
        readiness=lambda: {"start": "the rooms are still planning"},
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_a_store_that_cannot_be_read(client: TestClient[Any], store: Failing) -> None:
    """Callers are asked to come back; readiness says why; the process is alive all the same."""
    store.error = StoreUnavailable(path="/data", reason="no space left on device")
    bars, ready = client.get("/v1/bars?symbols=AAPL"), client.get("/readyz")

    assert (503, "1") == (bars.status_code, bars.headers["retry-after"])
    assert bars.json()["detail"] == "The store could not be read now."
    assert (503, "unavailable") == (ready.status_code, ready.json()["status"])
    assert "no space left" in ready.json()["troubles"]["store"]
    assert "planning" in ready.json()["troubles"]["start"]
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "error", [RuntimeError("secret detail"), CorruptArchive(path="secret path", reason="secret detail")]
)
def test_an_error_of_ours_has_an_id_that_is_logged(client: TestClient[Any], store: Failing, error: Exception) -> None:
    """The caller sees an id and no word of the error; the log has both."""
    store.error = error
    with structlog.testing.capture_logs() as logs:
        answer = client.get("/v1/bars?symbols=AAPL")

    (entry,) = logs
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert (entry["event"], entry["id"], entry["path"]) == ("api.failed", answer.json()["id"], "/v1/bars")
    assert "secret" in entry["error"]


def test_a_large_answer_is_not_kept(client: TestClient[Any]) -> None:
    """An answer above the bound is computed each time."""
    for _ in range(2):
        assert client.get("/v1/bars?symbols=AAPL").status_code == 200

    assert "truetape_api_kept_answers_total 0.0" in client.get("/metrics").text


def test_requests_that_the_framework_refuses() -> None:
    """What cannot even be read is a problem document too; the framework's own failures get an id."""
    teller = Teller(store=Failing(), archive=None, clock=CLOCK, config=ApiConfig())
    rest = Rest(teller, cache=MemoryCache(max_bytes=1, clock=CLOCK), config=ApiConfig())
    request = RequestFactory().get("/v1/bars")
    with structlog.testing.capture_logs() as logs:
        answers = [rest.on_http_error(request, error) for error in (ClientException(), InternalServerException())]

    assert [400, 500] == [answer.status_code for answer in answers]
    assert ["api.failed"] == [entry["event"] for entry in logs]
