"""What waits for a decision, as it is listed: quarantined claims and repairs, each with its id and its state."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from truetape.domain.identity import claim_id
from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.domain.schema import TABLES
from truetape.services.api.query import DocketQuery

VALUES: Final = tuple(OHLCV_COLUMNS)
CLAIM_STATES: Final = ("open", "accepted", "corrected", "rejected")
REPAIR_STATES: Final = ("proposed", "applied", "undone", "rejected")
CLAIM_PREFIX: Final = "qua_"
REPAIR_PREFIX: Final = "rep_"
_CLAIM: Final = ("instrument_id", "timeframe", "ts_event", "provider")
_BECAME: Final = {"accept": "accepted", "correct": "corrected", "reject": "rejected", "undo": "open"}
_QUARANTINE: Final = TABLES["quarantine"].columns
_REPAIRS: Final = TABLES["repairs"].columns
QUARANTINED: Final[dict[str, pl.DataType]] = {
    "id": pl.String(),
    "symbol": pl.String(),
    **{name: _QUARANTINE[name] for name in (*_CLAIM, "reason", "explanation", *VALUES)},
    "state": pl.String(),
    "decided_by": pl.String(),
    "payload": pl.String(),
    "ts_known": INSTANT,
    "simulated": pl.Boolean(),
}
_NOT_LISTED: Final = ("repair_id", "edits", "evidence")
REPAIR: Final[dict[str, pl.DataType]] = {
    "id": pl.String(),
    "symbol": pl.String(),
    **{name: dtype for name, dtype in _REPAIRS.items() if name not in _NOT_LISTED},
}


def listed_claims(
    quarantine: pl.DataFrame, decisions: pl.DataFrame, symbols: pl.DataFrame, query: DocketQuery
) -> pl.DataFrame:
    """Return the quarantined claims that `query` wants, columns QUARANTINED, the newest first.

    What a provider says again and again is one claim, in its newest words.

    Args:
        quarantine: Rows of that table.
        decisions: Rows of that table, whatever they are about.
        symbols: `instrument_id` and `symbol`, one row for each.
        query: The providers, reasons and states that are wanted.
    """
    rows = quarantine.filter(_wanted(query, "provider", "reason"))
    newest = rows.sort("ts_known", "payload").unique([*_CLAIM, *VALUES], keep="last", maintain_order=True)
    named = newest.with_columns(_ids(newest))
    states = _states(decisions)
    found = (
        named.join(states, on="id", how="left", maintain_order="left")
        .with_columns(pl.col("state").fill_null("open"), pl.col("decided_by").fill_null(""))
        .join(symbols, on="instrument_id", how="left", maintain_order="left")
        .filter(_wanted(query, "state"))
    )
    order = ["ts_known", "ts_event", "instrument_id", "timeframe", "provider", "id"]
    return found.sort(order, descending=[True, True, False, False, False, False]).select(list(QUARANTINED))


def listed_repairs(repairs: pl.DataFrame, symbols: pl.DataFrame, query: DocketQuery) -> pl.DataFrame:
    """Return the repairs that `query` wants, columns REPAIR, the newest first.

    Args:
        repairs: Current rows of that table.
        symbols: `instrument_id` and `symbol`, one row for each.
        query: The providers, kinds of fault and states that are wanted; its dates bound where a repair begins.
    """
    found = repairs.filter(_wanted(query, "provider", "state"))
    if query.reason:
        found = found.filter(pl.col("kind") == query.reason)
    if query.start is not None:
        found = found.filter(pl.col("end") >= query.start)
    if query.end is not None:
        found = found.filter(pl.col("start") <= query.end)
    named = found.rename({"repair_id": "id"}).join(symbols, on="instrument_id", how="left", maintain_order="left")
    return named.sort(["ts_known", "start", "id"], descending=[True, True, False]).select(list(REPAIR))


def instrument_of(target: str) -> str:
    """Return the instrument that the id of a quarantined claim or a repair speaks of; "" if it is no such id."""
    parts = target.split("_")
    return f"ins_{'_'.join(parts[1:-1])}" if len(parts) > 2 else ""  # noqa: PLR2004  prefix, instrument, hash


def words_of(decision: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the table decisions as it is told, without the message that it was made of."""
    return {name: value for name, value in decision.items() if name != "fact"}


def _wanted(query: DocketQuery, *columns: str) -> pl.Expr:
    wanted = [pl.col(name) == value for name in columns if (value := getattr(query, name))]
    return pl.all_horizontal(wanted) if wanted else pl.lit(value=True)


def _ids(rows: pl.DataFrame) -> pl.Series:
    plain = rows.select(*_CLAIM, *VALUES).with_columns(pl.col("ts_event").cast(pl.Int64))
    return pl.Series(
        "id",
        [
            claim_id(instrument=instrument, timeframe=timeframe, ts_event=ts_event, provider=provider, values=values)
            for instrument, timeframe, ts_event, provider, *values in plain.iter_rows()
        ],
        dtype=pl.String(),
    )


def _states(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return `id`, `state` and `decided_by` of every claim that somebody decided about."""
    latest = decisions.sort("ts_known", "decision_id").unique("target", keep="last", maintain_order=True)
    return latest.select(
        pl.col("target").alias("id"),
        pl.col("action").replace_strict(_BECAME, default="open", return_dtype=pl.String).alias("state"),
        pl.col("actor").alias("decided_by"),
    )
