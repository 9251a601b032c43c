"""What decisions do to claims: what an operator has decided stands above what providers say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.domain.messages import BatchNormalized, DecisionMade
from truetape.domain.schema import TABLES
from truetape.services.quality.grade import Grades

OPERATOR: Final = "operator"  # whose claim an accepted or corrected value is
OPERATOR_WEIGHT: Final = 1000.0  # of its vote: more than all providers together
_SAME: Final = 1e-9  # share of a value by which another may differ and be the same, computed on another way
_ROW: Final = ("provider", "ts_event")
_EDITS: Final = {
    "provider": pl.String(),
    "ts_event": INSTANT,
    "column": pl.String(),
    "before": pl.Float64(),
    "after": pl.Float64(),
    "decision": pl.String(),
}


@dataclass(frozen=True)
class InForce:
    """Decisions that hold: about one target the latest, and of those that give one bar its values the latest.

    `won` gives bars their values, `rejected` keeps claims out, `applied` changes providers' series; each in the order
    in which they were made.
    """

    won: tuple[DecisionMade, ...]
    rejected: tuple[DecisionMade, ...]
    applied: tuple[DecisionMade, ...]


NOTHING: Final = InForce((), (), ())


def in_force(decisions: Iterable[DecisionMade]) -> InForce:
    """Return which of `decisions` hold; they come in the order in which they were made."""
    latest: dict[str, DecisionMade] = {}
    for one in decisions:
        latest.pop(one.target, None)
        latest[one.target] = one
    by_bar = {one.ts_event: one for one in latest.values() if one.action in {"accept", "correct"}}
    return InForce(
        won=tuple(by_bar.values()),
        rejected=tuple(one for one in latest.values() if one.action == "reject" and one.claimed),
        applied=tuple(one for one in latest.values() if one.action == "apply"),
    )


def decided_bars(claims: pl.DataFrame, force: InForce) -> pl.DataFrame:
    """Return `claims` (schema bar_claims, basis raw) as they stand after the decisions in `force`.

    Repaired values take the place of those that the repair was made for, and of no others. A rejected claim is left
    out, as often as the provider makes it. What was accepted or corrected is one claim more, of the provider OPERATOR.
    """
    if claims.is_empty() or force == NOTHING:
        return claims
    mended = claims
    for edits in _layers(force.applied):
        mended = _edited(mended, edits)
    if force.rejected:
        out = pl.DataFrame(
            [{"provider": one.provider, "ts_event": one.ts_event, **one.claimed} for one in force.rejected],
            schema={"provider": pl.String(), "ts_event": pl.Int64(), **OHLCV_COLUMNS},
        ).with_columns(pl.col("ts_event").cast(INSTANT))
        mended = mended.filter(~(_among(claims, out) | _among(mended, out)))
    return pl.concat([mended, _operators(claims, force.won)])


def decided_actions(claims: pl.DataFrame, force: InForce) -> pl.DataFrame:
    """Return `claims` (schema action_claims) after the repairs in `force`.

    An edit without a value before adds an action that the provider left out; one without a value after takes one away.
    """
    for edits in _layers(force.applied):
        key = ["provider", "ex_date", "type"]
        wanted = edits.select(
            "provider",
            pl.col("ts_event").dt.date().alias("ex_date"),
            pl.col("column").alias("type"),
            "before",
            "after",
            pl.col("decision").alias("made"),
        )
        met = claims.join(wanted, on=key, how="left", maintain_order="left")
        holds = pl.col("before").is_not_null() & _same(pl.col("value"), pl.col("before"))
        stays = met.filter(~(holds & pl.col("after").is_null()).fill_null(value=False))
        kept = stays.with_columns(pl.when(holds).then("after").otherwise("value").alias("value"))
        claims = pl.concat([kept.select(claims.columns), _added(claims, wanted, force)])
    return claims


def settled(grades: Grades, batch: BatchNormalized, force: InForce) -> Grades:
    """Return of `grades` what is about the dates of `batch`, with the operator's verdicts marked as such.

    That a provider has no row where its claim was rejected is no finding, and claims about a bar that the operator has
    decided wait for no decision.
    """
    golden, found, out = (_within(one, batch) for one in (grades.golden, grades.findings, grades.quarantined))
    if force.rejected:
        silenced = pl.DataFrame(
            {"provider": [one.provider for one in force.rejected], "ts_event": [one.ts_event for one in force.rejected]}
        ).with_columns(pl.col("ts_event").cast(INSTANT), pl.lit("missing_row").alias("check"))
        found = found.join(silenced, on=["provider", "ts_event", "check"], how="anti", maintain_order="left")
    if force.won:
        decided = pl.when(pl.col("provider") == OPERATOR).then(pl.lit(OPERATOR)).otherwise("method")
        golden = golden.with_columns(decided.alias("method"))
        won = golden.filter(pl.col("method") == OPERATOR)
        out = out.join(won, on="ts_event", how="anti", maintain_order="left")
    return replace(grades, golden=golden, findings=found, quarantined=out)


def _within(rows: pl.DataFrame, batch: BatchNormalized) -> pl.DataFrame:
    day = pl.col("ex_date") if "ex_date" in rows.columns else pl.col("ts_event").dt.date()
    return rows.filter(day.is_between(batch.start, batch.end))


def _layers(applied: Sequence[DecisionMade]) -> list[pl.DataFrame]:
    """Return the edits of `applied` in frames that each change a value once at most, in the order of application."""
    depth: Counter[tuple[str, int, str]] = Counter()
    layers: list[list[tuple[object, ...]]] = []
    for one in applied:
        for edit in one.edits:
            place = (one.provider, edit.ts_event, edit.column)
            if depth[place] == len(layers):
                layers.append([])
            layers[depth[place]].append((*place, edit.before, edit.after, one.decision_id))
            depth[place] += 1
    schema = {**_EDITS, "ts_event": pl.Int64()}
    return [
        pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("ts_event").cast(INSTANT))
        for rows in layers
    ]


def _edited(claims: pl.DataFrame, edits: pl.DataFrame) -> pl.DataFrame:
    for part in edits.partition_by("column", maintain_order=True):
        column = part["column"][0]
        wanted = part.select(*_ROW, "before", "after", pl.lit(value=True).alias("met"))
        met = claims.join(wanted, on=list(_ROW), how="left", maintain_order="left")
        holds = pl.col("met").is_not_null() & _same(pl.col(column), pl.col("before"))
        edited = met.with_columns(pl.when(holds).then("after").otherwise(column).alias(column))
        claims = edited.select(claims.columns)
    return claims


def _added(claims: pl.DataFrame, wanted: pl.DataFrame, force: InForce) -> pl.DataFrame:
    """Return the actions that `wanted` adds, as claims of the provider that left them out."""
    added = wanted.filter(pl.col("before").is_null() & pl.col("after").is_not_null())
    added = added.join(claims, on=["provider", "ex_date", "type"], how="anti", maintain_order="left")
    last, usual = force.applied[-1], claims["currency"].drop_nulls().first()
    told = {one.decision_id: one.currency or usual for one in force.applied}
    origin = {
        "instrument_id": pl.lit(last.instrument_id),
        "value": pl.col("after"),
        "currency": pl.col("made").replace_strict(told, default=usual, return_dtype=pl.String()),
        "basis": pl.lit("raw"),
        "payload": pl.col("made"),
        "ts_known": pl.lit(last.ts_known).cast(INSTANT),
        "simulated": pl.lit(last.simulated),
    }
    return added.with_columns(**origin).select(claims.columns)


def _same(value: pl.Expr, other: pl.Expr) -> pl.Expr:
    """True where both are missing, or so near that they are one value."""
    near = (value - other).abs() <= other.abs() * _SAME
    return near.fill_null(value.is_null() & other.is_null())


def _among(claims: pl.DataFrame, out: pl.DataFrame) -> pl.Series:
    """Return true for each row of `claims` that says what a row of `out` says, in all of its values."""
    numbered = claims.select(*_ROW, *OHLCV_COLUMNS).with_row_index("row")
    met = numbered.join(out, on=list(_ROW), how="inner", suffix="_out")
    same = met.filter(pl.all_horizontal([_same(pl.col(name), pl.col(f"{name}_out")) for name in OHLCV_COLUMNS]))
    return numbered["row"].is_in(same["row"].implode())


def _operators(claims: pl.DataFrame, won: Sequence[DecisionMade]) -> pl.DataFrame:
    columns = TABLES["bar_claims"].columns
    known = claims["currency"].drop_nulls()
    rows = [
        {
            **dict.fromkeys(columns),
            **one.claimed,
            **one.values,
            "instrument_id": one.instrument_id,
            "timeframe": one.timeframe,
            "ts_event": one.ts_event,
            "provider": OPERATOR,
            "currency": known.first(),
            "basis": "raw",
            "running": False,
            "feed": "",
            "payload": one.payload if one.action == "accept" else one.decision_id,
            "ts_known": one.ts_known,
            "simulated": one.simulated,
        }
        for one in won
    ]
    instants = ("ts_event", "ts_known")
    written = pl.DataFrame(rows, schema={**columns, **dict.fromkeys(instants, pl.Int64())})
    return written.with_columns(pl.col(instants).cast(INSTANT)).filter(
        pl.col("ts_event").is_between(claims["ts_event"].min(), claims["ts_event"].max())
    )
