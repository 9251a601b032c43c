"""Checking: every check of the registry over a million daily bars, beside pandera's seven simple checks of the same.

Ours takes the bars as they are kept, with the calendar of their venue, and ends with written-out findings; all that
several checks share is made in the time that is taken. Pandera judges that four prices are positive, that the volume is
not negative, and that the high is the greatest and the low the least price, and ends with its failure cases. One bar in
a thousand is wrong. What is compared is CPU time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl

from perf.dataset import bars
from perf.measure import Sheet, figure, least_cpu, sheet
from truetape.domain.adjust import PRICES
from truetape.domain.schema import INSTANT
from truetape.services.quality.checks import CHECKS, Surroundings, examine, needed, prepare, standing
from truetape.services.quality.checks.surroundings import LISTED

SERIES = 400
SESSIONS = 2_500
ROWS = SERIES * SESSIONS
WRONG = 0.001
BAR = 5.0
SECONDS = 20.0
SAME = (CHECKS["not_positive"], CHECKS["ohlc_order"])


def measure() -> Iterator[Sheet]:
    """Yield all checks, and only those that pandera makes too, beside pandera over pandas; others for information."""
    rows = wrong(records())
    around = surroundings(rows)
    checks = standing("bars", timeframe="1d")
    needs = needed(checks)

    def ours() -> int:
        return len(examine(prepare(rows, surroundings=around, needs=needs), checks=checks))

    assert ours() > 0
    seconds, peer, polars = least_cpu(ours, over_pandas(rows), over_polars(rows), seconds=SECONDS)
    (by_row,) = least_cpu(over_pandas(rows, by_row=True), seconds=0.0)
    taken = figure(
        f"{len(checks)} checks over a million daily bars",
        unit="bars per CPU second",
        ours=ROWS / seconds,
        peer=ROWS / peer,
        peer_name="pandera's seven checks over pandas",
        bar=BAR,
        better="higher",
        beside={"pandera over Polars": polars / seconds, "pandera by element": by_row / seconds},
    )
    (same,) = least_cpu(lambda: len(examine(prepare(rows, needs=()), checks=SAME)), seconds=SECONDS / 4)
    alike = figure(
        "the same seven rules over a million daily bars",
        unit="bars per CPU second",
        ours=ROWS / same,
        peer=ROWS / peer,
        peer_name="pandera's seven checks over pandas",
        bar=1.0,
        better="higher",
        beside={"pandera over Polars": polars / same, "pandera by element": by_row / same},
    )
    yield sheet("checking", [taken, alike])


def records() -> pl.DataFrame:
    """Return the bars of all series, in the order in which a store keeps them."""
    parts = [
        bars(f"ins_{number:012d}", seed=number, count=SESSIONS).rename({"symbol": "instrument_id"})
        for number in range(SERIES)
    ]
    return pl.concat(parts).with_columns(pl.lit("yahoo").alias("provider"))


def wrong(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with one bar in a thousand wrong: a negative price, or a high that is too low."""
    random = np.random.default_rng(1)
    chosen = pl.Series(random.random(len(rows)) < WRONG)
    odd = pl.Series(random.random(len(rows)) < 1 / 2)
    return rows.with_columns(
        pl.when(chosen & odd).then(-pl.col("open")).otherwise("open").alias("open"),
        pl.when(chosen & ~odd).then(pl.col("low") * 0.99).otherwise("high").alias("high"),
    )


def surroundings(rows: pl.DataFrame) -> Surroundings:
    """Return the venue's calendar, of which every session has a bar, and cents as price increment."""
    days = rows["ts_event"].unique().sort()
    sessions = pl.DataFrame({"session": days.dt.date(), "open": days, "close": days}).with_columns(
        pl.lit("XNAS").alias("venue"), pl.col("open", "close").cast(INSTANT)
    )
    listed = rows.select("instrument_id").unique().with_columns(venue=pl.lit("XNAS"), increment=0.01, lot=1.0)
    return Surroundings(listed=listed.select(list(LISTED)), sessions=sessions, now=2 * 10**18)


def over_pandas(rows: pl.DataFrame, *, by_row: bool = False) -> Callable[[], int]:
    """Return pandera's seven checks over a pandas frame of `rows`; `by_row`: four of them called for each element."""
    import pandas as pd  # type: ignore[import-untyped]
    import pandera.pandas as pa

    frame = pd.DataFrame({name: rows[name].to_numpy() for name in (*PRICES, "volume")})
    positive = pa.Check(lambda value: value > 0, element_wise=True) if by_row else pa.Check.gt(0)
    whole = [
        pa.Check(lambda frame: frame["high"] >= frame[["open", "low", "close"]].max(axis=1)),
        pa.Check(lambda frame: frame["low"] <= frame[["open", "high", "close"]].min(axis=1)),
    ]
    columns = {name: pa.Column(float, positive) for name in PRICES} | {"volume": pa.Column(float, pa.Check.ge(0))}
    return _validation(pa.DataFrameSchema(columns, checks=whole), frame)


def over_polars(rows: pl.DataFrame) -> Callable[[], int]:
    """Return pandera's seven checks over a Polars frame of `rows`."""
    import pandera.polars as pa

    whole = [
        pa.Check(lambda data: data.lazyframe.select(pl.col("high") >= pl.max_horizontal("open", "low", "close"))),
        pa.Check(lambda data: data.lazyframe.select(pl.col("low") <= pl.min_horizontal("open", "high", "close"))),
    ]
    columns = {name: pa.Column(float, pa.Check.gt(0)) for name in PRICES}
    columns |= {"volume": pa.Column(float, pa.Check.ge(0))}
    return _validation(pa.DataFrameSchema(columns, checks=whole), rows.select(*PRICES, "volume"))


def _validation(schema: Any, frame: Any) -> Callable[[], int]:
    from pandera.errors import SchemaErrors

    def validate() -> int:
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as error:
            return len(error.failure_cases)
        return 0

    return validate
