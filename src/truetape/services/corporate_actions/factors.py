"""The factors of one instrument at every knowledge time: what a rebuild of what was known then would give.

Factors follow from the golden actions and closes alone. What was known of both is a set of spans of knowledge time; at
each edge of one the factor of an ex-date may change, and between them it cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from truetape.domain.distributions import CASH, SHARES, kept, per_day
from truetape.services.corporate_actions.closes import Closes
from truetape.services.corporate_actions.terms import PRICES

CHANGES: Final = {
    "ex_date": pl.Date(),
    "since": pl.Int64(),  # from this knowledge time on, UTC nanoseconds; until the next change of the ex-date
    "split": pl.Float64(),  # null, as are the others: no factor stands
    "dividend": pl.Float64(),
    "simulated": pl.Boolean(),
}
_STATE: Final = ("ex_date", "since")
_POINTS: Final = {
    **{name: CHANGES[name] for name in _STATE},
    "begun": pl.Boolean(),
    "close": pl.Float64(),
    "quoted": pl.String(),
}
_NUMBERS: Final = ("split", "dividend", "simulated")


def factor_changes(actions: pl.DataFrame, bars: pl.DataFrame, prices: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return when the factors of an instrument changed, and to what: CHANGES, ascending by ex-date and knowledge time.

    A factor stands while an action that changes prices is known together with a close of its ex-date or of a later day:
    before, it has no effect yet. A dividend is measured against the last close before the ex-date that was known then.

    Args:
        actions: Golden actions in the spans in which they stood: `ex_date`, `type`, `value`, `currency`, `agreed`,
            `simulated`, `since` and `until`. A null value is no action, and cash in another currency than that of the
            close cannot be measured against it: it has no effect.
        bars: Golden raw daily bars in their spans: `date`, `close`, `currency`, `since` and `until`, ascending by date.
        prices: What spun-off shares and rights are valued at, in spans: terms.PRICES; None: nothing is known of it.
    """
    told = actions.filter(pl.col("value").is_not_null())
    valued = pl.DataFrame(schema=PRICES) if prices is None else prices
    points = _points(told, valued, Closes(bars))
    if points.is_empty():
        return pl.DataFrame(schema=CHANGES)
    standing = points.select(*_STATE, "quoted").join(told.rename({"since": "from"}), on="ex_date")
    standing = standing.filter(pl.col("from") <= pl.col("since"), pl.col("since") < pl.col("until"))
    counted = _priced(told_apart(standing.filter(~foreign("quoted")), by=_STATE), valued)
    days = points.join(per_day(counted, by=_STATE), on=_STATE, how="inner", maintain_order="left")
    days = days.filter("begun").with_columns(pl.lit(None, pl.Float64).alias("dividend"))
    days = days.with_columns(kept(days, days["close"], basis="raw").alias("dividend"))
    effective = days.filter((pl.col("split") != 1.0) | (pl.col("dividend") != 1.0))
    marks = counted.group_by(_STATE).agg(pl.col("simulated").any())
    changed = effective.join(marks, on=_STATE).select(*_STATE, *_NUMBERS)
    return only_changes(points.select(_STATE).join(changed, on=_STATE, how="left", maintain_order="left"))


def foreign(quoted: str) -> pl.Expr:
    """Return whether an action is cash in another currency than that in the column `quoted`; false where one is null.

    Of the action `type` and `currency` are looked at.
    """
    differs = (pl.col("currency") != pl.col(quoted)).fill_null(value=False) & (pl.col("currency") != "")
    return pl.col("type").is_in(CASH) & differs


def only_changes(states: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `states` (CHANGES, in any order) that say something else than the one before of their ex-date.

    Before the first row of an ex-date nothing stands.
    """
    ordered = states.select(list(CHANGES)).sort(_STATE)
    before = pl.col(_NUMBERS).shift(1).over("ex_date")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"was_{name}")) for name in _NUMBERS)
    return ordered.with_columns(before.name.prefix("was_")).filter(differs).select(list(CHANGES))


def _priced(standing: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Return actions with the `price` that stood at the knowledge time of each state; null where none did."""
    named = prices.rename({"since": "from", "until": "to"})
    pairs = standing.select(*_STATE, "type").join(named, on=["ex_date", "type"])
    stood = pairs.filter(pl.col("from") <= pl.col("since"), pl.col("since") < pl.col("to"))
    one = stood.select(*_STATE, "type", "price").unique([*_STATE, "type"], keep="first", maintain_order=True)
    return standing.join(one, on=[*_STATE, "type"], how="left", maintain_order="left")


def _points(actions: pl.DataFrame, prices: pl.DataFrame, closes: Closes) -> pl.DataFrame:
    """Return the knowledge times at which the factor of each ex-date may have changed, and what was known then."""
    rows = []
    for (ex_date,), own in actions.partition_by("ex_date", as_dict=True).items():
        spans = pl.concat([one.select("since", "until") for one in (own, prices.filter(pl.col("ex_date") == ex_date))])
        moments = {*spans["since"].to_list(), *spans["until"].to_list()}
        ex_day = own["ex_date"].cast(pl.Int32)[0]
        rows += [
            (ex_date, one.known, one.begun, one.close, one.currency) for one in closes.around(ex_day, moments=moments)
        ]
    return pl.DataFrame(rows, schema=_POINTS, orient="row")


def told_apart(actions: pl.DataFrame, *, by: Sequence[str] = ("ex_date",)) -> pl.DataFrame:
    """Return `actions` less those that are another's name for the same event.

    What one provider calls a special dividend another may report as a dividend, and a stock dividend as a split. Beside
    a dividend or split of the day, other cash or shares count only if one provider speaks of both.

    Args:
        actions: `by`, `type` and `agreed`, the providers behind each, comma separated.
        by: The columns that tell days apart.
    """
    plain = pl.when(pl.col("type").is_in(CASH)).then(pl.lit(CASH[0]))
    named = actions.with_columns(plain.when(pl.col("type").is_in(SHARES)).then(pl.lit(SHARES[0])).alias("usual"))
    usual = (
        named.filter(pl.col("type") == pl.col("usual"))
        .select(*by, "usual", behind="agreed")
        .unique([*by, "usual"], keep="first")
    )
    joined = named.join(usual, on=[*by, "usual"], how="left", maintain_order="left")
    both = pl.col("agreed").str.split(",").list.set_intersection(pl.col("behind").str.split(",")).list.len() > 0
    alone = pl.col("behind").is_null() | (pl.col("type") == pl.col("usual"))
    return joined.filter(alone | both.fill_null(value=False)).drop("usual", "behind")
