"""Reading comma-separated text: every cell as the text that stands there, in columns of the header's names."""

from __future__ import annotations

import csv
from typing import Final

import polars as pl

from truetape.domain.decoding import Payload

MOST_COLUMNS: Final = 500

_MARK: Final = b"\xef\xbb\xbf"
_LONGEST_HEADER: Final = 64 * 1024
_MARKS: Final = tuple(bytes([one]) for one in b' "\t\v\f\x1c\x1d\x1e\x1f')


def header(payload: Payload) -> list[str]:
    """Return the names in the first line of the body, without blanks around them; nothing is said of their number.

    Raises:
        UndecodablePayload: The first line is too long, no UTF-8 or no CSV.
    """
    line, ended, _ = payload.body[:_LONGEST_HEADER].removeprefix(_MARK).partition(b"\n")
    if not ended and len(payload.body) > _LONGEST_HEADER:
        raise payload.defect(f"its first line had more than {_LONGEST_HEADER} bytes")
    names = _cells(line)
    if names is None:
        raise payload.defect("its first line was no header of a CSV file")
    return [name.strip() for name in names]


def ends_whole(body: bytes) -> bool:
    """Return whether the last line of a CSV body has an end, or as many cells as the first: what is cut has neither."""
    if body.endswith(b"\n"):
        return True
    first, _, rest = body.partition(b"\n")
    last = _cells(rest.rpartition(b"\n")[2])
    return last is not None and len(last) == len(_cells(first) or ())


def rows(payload: Payload) -> pl.DataFrame:
    """Return the rows of a CSV body with a header, all columns as texts; empty cells and missing ends are null.

    Lines without any text are left out, as is a last column without a name, which a comma at the end makes.

    Raises:
        UndecodablePayload: The body is too large, no UTF-8 or no CSV, a name is missing or there twice, or a line has
            more cells than the header.
    """
    payload.bounded()
    names = header(payload)
    shown = names[:-1] if names and not names[-1] else names
    if not all(shown) or len(set(shown)) < len(shown) or not 0 < len(shown) <= MOST_COLUMNS:
        raise payload.defect(f"its header was {','.join(names)[:200]!r}")
    try:
        frame = pl.read_csv(payload.body, infer_schema=False, raise_if_empty=False)
        frame.columns = names
    except pl.exceptions.PolarsError as error:
        raise payload.defect(f"it was no CSV: {str(error).partition(chr(10))[0][:200]}") from None
    texts = frame.select(shown)
    if not _is_plain(payload.body):
        texts = texts.select(pl.col(shown).str.strip_chars()).with_columns(pl.col(shown).replace("", None))
    if any(column.null_count() == 0 for column in texts):
        return texts
    return texts.filter(~pl.all_horizontal(pl.col(shown).is_null()))


def _is_plain(body: bytes) -> bool:
    """Return whether no cell can have blanks around it, or be an empty text in quotation marks."""
    blank = any(mark in body for mark in _MARKS) or body.count(b"\r") > body.count(b"\r\n")
    return body.isascii() and not blank


def _cells(line: bytes) -> list[str] | None:
    """Return the cells of one line; None where it is no UTF-8, or no line of a CSV file."""
    try:
        return next(csv.reader([line.rstrip(b"\r").decode()], strict=True), [])
    except (csv.Error, UnicodeError):
        return None
