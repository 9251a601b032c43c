"""A table of factors from bars and actions: one row for each ex-date, in the manner of CRSP or in LEAN's own form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from truetape.app.factor_tables.reading import is_lean, read_lean
from truetape.app.plain_files import Sheet, read_actions, read_bar_sheet, read_bars, read_sheet
from truetape.app.plain_files.adjusting import nameless, refuse_whole_closes
from truetape.app.plain_files.spelled import doubtful_basis, refuse_currencies, spelled_actions, spelled_bars
from truetape.domain import factor_files
from truetape.domain.adjust import factor_table
from truetape.domain.distributions import CASH
from truetape.domain.errors import BadInput

CRSP: Final = {
    "symbol": pl.String(),
    "ex_date": pl.Date(),
    "share_factor": pl.Float64(),  # new shares for one old
    "price_factor": pl.Float64(),  # what earlier prices are multiplied by for everything that happened
    "facshr": pl.Float64(),  # CRSP's factor to adjust shares: what each old share gained
    "facpr": pl.Float64(),  # CRSP's factor to adjust prices: earlier ones over 1 + facpr; cash is not in it
    "divamt": pl.Float64(),  # cash per share, after a split of that day
    "before": pl.Date(),  # the bar before the ex-date
    "close": pl.Float64(),  # of that bar
}
_STAND_IN: Final = 1.0  # the close of a day that is known to be the first, and of which nothing else is known


@dataclass(frozen=True)
class Table:
    """A table of factors and the closes that it was made from."""

    frame: pl.DataFrame  # schema CRSP, by symbol and ex-date
    closes: pl.DataFrame  # symbol, date, close: what the factors were measured against
    notes: tuple[str, ...] = ()  # what a person should know of the files

    @property
    def symbols(self) -> list[str]:
        """The symbols whose bars there were, in alphabetical order."""
        return self.closes["symbol"].unique().sort().to_list()

    def factors(self) -> pl.DataFrame:
        """Return it as `read_factors` would read it: `symbol`, then schema factor_files.STEPS."""
        shares, price = pl.col("share_factor"), pl.col("price_factor")
        given = self.frame.with_columns(shares.alias("split"), (price * shares).alias("dividend"))
        return given.select("symbol", *factor_files.STEPS)

    def lean(self) -> str:
        """Return it as a factor file of LEAN's.

        Raises:
            BadInput: There are bars of several symbols; such a file is of one.
        """
        if len(self.symbols) != 1:
            fix = "A factor file of LEAN's is of one symbol: keep the bars of one, or write --as crsp."
            raise BadInput(parameter="The symbols of --bars", value=", ".join(self.symbols)[:200], fix=fix)
        shares, price = pl.col("share_factor"), pl.col("price_factor")
        factors = self.frame.select("ex_date", shares.alias("split"), (price * shares).alias("dividend"))
        return factor_files.written(factor_files.lean_rows(factors, self.closes.select("date", "close")))


def made(bars: str, actions: str, *, basis: str) -> Table:
    """Return the factors that the actions of one file make of the bars of another, symbol by symbol.

    A factor file of LEAN's will do for `actions`: each of its steps is taken as a split or a dividend.

    Args:
        bars: A file of daily bars: date, open, high, low, close, volume; or one of LEAN's.
        actions: A file of ex_date, type, value, and price for spin-offs and rights.
        basis: What both are adjusted for already: "raw", or "split".

    Raises:
        BadInput: A file has a value that is not usable, or a dividend takes the whole close before its ex-date.
    """
    sheet = spelled_bars(read_bar_sheet(bars))
    rows = read_bars(sheet).sort("symbol", "date")
    notes = tuple(doubtful_basis(sheet, basis))
    if is_lean(actions):
        return replace(_from_lean(nameless(sheet, rows), read_lean(actions)), notes=notes)
    given = spelled_actions(read_sheet(actions))
    refuse_currencies(sheet, given)
    events = read_actions(given)
    if (sheet.named("symbol") is None) != (given.named("symbol") is None):
        rows, events = nameless(sheet, rows), nameless(given, events)
    closes = rows.select("symbol", "date", pl.col("close").forward_fill().over("symbol")).drop_nulls()
    begins = dict(rows.group_by("symbol").agg(pl.col("date").min()).iter_rows())
    tables = [
        _one(own, events.filter(pl.col("symbol") == symbol, pl.col("ex_date") > begins[symbol]), given, symbol, basis)
        for (symbol,), own in closes.partition_by("symbol", as_dict=True, maintain_order=True).items()
    ]
    return Table(frame=pl.concat([pl.DataFrame(schema=CRSP), *tables]), closes=closes, notes=notes)


def _from_lean(rows: pl.DataFrame, lines: pl.DataFrame) -> Table:
    """Return the factors of LEAN's `lines`, on their reference prices, and on closes of bars where they have none."""
    begins = lines["date"].min()
    closes = rows.select("symbol", "date", "close").drop_nulls().filter(pl.col("date") >= begins)
    own = lines.filter(pl.col("date") < factor_files.LAST_ROW).select(
        pl.lit("").alias("symbol"), "date", pl.col("reference_price").alias("close")
    )
    stand_in = own.with_columns(pl.when(pl.col("close") > 0).then("close").otherwise(pl.lit(_STAND_IN)).alias("close"))
    told = own.slice(1).filter(pl.col("close") > 0)  # the first line's price stands for none
    known = pl.concat([told, closes, stand_in]).unique("date", keep="first", maintain_order=True).sort("date")
    if not known.is_empty():  # the last ex-dates may lie behind the last bar
        known = pl.concat([known, known.tail(1).with_columns(pl.lit(factor_files.LAST_ROW).alias("date"))])
    found = factor_files.steps(lines, closes["date"])
    actions = factor_files.actions(found, known.select("date", "close"))
    reaching = actions.filter(pl.col("ex_date") > known["date"].min())
    return Table(frame=_table(known, reaching, symbol="", basis="raw"), closes=known)


def _one(closes: pl.DataFrame, actions: pl.DataFrame, given: Sheet, symbol: str, basis: str) -> pl.DataFrame:
    refuse_whole_closes(given, actions, closes.select("date", "close"), basis=basis)
    return _table(closes, actions, symbol=symbol, basis=basis)


def _table(closes: pl.DataFrame, actions: pl.DataFrame, *, symbol: str, basis: str) -> pl.DataFrame:
    """Return the factors of one symbol, of actions after its first bar: schema CRSP."""
    dated = closes.select("date", "close")
    cash = pl.col("type").is_in(CASH)
    everything = factor_table(actions, dated, basis=basis)
    without_cash = factor_table(actions.filter(~cash), dated, basis=basis).rename(
        {"split": "shares", "dividend": "kept"}
    )
    paid = actions.filter(cash).group_by("ex_date").agg(pl.col("value").sum().alias("divamt"))
    joined = (
        everything.join(without_cash, on="ex_date", how="left")
        .join(paid, on="ex_date", how="left")
        .sort("ex_date")
        .join_asof(dated, left_on="ex_date", right_on="date", allow_exact_matches=False, check_sortedness=False)
    )
    shares = pl.col("split") if basis == "raw" else pl.lit(1.0)
    return joined.select(
        pl.lit(symbol).alias("symbol"),
        "ex_date",
        shares.alias("share_factor"),
        (pl.col("dividend") / shares).alias("price_factor"),
        (shares - 1.0).alias("facshr"),
        (shares / pl.col("kept").fill_null(1.0) - 1.0).alias("facpr"),
        pl.col("divamt").fill_null(0.0),
        pl.col("date").alias("before"),
        "close",
    )
