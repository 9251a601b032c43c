"""LEAN's factor files: what they say of earlier prices, as ex-dates with factors and back again.

A line is `yyyymmdd,price factor,split factor,reference price`, ascending. It stands for every bar up to and including
its date, which is the last trading day before an ex-date; its factors are those of all later ex-dates together, and the
reference price is the close of that day, as traded. The first line says where the data begin, with the reference price
1; the last is `20501231,1,1,0`. Adjusted price = price x price factor x split factor.

LEAN writes price factors with 7 decimals, split factors with 8 and prices with 4. Lines with `inf` or an exponent, and
those whose factors are not above 0, stand for factors that it could not write; it skips them, and so does this page.
Dividends, spin-offs and whatever else the price factor holds cannot be told apart: each step is one distribution.

Some rounding came before the file was written: Apple's split factor of 1/56 stands as 0.01785710. The ratio of two
lines gives back that file, not the true ratio of the split, which it misses by up to 3 parts in a million.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

LAST_ROW: Final = date(2050, 12, 31)
ROWS: Final = {
    "date": pl.Date(),
    "price_factor": pl.Float64(),
    "split_factor": pl.Float64(),
    "reference_price": pl.Float64(),
}
STEPS: Final = {
    "ex_date": pl.Date(),
    "split": pl.Float64(),  # new shares for one old
    "dividend": pl.Float64(),  # what stays of the price, on the new share count
    "before": pl.Date(),  # the last trading day before the ex-date
    "close": pl.Float64(),  # of that day, as traded; null where it is not known
}
PRICE_DECIMALS: Final = 7
SPLIT_DECIMALS: Final = 8
REFERENCE_DECIMALS: Final = 4

_UNWRITTEN: Final = re.compile(r"inf|nan|e\+", re.IGNORECASE)
_WITH_PRICE: Final = 4
_CASH_DECIMALS: Final = 10  # finer than any factor, and free of the last bits of a division
_FAR: Final = timedelta(days=10)  # a security that is not traded for longer has its ex-date on the next weekday
_FRIDAY: Final = 4


def parsed(text: str) -> pl.DataFrame:
    """Return the lines of a factor file as ROWS, by ascending date; of lines with one date the first counts.

    Raises:
        ValueError: A line is none; the words name its number.
    """
    found: dict[date, tuple[float, float, float]] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not line.strip() or _UNWRITTEN.search(line):
            continue
        day, price, split, reference = _row(line, number)
        if price > 0 and split > 0:
            found.setdefault(day, (price, split, reference))
    ordered = [(day, *found[day]) for day in sorted(found)]
    return pl.DataFrame(ordered, schema=ROWS, orient="row")


def skipped(text: str) -> list[int]:
    """Return the numbers of the lines whose factors LEAN could not write."""
    lines = enumerate(text.splitlines(), start=1)
    return [number for number, line in lines if _UNWRITTEN.search(line)]


def _row(line: str, number: int) -> tuple[date, float, float, float]:
    cells = [cell.strip() for cell in line.split(",")]
    try:
        day = datetime.strptime(cells[0], "%Y%m%d").date()  # noqa: DTZ007  a date has no zone
        price, split = float(cells[1]), float(cells[2])
        reference = float(cells[3]) if len(cells) >= _WITH_PRICE and cells[3] else 0.0
    except (ValueError, IndexError):
        raise ValueError(f"line {number} was {line[:60]!r}, not yyyymmdd,price factor,split factor,price") from None
    return day, price, split, reference


def steps(rows: pl.DataFrame, days: pl.Series) -> pl.DataFrame:
    """Return the ex-dates that lie between the lines of a factor file, as STEPS, ascending; each is there once.

    Args:
        rows: As `parsed` returns them.
        days: The dates of the bars, ascending: an ex-date is the first of them after the line's date, or the next
            weekday where there is none within ten days.
    """
    if rows.is_empty():
        return pl.DataFrame(schema=STEPS)
    ended = pl.DataFrame([(LAST_ROW + timedelta(days=1), 1.0, 1.0, 0.0)], schema=ROWS, orient="row")
    both = pl.concat([rows, ended])
    after = [_next(day, days) for day in rows["date"]]
    made = both.select(
        pl.Series("ex_date", [*after, None], dtype=pl.Date),
        (pl.col("split_factor").shift(-1) / pl.col("split_factor")).alias("split"),
        (pl.col("price_factor") / pl.col("price_factor").shift(-1)).alias("dividend"),
        pl.col("date").alias("before"),
        pl.when(pl.col("reference_price") > 0).then(pl.col("reference_price")).alias("close"),
    ).head(len(rows))
    changing = made.filter((pl.col("split") != 1.0) | (pl.col("dividend") != 1.0))
    together = changing.group_by("ex_date", maintain_order=True)  # lines between two bars have one ex-date
    return together.agg(pl.col("split", "dividend").product(), pl.col("before", "close").last()).select(list(STEPS))


def _next(day: date, days: pl.Series) -> date:
    place = int(days.search_sorted(day, side="right")) if len(days) else 0
    if place < len(days):
        later: date = days[place]
        if later - day <= _FAR:
            return later
    return day + timedelta(days=1 if day.weekday() < _FRIDAY else 7 - day.weekday())


def actions(found: pl.DataFrame, closes: pl.DataFrame) -> pl.DataFrame:
    """Return STEPS as actions that lead to the same factors: `ex_date`, `type` (split or dividend) and `value`.

    The cash of a dividend is what the step takes of the close before its ex-date, per share after a split of that day,
    to ten decimals: what the company paid, spun off or sold rights for, as far as the file tells.

    Args:
        found: As `steps` returns them.
        closes: `date` (ascending, unique) and `close`, as traded; where none is known in the ten days before an ex-date
            the step's own close is taken, and a step without either has no dividend.
    """
    dated = found.join_asof(
        closes, left_on="ex_date", right_on="date", allow_exact_matches=False, check_sortedness=False
    )
    recent = pl.col("before") - pl.col("date") <= _FAR
    close = pl.when(recent).then(pl.col("close_right")).otherwise(pl.coalesce("close", "close_right"))
    dividends = dated.filter(pl.col("dividend") != 1.0, close.is_not_null()).select(
        "ex_date",
        pl.lit("dividend").alias("type"),
        (close * (1.0 - pl.col("dividend")) / pl.col("split")).round(_CASH_DECIMALS).alias("value"),
    )
    splits = found.filter(pl.col("split") != 1.0).select("ex_date", pl.lit("split").alias("type"), value="split")
    return pl.concat([dividends, splits]).sort("ex_date", "type")


def lean_rows(factors: pl.DataFrame, closes: pl.DataFrame) -> pl.DataFrame:
    """Return `factors` as the ROWS of a factor file, unrounded, the first and the last line included.

    Args:
        factors: `ex_date` (ascending, unique), `split`, `dividend`; its `before` and `close`, where they are there,
            stand in for bars that are not.
        closes: `date` (ascending, unique) and `close`, as traded; not empty unless every factor has its own.
    """
    own = [name for name in ("before", "close") if name in factors.columns]
    renamed = factors.rename({"close": "own_close"} if "close" in own else {})
    dated = renamed.join_asof(
        closes, left_on="ex_date", right_on="date", allow_exact_matches=False, check_sortedness=False
    )
    day = pl.coalesce(pl.col("date"), *(["before"] if "before" in own else []), pl.col("ex_date").dt.offset_by("-1d"))
    price = pl.coalesce(pl.col("close"), *(["own_close"] if "close" in own else []), pl.lit(0.0))
    body = dated.select(
        day.alias("date"),
        pl.Series("price_factor", _from_here(dated["dividend"].to_numpy())),
        pl.Series("split_factor", _from_here(1.0 / dated["split"].to_numpy())),
        price.alias("reference_price"),
    ).unique("date", keep="first", maintain_order=True)  # of ex-dates between two bars the first has the factors of all
    first = closes["date"][0] if len(closes) else None
    begins = min((one for one in (first, body["date"][0] if len(body) else None) if one is not None), default=LAST_ROW)
    top = body.row(0)[1:3] if len(body) else (1.0, 1.0)
    head = pl.DataFrame([(begins, *top, 1.0)], schema=ROWS, orient="row")
    tail = pl.DataFrame([(LAST_ROW, 1.0, 1.0, 0.0)], schema=ROWS, orient="row")
    return pl.concat([head, body, tail]).unique("date", keep="last", maintain_order=True)


def _from_here(ratios: Any) -> Any:
    """Return, for each of `ratios`, the product of it and all later ones."""
    return np.cumprod(ratios[::-1])[::-1]


def written(rows: pl.DataFrame) -> str:
    """Return ROWS in the form of a factor file, with its rounding."""
    lines = [
        f"{day:%Y%m%d},{_decimal(price, PRICE_DECIMALS)},{_decimal(split, SPLIT_DECIMALS)},"
        f"{_decimal(reference, REFERENCE_DECIMALS)}\n"
        for day, price, split, reference in rows.select(list(ROWS)).iter_rows()
    ]
    return "".join(lines)


def _decimal(value: float, places: int) -> str:
    return f"{value:.{places}f}".rstrip("0").rstrip(".")
