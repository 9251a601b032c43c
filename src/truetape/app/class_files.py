"""Files of classifications as rows of text: CSV, Parquet, and JSON of objects or of codes with their names."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.plain_files import read_sheet
from truetape.app.plain_files.content import read_bytes
from truetape.domain.errors import BadInput

MOST_BYTES: Final = 1 << 26
_SHAPES: Final = 'Write a list of objects, or codes with their names: {"10": {"name": "Energy"}}.'

Rows = tuple[dict[str, str | None], ...]


def read_rows(file: str) -> Rows:
    """Return the rows of `file`, all values text, by the names of its columns.

    Raises:
        BadInput: It is missing, too large, damaged, or of another form.
    """
    if not file.lower().endswith(".json"):
        return tuple(read_sheet(file).frame.cast(pl.String).to_dicts())
    try:
        found = msgspec.json.decode(read_bytes(file, most=MOST_BYTES))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(parameter="The file", value=file, fix=f"It is no JSON: {error}. {_SHAPES}") from None
    rows = [_named(code, one) for code, one in found.items()] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise BadInput(parameter="The file", value=file, fix=_SHAPES)
    return tuple({str(name): _text(value) for name, value in one.items()} for one in rows)


def _named(code: str, told: Any) -> dict[str, Any]:
    return {"code": code, **told} if isinstance(told, dict) else {"code": code, "name": told}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
