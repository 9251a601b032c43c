"""Reading the store of a data folder: here, or through the platform that runs on it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from truetape.domain.errors import FolderInUse, UnknownSymbol, WrongFolder
from truetape.ports.store import Selection, Store


@contextlib.asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Store]:
    """Give the store of the data folder `data`, read only, until the end of the block.

    Raises:
        WrongFolder: It is no data folder.
        FolderInUse: A process without an API owns it.
    """
    from truetape.adapters.data_folder import read_marker, read_owner
    from truetape.app.store_choice import to_read

    if read_marker(data) is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    owner = read_owner(data)
    if owner is not None and owner.address:
        from truetape.app.remote_store import RemoteStore

        yield RemoteStore(owner.address)
        return
    if owner is not None:
        raise FolderInUse(path=str(data), owner=str(owner))
    store = to_read(data, os.environ)
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
