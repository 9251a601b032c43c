"""The columns that several checks share: how each is made of the records, and on which others it rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from truetape.services.quality.checks.surroundings import Surroundings

SERIES: Final = ("instrument_id", "provider", "timeframe")
WHOLE_DAYS: Final = ("1d", "1w", "1mo")  # timeframes of bars that are labelled with a session date
CONSISTENT: Final = 1.4826  # the median absolute deviation of a normal distribution is its sigma divided by this

Column = pl.Expr | pl.Series


Made = Callable[[pl.DataFrame, Surroundings], Column]


@dataclass(frozen=True, eq=False)
class Shared:
    """A shared column: what it holds, which others must stand in the frame before, and how it is made of them."""

    sentence: str
    rests_on: tuple[str, ...]
    made: pl.Expr | Made

    def column(self, frame: pl.DataFrame, around: Surroundings) -> Column:
        """Return it for the rows of `frame`."""
        return self.made if isinstance(self.made, pl.Expr) else self.made(frame, around)


def scale(frame: pl.DataFrame, _: Surroundings) -> Column:
    """Return the robust standard deviation about 0 of the log returns, those of 0 left out, of each row's series."""
    moves = frame.select("series", pl.col("log_return").abs().alias("move")).filter(pl.col("move") > 0)
    medians = moves.group_by("series").agg(pl.col("move").median() * CONSISTENT)
    return _spread(frame, medians)


def listed(name: str) -> Made:
    """Return what makes the listing's `name` of each row; null where the listing does not say."""

    def made(frame: pl.DataFrame, around: Surroundings) -> Column:
        firsts = frame.filter(pl.col("starts")).select("series", "instrument_id")
        one = around.listed.unique("instrument_id", keep="first")
        return _spread(frame, firsts.join(one, on="instrument_id", how="left").select("series", name))

    return made


def day(frame: pl.DataFrame, around: Surroundings) -> Column:
    """Return the session date: the label of a bar of whole days, else that of the last session that opened before."""
    dates = pl.col("ts_event").dt.date()
    whole = pl.col("timeframe").is_in(WHOLE_DAYS)
    if around.sessions.is_empty() or frame.select(whole.all()).item():
        return dates
    return pl.when(whole).then(dates).otherwise(_opened(frame, around, "session"))


def opened(name: str) -> Made:
    """Return what makes `name` of the last session of the row's venue that opened at its instant or before."""

    def made(frame: pl.DataFrame, around: Surroundings) -> Column:
        return _opened(frame, around, name)

    return made


def is_session(frame: pl.DataFrame, around: Surroundings) -> Column:
    """Return whether the calendar of the row's venue has a session on its day."""
    return _calendar(frame, around, lambda known: known).cast(pl.Boolean)


def sessions_until(frame: pl.DataFrame, around: Surroundings) -> Column:
    """Return how many sessions the calendar of the row's venue has from the first day of the frame to its day."""
    return _calendar(frame, around, lambda known: np.cumsum(known, axis=1, dtype=np.int32))


def declared(kind: str) -> Made:
    """Return what makes the value of the actions of type `kind` that take effect with the row; null where none does.

    An action takes effect with the first row of a series on its ex-date or after. Splits multiply, dividends add up.
    """

    def made(frame: pl.DataFrame, around: Surroundings) -> Column:
        chosen = around.actions.filter(pl.col("type") == kind)
        nothing = pl.lit(None, dtype=pl.Float64)
        if chosen.is_empty() or frame.is_empty():
            return nothing
        days = frame.join(chosen.select("instrument_id").unique(), on="instrument_id", how="semi").select(
            "instrument_id", "series", "row", "day", "starts"
        )
        wanted = days.filter(pl.col("starts")).select("instrument_id", "series").join(chosen, on="instrument_id")
        met = wanted.sort("ex_date").join_asof(
            days.select("series", "row", "day").sort("day", maintain_order=True),
            left_on="ex_date",
            right_on="day",
            by="series",
            strategy="forward",
            check_sortedness=False,
        )
        total = pl.col("value").product() if kind == "split" else pl.col("value").sum()
        per_row = met.drop_nulls("row").group_by("row").agg(total)
        values = np.full(len(frame), np.nan)
        values[per_row["row"].to_numpy()] = per_row["value"].to_numpy()
        return pl.Series(values, nan_to_null=True)

    return made


def before(column: str) -> pl.Expr:
    """Return the value of `column` one row before; null at the start of a series."""
    return pl.when(~pl.col("starts")).then(pl.col(column).shift(1))


def per_key(value: pl.Expr) -> pl.Expr:
    """Return `value` over the rows of all providers about the same instrument, timeframe and instant."""
    return value.over("instrument_id", "timeframe", "ts_event")


_OTHER: Final = pl.any_horizontal([pl.col(name).ne_missing(pl.col(name).shift(1)) for name in SERIES])
_POSITIVE: Final = (pl.col("close") > 0) & (pl.col("previous_close") > 0)
_UNTIL: Final = "Int32: sessions in the venue's calendar from the frame's first day to this one; null: no calendar"

SHARED: Final[dict[str, Shared]] = {
    "starts": Shared("Boolean: the row is the first of its series", (), _OTHER | (pl.int_range(pl.len()) == 0)),
    "series": Shared("UInt32: the number of its series", ("starts",), pl.col("starts").cum_sum().cast(pl.UInt32) - 1),
    "previous_close": Shared("Float64: the close one row before", ("close", "starts"), before("close")),
    "previous_price": Shared("Float64: the price one row before", ("price", "starts"), before("price")),
    "previous_ts": Shared("instant: of the row before", ("starts",), before("ts_event")),
    "previous_place": Shared("UInt32: the place of the row before", ("starts",), before("place")),
    "ratio": Shared(
        "Float64: close / previous close, where both are positive",
        ("previous_close",),
        pl.when(_POSITIVE).then(pl.col("close") / pl.col("previous_close")),
    ),
    "log_return": Shared("Float64: the natural logarithm of the ratio", ("ratio",), pl.col("ratio").log()),
    "scale": Shared("Float64: the robust spread of the series' log returns", ("log_return", "series"), scale),
    "venue": Shared("String: the MIC of its listing", ("series",), listed("venue")),
    "increment": Shared("Float64: the price increment of its listing", ("series",), listed("increment")),
    "lot": Shared("Float64: the lot of its listing", ("series",), listed("lot")),
    "day": Shared("Date: its session date", ("venue",), day),
    "session_open": Shared("instant: when the last session before it opened", ("venue",), opened("open")),
    "session_close": Shared("instant: when that session closed", ("venue",), opened("close")),
    "is_session": Shared("Boolean: the day is a session; null: no calendar", ("day",), is_session),
    "sessions_until": Shared(_UNTIL, ("day",), sessions_until),
    "sessions_since": Shared(
        "Int32: sessions after the previous row's day up to this one: 1 where none is left out",
        ("sessions_until", "starts"),
        pl.col("sessions_until") - before("sessions_until"),
    ),
    "split": Shared(
        "Float64: new shares for one old by splits that take effect with it", ("day", "series"), declared("split")
    ),
    "dividend": Shared("Float64: cash by dividends that take effect with it", ("day", "series"), declared("dividend")),
    "providers": Shared("UInt32: rows about the same bar, this one included", (), per_key(pl.len())),
    "middle": Shared("Float64: the median close of the same bar", ("close",), per_key(pl.col("close").median())),
}


def _spread(frame: pl.DataFrame, per_series: pl.DataFrame) -> pl.Series:
    """Return, for each row, the value that `per_series` (series, value) has for its series."""
    name = per_series.columns[1]
    count = (frame["series"][-1] + 1) if len(frame) else 0
    every = pl.DataFrame({"series": pl.int_range(count, dtype=pl.UInt32, eager=True)})
    values = every.join(per_series, on="series", how="left", maintain_order="left")[name]
    return values.gather(frame["series"])


def _opened(frame: pl.DataFrame, around: Surroundings, name: str) -> pl.Series:
    """Return `name` of the last session of the row's venue that opened at its instant or before."""
    asked = frame.select("row", "venue", "ts_event").sort("ts_event", maintain_order=True)
    opened = around.sessions.sort("open").with_columns(pl.col("open").alias("opened"))
    met = asked.join_asof(
        opened, left_on="ts_event", right_on="opened", by="venue", strategy="backward", check_sortedness=False
    )
    return met.sort("row")[name]


def _calendar(frame: pl.DataFrame, around: Surroundings, told: Callable[[np.ndarray], np.ndarray]) -> pl.Series:
    """Return, at each row's venue and day, what `told` makes of a table (venues, days): 1 for a session, 0 for none."""
    venues = around.sessions["venue"].unique().sort().to_list()
    days = frame["day"].cast(pl.Int32)
    if not venues or days.null_count() == len(days):
        return pl.Series([None], dtype=pl.Int32).new_from_index(0, len(frame))
    first, last = int(days.min()), int(days.max())  # type: ignore[arg-type]
    known = np.zeros((len(venues), last - first + 1), dtype=np.int32)
    for number, venue in enumerate(venues):
        own = around.sessions.filter(pl.col("venue") == venue)["session"].cast(pl.Int32).to_numpy()
        known[number, own[(own >= first) & (own <= last)] - first] = 1
    which = frame["venue"].replace_strict(venues, list(range(len(venues))), default=None, return_dtype=pl.Int32)
    place = which * known.shape[1] + (days - first)
    return pl.Series(told(known).ravel()).gather(place.cast(pl.UInt32))
