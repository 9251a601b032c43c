"""The columns that several checks share: how each is made of the records, and on which others it rests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.services.quality.checks import regime
from truetape.services.quality.checks.others import others
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


def series(frame: pl.DataFrame, _: Surroundings) -> Column:
    """Return the number of each row's series."""
    firsts = frame["starts"].arg_true().to_numpy()
    lengths = np.diff(np.append(firsts, len(frame)))
    return pl.Series(np.repeat(np.arange(len(firsts), dtype=np.uint32), lengths))


def ratio(frame: pl.DataFrame, _: Surroundings) -> Column:
    """Return close / previous close where both are positive and finite."""
    quotient = pl.col("close") / pl.col("previous_close")
    sound = [(pl.col(name) > 0) & (pl.col(name) < float("inf")) for name in ("close", "previous_close")]
    if frame.select(sound[0].all()).item():
        return quotient
    return pl.when(*sound).then(quotient)


def scale(frame: pl.DataFrame, _: Surroundings) -> Column:
    """Return the robust standard deviation about 0 of the log returns, those of 0 left out, of each row's series."""
    moves = frame.select("series", pl.col("log_return").abs().alias("move")).filter(pl.col("move") > 0)
    medians = moves.group_by("series").agg(pl.col("move").median() * CONSISTENT)
    return _spread(frame, medians)


def listed(name: str) -> Made:
    """Return what makes the listing's `name` of each row; null where the listing does not say."""

    def made(frame: pl.DataFrame, around: Surroundings) -> Column:
        firsts = frame.select("series", "instrument_id").filter(frame["starts"])
        one = around.listed.unique("instrument_id", keep="first")
        return _spread(frame, firsts.join(one, on="instrument_id", how="left").select("series", name))

    return made


def day(frame: pl.DataFrame, around: Surroundings) -> Column:
    """Return the session date: the label of a bar of whole days, else that of the last session that opened before."""
    dates = pl.col("ts_event").dt.date()
    timeframes = {*frame["timeframe"].filter(frame["starts"])}
    if around.sessions.is_empty() or timeframes <= {*WHOLE_DAYS}:
        return dates
    whole = pl.col("timeframe").is_in(WHOLE_DAYS)
    return pl.when(whole).then(dates).otherwise(_opened(frame, around, "session"))


def opened(name: str) -> Made:
    """Return what makes `name` of the last session of the row's venue that opened at its instant or before."""

    def made(frame: pl.DataFrame, around: Surroundings) -> Column:
        return _opened(frame, around, name)

    return made


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


def calendar(frame: pl.DataFrame, around: Surroundings) -> Column:
    """Return twice the number of sessions of the row's venue from the frame's first day to its day, plus 1 on one."""
    venues = around.sessions["venue"].unique().sort().to_list()
    days = frame["day"].cast(pl.Int32)
    if not venues or days.null_count() == len(days):
        return pl.lit(None, dtype=pl.Int32)
    first, last = int(days.min()), int(days.max())  # type: ignore[arg-type]
    known = np.zeros((len(venues), last - first + 1), dtype=np.int32)
    for number, venue in enumerate(venues):
        own = around.sessions.filter(pl.col("venue") == venue)["session"].cast(pl.Int32).to_numpy()
        known[number, own[(own >= first) & (own <= last)] - first] = 1
    told = pl.Series((np.cumsum(known, axis=1, dtype=np.int32) * 2 + known).ravel())
    return told.gather((_numbered(frame, venues) * known.shape[1] + (days - first)).cast(pl.UInt32))


def key_number(frame: pl.DataFrame, _: Surroundings) -> Column:
    """Return a number for each row that is the same for all rows about one bar, and ascends with time by 1."""
    if frame["providers"].max() == 1:
        return pl.lit(None, dtype=pl.Int64)
    key = ["instrument_id", "timeframe", "ts_event"]
    every = frame.select(key).unique().sort(key).with_row_index("number")
    return frame.join(every, on=key, how="left", maintain_order="left")["number"].cast(pl.Int64)


def providers(frame: pl.DataFrame, _: Surroundings) -> Column:
    """Return how many rows are about the same bar."""
    if frame["provider"].filter(frame["starts"]).n_unique() <= 1:
        return pl.lit(1, dtype=pl.UInt32)
    return per_key(pl.len())


def middle(frame: pl.DataFrame, _: Surroundings) -> Column:
    """Return the median close of all rows about the same bar."""
    return pl.col("close") if frame["providers"].max() == 1 else per_key(pl.col("close").median())


def now(_frame: pl.DataFrame, around: Surroundings) -> Column:
    """Return the instant that is taken for the present one."""
    return pl.lit(around.now, dtype=pl.Int64).cast(INSTANT)


def before(column: str) -> pl.Expr:
    """Return the value of `column` one row before; null at the start of a series."""
    return pl.when(~pl.col("starts")).then(pl.col(column).shift(1))


def of(made: Callable[[pl.DataFrame], Column]) -> Made:
    """Return what makes a column of the frame alone."""
    return lambda frame, _: made(frame)


def per_key(value: pl.Expr) -> pl.Expr:
    """Return `value` over the rows of all providers about the same instrument, timeframe and instant."""
    return value.over("instrument_id", "timeframe", "ts_event")


_OTHER: Final = pl.any_horizontal([pl.col(name).ne_missing(pl.col(name).shift(1)) for name in SERIES])
STARTS: Final = (_OTHER | (pl.int_range(pl.len()) == 0)).alias("starts")

_POSITIVE: Final = (pl.col("close") > 0) & (pl.col("previous_close") > 0)

SHARED: Final[dict[str, Shared]] = {
    "starts": Shared("Boolean: the row is the first of its series", (), STARTS),
    "series": Shared("UInt32: the number of its series", ("starts",), series),
    "previous_close": Shared("Float64: the close one row before", ("close", "starts"), before("close")),
    "previous_price": Shared("Float64: the price one row before", ("price", "starts"), before("price")),
    "previous_ts": Shared("instant: of the row before", ("starts",), before("ts_event")),
    "previous_place": Shared("UInt32: the place of the row before", ("starts",), before("place")),
    "ratio": Shared("Float64: close / previous close, where both are prices", ("previous_close",), ratio),
    "log_return": Shared("Float64: the natural logarithm of the ratio", ("ratio",), pl.col("ratio").log()),
    "scale": Shared("Float64: the robust spread of the series' log returns", ("log_return", "series"), scale),
    "venue": Shared("String: the MIC of its listing", ("series",), listed("venue")),
    "increment": Shared("Float64: the price increment of its listing", ("series",), listed("increment")),
    "lot": Shared("Float64: the lot of its listing", ("series",), listed("lot")),
    "day": Shared("Date: its session date", ("starts", "venue"), day),
    "session_open": Shared("instant: when the last session before it opened", ("venue",), opened("open")),
    "session_close": Shared("instant: when that session closed", ("venue",), opened("close")),
    "calendar": Shared("Int32: twice the sessions up to its day, and 1 more if it is one", ("day", "series"), calendar),
    "is_session": Shared(
        "Boolean: the day is a session; null: no calendar is known",
        ("calendar",),
        (pl.col("calendar") % 2).cast(pl.Boolean),
    ),
    "sessions_until": Shared(
        "Int32: sessions of the venue from the first day of the frame to this one; null: no calendar is known",
        ("calendar",),
        pl.col("calendar") // 2,
    ),
    "sessions_since": Shared(
        "Int32: sessions after the previous row's day up to this one: 1 where none is left out",
        ("sessions_until", "starts"),
        pl.col("sessions_until") - before("sessions_until"),
    ),
    "now": Shared("instant: what lies after it is in the future; null: nothing does", (), now),
    "split": Shared(
        "Float64: new shares for one old by splits that take effect with it", ("day", "series"), declared("split")
    ),
    "dividend": Shared("Float64: cash by dividends that take effect with it", ("day", "series"), declared("dividend")),
    "move": Shared(
        "Float64: the log return, declared splits and dividends taken out",
        ("log_return", "split", "dividend"),
        of(regime.move),
    ),
    "usual_move": Shared("Float64: sigma of the regime's moves", ("move", "starts"), of(regime.usual_move)),
    "usual_turnover": Shared(
        "Float64: the regime's close x volume", ("close", "volume", "starts"), of(regime.usual_turnover)
    ),
    "surprise": Shared("Float64: the move in sigmas", ("usual_move", "venue", "series"), of(regime.surprise)),
    "providers": Shared("UInt32: rows about the same bar, this one included", ("starts",), providers),
    "key_number": Shared("Int64: the number of its bar among those of all providers", ("providers",), key_number),
    "others": Shared(
        "struct: what is furthest off the median of all providers of the bar; null: nobody else has it",
        ("providers", "key_number", "usual_move", "series", "volume"),
        of(others),
    ),
    "backed": Shared(
        "Boolean: another provider says the same of the bar",
        ("others",),
        (pl.col("others").struct.field("worst") <= 1).fill_null(value=False),
    ),
    "middle": Shared("Float64: the median close of the same bar", ("close", "providers"), middle),
}


def _spread(frame: pl.DataFrame, per_series: pl.DataFrame) -> Column:
    """Return, for each row, the value that `per_series` (series, value) has for its series."""
    name = per_series.columns[1]
    count = (frame["series"][-1] + 1) if len(frame) else 0
    every = pl.DataFrame({"series": pl.int_range(count, dtype=pl.UInt32, eager=True)})
    values = every.join(per_series, on="series", how="left", maintain_order="left")[name]
    if values.n_unique() == 1:
        return pl.lit(values[0], dtype=values.dtype)
    return values.gather(frame["series"])


def _opened(frame: pl.DataFrame, around: Surroundings, name: str) -> pl.Series:
    """Return `name` of the last session of the row's venue that opened at its instant or before."""
    asked = frame.select("row", "venue", "ts_event").sort("ts_event", maintain_order=True)
    opened = around.sessions.sort("open").with_columns(pl.col("open").cast(INSTANT).alias("opened"))
    met = asked.join_asof(
        opened, left_on="ts_event", right_on="opened", by="venue", strategy="backward", check_sortedness=False
    )
    return met.sort("row")[name]


def _numbered(frame: pl.DataFrame, venues: list[str]) -> pl.Series:
    """Return, for each row, which of `venues` is its own; null where none is."""
    per_series = (
        frame.select("venue")
        .filter(frame["starts"])
        .select(pl.col("venue").replace_strict(venues, list(range(len(venues))), default=None, return_dtype=pl.Int32))
    )
    return per_series["venue"].gather(frame["series"])
