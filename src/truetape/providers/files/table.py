"""The table in a file: CSV, packed or not, or Parquet."""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from truetape.domain import tables
from truetape.domain.decoding import Payload
from truetape.domain.price_tables import recognized
from truetape.domain.unpacking import unpacked

MOST_ROWS: Final = 5_000_000
PARQUET: Final = b"PAR1"
ACTION_COLUMNS: Final = ("ex_date", "type", "value")

_BROKEN: Final = (
    pa.ArrowException,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    OSError,
    ValueError,
    MemoryError,
)
_MOST_NAMES: Final = 100_000  # and bytes of a name, in the description of a file


def table(payload: Payload) -> pl.DataFrame:
    """Return the rows of a file: CSV in texts, of Parquet the columns that mean something to us in their types.

    Raises:
        UndecodablePayload: The body is too large, or neither.
    """
    plain = unpacked(payload)
    return _from_parquet(plain) if plain.body.startswith(PARQUET) else tables.rows(plain)


def column_names(payload: Payload) -> list[str]:
    """Return the names of the columns of a file.

    Raises:
        UndecodablePayload: The body is too large, or neither CSV nor Parquet.
    """
    plain = unpacked(payload)
    if not plain.body.startswith(PARQUET):
        return tables.header(plain)
    try:
        return [str(name) for name in _opened(plain).schema_arrow.names]
    except _BROKEN as error:
        raise _damaged(plain, error) from None


def _from_parquet(payload: Payload) -> pl.DataFrame:
    """Return the flat columns that mean something to us.

    Arrow reads them, since it survives a damaged file; texts stay in dictionaries, so that few bytes cannot become
    many, and are checked to be UTF-8.
    """
    try:
        file = _opened(payload)
        if file.metadata.num_rows > MOST_ROWS:
            raise payload.defect(f"it had {file.metadata.num_rows} rows, the most is {MOST_ROWS}")
        flat = [field for field in file.schema_arrow if not pa.types.is_nested(field.type)]
        names = [str(field.name) for field in flat]
        wanted = {*recognized(names).values(), *(name for name in names if name.strip().lower() in ACTION_COLUMNS)}
        texts = [name for name, field in zip(names, flat, strict=True) if pa.types.is_string(field.type)]
        read = _opened(payload, dictionaries=texts).read(columns=[name for name in names if name in wanted])
        read.validate(full=True)
        return pl.DataFrame(pl.from_arrow(read.replace_schema_metadata(None)))
    except _BROKEN as error:
        raise _damaged(payload, error) from None


def _opened(payload: Payload, dictionaries: list[str] | None = None) -> parquet.ParquetFile:
    return parquet.ParquetFile(
        pa.BufferReader(payload.body),
        read_dictionary=dictionaries,
        thrift_string_size_limit=_MOST_NAMES,
        thrift_container_size_limit=_MOST_NAMES,
    )


def _damaged(payload: Payload, error: BaseException) -> Exception:
    return payload.defect(f"it was no whole Parquet file: {str(error).partition(chr(10))[0][:200]}")
