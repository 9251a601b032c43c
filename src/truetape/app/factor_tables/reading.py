"""A table of factors from a file: of ours, with a header, or LEAN's factor file, which has none."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from truetape.app.plain_files import Sheet, read_bytes, read_sheet
from truetape.app.plain_files.columns import read_dates, read_numbers, read_symbols
from truetape.domain import factor_files
from truetape.domain.errors import BadInput

LEAN_FIX: Final = "Write each line as yyyymmdd,price factor,split factor,reference price."
SHARES_FIX: Final = "Write the new shares for one old, above 0; 1 where there is no split."
PRICE_FIX: Final = "Write what earlier prices are multiplied by, above 0; 1 where nothing changes."
CLOSE_FIX: Final = "Write the close before the ex-date, above 0, or leave it blank."

_LEAN_LINE: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\d{8}\s*,")
_CSV: Final = (".csv", ".csv.gz")


def is_lean(file: str) -> bool:
    """Return whether `file` is a factor file of LEAN's: it has no header, and begins with a date of eight digits.

    Raises:
        BadInput: It cannot be read.
    """
    return file.lower().endswith(_CSV) and _LEAN_LINE.match(read_bytes(file)) is not None


def read_lean(file: str) -> pl.DataFrame:
    """Return the lines of a factor file of LEAN's: schema factor_files.ROWS.

    Raises:
        BadInput: It cannot be read, or a line is none; the place is named.
    """
    try:
        return factor_files.parsed(read_bytes(file).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadInput(parameter="The file", value=file, fix="Save it as UTF-8; its bytes are no such text.") from None
    except ValueError as error:
        raise BadInput(parameter="The factor file", value=file, fix=f"Its {error}. {LEAN_FIX}") from None


def read_factors(file: str) -> pl.DataFrame:
    """Return the factors of `file`, by symbol and ascending ex-date.

    Returns:
        `symbol` ("" where the file names none), then schema factor_files.STEPS. The ex-date of a line of LEAN's is the
        next weekday; the first line has no close, since its price stands for none.

    Raises:
        BadInput: It cannot be read, a value is not usable, or an ex-date is there twice.
    """
    if is_lean(file):
        lines = read_lean(file)
        found = factor_files.steps(lines, pl.Series([], dtype=pl.Date))
        known = pl.when(pl.col("before") > lines["date"].min()).then(pl.col("close"))
        return found.with_columns(known.alias("close")).select(pl.lit("").alias("symbol"), *factor_files.STEPS)
    sheet = read_sheet(file)
    shares = _given(sheet, "share_factor", SHARES_FIX)
    price = _given(sheet, "price_factor", PRICE_FIX)
    close = _given(sheet, "close", CLOSE_FIX) if sheet.named("close") else pl.Series("close", [None] * len(price))
    rows = pl.DataFrame(
        {
            "symbol": read_symbols(sheet),
            "ex_date": read_dates(sheet, "ex_date"),
            "split": shares,
            "dividend": price * shares,
            "before": pl.Series([None] * len(price), dtype=pl.Date),
            "close": close.cast(pl.Float64),
        }
    )
    twice = (~rows.select("symbol", "ex_date").is_unique()).arg_true()
    if len(twice):
        day = rows["ex_date"][twice[0]]
        raise sheet.defect(twice[0], column="ex_date", value=str(day), fix="Keep one row for each ex-date.")
    return rows.sort("symbol", "ex_date")


def _given(sheet: Sheet, name: str, fix: str) -> pl.Series:
    """Return a column of numbers above 0, none missing unless it is the close."""
    values = read_numbers(sheet, name, lowest=0.0, inclusive=False, fix=fix)
    missing = values.is_null().arg_true()
    if len(missing) and name != "close":
        raise sheet.defect(missing[0], column=name, value="", fix=fix)
    return values
