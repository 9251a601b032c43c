"""A file of prices as one series, and the series back in the file's own rows, columns and spellings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.app.plain_files.moments import read_moments
from truetape.app.plain_files.names import recognized
from truetape.app.plain_files.sheet import Sheet
from truetape.domain.errors import BadInput
from truetape.domain.price_series import FIELDS, PriceSeries
from truetape.domain.time import TIMEFRAMES

_ABSENT: Final = ("", "nan", "null", "none", "n/a", "na", "-")
_GROUPED: Final = r"^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$"
_NUMBER_FIX: Final = "Write a number with a decimal point, or leave it blank where it is not known."
_ALIASES: Final = {"1wk": "1w", "7d": "1w", "60m": "1h", "60": "1h", "5": "5m", "15": "15m", "30": "30m", "1": "1m"}
_LETTERS: Final = {"d": "1d", "w": "1w", "m": "1mo", "daily": "1d", "weekly": "1w", "monthly": "1mo"}
_STEPS: Final = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}  # seconds
_DAY: Final = 86_400
_WEEK: Final = 5 * _DAY  # weekly bars lie further apart than this, holidays in between or not
_MONTH: Final = 20 * _DAY


@dataclass(frozen=True, eq=False)
class Prices:
    """A file of prices, read: its series, and where each part of it stands.

    `headers` has the header of each field that was recognized; `rows` is the index in the sheet of each row of the
    series.
    """

    sheet: Sheet
    series: PriceSeries
    headers: dict[str, str]
    rows: pl.Series

    def place(self, row: int) -> str:
        """Return how a person finds the row with index `row` of the series in the file."""
        return self.sheet.place(self.rows[row])


def read_prices(
    sheet: Sheet, *, timeframe: str | None = None, currency: str | None = None, venue: str | None = None
) -> Prices:
    """Return the price series of `sheet`, whichever way round its rows run.

    Args:
        sheet: Columns by any of the names in names.SPELLINGS; a date or instant and a close must be among them.
        timeframe: One of time.TIMEFRAMES; where it is not given, the distances between rows tell it.
        currency: The currency that the owner states, if any.
        venue: The MIC that the owner states, if any.

    Raises:
        BadInput: A column is missing, a value is not usable, there are no rows, or several symbols.
    """
    headers = recognized(sheet.frame.columns)
    for needed, example in (("moment", "Date"), ("close", "Close")):
        if needed not in headers:
            found = ", ".join(sheet.frame.columns)[:200]
            fix = f"None of these is a {example.lower()}; name one {example}."
            raise BadInput(parameter=f"The header of {sheet.file}", value=found, fix=fix)
    if sheet.frame.is_empty():
        raise BadInput(parameter="The file", value=sheet.file, fix="It has no rows.")
    _refuse_several(sheet, headers)
    times = read_moments(sheet, moment=headers["moment"], clock=headers.get("clock"))
    numbers = [_numbers(sheet, headers[field]).alias(field) for field in FIELDS if field in headers]
    rows = times.with_columns(numbers).with_row_index("row")
    ordered = _reversed_first(rows).sort("ts", maintain_order=True)
    told = timeframe or _period(sheet, headers.get("period"))
    series = PriceSeries(
        frame=ordered.drop("row"),
        timeframe=known_timeframe(told) if told else _spacing(ordered),
        currency=currency,
        venue=venue,
    )
    return Prices(sheet=sheet, series=series, headers=headers, rows=ordered["row"].cast(pl.Int64))


def known_timeframe(text: str) -> str:
    """Return the timeframe that `text` names; 1wk and 60m are spellings too.

    Raises:
        BadInput: It names none.
    """
    told = _ALIASES.get(text, text)
    if told not in TIMEFRAMES:
        raise BadInput(parameter="--timeframe", value=text, fix=f"Choose one of {', '.join(TIMEFRAMES)}.")
    return told


def in_own_columns(prices: Prices, series: PriceSeries) -> pl.DataFrame:
    """Return the file's frame with the values of `series`: cells that did not change are as they were, to the byte.

    Args:
        prices: The file as it was read.
        series: The same rows with other values.
    """
    changed = []
    for field, header in prices.headers.items():
        if field in FIELDS:
            before, after = prices.series.frame[field], series.frame[field]
            if not before.equals(after, null_equal=True):
                changed.append(_rewritten(prices, header, before=before, after=after))
    return prices.sheet.frame.with_columns(changed)


def _rewritten(prices: Prices, header: str, *, before: pl.Series, after: pl.Series) -> pl.Series:
    own = prices.sheet.frame[header]
    other = pl.DataFrame({"row": prices.rows, "value": after, "same": before.eq_missing(after)}).sort("row")
    if not own.dtype.is_numeric():
        texts = [_text(value, like=old) for value, old in zip(other["value"], own, strict=True)]
        return pl.Series(header, pl.select(pl.when(other["same"]).then(own).otherwise(pl.Series(texts))).to_series())
    whole = own.dtype.is_integer() and (other["value"] == other["value"].round()).all()
    kept = own.dtype if whole or own.dtype.is_float() else pl.Float64()
    mixed = pl.when(other["same"]).then(own.cast(kept)).otherwise(other["value"].cast(kept))
    return pl.select(mixed.alias(header)).to_series()


def _text(value: float | None, *, like: str | None) -> str | None:
    """Return `value` as shortest text that reads back the same; without a point where `like` has none."""
    if value is None:
        return None
    return str(int(value)) if like and like.strip().isdigit() and value.is_integer() else repr(value)


def _reversed_first(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` the other way round where they run newest first, so that rows of one instant keep their order."""
    falls = (rows["ts"].diff().cast(pl.Int64).sign().sum() or 0) < 0
    return rows.reverse() if falls else rows


def _refuse_several(sheet: Sheet, headers: dict[str, str]) -> None:
    if "symbol" in headers:
        symbols = sheet.frame[headers["symbol"]].drop_nulls().unique().cast(pl.String).sort().to_list()
        if len(symbols) > 1:
            shown = ", ".join(symbols)[:200]
            raise BadInput(parameter=f"The symbols of {sheet.file}", value=shown, fix="Keep the rows of one symbol.")


def _numbers(sheet: Sheet, header: str) -> pl.Series:
    """Return a column as finite numbers; blanks and NaN are null."""
    column = sheet.frame[header]
    if column.dtype.is_numeric() or column.dtype.is_decimal():
        values = column.cast(pl.Float64).fill_nan(None)
        wrong = values.is_infinite().fill_null(value=False).arg_true()
    elif column.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        texts = column.cast(pl.String).str.strip_chars()
        grouped = texts.str.contains(_GROUPED).fill_null(value=False)
        plain = pl.select(pl.when(grouped).then(pl.lit(texts).str.replace_all(",", "")).otherwise(pl.lit(texts)))
        values = plain.to_series().cast(pl.Float64, strict=False).fill_nan(None)
        absent = texts.str.to_lowercase().is_in(_ABSENT).fill_null(value=True)
        wrong = (~absent & ~values.is_finite().fill_null(value=False)).arg_true()
    else:
        fix = "Write its values as numbers."
        raise BadInput(parameter=f"The type of {header} in {sheet.file}", value=str(column.dtype), fix=fix)
    if len(wrong):
        raise sheet.defect(wrong[0], column=header, value=str(column[wrong[0]])[:80], fix=_NUMBER_FIX)
    return values


def _period(sheet: Sheet, header: str | None) -> str | None:
    """Return the timeframe that a column such as Stooq's <PER> tells, if it tells one that is known."""
    if header is None or sheet.frame[header].n_unique() != 1:
        return None
    told = str(sheet.frame[header][0]).strip().lower()
    told = _ALIASES.get(told, _LETTERS.get(told, told))
    return told if told in TIMEFRAMES else None


def _spacing(rows: pl.DataFrame) -> str:
    """Return the timeframe that the distances between rows tell; a single row is a day."""
    gaps = rows["ts"].unique().sort().diff().drop_nulls().dt.total_seconds()
    if gaps.is_empty():
        return "1d"
    middle = float(gaps.median())  # type: ignore[arg-type]
    if middle > _WEEK:
        return "1mo" if middle > _MONTH else "1w"
    within = gaps.filter(gaps < _DAY * 0.75)
    if len(within) * 4 < len(gaps):
        return "1d"
    usual = int(within.mode().sort()[0])
    return min(_STEPS, key=lambda name: abs(_STEPS[name] - usual))
