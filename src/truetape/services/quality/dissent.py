"""Say in words why a claim lost: which kind of difference its distance from the truth is, and by which evidence.

The first kind of REASONS that the facts allow is named, in the order of `_kinds`: what betrays more stands before what
betrays less, and a plain error is what nothing explains.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.services.quality.differences import SERIES, WHOLE_DAYS, alike, near

REASONS: Final = {
    "hundredfold": "the price is 100 times off: a unit or decimal error",
    "currency_unit": "the price is in the main unit where the others quote its hundredth part, or the other way round",
    "currency": "the price is in another currency",
    "misplaced_columns": "the numbers stand in the wrong columns",
    "ohlc_order": "the high is not the greatest or the low not the least of the bar's prices",
    "not_positive": "a price is not a positive number, or the volume is negative",
    "no_close": "the close is missing",
    "stale": "the bar repeats earlier bars to the last digit, volume included",
    "session_label": "it is the bar of another session or hour under this one's label",
    "adjustment_basis": "the price is adjusted, for dividends or by another factor, where the others' are as traded",
    "split_ratio": "the price is off by a split ratio: a split was missed or applied twice",
    "late_correction": "one side was corrected later",
    "rounding": "the price is rounded to fewer decimals",
    "auction_price": "the range is the same and the open or the close another: an auction or late trades are counted "
    "by one and not by the other",
    "venue_coverage": "one range lies within the other: one counts trades of venues or hours that the other does not",
    "disagrees": "the providers that agree weigh more",
}
MINOR_UNITS: Final = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ZAX": "ZAR", "ILA": "ILS", "ILX": "ILS", "USX": "USD"}
QUOTED_IN_MINOR: Final = ("GBP", "ZAR", "ILS")  # main units of venues that quote in the hundredth part
SPLIT_RATIOS: Final = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
STEADY: Final = 5  # bars in a row that are off by one factor, before the factor is taken for an adjustment
HABITUAL: Final = 5  # bars of a series, before its decimals are a habit
SYSTEMATIC: Final = 3  # bars with one explanation, before it is told as one with its span
HABITS: Final = ("auction_price", "venue_coverage", "rounding")  # that come and go: their bars need not be in a row

_BEFORE_RULES: Final = 3  # kinds that say more than a broken rule does
_CLEARLY: Final = 5.0  # times as far apart as prices that agree, for columns to be exchanged and not alike by chance
_NEAR: Final = 0.005  # share of a ratio by which a mistake of its kind may miss it
_COVERED: Final = 0.05  # share of the price by which other trades may move a close
_RATIOS: Final = {name: f"ratio_{name}" for name in PRICES}


def explain_dissent(lost: pl.DataFrame, *, relative: float) -> pl.DataFrame:
    """Return `lost` with `reason` (a key of REASONS, or the rule that was broken), `explanation` and its span.

    Args:
        lost: Claims in the order of (series, provider, ts_event), with all columns that `differences` and
            `corrections` add to them.
        relative: The share of a price within which two are alike.

    Returns:
        `lost` with `explanation`, a sentence with both values, and with the run of bars of one series that are off for
        the same reason: `first` and `last` instant, and their number `together`.
    """
    ratios = [(pl.col(name) / pl.col(f"won_{name}")).alias(ratio) for name, ratio in _RATIOS.items()]
    measured = lost.with_columns(ratios).with_columns(_ratio().alias("ratio"), _of_one_factor().alias("one_factor"))
    steady = measured.with_columns(_steady().alias("steady"))
    kinds = {name: when.fill_null(value=False) for name, when in _kinds(relative).items()}
    named = [pl.when(when).then(pl.lit(name)) for name, when in kinds.items()]
    rule = [pl.when(pl.col("rule") != "stale").then("rule")]
    reason = pl.coalesce(*named[:_BEFORE_RULES], *rule, *named[_BEFORE_RULES:], "rule", pl.lit("disagrees"))
    return _spanned(steady.with_columns(reason.alias("reason"))).with_columns(_sentence(relative).alias("explanation"))


def _kinds(relative: float) -> dict[str, pl.Expr]:
    """Return when a difference is of each kind; the first three say more than a broken rule does."""
    hundredfold = _hundredfold(relative)
    return {
        "currency_unit": hundredfold & (_minor("currency") | _minor("won_currency")),
        "hundredfold": hundredfold,
        "misplaced_columns": _misplaced(relative),
        "stale": (pl.col("rule") == "stale") | pl.col("repeats"),
        "session_label": pl.col("bar_of").is_not_null(),
        "currency": _main("currency") != _main("won_currency"),
        "split_ratio": pl.col("one_factor") & _by_split(),
        "adjustment_basis": _adjusted(relative),
        "late_correction": pl.col("corrected").is_not_null(),
        "rounding": _rounded(),
        "auction_price": _other_trades() & _near_all(("high", "low"), relative),
        "venue_coverage": _other_trades() & _nested(relative),
    }


def _hundredfold(relative: float) -> pl.Expr:
    """Some prices are 100 times off, and the others are right."""
    off = [(pl.max_horizontal(ratio, 1 / pl.col(ratio)) / 100 - 1).abs() < _NEAR for ratio in _RATIOS.values()]
    right = [near(pl.col(name), pl.col(f"won_{name}"), relative=relative) for name in PRICES]
    each = [(one | other).fill_null(value=True) for one, other in zip(off, right, strict=True)]
    return pl.any_horizontal(off) & pl.all_horizontal(each)


def _minor(currency: str) -> pl.Expr:
    return pl.col(currency).is_in([*MINOR_UNITS, *QUOTED_IN_MINOR])


def _main(currency: str) -> pl.Expr:
    return pl.col(currency).replace(MINOR_UNITS)


def _misplaced(relative: float) -> pl.Expr:
    """The same four prices in another order, or the winner's volume among the prices."""
    ordered = [pl.concat_list([f"{side}{name}" for name in PRICES]).list.sort() for side in ("", "won_")]
    same = [near(*(one.list.get(place) for one in ordered), relative=relative) for place in range(len(PRICES))]
    volume = [
        ((pl.col(name) / pl.col("won_volume") - 1).abs() < relative)
        & ~near(pl.col(name), pl.col(f"won_{name}"), relative=relative)
        for name in PRICES
    ]
    far = pl.max_horizontal([(pl.col(name) - pl.col(f"won_{name}")).abs() for name in PRICES])
    clearly = far > _CLEARLY * pl.max_horizontal("increment", relative * pl.col("won_close"))
    return (pl.all_horizontal(same) & clearly) | pl.any_horizontal(volume)


def _near_all(names: tuple[str, ...], relative: float) -> pl.Expr:
    return alike(names, [f"won_{name}" for name in names], relative=relative)


def _ratio() -> pl.Expr:
    return pl.coalesce("ratio_close", "ratio_open", "ratio_high", "ratio_low")


def _slack() -> pl.Expr:
    """Return by which share ratios of rounded prices may differ and be one factor."""
    return 5e-4 + 2 * pl.col("increment") / pl.min_horizontal(*PRICES, *(f"won_{name}" for name in PRICES)).abs()


def _of_one_factor() -> pl.Expr:
    """All prices are off by one factor, which is not 1."""
    most, least = pl.max_horizontal(*_RATIOS.values()), pl.min_horizontal(*_RATIOS.values())
    return (least > 0) & (most / least - 1 <= _slack()) & ((_ratio() - 1).abs() > _slack())


def _by_split() -> pl.Expr:
    ratio = pl.max_horizontal(pl.col("ratio"), 1 / pl.col("ratio"))
    return pl.any_horizontal([(ratio / target - 1).abs() < _NEAR for target in SPLIT_RATIOS])


def _steady() -> pl.Expr:
    """The bar stands in a run of STEADY bars or more, in a row, that are off by one factor."""
    same = (pl.col("ratio") / pl.col("ratio").shift(1) - 1).abs() <= _slack()
    goes_on = _follows() & pl.col("one_factor") & pl.col("one_factor").shift(1) & same
    run = (~goes_on.fill_null(value=False)).cum_sum()
    drift = pl.col("ratio").max().over(run) / pl.col("ratio").min().over(run) - 1
    return pl.col("one_factor") & (pl.len().over(run) >= STEADY) & (drift <= _slack())


def _follows() -> pl.Expr:
    """The claim before it is of the same series and provider, and the one that stands right before it."""
    series = pl.all_horizontal([pl.col(name) == pl.col(name).shift(1) for name in (*SERIES, "provider")])
    return series & (pl.col("place") == pl.col("place").shift(1) + 1)


def _adjusted(relative: float) -> pl.Expr:
    """The close is somebody's adjusted close, or a run of bars is off by one factor."""
    adjusted, close, true = (pl.col(name) for name in ("won_adj_close", "close", "won_close"))
    told = near(close, adjusted, relative=relative) & ~near(adjusted, true, relative=relative)
    return (told & pl.col("one_factor")).fill_null(value=False) | pl.col("steady")


def _rounded() -> pl.Expr:
    """Every price is what the winner's would be in the fewer decimals of the provider's series, or the reverse."""
    coarse = pl.min_horizontal("places", "won_places")
    half = pl.lit(0.5) * pl.lit(10.0).pow(-coarse) * 1.001
    within = [((pl.col(name) - pl.col(f"won_{name}")).abs() <= half).fill_null(value=True) for name in PRICES]
    habit = (pl.col("places") != pl.col("won_places")) & (pl.col("bars") >= HABITUAL)
    return habit & pl.all_horizontal(within)


def _other_trades() -> pl.Expr:
    """The close is not far off, and the volume is not the same."""
    moved = (pl.col("ratio_close") - 1).abs() < _COVERED
    return moved & (pl.col("volume") != pl.col("won_volume")).fill_null(value=True)


def _nested(relative: float) -> pl.Expr:
    higher, lower = pl.col("high") >= pl.col("won_high"), pl.col("low") <= pl.col("won_low")
    same_high, same_low = (near(pl.col(name), pl.col(f"won_{name}"), relative=relative) for name in ("high", "low"))
    return ((higher | same_high) & (lower | same_low)) | ((~higher | same_high) & (~lower | same_low))


def _spanned(explained: pl.DataFrame) -> pl.DataFrame:
    """Return `explained` with the bars that share each claim's explanation: a run in a row, or of HABITS all."""
    goes_on = (_follows() & (pl.col("reason") == pl.col("reason").shift(1))).fill_null(value=False)
    runs = explained.with_columns((~goes_on).cum_sum().alias("run"))
    every = pl.col("run").first().over(*SERIES, "provider", "reason")
    return runs.with_columns(
        pl.when(pl.col("reason").is_in(HABITS)).then(every).otherwise("run").alias("run")
    ).with_columns(
        pl.col("ts_event").first().over("run").alias("first"),
        pl.col("ts_event").last().over("run").alias("last"),
        pl.len().over("run").alias("together"),
    )


def _sentence(relative: float) -> pl.Expr:
    """Return the explanation: who said what, what others said, why, the evidence, and how long it lasts."""
    what, ours, theirs = pl.lit(""), pl.col("close"), pl.col("won_close")
    for name in ("low", "high", "open", "close"):
        apart = ~near(pl.col(name), pl.col(f"won_{name}"), relative=relative)
        ours = pl.when(apart).then(pl.col(name)).otherwise(ours)
        theirs = pl.when(apart).then(pl.col(f"won_{name}")).otherwise(theirs)
        what = pl.when(apart).then(pl.lit("" if name == "close" else f"{name} ")).otherwise(what)
    span = pl.when(pl.col("together") >= SYSTEMATIC).then(_span()).otherwise(pl.lit(""))
    return pl.format(
        "{} said {}{} where {} said {}: {}{}{}",
        "provider",
        what,
        _written(ours),
        pl.col("agreed").str.replace_all(",", ", ").fill_null("nobody"),
        _written(theirs),
        pl.col("reason").replace(REASONS),
        evidence().fill_null(""),
        span,
    )


def _written(price: pl.Expr) -> pl.Expr:
    return price.round_sig_figs(10).cast(pl.String).fill_null("nothing")


def evidence() -> pl.Expr:
    """Return the facts behind the reason of an explained difference, from a semicolon on; null where it has none."""
    counted = [_count(name) for name in ("volume", "won_volume")]
    trades = pl.format("; volume {} ({}) against {} ({})", counted[0], "feed", counted[1], "won_feed")
    factor = pl.format("; {} times the others'", pl.col("ratio").round_sig_figs(6))
    currencies = pl.format("; {} against {}", "currency", "won_currency")
    said = {
        "session_label": pl.format("; that of {}", moment("bar_of")),
        "split_ratio": factor,
        "adjustment_basis": factor,
        "currency": currencies,
        "currency_unit": currencies,
        "late_correction": pl.coalesce(
            pl.format("; it said {} before {}", "own_before", moment("corrected")),
            pl.format("; {} said so too before", pl.col("others_before").str.replace_all(",", ", ")),
        ),
        "rounding": pl.format("; {} decimals against {}", "places", "won_places"),
        "auction_price": trades,
        "venue_coverage": trades,
    }
    return pl.coalesce([pl.when(pl.col("reason") == name).then(words) for name, words in said.items()])


def _count(volume: str) -> pl.Expr:
    value = pl.col(volume)
    whole = value.cast(pl.Int64, strict=False)
    text = pl.when(whole == value).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    return text.fill_null("unknown")


def _span() -> pl.Expr:
    return pl.format("; so in {} bars from {} to {}", "together", moment("first"), moment("last"))


def moment(column: str) -> pl.Expr:
    """Return an instant as text: its date where bars are of whole days, else to the minute, UTC."""
    whole = pl.col("timeframe").is_in(WHOLE_DAYS)
    date, minute = (pl.col(column).dt.strftime(form) for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M"))
    return pl.when(whole).then(date).otherwise(minute)
