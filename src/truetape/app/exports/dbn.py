"""Bars as a DBN file: fixed records, prices in whole billionths, and which ticker meant which number when.

The layout is that of version 2 of the Databento Binary Encoding. `ts_event` is the beginning of a bar; that of a daily
bar is 00:00 UTC of its session's date. Instruments are numbered from 1 in the order in which they were asked for: the
numbers mean something in their file only. The dataset is called after what prices are adjusted for: TRUETAPE.RAW.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import polars as pl

from truetape.app.exports.series import NO_PRICE, NO_VOLUME, PRICES, Losses, Member, Series
from truetape.domain.errors import BadInput
from truetape.domain.time import DAY_NS

BAR: Final = np.dtype(
    [
        ("length", "u1"),  # of the record, in words of 4 bytes
        ("rtype", "u1"),
        ("publisher_id", "<u2"),
        ("instrument_id", "<u4"),
        ("ts_event", "<u8"),
        *((name, "<i8") for name in PRICES),
        ("volume", "<u8"),
    ]
)
SCHEMAS: Final = {"1m": 6, "1h": 7, "1d": 8, "trades": 4}  # their numbers
RTYPES: Final = {"1m": 0x21, "1h": 0x22, "1d": 0x23}
SCALE: Final = 1e9

_VERSION: Final = 2
_SYMBOL_BYTES: Final = 71
_HEAD: Final = struct.Struct("<16sHQQQBBBH53x")
_RAW_SYMBOL, _INSTRUMENT_ID = 1, 0
_NO_END: Final = (1 << 64) - 1
_MOST: Final = float(1 << 63) / SCALE
_BLOCK: Final = 1 << 16  # records that are copied at a time
_ROUNDED: Final = "Volumes that are no whole numbers and stand rounded: {}."
_DAY: Final = timedelta(days=1)


class DbnSink:
    """One DBN file of bars, in the order of time over all instruments; zstd-compressed where it is to be packed.

    Records are gathered in a file beside it, so that memory holds 16 bytes of each at most.
    """

    record: np.dtype[Any] = BAR

    def __init__(self, path: Path, *, members: Sequence[Member], schema: int, basis: str, packed: bool) -> None:
        self._losses = Losses()
        self._path = path
        self._numbers = {one.instrument_id: number for number, one in enumerate(members, start=1)}
        self._members = members
        self._schema = schema
        self._basis = basis
        self._packed = packed
        self._gathered = path.with_name(f"{path.name}.records")
        self._file: IO[bytes] = self._gathered.open("wb")
        self._first, self._last = _NO_END, 0

    @property
    def notes(self) -> list[str]:
        """What the form could not hold as it was."""
        return self._losses.told()

    def add(self, series: Series) -> int:
        """Gather the rows of a series."""
        records = self.records(series)
        records["length"] = self.record.itemsize // 4
        records["instrument_id"] = self._numbers[series.member.instrument_id]
        self._file.write(records.tobytes())
        if len(records):
            self._first = min(self._first, int(records["ts_event"][0]))
            self._last = max(self._last, int(records["ts_event"][-1]))
        return len(records)

    def records(self, series: Series) -> Any:
        """Return the bars of a series as records, without what all records have."""
        bars = series.priced()
        self._losses.count(NO_PRICE, len(series.bars) - len(bars))
        records = np.zeros(len(bars), BAR)
        records["rtype"] = RTYPES[series.timeframe]
        records["ts_event"] = bars["ts_event"].to_physical().to_numpy()
        for name in PRICES:
            records[name] = fixed(bars[name], symbol=series.member.symbol)
        records["volume"] = self.whole(bars["volume"])
        return records

    def whole(self, sizes: pl.Series) -> Any:
        """Return volumes as whole numbers; what is lost is counted."""
        self._losses.count(NO_VOLUME, sizes.null_count())
        self._losses.count(_ROUNDED, int((sizes != sizes.round()).sum()))
        return sizes.fill_null(0.0).round().cast(pl.UInt64).to_numpy()

    def finish(self) -> None:
        """Write the file: the metadata, and every record in the order of time."""
        self._file.close()
        with self._opened() as file:
            file.write(self._metadata())
            for block in _in_time(self._gathered, self.record):
                file.write(block)

    def close(self) -> None:
        """Close the file of gathered records, and remove it."""
        self._file.close()
        self._gathered.unlink(missing_ok=True)

    def _opened(self) -> AbstractContextManager[Any]:
        import pyarrow as pa

        if self._packed:
            return pa.CompressedOutputStream(str(self._path), "zstd")  # type: ignore[no-any-return]
        return self._path.open("wb")

    def _metadata(self) -> bytes:
        first = self._first if self._first != _NO_END else 0
        end = self._last + 1 if self._last else 0
        dataset = f"TRUETAPE.{self._basis.upper()}".encode()
        head = _HEAD.pack(*(dataset, self._schema, first, end, 0, _RAW_SYMBOL, _INSTRUMENT_ID, 0, _SYMBOL_BYTES))
        days = (_date(first), _date(self._last) + _DAY)
        mapped = _mappings(self._members, self._numbers, *days) if end else {}
        body = head + struct.pack("<I", 0) + _texts(mapped) + _texts(()) + _texts(()) + _written(mapped)
        body += bytes(-(8 + len(body)) % 8)
        return b"DBN" + struct.pack("<BI", _VERSION, len(body)) + body


Mapped = dict[str, list[tuple[date, date, int]]]


def _mappings(members: Iterable[Member], numbers: dict[str, int], first: date, end: date) -> Mapped:
    """Return, by ticker, from which day until which (exclusive) it means which number."""
    found: Mapped = {}
    for member in members:
        for era in member.listed():
            begins, ends = max(era.first, first), min(era.last, end - _DAY) + _DAY
            if begins < ends:
                found.setdefault(era.symbol, []).append((begins, ends, numbers[member.instrument_id]))
    return {symbol: sorted(spans) for symbol, spans in found.items()}


def _written(mapped: Mapped) -> bytes:
    parts = [struct.pack("<I", len(mapped))]
    for symbol, spans in mapped.items():
        parts.append(_text(symbol) + struct.pack("<I", len(spans)))
        parts += [struct.pack("<II", _number(begin), _number(end)) + _text(str(to)) for begin, end, to in spans]
    return b"".join(parts)


def _texts(texts: Iterable[str]) -> bytes:
    parts = [_text(one) for one in texts]
    return struct.pack("<I", len(parts)) + b"".join(parts)


def _text(text: str) -> bytes:
    return text.encode("ascii", "replace")[: _SYMBOL_BYTES - 1].ljust(_SYMBOL_BYTES, b"\0")


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _date(instant_ns: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + instant_ns // DAY_NS)


def fixed(prices: pl.Series, *, symbol: str) -> Any:
    """Return prices in whole billionths.

    Raises:
        BadInput: One of them is too great.
    """
    values = prices.to_numpy()
    if len(values) and not np.abs(values).max() < _MOST:
        fix = f"DBN holds prices below {_MOST:.0f}."
        raise BadInput(parameter=f"A price of {symbol}", value=float(np.abs(values).max()), fix=fix)
    return np.rint(values * SCALE).astype(np.int64)


def _in_time(path: Path, record: np.dtype[Any]) -> Iterator[bytes]:
    """Yield the records of a file in the order of time, those of one instant in the order of their instruments."""
    if not path.stat().st_size:
        return
    records = np.memmap(path, record, mode="r")
    order = np.argsort(records["ts_event"], kind="stable")
    for begin in range(0, len(order), _BLOCK):
        yield records[order[begin : begin + _BLOCK]].tobytes()
