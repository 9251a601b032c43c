"""A CSV or Parquet file as a frame that remembers where each of its rows stood."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

import polars as pl

from truetape.app.plain_files.content import read_bytes
from truetape.domain.errors import BadInput

SUFFIXES: Final = (".csv", ".csv.gz", ".parquet")
MOST_BYTES: Final = 512 * 1024 * 1024
MOST_ROWS: Final = 10_000_000

_CHUNK: Final = 50_000


@dataclass(frozen=True)
class Sheet:
    """The rows of a file, its columns as they were: those of CSV are text, blanks are null.

    `lines` holds the line on which each row of a CSV file ended; None for Parquet, whose rows count from 1. `numbers`
    holds their indices in the file where some rows were left out. `spelled` says under which headers columns stand that
    the file calls otherwise than we do.
    """

    file: str
    frame: pl.DataFrame
    lines: pl.Series | None = None
    numbers: pl.Series | None = None
    spelled: Mapping[str, str] = field(default_factory=dict)

    def place(self, row: int) -> str:
        """Return how a person finds the row with index `row`."""
        if self.lines is not None:
            return f"line {self.lines[row]}"
        return f"row {(row if self.numbers is None else self.numbers[row]) + 1}"

    def of_rows(self, rows: pl.Series) -> Sheet:
        """Return the sheet of those rows only; they still know where they stood in the file."""
        lines = self.lines.gather(rows) if self.lines is not None else None
        return replace(self, frame=self.frame[rows], lines=lines, numbers=rows)

    def defect(self, row: int, *, column: str, value: object, fix: str) -> BadInput:
        """Return the error for a value that cannot be right."""
        return BadInput(parameter=f"{self.file}, {self.place(row)}, {column}", value=value, fix=fix)

    def named(self, name: str) -> str | None:
        """Return the file's own spelling of the column `name`, whatever its case; None if there is no such column."""
        own = next((own for own in self.frame.columns if own.strip().lower() == name), None)
        return self.spelled.get(name) if own is None else own

    def column(self, name: str) -> pl.Series:
        """Return the column `name`, whatever its case.

        Raises:
            BadInput: There is no such column.
        """
        own = self.named(name)
        if own is None:
            found = ", ".join(self.frame.columns)[:200]
            raise BadInput(parameter=f"The header of {self.file}", value=found, fix=f"Add the column {name}.")
        return self.frame[own]


def read_sheet(file: str) -> Sheet:
    """Return the CSV (plain or gzip) or Parquet file `file`.

    Raises:
        BadInput: It is missing, too large, damaged or of another suffix, or two of its columns have one name.
    """
    if not file.lower().endswith(SUFFIXES):
        raise BadInput(parameter="The file", value=file, fix=f"Its name must end in one of {', '.join(SUFFIXES)}.")
    body = read_bytes(file, most=MOST_BYTES)
    sheet = _from_parquet(file, body) if file.lower().endswith(".parquet") else _from_csv(file, body)
    names = [name.strip().lower() for name in sheet.frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _header(file, names, f"The column {twice} is there twice; keep one.")
    return sheet


def _header(file: str, names: list[str], fix: str) -> BadInput:
    return BadInput(parameter=f"The header of {file}", value=", ".join(names)[:200], fix=fix)


def _from_parquet(file: str, body: bytes) -> Sheet:
    try:
        rows = pl.scan_parquet(io.BytesIO(body)).select(pl.len()).collect().item()
        if rows > MOST_ROWS:
            raise BadInput(parameter=f"The rows of {file}", value=rows, fix=f"Split it; the most is {MOST_ROWS}.")
        return Sheet(file=file, frame=pl.read_parquet(io.BytesIO(body)))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise BadInput(parameter="The file", value=file, fix=f"It is no whole Parquet file: {reason}.") from None


def _from_csv(file: str, body: bytes) -> Sheet:
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline=""), strict=True)
    try:
        names = next(reader, [])
        if not names:
            raise BadInput(parameter="The file", value=file, fix="It is empty; its first line must name the columns.")
        own = [name.strip().lower() for name in names]
        if len(set(own)) < len(own):
            raise _header(file, names, "Two columns have one name; keep one.")
        return _gathered(file, names, _rows(file, reader, len(names)))
    except csv.Error as error:
        raise _malformed(file, reader.line_num, str(error)) from None
    except UnicodeDecodeError:
        raise BadInput(parameter="The file", value=file, fix="Save it as UTF-8; its bytes are no such text.") from None


def _rows(file: str, reader: Iterator[list[str]], width: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line it ended on; blank lines are passed over."""
    for fields in reader:
        line: int = reader.line_num  # type: ignore[attr-defined]  # the type of csv.reader has no public name
        if fields and len(fields) != width:
            raise _malformed(file, line, f"it has {len(fields)} fields, the header has {width}")
        if fields:
            yield line, fields


def _gathered(file: str, names: list[str], rows: Iterator[tuple[int, list[str]]]) -> Sheet:
    """Return the rows as a frame, built in chunks, since lists of texts take ten times the memory of a frame."""
    schema = dict.fromkeys(names, pl.String())
    frames, lines = [pl.DataFrame(schema=schema)], [pl.Series("line", [], dtype=pl.Int64())]
    while chunk := list(islice(rows, _CHUNK)):
        lines.append(pl.Series("line", [line for line, _ in chunk], dtype=pl.Int64()))
        columns = zip(*(fields for _, fields in chunk), strict=True)
        frames.append(pl.DataFrame(dict(zip(names, columns, strict=True)), schema=schema))
    blank = [pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in names]
    return Sheet(file=file, frame=pl.concat(frames).select(blank), lines=pl.concat(lines))


def _malformed(file: str, line: int, reason: str) -> BadInput:
    return BadInput(
        parameter=f"{file}, line {line}", value=reason, fix="Write each row as comma-separated fields, one per column."
    )
