"""The OpenAPI document keeps its word: whatever is asked within it is answered within it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from litestar import Litestar

from small_market import NOW_NS, fill
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.services.api.config import ApiConfig
from truetape.services.api.endpoints import endpoints
from truetape.services.api.openapi import document
from truetape.services.api.rest import build


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Litestar]:
    store = asyncio.run(fill(DuckdbStore(tmp_path_factory.mktemp("schema") / "store.duckdb")))
    clock = SetClock(NOW_NS)
    cache = MemoryCache(max_bytes=1 << 20, clock=clock)
    yield build(store=store, archive=None, cache=cache, clock=clock, config=ApiConfig(), readiness=dict)
    asyncio.run(store.close())


schema = schemathesis.openapi.from_dict(document(endpoints(ApiConfig()).values(), version="0"))


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_stay_within_the_document(case: schemathesis.Case, app: Litestar) -> None:
    """Status, form and shape of every answer are documented, and nothing makes the server fail."""
    schema.app = app
    case.call_and_validate()
