"""Our own pipeline, blind: every standing check and the repair engine, told only what providers and calendar say.

A finding *accuses* its row if it says that the data are wrong: its severity is error, or it is a warning that proposes
a repair. Notes, and warnings that propose none, say that something is unusual or that providers differ; they accuse
nobody. An adjusted close that changes because a dividend was repaired does not count as a flag of its row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from perf.quality.calendar import VENUE, sessions
from perf.quality.charts import chart
from perf.quality.corpus import Case, actions, bars
from perf.quality.score import FLAGS
from truetape.domain.price_series import PriceSeries
from truetape.services.quality.checks import FINDINGS, Surroundings, examine, needed, prepare, standing
from truetape.services.quality.repairs import Repair, find_repairs


def flags(cases: Sequence[Case]) -> pl.DataFrame:
    """Return the rows that findings and repairs accuse (schema FLAGS)."""
    return pl.concat([accused(findings(cases)), *(_repaired(case, name, one) for case, name, one in repairs(cases))])


def findings(cases: Sequence[Case]) -> pl.DataFrame:
    """Return what the standing checks find in the bars and the actions of `cases` (schema FINDINGS)."""
    frame, declared = bars(cases), actions(cases)
    around = surroundings(cases, declared)
    found = [pl.DataFrame(schema=FINDINGS)]
    told = {"bars": frame.with_columns(pl.lit("raw").alias("basis")), "actions": declared}
    for kind, records in told.items():
        checks = standing(kind)
        evidence = prepare(records, kind=kind, surroundings=around, needs=needed(checks))
        found.append(examine(evidence, checks=checks, kind=kind))
    return pl.concat(found)


def accused(found: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that findings accuse."""
    wrong = (pl.col("severity") == "error") | ((pl.col("severity") == "warning") & pl.col("repair").is_not_null())
    return found.filter(wrong).select(list(FLAGS))


def repairs(cases: Sequence[Case]) -> Iterator[tuple[Case, str, Repair]]:
    """Yield each repair that the engine makes of each provider's series by itself."""
    for case in cases:
        for name in case.told:
            for one in find_repairs(_series(case, name)):
                yield case, name, one


def surroundings(cases: Sequence[Case], declared: pl.DataFrame) -> Surroundings:
    """Return the calendar of the venue and the actions that most providers declare, at equal numbers the largest."""
    names = [case.name for case in cases]
    listed = pl.DataFrame({"instrument_id": names}).with_columns(
        pl.lit(VENUE).alias("venue"), pl.lit(None, dtype=pl.Float64).alias("increment"), pl.lit(1.0).alias("lot")
    )
    votes = declared.group_by("instrument_id", "ex_date", "type", "value").len("votes")
    agreed = votes.sort("votes", "value", descending=True).unique(["instrument_id", "ex_date", "type"], keep="first")
    ends = [ts for case in cases for tape in case.told.values() for ts in (tape.ts[0], tape.ts[-1])]
    days = pl.from_epoch(pl.Series([min(ends), max(ends)]), time_unit="ns").dt.date()
    return Surroundings(
        listed=listed, sessions=sessions(days[0], days[1]), actions=agreed.drop("votes").sort("ex_date")
    )


def _series(case: Case, name: str) -> PriceSeries:
    """Return one provider's tape as a chart file of its own."""
    told = chart(case.told[name])
    return PriceSeries(frame=told.with_columns(pl.col("ts").dt.date().alias("date")), timeframe="1d", currency="USD")


def _repaired(case: Case, name: str, one: Repair) -> pl.DataFrame:
    rows = {row for change in one.changes if change.column != "adj_close" for row in change.rows}
    stamps = chart(case.told[name])["ts"].gather(sorted(rows))
    return pl.DataFrame({"ts_event": stamps}).select(
        pl.lit(case.name).alias("instrument_id"), pl.lit(name).alias("provider"), "ts_event"
    )
