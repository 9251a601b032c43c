"""Spoil good data: rows of a series, or the bytes of an answer, as providers really do.

Which rows are hit depends only on the seed, the provider, the symbol and the kind, never on the range that was asked.
"""

from __future__ import annotations

import json
import random
from datetime import date
from typing import Any, Final

import polars as pl

from truetape.app.sandbox.faults import Fault
from truetape.domain.adjust import PRICES

ROWS: Final = {"missing_rows": 3, "hundredfold": 2}  # rows hit where the fault does not say how many
_EDGE: Final = 10  # rows at each end of a series that are left alone, so that a hole is a hole and no shorter history


def hit_days(
    days: pl.Series, fault: Fault, *, splits: pl.DataFrame, seed: int, provider: str, symbol: str
) -> list[date]:
    """Return the session dates that `fault` hits, ascending; none for a fault that changes no rows.

    Args:
        days: The session dates of the whole series (Date, ascending).
        fault: Of any kind.
        splits: `ex_date` and `value` (new shares for one old), ascending; the last of them is the one missed.
        seed: Of the sandbox.
        provider: Whose series it is.
        symbol: Of which symbol.
    """
    if fault.kind == "missed_split":
        return days.filter(days < splits["ex_date"][-1]).to_list() if len(splits) else []
    if fault.kind == "stale":
        return days[-fault.sessions :].to_list() if len(days) > fault.sessions else []
    wanted = fault.rows or ROWS[fault.kind] if fault.kind in ROWS else 0
    inner = _inner(days, splits, wanted=wanted)
    choice = random.Random(f"{seed}:{provider}:{symbol}:{fault.kind}")  # noqa: S311 - a rehearsal, no secret
    places = choice.sample(range(len(inner)), min(wanted, len(inner)))
    return inner.gather(sorted(places)).to_list()


def _inner(days: pl.Series, splits: pl.DataFrame, *, wanted: int) -> pl.Series:
    """Return the days to choose from: since the last split, so that no row is spoilt twice, if they are enough."""
    inner = days[_EDGE:-_EDGE]
    since = inner.filter(inner >= splits["ex_date"][-1]) if len(splits) else inner
    return since if len(since) >= wanted else inner


def spoil(bars: pl.DataFrame, fault: Fault, *, days: list[date], splits: pl.DataFrame) -> pl.DataFrame:
    """Return `bars` as a provider with `fault` would have them.

    Args:
        bars: schema.DECODED["bars"], ascending, the whole series.
        fault: Of any kind; only missing_rows, hundredfold, missed_split and stale change rows.
        days: What `hit_days` said.
        splits: As `hit_days` was given them.
    """
    if not days:
        return bars
    hit = pl.col("ts_event").dt.date().is_in(days)
    if fault.kind == "missing_rows":
        return bars.filter(~hit)
    if fault.kind == "stale":
        good = bars.filter(~hit).tail(1)
        return _where(hit, {name: pl.lit(good[name][0]) for name in (*PRICES, "volume", "adj_close")}, bars)
    if fault.kind == "hundredfold":
        return _where(hit, {name: pl.col(name) * 100 for name in PRICES}, bars)
    ratio = _mistake(bars, fault, ratio=splits["value"][-1])
    prices = {name: pl.col(name) * ratio for name in PRICES}
    return _where(hit, {**prices, "volume": pl.col("volume") / ratio}, bars)


def _mistake(bars: pl.DataFrame, fault: Fault, *, ratio: float) -> float:
    """Return by what prices before the split are multiplied.

    Raw prices cannot lack a split: there both faults show it applied, where it should not be.
    """
    missed = fault.how == "missed" and bars["basis"][0] != "raw"
    return ratio if missed else 1.0 / ratio


def _where(hit: pl.Expr, values: dict[str, pl.Expr], bars: pl.DataFrame) -> pl.DataFrame:
    return bars.with_columns(
        [pl.when(hit).then(value).otherwise(pl.col(name)).alias(name) for name, value in values.items()]
    )


def drift(body: bytes, fault: Fault, *, field: str) -> bytes:
    """Return the JSON `body` with `field` under another name, or as an object.

    The objects are of the kind that a provider sends when it begins to format its numbers for display.
    """

    def changed(node: Any) -> Any:
        if isinstance(node, list):
            return [changed(one) for one in node]
        if not isinstance(node, dict):
            return node
        if fault.change == "rename":
            return {f"{name}New" if name == field else name: changed(one) for name, one in node.items()}
        return {name: _formatted(one) if name == field else changed(one) for name, one in node.items()}

    return json.dumps(changed(json.loads(body)), separators=(",", ":")).encode()


def _formatted(value: Any) -> dict[str, Any]:
    return {"raw": value, "fmt": str(value)[:20]}


def cut(body: bytes, *, seed: int, provider: str, symbol: str) -> bytes:
    """Return the first part of `body`, between a third and two thirds of it."""
    share = random.Random(f"{seed}:{provider}:{symbol}:truncated").uniform(1 / 3, 2 / 3)  # noqa: S311
    return body[: int(len(body) * share)]
