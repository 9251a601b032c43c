"""A file of prices repaired, and the report of what was done to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import polars as pl

from truetape.app.plain_files.prices import Prices, in_own_columns
from truetape.domain.errors import BadInput
from truetape.domain.time import TIMEFRAMES
from truetape.services.quality.repairs import Repair, apply, find_repairs, rebuilt_from


@dataclass(frozen=True, eq=False)
class Repaired:
    """A repaired file: its frame in its own rows and columns, and the repairs in the order they were made."""

    prices: Prices
    frame: pl.DataFrame
    repairs: tuple[Repair, ...]

    def written_date(self, row: int) -> str:
        """Return the date or instant of a row of the series as the file writes it."""
        return str(self.prices.sheet.frame[self.prices.headers["moment"]][self.prices.rows[row]])


def repaired(prices: Prices, *, finer: Prices | None = None) -> Repaired:
    """Return `prices` with every fault repaired that the series itself, or its bars in a finer timeframe, prove.

    Raises:
        BadInput: The bars of `finer` are not finer.
    """
    found = find_repairs(prices.series)
    series = apply(prices.series, found)
    if finer is not None:
        _refuse_no_finer(prices, finer)
        again = rebuilt_from(series, finer.series)
        found, series = (*found, *again), apply(series, again)
    return Repaired(prices=prices, frame=in_own_columns(prices, series), repairs=found)


def _refuse_no_finer(prices: Prices, finer: Prices) -> None:
    if TIMEFRAMES.index(finer.series.timeframe) >= TIMEFRAMES.index(prices.series.timeframe):
        fix = f"Its bars must be shorter than {prices.series.timeframe}."
        raise BadInput(parameter="The timeframe of --finer", value=finer.series.timeframe, fix=fix)


def report(result: Repaired, *, as_json: bool) -> bytes:
    """Return every change with its reason: JSON with an object per repair, or CSV with a row per cell."""
    if as_json:
        told = [asdict(one) | {"changes": list(_cells(result, one))} for one in result.repairs]
        return msgspec.json.format(msgspec.json.encode(told)) + b"\n"
    names = ("id", "kind", "place", "date", "column", "before", "after", "factor", "confidence", "evidence")
    rows = [
        {"id": one.id, "kind": one.kind, "factor": one.factor, "confidence": one.confidence, "evidence": one.evidence}
        | cell
        for one in result.repairs
        for cell in _cells(result, one)
    ]
    types = {
        name: pl.Float64() if name in ("before", "after", "factor", "confidence") else pl.String() for name in names
    }
    return pl.DataFrame(rows, schema=types).write_csv().encode()


def _cells(result: Repaired, one: Repair) -> Iterator[dict[str, Any]]:
    for change in one.changes:
        for row, before, after in zip(change.rows, change.before, change.after, strict=True):
            yield {
                "place": result.prices.place(row),
                "date": result.written_date(row),
                "column": result.prices.headers[change.column],
                "before": before,
                "after": after,
            }
