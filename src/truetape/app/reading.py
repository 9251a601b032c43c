"""Reading the store of a data folder that no process owns."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from truetape.domain.errors import UnknownSymbol, WrongFolder
from truetape.ports.store import Selection, Store


@contextlib.asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Store]:
    """Give the store of the data folder `data`, read only, until the end of the block.

    Raises:
        WrongFolder: It is no data folder, or a process owns it.
    """
    from truetape.adapters.data_folder import STORE, read_marker, read_owner
    from truetape.adapters.duckdb_store import DuckdbStore

    if read_marker(data) is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    owner = read_owner(data)
    if owner:
        raise WrongFolder(path=str(data), reason=f"it is in use by {owner}. Stop that process first.")
    store = DuckdbStore(data / STORE, read_only=True)
    try:
        yield store
    finally:
        await store.close()


async def instrument_of(store: Store, symbol: str) -> str:
    """Return the id of the instrument that is listed as `symbol`, of several the one listed last.

    Raises:
        UnknownSymbol: There is none.
    """
    listings = await store.read("listings", Selection(columns=("instrument_id", "symbol", "valid_from")))
    found = listings.filter(listings["symbol"] == symbol).sort("valid_from", nulls_last=False)
    if found.is_empty():
        raise UnknownSymbol(symbol=symbol, known=listings["symbol"].unique().sort().to_list())
    return str(found["instrument_id"][-1])
