"""What tests of several files of this folder use."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from stores import STORES, Open, OpenStore


@pytest.fixture(params=list(STORES))
async def build(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Open the one store of this test, as often as wanted; it is closed in the end."""
    open_store = STORES[request.param](request)
    built: list[OpenStore] = []

    def make(*, read_only: bool = False) -> OpenStore:
        built.append(open_store(read_only=read_only))
        return built[-1]

    yield make
    for store in built:
        await store.close()
