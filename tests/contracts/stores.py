"""The stores that keep the contract of stores: how a fresh place for each is made, and opened as often as wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final, Protocol

import pytest
from carried_store import CarriedStore
from database_places import DatabasePlace

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.ports.store import Store


class OpenStore(Store, Protocol):
    """A store that is given back in the end."""

    async def close(self) -> None:
        """Finish what was begun and give everything back."""
        ...


class Open(Protocol):
    """Opens the store of one place."""

    def __call__(self, *, read_only: bool = False) -> OpenStore:
        """Return it, made if it is missing."""
        ...


def _duckdb(request: pytest.FixtureRequest) -> Open:
    """Return how a file in a folder of its own is opened."""
    folder = request.getfixturevalue("tmp_path_factory").mktemp("store")
    return partial(DuckdbStore, folder / "truetape.duckdb")


def _carried(request: pytest.FixtureRequest) -> Open:
    """Return how a store is opened whose rows move to cold files after every second commit."""
    folder = request.getfixturevalue("tmp_path_factory").mktemp("tiers")
    return partial(CarriedStore, folder, [0])


def _postgres(request: pytest.FixtureRequest) -> Open:
    """Return how a store in a PostgreSQL without TimescaleDB is opened."""
    return DatabasePlace(request.getfixturevalue("postgres").dsn)


def _timescale(request: pytest.FixtureRequest) -> Open:
    """Return how a store in a TimescaleDB is opened."""
    return DatabasePlace(request.getfixturevalue("timescale").dsn)


# Each makes a place where no store has been, and returns how the store there is opened. What a place needs, such as a
# server, is a fixture of the session that it asks the request for, so that nobody else waits for it.
STORES: Final[dict[str, Callable[[pytest.FixtureRequest], Open]]] = {
    "duckdb": _duckdb,
    "tiers": _carried,
    "postgres": _postgres,
    "timescale": _timescale,
}


async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """Open the one store of a test, as often as wanted; it is closed in the end. Each of STORES is its `param`."""
    open_store = STORES[request.param](request)
    built: list[OpenStore] = []

    def make(*, read_only: bool = False) -> OpenStore:
        built.append(open_store(read_only=read_only))
        return built[-1]

    yield make
    for store in built:
        await store.close()
