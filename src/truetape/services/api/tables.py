"""Whole tables over HTTP, for the commands of an operator: what a store selects, as an Arrow stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.response import Stream

from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES, empty
from truetape.ports.store import Selection, Store
from truetape.services.api.flow import Flow
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.parameters import Parameter, read_parameters

PATH: Final = "/v1/tables"
VERSION: Final = "x-truetape-store-version"
LARGEST_SELECTION: Final = 1 << 16  # bytes
_WANTED: Final = Parameter(
    name="selection", about="Which rows, as the fields of a selection in JSON; without it all of them."
)

Asked = Request[Any, Any, Any]


def routes(*, store: Store) -> list[Any]:
    """Return the route of every table: rows with exactly its columns, or those of the selection, in its order."""

    @get(f"{PATH}/{{table:str}}")
    async def rows(request: Asked) -> Stream:
        table = request.path_params["table"]
        given = read_parameters(request.scope["query_string"], (_WANTED,), max_bytes=LARGEST_SELECTION)
        selection = selection_of(given.get("selection", "{}"))
        chunks = _written(store, table, selection)
        first = await anext(chunks)
        headers = {"x-content-type-options": "nosniff", "cache-control": "no-store", VERSION: str(store.version())}
        return Stream(_after(first, chunks), media_type=MEDIA_TYPES["arrow"], headers=headers)

    return [rows]


def selection_of(text: str) -> Selection:
    """Return the selection that `text` is in JSON.

    Raises:
        BadInput: It is none.
    """
    try:
        return msgspec.json.decode(text, type=Selection)
    except msgspec.DecodeError as error:
        fix = f'Write the fields of a selection as JSON, such as {{"columns": ["version"]}} ({error}).'
        raise BadInput(parameter="selection", value=text[:80], fix=fix) from None


async def _written(store: Store, table: str, selection: Selection) -> AsyncGenerator[bytes]:
    """Yield the bytes of the rows, at least once: the columns stand before the first of them.

    Raises:
        BadInput: The table or a column does not exist, or the selection makes no sense for it.
        StoreUnavailable: The store cannot be read now.
    """
    flow, begun = Flow("arrow"), False
    async for frame in store.stream(table, selection):
        yield await asyncio.to_thread(flow.write, frame)
        begun = True
    columns = TABLES[table].columns if table in TABLES else {}
    none = empty({name: columns[name] for name in selection.columns or columns})
    yield (b"" if begun else flow.write(none)) + flow.end()


async def _after(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with contextlib.aclosing(rest):
        yield first
        async for chunk in rest:
            yield chunk
