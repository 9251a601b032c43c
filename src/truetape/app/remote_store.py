"""The tables of a running platform, read over HTTP: for commands that need a store while another process has it."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import polars as pl
import pyarrow as pa

from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.ports.store import BATCH_ROWS, Selection
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.problem import Problem
from truetape.services.api.tables import PATH, VERSION

TIMEOUT_S: Final = 60.0
LARGEST_ERROR: Final = 1 << 20


class RemoteStore:
    """The store behind the API at `url`; it can be read and not be written."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._version = 0

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows, as the store does.

        Raises:
            StoreUnavailable: No answer came, or none of a truetape server.
            BadInput: The table or a column does not exist, or the selection makes no sense for it.
        """
        return await asyncio.to_thread(self._read, table, selection)

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield what `read` returns in frames of at most `rows` rows; here all of it is fetched first.

        Raises:
            StoreUnavailable, BadInput: As for `read`.
        """
        for frame in (await self.read(table, selection)).iter_slices(rows):
            yield frame

    async def commit(
        self,
        writes: Mapping[str, pl.DataFrame],  # noqa: ARG002  the port's
        *,
        withdrawals: Mapping[str, pl.DataFrame] | None = None,  # noqa: ARG002
    ) -> int:
        """Refuse to write: only the platform that owns the store does.

        Raises:
            StoreUnavailable: Always.
        """
        raise StoreUnavailable(path=self._url, reason="another process owns it, and this one only reads")

    def version(self) -> int:
        """Return the version of the store at the last read; 0 before."""
        return self._version

    def _read(self, table: str, selection: Selection) -> pl.DataFrame:
        parts = urlsplit(self._url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        wanted = urlencode({"selection": msgspec.json.encode(selection).decode()})
        try:
            connection.request("GET", f"{PATH}/{quote(table, safe='')}?{wanted}")
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise self._error(answer.status, answer.read(LARGEST_ERROR))
            if answer.headers.get_content_type() != MEDIA_TYPES["arrow"]:
                raise StoreUnavailable(path=self._url, reason="what answered is not a truetape server")
            with pa.ipc.open_stream(pa.PythonFile(answer, mode="r")) as batches:
                found = pl.DataFrame(batches.read_all())
            self._version = int(answer.headers.get(VERSION, "0"))
        except (OSError, http.client.HTTPException, pa.ArrowInvalid) as error:
            reason = f"no whole answer came ({str(error) or type(error).__name__})"
            raise StoreUnavailable(path=self._url, reason=reason) from None
        finally:
            connection.close()
        return found

    def _error(self, status: int, body: bytes) -> BadInput | StoreUnavailable:
        try:
            told = msgspec.json.decode(body, type=Problem)
        except msgspec.DecodeError:
            return StoreUnavailable(path=self._url, reason=f"it answered with status {status}")
        if told.parameter is not None:
            return BadInput(parameter=told.parameter, value=told.value, fix=told.fix or "")
        return StoreUnavailable(path=self._url, reason=told.detail.rstrip("."))
