"""Bars that contradict their neighbours, taken from a better source: a finer timeframe, or the consensus."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from truetape.domain.adjust import PRICES
from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.noise import local_scale
from truetape.services.quality.repairs.record import Repair, repair

ODD: Final = 4.0  # usual moves: a price further from its neighbours contradicts them
APART: Final = 8.0  # times the usual difference of the two sources: a price further apart is not the same one
EXACT: Final = 0.002  # in logarithms: two sources are never expected to be closer than this

_NEAR: Final = 2  # bars on either side
_BASIS: Final = 10  # bars on either side that tell the units of the two sources apart
_SPAN: Final = {"1w": "7d", "1mo": "31d"}


def rebuilt_from(series: PriceSeries, finer: PriceSeries) -> list[Repair]:
    """Return the repairs of bars that the bars of `finer`, of a shorter timeframe, prove wrong or fill.

    Units and splits of the two need not be the same: bars nearby tell how one stands to the other.
    """
    return rebuilt_by(series, _joined(series, finer))


def rebuilt_by(series: PriceSeries, reference: pl.DataFrame) -> list[Repair]:
    """Return a repair for each bar that contradicts its neighbours where `reference` does not, or is missing.

    Args:
        series: The bars.
        reference: A row for each row of `series`: open, high, low, close, volume, null where nothing is known. The
            golden rows of a consensus are such a reference.
    """
    names = [name for name in PRICES if name in series.fields and name in reference.columns]
    basis = _basis(series.values("close"), reference["close"].fill_null(float("nan")).to_numpy())
    level, usual = _levels(series)
    replaced: dict[str, np.ndarray] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in names:
            own, other = series.values(name), reference[name].fill_null(float("nan")).to_numpy() * basis
            apart = np.abs(np.log(np.where(own > 0, own, np.nan) / other))
            limit = max(APART * float(np.nanmedian(apart)) if np.isfinite(apart).any() else 0.0, EXACT)
            far = np.abs(np.log(own / level))
            odd = (far > ODD * usual) & (np.abs(np.log(other / level)) < far / 2) & (apart > limit)
            replaced[name] = np.where((odd | ~(own > 0)) & np.isfinite(other), other, own)
    return _repairs(series, replaced, reference)


def _joined(series: PriceSeries, finer: PriceSeries) -> pl.DataFrame:
    """Return what the bars of `finer` say of each bar of `series`, null where there are none."""
    intraday = series.timeframe not in ("1d", *_SPAN)
    key = "ts" if intraday else "date"
    bars = finer.frame.filter(pl.col("close").is_not_null())
    labels = series.frame.select(key, pl.col(key).alias("label")).unique(subset="label", keep="first").sort(key)
    if intraday or series.timeframe in _SPAN:
        span = series.timeframe if intraday else _SPAN[series.timeframe]
        bars = bars.sort(key).join_asof(labels, on=key, strategy="backward", tolerance=span)
        end = pl.col("label").cast(pl.Datetime("ns")).dt.offset_by("1mo" if series.timeframe == "1mo" else span)
        bars = bars.filter(pl.col(key).cast(pl.Datetime("ns")) < end)
    else:
        bars = bars.with_columns(pl.col("date").alias("label"))
    known = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    sums = [getattr(pl.col(name), how)() for name, how in known.items() if name in bars.columns]
    told = bars.sort("ts").group_by("label", maintain_order=True).agg(sums)
    return series.frame.select(pl.col(key).alias("label")).join(told, on="label", how="left", maintain_order="left")


def _basis(close: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return by which factor the closes of each row and its neighbours are larger than the reference's."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((close > 0) & (other > 0), close / other, np.nan)
    near = pl.Series(ratio).fill_nan(None).rolling_median(window_size=2 * _BASIS + 1, min_samples=1, center=True)
    return np.asarray(near.fill_null(strategy="forward").fill_null(strategy="backward").to_numpy(), dtype=np.float64)


def _levels(series: PriceSeries) -> tuple[np.ndarray, np.ndarray]:
    """Return the level of the closes around each row, without its own, and the usual move there."""
    close = series.values("close")
    close[~(close > 0)] = np.nan
    around = np.vstack(
        [pl.Series(close).shift(by).fill_null(float("nan")).to_numpy() for by in range(-_NEAR, _NEAR + 1) if by]
    )
    known = np.isfinite(around).any(axis=0)
    level = np.full(len(close), np.nan)
    level[known] = np.nanmedian(around[:, known], axis=0)
    moves = np.diff(np.log(close), prepend=np.nan) if len(close) else close
    return level, local_scale(moves) if len(close) else close


def _repairs(series: PriceSeries, replaced: dict[str, np.ndarray], reference: pl.DataFrame) -> list[Repair]:
    old = {name: series.values(name) for name in replaced}
    differs = [~np.isclose(values, old[name], rtol=0, atol=0, equal_nan=True) for name, values in replaced.items()]
    rows = np.flatnonzero(np.any(differs, axis=0)) if differs else np.array([], dtype=int)
    volume = reference["volume"].fill_null(float("nan")).to_numpy() if "volume" in reference.columns else None
    made = [_rebuilt(series, int(row), replaced, volume) for row in rows]
    return [one for one in made if one is not None]


def _rebuilt(
    series: PriceSeries, row: int, replaced: dict[str, np.ndarray], volume: np.ndarray | None
) -> Repair | None:
    after = {name: series.values(name) for name in (*replaced, "adj_close", "volume") if name in series.fields}
    for name, values in replaced.items():
        after[name][row] = values[row]
    changed = [name for name in replaced if after[name][row] != series.values(name)[row]]
    if "adj_close" in after and "close" in changed:
        adjusted = after["close"][row] * _stand(series, row)
        fits = abs(after["adj_close"][row] / adjusted - 1) < EXACT
        after["adj_close"][row] = after["adj_close"][row] if fits else adjusted
    if "volume" in after and volume is not None and np.isnan(after["volume"][row]):
        after["volume"][row] = volume[row]
    names = ", ".join(changed)
    return repair(
        series,
        kind="bar_rebuilt",
        after=after,
        factor=None,
        evidence=f"The {names} of this bar contradicts the bars around it or is missing; the better source does not.",
        confidence=0.97,
    )


def _stand(series: PriceSeries, row: int) -> float:
    """Return how the adjusted close stands to the close around `row`: after it on an ex-date, else before it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        stand = series.values("adj_close") / series.values("close")
    paid = np.nan_to_num(series.values("dividends")[row]) > 0
    known = np.flatnonzero(np.isfinite(stand) & (np.arange(len(stand)) != row))
    if not len(known):
        return 1.0
    sides = (known[known > row][:1], known[known < row][-1:])
    best = sides[0] if (paid and len(sides[0])) or not len(sides[1]) else sides[1]
    return float(stand[best[0]])
