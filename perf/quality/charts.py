"""A provider's tape as a chart file tells it: adjusted for the splits that it declares, with an adjusted close.

Repair engines, ours and yfinance's, read this form: a series that is continuous over its splits, so that what a
provider has wrong about a split shows as a jump.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from perf.quality.faults import Tape
from perf.quality.real import PRICES

_LEAST: Final = 0.05  # a dividend of more than 95 % of the price is left out of the adjusted close


def chart(tape: Tape) -> pl.DataFrame:
    """Return `ts` (ascending, may repeat), open to close, adj_close, volume, dividends and splits (0 where none)."""
    order = np.argsort(tape.ts, kind="stable")
    ts = tape.ts[order]
    shares = np.ones(len(ts))
    for ex_date, ratio in tape.splits:
        shares[ts < ex_date] *= ratio
    prices = tape.prices[:, order] / shares
    splits, dividends = _on_rows(ts, tape.splits), _on_rows(ts, tape.dividends) / shares
    kept = 1 - dividends[1:] / prices[3, :-1]
    factor = np.append(np.cumprod(np.where(kept > _LEAST, kept, 1.0)[::-1])[::-1], 1.0)
    return pl.DataFrame(
        {
            "ts": pl.Series(ts).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"),
            **{name: prices[which] for which, name in enumerate(PRICES)},
            "adj_close": prices[3] * factor,
            "volume": np.round(tape.volume[order] * shares),
            "dividends": dividends,
            "splits": splits,
        }
    )


def _on_rows(ts: np.ndarray, declared: tuple[tuple[int, float], ...]) -> np.ndarray:
    """Return each declared value on the first row of its ex-date or after it, 0 elsewhere."""
    values = np.zeros(len(ts))
    for ex_date, value in declared:
        row = int(np.searchsorted(ts, ex_date))
        if row < len(ts):
            values[row] = value
    return values
