"""One price series: the bars of one instrument as a file or a provider tells them, with its own actions beside them.

Prices are in the unit that the source used; nothing is known of it but what the series says and what its owner states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from truetape.domain.adjust import PRICES
from truetape.domain.kinds import INSTANT

QUOTES: Final = (*PRICES, "adj_close")
ACTIONS: Final = ("dividends", "splits", "capital_gains")
FIELDS: Final = (*QUOTES, "volume", *ACTIONS)


@dataclass(frozen=True, eq=False)
class PriceSeries:
    """The rows of one series, the oldest first.

    `frame` has `ts` (UTC nanoseconds), `date` (the date that the source wrote, in its own zone), and those of FIELDS
    that the source has, as float64, null where missing. Instants may repeat. `dividends` and `capital_gains` are cash
    per share on the ex-date and 0 or null elsewhere; `splits` are new shares for one old on the ex-date, 0, 1 or null
    elsewhere. `timeframe` is one of time.TIMEFRAMES; `currency` and `venue` (a MIC) are null unless somebody states
    them.
    """

    frame: pl.DataFrame
    timeframe: str
    currency: str | None = None
    venue: str | None = None

    def __post_init__(self) -> None:
        """Check the columns.

        Raises:
            ValueError: `ts`, `date` or `close` is missing, a column has another type, or rows are not in order.
        """
        types = {"ts": INSTANT, "date": pl.Date(), **dict.fromkeys(FIELDS, pl.Float64())}
        found = dict(self.frame.schema)
        wrong = {name: kind for name, kind in found.items() if types.get(name) != kind}
        if wrong or not {"ts", "date", "close"} <= found.keys():
            raise ValueError(f"The columns of a price series were {found}; they must be ts, date, close of {types}.")
        if not self.frame["ts"].is_sorted():
            raise ValueError("The rows of a price series must ascend in ts.")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    @property
    def fields(self) -> tuple[str, ...]:
        """Those of FIELDS that the series has, in their order."""
        return tuple(name for name in FIELDS if name in self.frame.columns)

    def values(self, field: str) -> np.ndarray:
        """Return a field as float64, NaN where it is null; all NaN where the series does not have it."""
        if field not in self.frame.columns:
            return np.full(len(self), np.nan)
        return self.frame[field].fill_null(float("nan")).to_numpy().copy()
