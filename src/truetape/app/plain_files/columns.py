"""What columns of bars and actions must hold: dates, prices, volumes and actions, each defect with its place."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.app.plain_files.sheet import Sheet
from truetape.app.plain_files.spelled import BESIDE, CRSP, known_types, spelled_actions, spelled_bars, with_ratios
from truetape.domain.adjust import PRICES
from truetape.domain.decoding import FIRST_DAY, LAST_DAY
from truetape.domain.distributions import TYPES, VALUED
from truetape.domain.errors import BadInput

_MISSING: Final = ("", "nan")
_MOMENT: Final = r"^(\d{4})[-/]?(\d\d)[-/]?(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$"
_DATE_FIX: Final = "Write a date as YYYY-MM-DD, for example 2005-02-28."
_PRICE_FIX: Final = "Write a price above 0 with a decimal point, or leave it blank where it is not known."
_VOLUME_FIX: Final = "Write a number that is not below 0, or leave it blank where it is not known."
_VALUE_FIX: Final = "Write a number above 0: new shares for one old, such as 4 or 4:1, or cash per share."
_BESIDE_FIX: Final = (
    "Write cash per share, or new shares for one old, such as 4 or 4:1; 0 or a blank where there is none."
)
_CRSP_FIX: Final = (
    "Of FACSHR, FACPR and DIVAMT splits (both factors alike, above -1) and cash can be taken. Write what else was "
    "handed out in rows of ex_date, type, value and price."
)
_SAME: Final = 1e-6  # by which two factors may differ in writing
_WORTH_FIX: Final = (
    "Write in the column price the worth of a spun-off share, the price of a right, or of the contract before a roll."
)


def read_bars(sheet: Sheet) -> pl.DataFrame:
    """Return the daily bars of `sheet`, whose columns may have the names of Yahoo, Stooq, Alpaca and others.

    Returns:
        `row` (index in the sheet, ascending), `symbol` ("" without that column), `date`, and open, high, low, close and
        volume as float64, null where missing.

    Raises:
        BadInput: A column or all rows are missing, a value is not usable, or a symbol has two bars of one date.
    """
    sheet = spelled_bars(sheet)
    prices = [read_numbers(sheet, name, lowest=0.0, inclusive=False, fix=_PRICE_FIX) for name in PRICES]
    volume = read_numbers(sheet, "volume", lowest=0.0, inclusive=True, fix=_VOLUME_FIX)
    when = "ts_event" if sheet.named("date") is None and sheet.named("ts_event") is not None else "date"
    bars = pl.DataFrame([_rows(sheet), read_symbols(sheet), read_dates(sheet, when).alias("date"), *prices, volume])
    if bars.is_empty():
        raise BadInput(parameter="The file", value=sheet.file, fix="It has no rows; there is nothing to adjust.")
    _refuse_repeats(sheet, bars, key=("symbol", "date"), named=when, fix="Keep one daily bar per date.")
    return bars


def read_actions(sheet: Sheet) -> pl.DataFrame:
    """Return the actions of `sheet`, one in a row or in columns beside dates; none are an empty frame.

    Returns:
        `row` (index in the sheet, ascending), `symbol` ("" without that column), `ex_date`, `type` (one of
        domain.distributions.TYPES), `value` (float64, above 0) and `price` (above 0; null where none is needed).

    Raises:
        BadInput: A column is missing, a value is missing or not usable, or a row is there twice.
    """
    sheet = spelled_actions(sheet)
    if sheet.named("type") is None and any(sheet.named(name) for name in BESIDE):
        return _beside(sheet)
    if sheet.named("type") is None and sheet.named("facshr") is not None:
        return _crsp(sheet)
    types = _types(sheet)
    counted = with_ratios(sheet, "value", where=types == "split")
    value = read_numbers(counted, "value", lowest=0.0, inclusive=False, fix=_VALUE_FIX)
    blank = value.is_null().arg_true()
    if len(blank):
        raise sheet.defect(blank[0], column="value", value="", fix=_VALUE_FIX)
    columns = [_rows(sheet), read_symbols(sheet), read_dates(sheet, "ex_date"), types, value, _worths(sheet, types)]
    actions = pl.DataFrame(columns)
    fix = "Keep one of the rows that are the same; add up the dividends of one day."
    _refuse_repeats(sheet, actions, key=("symbol", "ex_date", "type", "value"), named="ex_date", fix=fix)
    return actions


def _beside(sheet: Sheet) -> pl.DataFrame:
    """Return the actions that stand in columns of their own beside dates; 0 is none, and so is a split of 1."""
    shared = [_rows(sheet), read_symbols(sheet), read_dates(sheet, "ex_date")]
    everywhere = pl.repeat(value=True, n=len(sheet.frame), eager=True)
    parts = []
    for name, kind in BESIDE.items():
        if sheet.named(name) is not None:
            counted = with_ratios(sheet, name, where=everywhere) if kind == "split" else sheet
            value = read_numbers(counted, name, lowest=0.0, inclusive=True, fix=_BESIDE_FIX)
            happened = value.is_not_null() & (value != 0) & ((value != 1) | (kind != "split"))
            rows = pl.DataFrame([*shared, value.alias("value")]).filter(happened)
            parts.append(rows.with_columns(pl.lit(kind).alias("type"), pl.lit(None, pl.Float64).alias("price")))
    actions = pl.concat(parts).sort("row").select("row", "symbol", "ex_date", "type", "value", "price")
    _refuse_repeats(
        sheet, actions, key=("symbol", "ex_date", "type"), named="ex_date", fix="Keep one row for each date."
    )
    return actions


def _crsp(sheet: Sheet) -> pl.DataFrame:
    """Return the actions of a file of CRSP's distributions: each old share gained `facshr` new ones and `divamt`."""
    absent = pl.Series([None] * len(sheet.frame), dtype=pl.Float64)
    own = {
        name: read_numbers(sheet, name, lowest=-1.0, inclusive=False, fix=_CRSP_FIX) if sheet.named(name) else absent
        for name in CRSP
    }
    gained = own["facshr"].fill_null(0.0)
    other = ((own["facpr"].fill_null(gained) - gained).abs() > _SAME).arg_true()
    if len(other):
        raise sheet.defect(other[0], column="facpr", value=own["facpr"][other[0]], fix=_CRSP_FIX)
    shared = pl.DataFrame([_rows(sheet), read_symbols(sheet), read_dates(sheet, "ex_date")])
    parts = [
        shared.with_columns(pl.lit(kind).alias("type"), value.alias("value"), pl.lit(None, pl.Float64).alias("price"))
        for kind, value in (("split", gained + 1.0), ("dividend", own["divamt"].fill_null(0.0)))
    ]
    nothing = pl.when(pl.col("type") == "split").then(1.0).otherwise(0.0)
    actions = pl.concat(parts).filter(pl.col("value") != nothing).sort("row", maintain_order=True)
    fix = "Keep one of the rows that are the same; add up the dividends of one day."
    _refuse_repeats(sheet, actions, key=("symbol", "ex_date", "type", "value"), named="ex_date", fix=fix)
    return actions


def _rows(sheet: Sheet) -> pl.Series:
    return pl.Series("row", range(len(sheet.frame)), dtype=pl.Int64())


def read_symbols(sheet: Sheet) -> pl.Series:
    """Return the column `symbol` without blanks around its texts; "" for every row where there is no such column.

    Raises:
        BadInput: It holds no texts.
    """
    if sheet.named("symbol") is None:
        return pl.Series("symbol", [""] * len(sheet.frame), dtype=pl.String())
    return _texts(sheet, "symbol").fill_null("").alias("symbol")


def _types(sheet: Sheet) -> pl.Series:
    types = known_types(_texts(sheet, "type"))
    wrong = (~types.is_in(TYPES)).fill_null(value=True).arg_true()
    if len(wrong):
        found = _shown(sheet.column("type")[wrong[0]])
        raise sheet.defect(wrong[0], column="type", value=found, fix=f"Write one of {', '.join(TYPES)}.")
    return types.alias("type")


def _worths(sheet: Sheet, types: pl.Series) -> pl.Series:
    """Return the column `price`, which spin-offs and rights must have."""
    if sheet.named("price") is None:
        prices = pl.Series("price", [None] * len(types), dtype=pl.Float64())
    else:
        prices = read_numbers(sheet, "price", lowest=0.0, inclusive=False, fix=_WORTH_FIX)
    wrong = (types.is_in(VALUED) & prices.is_null()).arg_true()
    if len(wrong):
        raise sheet.defect(wrong[0], column="price", value="", fix=_WORTH_FIX)
    return prices


def _texts(sheet: Sheet, name: str) -> pl.Series:
    column = sheet.column(name)
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise _wrong_type(sheet, column, name, fix="Write it as text.")
    return column.cast(pl.String).str.strip_chars()


def read_dates(sheet: Sheet, name: str) -> pl.Series:
    """Return a column as dates: an instant counts as the date that it is written with.

    Raises:
        BadInput: There is no such column, or a value is no date from 1800 to 2199.
    """
    column = sheet.column(name)
    if column.dtype in (pl.Date, pl.Datetime):
        dates = pl.select(pl.lit(column).dt.date()).to_series()
    else:
        parts = _texts(sheet, name).str.replace(_MOMENT, "${1}-${2}-${3}")
        dates = parts.str.to_date("%Y-%m-%d", strict=False, exact=True)
    wrong = (~dates.is_between(FIRST_DAY, LAST_DAY, closed="left")).fill_null(value=True).arg_true()
    if len(wrong):
        raise sheet.defect(wrong[0], column=name, value=_shown(column[wrong[0]]), fix=_DATE_FIX)
    return dates.alias(name)


def read_numbers(sheet: Sheet, name: str, *, lowest: float, inclusive: bool, fix: str) -> pl.Series:
    """Return a column as finite numbers from `lowest` on; blanks and NaN are null.

    Raises:
        BadInput: There is no such column, or a value is no such number; `fix` says what to write.
    """
    column = sheet.column(name)
    if column.dtype.is_numeric():
        values, absent = column.cast(pl.Float64), column.is_null()
    else:
        texts = _texts(sheet, name)
        values = texts.cast(pl.Float64, strict=False)
        absent = texts.is_null() | texts.str.to_lowercase().is_in(_MISSING)
    values = values.fill_nan(None)
    if column.dtype.is_float():
        absent = absent | column.is_nan().fill_null(value=False)
    enough = values >= lowest if inclusive else values > lowest
    wrong = (~absent & ~(values.is_finite() & enough).fill_null(value=False)).arg_true()
    if len(wrong):
        raise sheet.defect(wrong[0], column=name, value=_shown(column[wrong[0]]), fix=fix)
    return values.alias(name)


def _refuse_repeats(sheet: Sheet, rows: pl.DataFrame, *, key: tuple[str, ...], named: str, fix: str) -> None:
    repeated = (~rows.select(key).to_struct().is_first_distinct()).arg_true()
    if len(repeated):
        again = rows.row(repeated[0], named=True)
        first = rows.filter(pl.all_horizontal(pl.col(name) == again[name] for name in key))["row"][0]
        value = f"{_shown(sheet.column(named)[again['row']])} as on {sheet.place(first)}"
        raise sheet.defect(again["row"], column=named, value=value, fix=fix)


def _wrong_type(sheet: Sheet, column: pl.Series, name: str, *, fix: str) -> BadInput:
    return BadInput(parameter=f"The type of {name} in {sheet.file}", value=str(column.dtype), fix=fix)


def _shown(value: object) -> str:
    """Return a value as it is quoted in an error."""
    return "" if value is None else str(value)[:80]
