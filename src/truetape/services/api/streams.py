"""Bars in one go: read in frames, written as they come, in memory that does not grow with the answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from truetape.domain.errors import StoreUnavailable, Terminal
from truetape.domain.schema import TABLES, Schema, empty
from truetape.domain.time import iso
from truetape.ports.store import BATCH_ROWS, Selection
from truetape.services.api.adjusting import Adjusting
from truetape.services.api.answers import BAR, DERIVED_FROM, Answers, factors_used
from truetape.services.api.asking import Teller
from truetape.services.api.currency import FX, in_currency
from truetape.services.api.directory import Listing
from truetape.services.api.flow import Flow
from truetape.services.api.query import BarsQuery, bars_query
from truetape.services.api.reading import Reading
from truetape.services.api.receipts import Question, digest_of, gone
from truetape.services.api.render import Receipt
from truetape.services.api.timeframes import source_of

COLUMNS: Final = {
    "symbol": pl.String(),
    **{name: TABLES["bars"].columns[name] for name in BAR},
    DERIVED_FROM: pl.String(),
}
PATIENCE_S: Final = 60.0  # with a reader who does not read
LEFT: Final = "The store was rebuilt or set back since: its bytes begin otherwise."


@dataclass(frozen=True)
class Streamed:
    """An answer that is still being made: what it is made of, and its bytes."""

    receipt: Receipt
    chunks: AsyncGenerator[bytes]  # to be closed when they are not wanted any more


class Streams:
    """Answer questions about bars without pages."""

    def __init__(self, teller: Teller, *, rows: int = BATCH_ROWS, patience_s: float = PATIENCE_S) -> None:
        self._teller = teller
        self._rows = rows
        self._patience_s = patience_s

    async def bars(self, question: Question) -> Streamed:
        """Return the answer to `question`, whose parameters were checked; its first rows are read already.

        Raises:
            UnknownSymbol, BadInput: It cannot be answered.
            StoreUnavailable: The store cannot be read now.
        """
        query = bars_query(question.given, self._teller.config)
        reading, _ = await self._teller.reading(query, None)
        return await self._begun(question, query, reading)

    async def again(self, receipt: str) -> Streamed:
        """Return the answer that `receipt` is the id of.

        Raises:
            BadInput: It is no receipt.
            GoneAnswer: The store is not the same any more.
            StoreUnavailable: The store cannot be read now.
        """
        slip, endpoint = self._teller.slip(receipt)
        query = bars_query(slip.question.given, self._teller.config)
        try:
            streamed = await self._begun(slip.question, query, self._teller.reading_of(slip))
        except Terminal:
            raise gone(receipt, slip, path=endpoint.path, why=LEFT) from None
        if streamed.receipt.id != receipt:
            await streamed.chunks.aclose()
            raise gone(receipt, slip, path=endpoint.path, why=LEFT)
        return streamed

    async def frames(self, query: BarsQuery) -> AsyncGenerator[pl.DataFrame]:
        """Yield the bars that `query` asks for, columns COLUMNS, in frames of a bounded number of rows, at least one.

        Raises:
            UnknownSymbol, BadInput: It cannot be answered.
            StoreUnavailable: The store cannot be read now.
        """
        reading, _ = await self._teller.reading(query, None)
        listings = await self._listings(query, reading)
        adjusting = await self._adjusting(query, listings, reading)
        begun = False
        async with contextlib.aclosing(self._rows_of(query, listings, adjusting, reading)) as frames:
            async for frame in frames:
                yield frame
                begun = True
        if not begun:
            yield empty(columns_of(query))

    async def _begun(self, question: Question, query: BarsQuery, reading: Reading) -> Streamed:
        listings = await self._listings(query, reading)
        adjusting = await self._adjusting(query, listings, reading)
        rows = self._rows_of(query, listings, adjusting, reading)
        chunks = _written(rows, form=question.form, rows=self._rows, columns=columns_of(query))
        first = await anext(chunks)
        receipt = Receipt(
            store_version=reading.version,
            as_of=iso(reading.told),
            timeframe=query.timeframe,
            adjustment=query.adjustment,
            factors=factors_used(adjusting.used),
        )
        signed = self._teller.signed(receipt, question, reading, digest_of(first))
        return Streamed(signed, _after(first, chunks, patience_s=self._patience_s))

    async def _listings(self, query: BarsQuery, reading: Reading) -> list[Listing]:
        directory = await self._teller.shelf.directory(reading)
        return [directory.find(symbol, start=query.start, end=query.end) for symbol in query.symbols]

    async def _adjusting(self, query: BarsQuery, listings: list[Listing], reading: Reading) -> Adjusting:
        """Return what adjusts the bars; of which factors it makes use is known before the first of them."""
        adjusting = Adjusting(reading, self._teller.shelf)
        for one in listings if query.adjustment != "raw" else ():
            await adjusting.factors(one.instrument_id)
        return adjusting

    async def _rows_of(
        self, query: BarsQuery, listings: list[Listing], adjusting: Adjusting, reading: Reading
    ) -> AsyncGenerator[pl.DataFrame]:
        for symbol, listing in zip(query.symbols, listings, strict=True):
            is_stored = await source_of(reading, listing.instrument_id, query.timeframe) == query.timeframe
            read = self._series if is_stored else self._derived
            async with contextlib.aclosing(read(query, symbol, listing.instrument_id, reading)) as frames:
                async for frame in frames:
                    bars = await adjusting.adjusted(frame, listing.instrument_id, query) if is_stored else frame
                    if query.currency and is_stored:
                        about = {"timeframe": query.timeframe, "currency": query.currency, "fixing": query.fixing}
                        bars = (await in_currency(reading, bars, mic=listing.mic, **about)).bars
                    yield bars.with_columns(pl.lit(symbol).alias("symbol")).select(list(columns_of(query)))

    async def _series(
        self, query: BarsQuery, _: str, instrument: str, reading: Reading
    ) -> AsyncGenerator[pl.DataFrame]:
        wanted = Selection(
            equal={"instrument_id": (instrument,), "timeframe": (query.timeframe,)},
            start=query.start,
            end=query.end,
            as_of=reading.as_of,
            columns=BAR,
        )
        async with contextlib.aclosing(reading.stream("bars", wanted, rows=self._rows)) as frames:
            async for frame in frames:
                yield frame.with_columns(pl.lit(None, dtype=pl.String).alias(DERIVED_FROM))

    async def _derived(self, query: BarsQuery, symbol: str, _: str, reading: Reading) -> AsyncGenerator[pl.DataFrame]:
        """Yield the bars of one instrument that finer ones make up, in frames of about so many rows."""
        one = replace(query, symbols=(symbol,), as_of=None)
        position = None
        while True:
            page = await Answers(reading, self._teller.shelf).bars(one, limit=self._rows, position=position)
            yield page.frame
            position = page.following
            if position is None:
                return


def columns_of(query: BarsQuery) -> Schema:
    """Return the columns of the answer to `query`."""
    return {**COLUMNS, **FX} if query.currency else COLUMNS


async def _written(
    frames: AsyncGenerator[pl.DataFrame], *, form: str, rows: int, columns: Schema = COLUMNS
) -> AsyncGenerator[bytes]:
    """Yield the bytes of `frames`, at least once; equal rows are equal bytes, however they are cut into frames."""
    flow = Flow(form)
    begun = False
    async with contextlib.aclosing(_even(frames, rows=rows)) as even:
        async for frame in even:
            yield await asyncio.to_thread(flow.write, frame)
            begun = True
    ending = b"" if begun else flow.write(empty(columns))
    yield ending + flow.end()


async def _even(frames: AsyncGenerator[pl.DataFrame], *, rows: int) -> AsyncGenerator[pl.DataFrame]:
    """Yield the same rows in frames of exactly `rows`, but for the last."""
    held: list[pl.DataFrame] = []
    async with contextlib.aclosing(frames):
        async for frame in frames:
            held.append(frame)
            while sum(map(len, held)) >= rows:
                together = pl.concat(held)
                yield together.head(rows)
                held = [together.slice(rows)]
    if sum(map(len, held)):
        yield pl.concat(held)


async def _after(first: bytes, rest: AsyncGenerator[bytes], *, patience_s: float) -> AsyncGenerator[bytes]:
    """Yield `first` and `rest`; what is read is given back when nobody has asked for more for `patience_s` seconds."""
    loop = asyncio.get_running_loop()
    left: list[asyncio.Task[None]] = []
    chunk: bytes | None = first
    async with contextlib.aclosing(rest):
        while chunk is not None:
            waiting = loop.call_later(patience_s, lambda: left.append(asyncio.ensure_future(rest.aclose())))
            try:
                yield chunk
            finally:
                waiting.cancel()
            if left:
                reason = f"nobody read the answer for {patience_s:g} s"
                raise StoreUnavailable(path="the stream", reason=reason)
            chunk = await anext(rest, None)
