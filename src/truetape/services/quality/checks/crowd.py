"""Checks of a series against others: the market of its day, and the same bars of other providers."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from truetape.domain.adjust import PRICES
from truetape.services.quality.checks.check import Broken, Check, Tuning
from truetape.services.quality.checks.regime import NORMAL

_ENOUGH: Final = 3  # providers of a bar, so that one can be told to be wrong
_CROWD: Final = 20  # series of a market that make a spread
_VALUES: Final = (*PRICES, "volume")


def out_of_market(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The move, in sigmas of its own regime, is far from those of the other series of its venue."""
    own = frame.lazy().select("ts_event", "timeframe", "venue", (pl.col("move") / pl.col("usual_move")).alias("own"))
    groups = own.group_by("ts_event", "timeframe", "venue").agg(
        pl.col("own").median().alias("market"),
        ((pl.col("own") - pl.col("own").median()).abs().median() * NORMAL).alias("spread"),
        pl.col("own").count().alias("many"),
    )
    crowds = groups.filter(pl.col("many") >= _CROWD).collect()
    if crowds.is_empty():
        return None
    key = ["ts_event", "timeframe", "venue"]
    joined = own.collect().join(crowds, on=key, how="left", nulls_equal=True, maintain_order="left")
    far = joined.select(((pl.col("own") - pl.col("market")) / pl.col("spread")).alias("far"))["far"]
    return Broken(
        where=far.abs() > tuning["sigmas"],
        measured={"far": far, "many": joined["many"]},
        words=pl.format(
            "the move from {} to {} is {} sigmas from those of {} series of its market",
            "previous_close",
            "close",
            pl.col("far").round(1),
            "many",
        ),
        field="close",
    )


def off_the_others(frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """A value is so far from the median of three or more providers that no usual difference explains it.

    Prices may differ by a share and by a part of the regime's sigma, high and low by twice that; volumes by a factor,
    after what the provider's volumes are to the median's on a usual day.
    """
    if frame.is_empty() or frame["providers"].max() < _ENOUGH:  # type: ignore[operator]
        return None
    judged = _judged(frame, tuning)
    low, high = (pl.col("middle") * (way * pl.col("limit")).exp() for way in (-1.0, 1.0))
    words = "{} says {} {}; the median of {} providers is {}, and no usual difference is so large"
    return Broken(
        where=judged["worst"] > 1,
        measured={name: judged[name] for name in ("which", "middle", "limit")},
        words=pl.format(words, "provider", "which", _value(), "providers", pl.col("middle").round(4)),
        field=pl.col("which"),
        value=_value(),
        low=low,
        high=high,
        repair="set_field",
        repair_value=pl.col("middle"),
    )


def _value() -> pl.Expr:
    return pl.coalesce([pl.when(pl.col("which") == name).then(pl.col(name)) for name in _VALUES])


def _judged(frame: pl.DataFrame, tuning: Tuning) -> pl.DataFrame:
    """Return, for each row, what is furthest off: how far / how far it may be, its name, the median, the limit."""
    able = frame["providers"].to_numpy() >= _ENOUGH
    sigma = frame["usual_move"].fill_null(0.0).to_numpy()
    best = np.zeros(len(frame))
    which, middle, limit = np.zeros(len(frame), dtype=np.uint32), np.ones(len(frame)), np.ones(len(frame))
    for number, name in enumerate(_VALUES):
        centre, apart = _apart(frame, name)
        if name == "volume":
            bound = np.full(len(frame), np.log(tuning["volumes"]))
            apart = apart - np.clip(_usual(frame, apart), -bound / 2, bound / 2)
        else:
            wide = 2.0 if name in {"high", "low"} else 1.0
            bound = wide * np.maximum(tuning["share"], tuning["sigmas"] * sigma)
        times = np.where(able, np.abs(apart) / bound, 0.0)
        new = times > best
        best[new], which[new], middle[new], limit[new] = times[new], number, centre[new], bound[new]
    names = pl.Series(_VALUES, dtype=pl.String).gather(pl.Series(which))
    return pl.DataFrame({"worst": best, "which": names, "middle": middle, "limit": limit})


def _apart(frame: pl.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return each bar's median over its providers, and the logarithm of the row's value / that; 0 where unknown."""
    key = frame["key_number"].to_numpy()
    who = frame["provider"].rank("dense").to_numpy() - 1
    told = frame[name].fill_null(np.nan).to_numpy()
    table = np.full((int(key.max()) + 1, int(who.max()) + 1), np.nan)
    table[key, who] = np.where(told > 0, told, np.nan)
    table.sort(axis=1)  # NaN last
    count = np.maximum(np.isfinite(table).sum(axis=1), 1)
    every = np.arange(len(table))
    centre = ((table[every, (count - 1) // 2] + table[every, count // 2]) / 2)[key]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.log(told / centre)
    return centre, np.where(np.isfinite(apart), apart, 0.0)


def _usual(frame: pl.DataFrame, apart: np.ndarray) -> np.ndarray:
    """Return the median of `apart` over each row's series."""
    medians = pl.DataFrame({"series": frame["series"], "apart": apart}).select(pl.col("apart").median().over("series"))
    return medians["apart"].to_numpy()


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        name="out_of_market",
        kinds=("bars",),
        family="statistical",
        severity="note",
        sentence="The move is far from those of its market.",
        judge=out_of_market,
        needs=("move", "usual_move", "venue", "previous_close"),
        limits={"sigmas": 12.0},
    ),
    Check(
        name="off_the_others",
        kinds=("bars",),
        family="cross_provider",
        severity="error",
        sentence="A value is far from what most providers say.",
        judge=off_the_others,
        needs=("providers", "key_number", "usual_move", "series"),
        limits={"share": 0.01, "sigmas": 1.0, "volumes": 3.0},
    ),
)
