"""A file of prices checked: every finding with the place where it stands, of one symbol or of many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl

from truetape.app.plain_files.names import recognized
from truetape.app.plain_files.prices import Prices, read_prices
from truetape.app.plain_files.sheet import Sheet
from truetape.domain.adjust import PRICES
from truetape.domain.kinds import INSTANT
from truetape.domain.price_series import ACTIONS, PriceSeries
from truetape.services.quality.checks import (
    CHECKS,
    FINDINGS,
    SEVERITIES,
    Check,
    Surroundings,
    examine,
    needed,
    prepare,
)
from truetape.services.quality.checks.surroundings import ACTIONS as ACTIONS_KNOWN
from truetape.services.quality.checks.surroundings import LISTED, SESSIONS
from truetape.services.quality.repairs import find_repairs
from truetape.services.reference.calendars import sessions

MOST_TO_REPAIR: Final = 200_000  # rows of a series whose repairs are looked for; they take several looks at each row
SPAN: Final = 21 * 50_000  # rows that are examined at once; regimes are told by blocks of 21
BESIDE: Final = 21 * 10  # rows before and after them that are looked at too

_WHOLE_DAYS: Final = ("1d", "1w", "1mo")
_NO_SESSIONS: Final = pl.DataFrame(schema=SESSIONS)
_WEEK: Final = timedelta(days=7)
_MOST_DECIMALS: Final = 6  # of a price increment, counted
_CONFORM: Final = 0.999  # share of the prices that have so few decimals
_ARTEFACT: Final = 2e-7  # share of a price by which 32-bit floats may miss a decimal


@dataclass(frozen=True, eq=False)
class Checked:
    """What was found in a file, and what was taken for granted.

    `findings` has the columns of checks.FINDINGS, the symbol ("" without that column) as instrument_id and the file's
    own header as field, and `place` ("line 7") and `date` (as the file writes it); the gravest first, then by place.
    """

    findings: pl.DataFrame
    rows: int
    timeframe: str
    first: str
    last: str
    increments: Mapping[str, float | None]  # by symbol; None where prices have no fixed number of decimals


def checked(
    sheet: Sheet,
    *,
    timeframe: str | None = None,
    venue: str | None = None,
    currency: str | None = None,
    now: int | None = None,
    user_checks: Iterable[Check] = (),
    span: int = SPAN,
) -> Checked:
    """Return what every check finds in the prices of `sheet`.

    Args:
        sheet: As `read_prices` takes it, but with the rows of several symbols if it has a column for them.
        timeframe: One of time.TIMEFRAMES; where it is not given, the distances between rows tell it.
        venue: The MIC of the venue whose calendar its bars must keep, if any.
        currency: Its currency, if the owner states one.
        now: UTC nanoseconds, after which there can be no bars; None: there is no such limit.
        user_checks: More checks than those of the registry.
        span: How many rows are examined at once, a multiple of 21.

    Raises:
        BadInput: The file has no prices that can be read, or the venue no calendar.
    """
    read = {
        symbol: read_prices(part, timeframe=timeframe, currency=currency, venue=venue) for symbol, part in _parts(sheet)
    }
    checks = (*CHECKS.values(), *user_checks)
    increments = {symbol: increment(prices.series) for symbol, prices in read.items()}
    found = [_examined(symbol, one, checks, increments[symbol], now=now, span=span) for symbol, one in read.items()]
    proposed = [_proposals(symbol, one) for symbol, one in read.items()]
    gravest = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}
    rank = pl.col("severity").replace_strict(gravest, return_dtype=pl.UInt8)
    days = pl.concat([one.series.frame["date"] for one in read.values()])
    return Checked(
        findings=pl.concat([*proposed, *found]).sort(rank, "instrument_id", "ts_event", maintain_order=True),
        rows=len(days),
        timeframe="/".join(dict.fromkeys(one.series.timeframe for one in read.values())),
        first=str(days.min()),
        last=str(days.max()),
        increments=increments,
    )


def increment(series: PriceSeries) -> float | None:
    """Return the price increment that nearly all prices of `series` keep: 1, 0.1 and so on; None where none does."""
    names = [name for name in PRICES if name in series.frame.columns]
    prices = pl.concat([series.frame[name].alias("price") for name in names]).drop_nulls()
    if prices.is_empty():
        return None
    finest = float(prices.abs().max()) * _ARTEFACT * 2  # type: ignore[arg-type]  # below it every number conforms
    for decimals in range(_MOST_DECIMALS):
        conform = (prices - prices.round(decimals)).abs() <= prices.abs() * _ARTEFACT
        if 10.0**-decimals > finest and conform.sum() >= len(prices) * _CONFORM:
            return float(10.0**-decimals)
    return None


def _parts(sheet: Sheet) -> Iterator[tuple[str, Sheet]]:
    """Yield each symbol of `sheet` with its own rows; "" where the sheet has no column for it."""
    header = recognized(sheet.frame.columns).get("symbol")
    if header is None or sheet.frame.is_empty():
        yield "", sheet
        return
    rows = sheet.frame.select(pl.col(header).alias("symbol")).with_row_index("row")
    for (symbol,), own in rows.partition_by("symbol", as_dict=True, maintain_order=True).items():
        yield str(symbol or ""), sheet.of_rows(own["row"])


def _examined(
    symbol: str, prices: Prices, checks: Sequence[Check], tick: float | None, *, now: int | None, span: int
) -> pl.DataFrame:
    """Return what `checks` find in one series, a span of rows at a time, so that memory stays bounded."""
    around = _surroundings(symbol, prices.series, tick, now=now)
    kinds = [check for check in checks if not check.timeframes or prices.series.timeframe in check.timeframes]
    rows, found = _bars(symbol, prices), []
    for first in range(0, len(rows), span):
        start = max(first - BESIDE, 0)
        evidence = prepare(rows[start : first + span + BESIDE], surroundings=around, needs=needed(kinds))
        told = examine(evidence, checks=kinds).filter(pl.col("row").is_between(first - start, first - start + span - 1))
        found.append(_placed(told, prices, evidence["place"].gather(told["row"])))
    return pl.concat(found)


def _bars(symbol: str, prices: Prices) -> pl.DataFrame:
    """Return the series as bars, labelled as they are in the platform; basis: as far as its declared splits tell."""
    series = prices.series
    labels = pl.col("date").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    names = [name for name in series.fields if name not in ACTIONS]
    return series.frame.select(
        pl.lit(symbol).alias("instrument_id"),
        pl.lit("").alias("provider"),
        pl.lit(series.timeframe).alias("timeframe"),
        (labels if series.timeframe in _WHOLE_DAYS else pl.col("ts")).alias("ts_event"),
        *names,
        pl.lit(_basis(series)).alias("basis"),
        prices.rows.cast(pl.UInt32).alias("place"),
    )


def _basis(series: PriceSeries) -> str:
    """Return "raw" where prices fall by most of the declared splits, "split" where they do not."""
    if "splits" not in series.frame.columns:
        return "raw"
    ratio = pl.col("close") / pl.col("close").shift(1)
    declared = series.frame.select(ratio.alias("ratio"), "splits").filter(
        (pl.col("splits") > 0) & (pl.col("splits") != 1)
    )
    jumped = (pl.col("ratio") * pl.col("splits")).log().abs() < pl.col("ratio").log().abs()
    share = declared.select(jumped.mean()).item()
    return "raw" if share is None or share > 0.5 else "split"  # noqa: PLR2004  most of them


def _surroundings(symbol: str, series: PriceSeries, tick: float | None, *, now: int | None) -> Surroundings:
    """Return what the file itself and the venue that was named say beside the prices."""
    known = _NO_SESSIONS
    if series.venue is not None:
        days = series.frame["date"].sort()
        known = sessions(series.venue, start=days[0] - _WEEK, end=days[-1] + _WEEK).rename({"mic": "venue"})
    listed = {"instrument_id": [symbol], "venue": [series.venue], "increment": [tick], "lot": [None]}
    return Surroundings(
        listed=pl.DataFrame(listed, schema=LISTED), sessions=known, actions=_actions(symbol, series), now=now
    )


def _actions(symbol: str, series: PriceSeries) -> pl.DataFrame:
    """Return the actions that stand in the series' own columns and move its prices."""
    kinds = {"splits": "split", "dividends": "dividend"} if _basis(series) == "raw" else {"dividends": "dividend"}
    rows = [
        series.frame.select(
            pl.lit(symbol).alias("instrument_id"),
            pl.col("date").alias("ex_date"),
            pl.lit(kind).alias("type"),
            pl.col(column).alias("value"),
        ).filter((pl.col("value") > 0) & ((pl.col("value") != 1) | (kind == "dividend")))
        for column, kind in kinds.items()
        if column in series.frame.columns
    ]
    return pl.concat([pl.DataFrame(schema=ACTIONS_KNOWN), *rows])


def _proposals(symbol: str, prices: Prices) -> pl.DataFrame:
    """Return the repairs that the series proves to be needed, as findings."""
    series = prices.series
    made = find_repairs(series) if len(series) <= MOST_TO_REPAIR else ()
    first = [one.changes[0] for one in made]
    told = pl.DataFrame(
        {
            "row": [one.rows[0] for one in made],
            "instrument_id": [symbol] * len(made),
            "timeframe": [series.timeframe] * len(made),
            "ts_event": pl.Series([one.first for one in made], dtype=pl.Int64).cast(INSTANT),
            "provider": [""] * len(made),
            "check": [one.kind for one in made],
            "severity": ["error"] * len(made),
            "explanation": [one.evidence for one in made],
            "field": [change.column for change in first],
            "value": [change.before[0] for change in first],
            "expected_low": [change.after[0] for change in first],
            "expected_high": [change.after[0] for change in first],
            "repair": [one.kind for one in made],
            "repair_value": [one.factor for one in made],
        },
        schema=FINDINGS,
    )
    return _placed(told, prices, prices.rows.gather(told["row"]))


def _placed(found: pl.DataFrame, prices: Prices, rows: pl.Series) -> pl.DataFrame:
    """Return `found` with the place and date of each row in the file, and with the file's own headers."""
    dates = prices.sheet.frame[prices.headers["moment"]].gather(rows).cast(pl.String)
    places = pl.Series([prices.sheet.place(row) for row in rows], dtype=pl.String)
    return found.with_columns(pl.col("field").replace(prices.headers), places.alias("place"), dates.alias("date"))
