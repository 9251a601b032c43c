"""Checks by the rules of the trade: what no bar, quote, trade or action can be."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.services.quality.checks.check import Broken, Check, Tuning, shown

_POSITIVE: Final = {
    "bars": PRICES,
    "trades": ("price", "size"),
    "quotes": ("price",),
    "actions": ("value",),
}
_NOT_NEGATIVE: Final = ("volume", "bid", "ask", "bid_size", "ask_size")
_QUOTED: Final = ("price", "bid", "ask")
_TICK: Final = 0.01  # share of the increment
_ARTEFACT: Final = 2e-7  # share of the price by which a 32-bit float may miss it
_SLACK: Final = 1e-9  # share of the price that the last bits of a float may differ by


def no_close(_frame: pl.DataFrame, _: Tuning) -> Broken:
    """The close is missing."""
    return Broken(where=pl.col("close").is_null(), words=pl.lit("the close is missing"), field="close")


def not_positive(frame: pl.DataFrame, _: Tuning) -> Broken:
    """A price is zero, negative or no finite number, or a volume or size is negative."""
    kind = next(kind for kind, fields in _POSITIVE.items() if {*fields} <= {*frame.columns})
    wrong = {name: ~((pl.col(name) > 0) & (pl.col(name) < float("inf"))) for name in _POSITIVE[kind]}
    wrong |= {name: pl.col(name) < 0 for name in _NOT_NEGATIVE if name in frame.columns}
    which = pl.coalesce(pl.when(broken).then(pl.lit(name)) for name, broken in wrong.items())
    value = pl.coalesce(pl.when(broken).then(pl.col(name)) for name, broken in wrong.items())
    return Broken(
        where=pl.any_horizontal(wrong.values()),
        words=pl.format("the {} is {}, which is no number that it can be", which, value),
        field=which,
        value=value,
        low=0.0,
    )


def ohlc_order(_frame: pl.DataFrame, _: Tuning) -> Broken:
    """The high is below another price of the bar, or the low above; missing prices are not judged."""
    slack = pl.col("close").abs() * _SLACK
    top, bottom = pl.max_horizontal(PRICES), pl.min_horizontal(PRICES)
    low_is_wrong = bottom < pl.col("low") - slack
    name = pl.when(low_is_wrong).then(pl.lit("low")).otherwise(pl.lit("high"))
    value = pl.when(low_is_wrong).then("low").otherwise("high")
    above = [pl.col(name) > pl.col("high") for name in ("open", "low", "close")]
    below = [pl.col(name) < pl.col("low") for name in ("open", "close")]
    return Broken(
        where=pl.any_horizontal(*above, *below),
        confirmed=low_is_wrong | (top > pl.col("high") + slack),
        words=pl.format(
            "the {} is {}, but the prices of the bar go from {} to {}", name, *map(shown, (value, bottom, top))
        ),
        field=name,
        value=value,
        low=pl.when(~low_is_wrong).then(top),
        high=pl.when(low_is_wrong).then(bottom),
        repair="set_field",
        repair_value=pl.when(low_is_wrong).then(bottom).otherwise(top),
    )


def mixed_units(_frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """The high is so far above the low that they must be in different units."""
    times = pl.col("high") / pl.col("low")
    return Broken(
        where=pl.col("high") >= pl.col("low") * tuning["times"],
        confirmed=pl.col("low") > 0,
        words=pl.format(
            "the high of {} is {} times the low of {}: their units differ", shown("high"), times.round(1), shown("low")
        ),
        value=times,
        high=tuning["times"],
        repair="rebuild",
    )


def off_tick(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """A price is no multiple of the price increment, where that is known."""
    names = [name for name in (*PRICES, *_QUOTED) if name in frame.columns]
    if frame["increment"].null_count() == len(frame):
        return None
    wrong = {name: _apart(pl.col(name) / pl.col("increment"), share=_TICK) for name in names}
    which = pl.coalesce(pl.when(broken).then(pl.lit(name)) for name, broken in wrong.items())
    value = pl.coalesce(pl.when(broken).then(pl.col(name)) for name, broken in wrong.items())
    nearest = (value / pl.col("increment")).round() * pl.col("increment")
    return Broken(
        where=pl.any_horizontal(wrong.values()),
        confirmed=((value - nearest).abs() > value.abs() * _ARTEFACT) & value.is_finite(),
        words=pl.format("the {} is {}, no multiple of the price increment {}", which, shown(value), "increment"),
        field=which,
        value=value,
        low=nearest,
        high=nearest,
        repair="snap",
        repair_value=pl.col("increment"),
    )


def off_lot(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """A volume or size is no multiple of the lot, where that is known."""
    name = "volume" if "volume" in frame.columns else "size"
    if frame["lot"].null_count() == len(frame):
        return None
    return Broken(
        where=_apart(pl.col(name) / pl.col("lot"), share=_SLACK),
        words=pl.format("the {} is {}, no multiple of the lot {}", pl.lit(name), name, "lot"),
        field=name,
    )


def _apart(multiple: pl.Expr, *, share: float) -> pl.Expr:
    """Return whether a number is further than `share` from a whole one."""
    return (multiple + share) % 1 > 2 * share


def price_limit(_frame: pl.DataFrame, tuning: Tuning) -> Broken | None:
    """The close is further from the close before than the venue lets it be in one session; 0: it has no limit."""
    share = tuning["share"]
    if share == 0:
        return None
    base = pl.col("previous_close") / pl.col("split").fill_null(1.0)
    low, high = base * (1 - share), base * (1 + share)
    return Broken(
        where=~pl.col("close").is_between(low * (1 - _SLACK), high * (1 + _SLACK)),
        words=pl.format(
            "the close is {}, but the venue's limits let it be from {} to {}", shown("close"), shown(low), shown(high)
        ),
        field="close",
        low=low,
        high=high,
    )


def implausible_volume(frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """The volume or size is greater than anything can trade."""
    name = "volume" if "volume" in frame.columns else "size"
    most = tuning["most"]
    words = pl.format("the {} is {}, more than the {} that is plausible", pl.lit(name), name, pl.lit(most))
    return Broken(where=pl.col(name) > most, words=words, field=name, high=most)


def vwap_outside(frame: pl.DataFrame, _: Tuning) -> Broken | None:
    """The average price is not between the low and the high."""
    if "vwap" not in frame.columns:
        return None
    low, high = pl.col("low") * (1 - _SLACK), pl.col("high") * (1 + _SLACK)
    return Broken(
        where=~pl.col("vwap").is_between(low, high),
        words=pl.format(
            "the average price is {}, but the bar goes from {} to {}", *map(shown, ("vwap", "low", "high"))
        ),
        field="vwap",
        low=pl.col("low"),
        high=pl.col("high"),
    )


def crossed(_frame: pl.DataFrame, _: Tuning) -> Broken:
    """The bid is above the ask."""
    return Broken(
        where=(pl.col("bid") > pl.col("ask")) & (pl.col("ask") > 0),
        words=pl.format("the bid is {}, above the ask of {}", shown("bid"), shown("ask")),
        field="bid",
        high=pl.col("ask"),
    )


def wide_spread(_frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """The ask is further above the bid than is plausible, as a share of the price between them."""
    share = (pl.col("ask") - pl.col("bid")) / ((pl.col("ask") + pl.col("bid")) / 2)
    return Broken(
        where=(pl.col("bid") > 0) & (share > tuning["share"]),
        words=pl.format(
            "the ask of {} is {} % above the bid of {}", shown("ask"), (share * 100).round(1), shown("bid")
        ),
        field="ask",
        high=pl.col("bid") * (1 + tuning["share"]),
    )


def ratio_implausible(_frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """A split is of more new shares for one old, or fewer, than any company would do."""
    most = tuning["most"]
    return Broken(
        where=(pl.col("type") == "split") & ~pl.col("value").is_between(1 / most, most),
        words=pl.format("a split of {} new shares for one old is not plausible", "value"),
        field="value",
        low=1 / most,
        high=most,
    )


def _check(name: str, severity: str, sentence: str, **given: object) -> Check:
    return Check(name=name, severity=severity, sentence=sentence, family="business", **given)  # type: ignore[arg-type]


CHECKS: Final = (
    _check("no_close", "error", "The close is missing.", judge=no_close, kinds=("bars",)),
    _check(
        "not_positive",
        "error",
        "A price is zero, negative or no finite number, or a volume or size is negative.",
        judge=not_positive,
        kinds=("bars", "quotes", "trades", "actions"),
    ),
    _check(
        "ohlc_order",
        "error",
        "The high is not the greatest or the low not the least of the bar's prices.",
        judge=ohlc_order,
        kinds=("bars",),
    ),
    _check(
        "mixed_units",
        "error",
        "The prices of one bar are in different units.",
        judge=mixed_units,
        kinds=("bars",),
        limits={"times": 50.0},
    ),
    _check(
        "off_tick",
        "note",
        "A price is no multiple of the price increment.",
        judge=off_tick,
        kinds=("bars", "quotes", "trades"),
        needs=("increment",),
    ),
    _check(
        "off_lot",
        "note",
        "A volume or size is no multiple of the lot.",
        judge=off_lot,
        kinds=("bars", "trades"),
        needs=("lot",),
    ),
    _check(
        "price_limit",
        "warning",
        "The close is outside the venue's price limits; they are set as a share of the close before.",
        judge=price_limit,
        kinds=("bars",),
        needs=("previous_close", "split"),
        limits={"share": 0.0},
        timeframes=("1d",),
    ),
    _check(
        "implausible_volume",
        "warning",
        "The volume or size is greater than is plausible.",
        judge=implausible_volume,
        kinds=("bars", "trades"),
        limits={"most": 1e15},
    ),
    _check(
        "vwap_outside",
        "error",
        "The average price is not between the low and the high.",
        judge=vwap_outside,
        kinds=("bars",),
    ),
    _check("crossed", "error", "The bid is above the ask.", judge=crossed, kinds=("quotes",)),
    _check(
        "wide_spread",
        "warning",
        "The ask is implausibly far above the bid.",
        judge=wide_spread,
        kinds=("quotes",),
        limits={"share": 0.5},
    ),
    _check(
        "ratio_implausible",
        "warning",
        "A split is of implausibly many or few new shares.",
        judge=ratio_implausible,
        kinds=("actions",),
        limits={"most": 1000.0},
    ),
)
