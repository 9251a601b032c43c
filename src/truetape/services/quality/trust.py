"""How much a provider's word weighs: learnt from how often it agreed with a consensus, or fixed by the operator.

The weight of a provider is the mean of a Beta distribution of its share of right claims, out of what is expected of a
provider of which nothing is known: it starts at 1, moves as votes come in, and returns as they age. Votes count for a
record kind at a venue. Those of one day, UTC, weigh claims from the next day on, so that what a round is weighed by
does not depend on the order in which others are handled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.messages import BatchNormalized
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS, NANOSECONDS, to_datetime
from truetape.services.quality.decided import OPERATOR

EXPECTED: Final = 0.95  # share of right claims of a provider of which nothing is known
HELD: Final = 50.0  # votes that this expectation weighs
MOST_OF_A_ROUND: Final = 25.0  # votes that one batch counts for: one fault spoils all of its bars
HALF_LIFE_DAYS: Final = 90.0  # in which a vote loses half of its weight
REMEMBERED: Final = timedelta(days=730)  # votes that are older have no weight
SETTLING_NS: Final = 3600 * NANOSECONDS  # before midnight: rounds closed in this hour may not be stored by then
LEAST: Final = 0.01  # weight of who is always wrong

_FIXED: Final = {"provider": pl.String(), "weight": pl.Float64()}
_VOTES: Final = {"provider": pl.String(), "votes": pl.UInt32()}
_BAR: Final = ("instrument_id", "timeframe", "ts_event")
_JUDGED: Final = ("consensus", OPERATOR)  # methods by which a row is sure enough to judge claims by


def votes(golden: pl.DataFrame, quarantined: pl.DataFrame, *, batch: BatchNormalized, venue: str) -> pl.DataFrame:
    """Return how often each provider agreed and dissented in one batch, schema votes.

    Only bars and actions with a consensus, or that the operator has decided, judge claims.

    Args:
        golden: The golden rows of the batch, schema bars or actions.
        quarantined: Its quarantined claims, schema quarantine.
        batch: What was graded.
        venue: MIC of the instrument's listing; "" where it is not known.
    """
    kept = [name for name in (*_BAR, "method", "agreed", "dissented") if name in golden.columns]
    judged = golden.select(kept).filter(pl.col("method").is_in(_JUDGED))
    by_names = judged if batch.kind == "actions" else judged.filter(pl.col("method") == OPERATOR)
    against = _named(by_names["dissented"])
    if batch.kind == "bars" and len(quarantined):  # who broke a rule lost too; of decided bars nobody is quarantined
        voted = quarantined.join(judged.filter(pl.col("method") != OPERATOR), on=_BAR, how="semi")
        lost = voted.group_by("provider").agg(pl.len().alias("votes"))
        against = pl.concat([lost, against]).group_by("provider").agg(pl.col("votes").sum())
    counted = _named(judged["agreed"]).rename({"votes": "agreed"})
    both = counted.join(against.rename({"votes": "dissented"}), on="provider", how="full", coalesce=True)
    known = both.filter(~pl.col("provider").is_in(["", OPERATOR])).with_columns(
        pl.col("agreed", "dissented").fill_null(0).cast(pl.Float64)
    )
    share = pl.min_horizontal(1.0, MOST_OF_A_ROUND / (pl.col("agreed") + pl.col("dissented")))
    origin = {"ts_known": pl.lit(batch.ts_known).cast(INSTANT), "simulated": pl.lit(batch.simulated)}
    about = {"round_id": pl.lit(batch.round_id), "kind": pl.lit(batch.kind), "venue": pl.lit(venue)}
    about["session"] = pl.lit(to_datetime(batch.ts_known).date())
    told = known.with_columns(pl.col("agreed", "dissented") * share, **about, **origin)
    return told.select(list(TABLES["votes"].columns)).sort("provider")


def _named(names: pl.Series) -> pl.DataFrame:
    """Return how often each provider stands in the comma separated `names`."""
    texts = names.filter(names != "").value_counts(name="votes")
    if texts.is_empty():
        return pl.DataFrame(schema=_VOTES)
    return (
        texts.select(pl.col(names.name).str.split(",").alias("provider"), pl.col("votes"))
        .explode("provider")
        .group_by("provider")
        .agg(pl.col("votes").sum())
        .filter(pl.col("provider") != "")
    )


def cut_off(ts_known: int) -> int:
    """Return until when, inclusive, votes weigh a round that is known at `ts_known`; UTC nanoseconds."""
    return ts_known // DAY_NS * DAY_NS - SETTLING_NS


def remembered_from(ts_known: int) -> date:
    """Return the first date whose votes weigh a round that is known at `ts_known`."""
    return to_datetime(ts_known).date() - REMEMBERED


def learnt(cast: pl.DataFrame, *, ts_known: int, simulated: bool) -> pl.DataFrame:
    """Return what is learnt of providers from the votes of one record kind at one venue, schema trust, version 0.

    Args:
        cast: Rows of votes that are known by `cut_off(ts_known)`.
        ts_known: Of the round that is to be weighed.
        simulated: Whether the data are.
    """
    day = ts_known // DAY_NS * DAY_NS
    age = (pl.lit(day) - pl.col("ts_known").cast(pl.Int64)) / DAY_NS
    aged = cast.sort("round_id", "provider").with_columns(
        pl.col("agreed", "dissented") * pl.lit(0.5).pow(age / HALF_LIFE_DAYS)
    )
    sums = aged.group_by("provider", "kind", "venue").agg(
        pl.col("agreed", "dissented").sum().round(6), pl.len().cast(pl.UInt32).alias("rounds")
    )
    right = (EXPECTED * HELD + pl.col("agreed")) / (HELD + pl.col("agreed") + pl.col("dissented"))
    since = pl.lit(day).cast(INSTANT)
    return (
        sums.with_columns(
            pl.max_horizontal(right / EXPECTED, LEAST).round(4).alias("weight"),
            since.alias("since"),
            since.alias("ts_known"),
            pl.lit(value=False).alias("fixed"),
            pl.lit(0, dtype=pl.UInt32).alias("version"),
            pl.lit(simulated).alias("simulated"),
        )
        .select(list(TABLES["trust"].columns))
        .sort("provider")
    )


def fixed_rows(
    wanted: Mapping[str, float], current: Mapping[str, float], *, ts_known: int, simulated: bool
) -> pl.DataFrame:
    """Return the rows, schema trust, version 0, that say what the operator has fixed anew or set free at `ts_known`.

    Args:
        wanted: Weight by provider, as the settings have it now.
        current: Weight by provider, as it was fixed until now.
        ts_known: UTC nanoseconds.
        simulated: Whether the data are.
    """
    changed = sorted(name for name in {*wanted, *current} if wanted.get(name) != current.get(name))
    instant = pl.lit(ts_known).cast(INSTANT)
    names = pl.DataFrame({"provider": changed, "weight": [wanted.get(name) for name in changed]}, schema=_FIXED)
    return names.with_columns(
        pl.lit("").alias("kind"),
        pl.lit("").alias("venue"),
        pl.lit(0.0).alias("agreed"),
        pl.lit(0.0).alias("dissented"),
        pl.lit(0, dtype=pl.UInt32).alias("rounds"),
        instant.alias("since"),
        instant.alias("ts_known"),
        pl.lit(value=True).alias("fixed"),
        pl.lit(0, dtype=pl.UInt32).alias("version"),
        pl.lit(simulated).alias("simulated"),
    ).select(list(TABLES["trust"].columns))


def fixed_at(rows: pl.DataFrame, ts_known: int) -> dict[str, float]:
    """Return the weight of each provider that the operator had fixed at `ts_known`.

    Args:
        rows: Rows of trust, every version.
        ts_known: UTC nanoseconds, inclusive.
    """
    if rows.is_empty():
        return {}
    known = rows.filter(pl.col("fixed") & (pl.col("since").cast(pl.Int64) <= ts_known))
    latest = known.sort("since").unique("provider", keep="last").drop_nulls("weight")
    return dict(latest.select("provider", "weight").rows())


def weights(declared: Mapping[str, float], learned: pl.DataFrame, fixed: Mapping[str, float]) -> dict[str, float]:
    """Return the weight of each provider's vote: what is fixed, else what it declares times what was learnt of it."""
    ratios = dict(learned.select("provider", "weight").rows())
    names = {*declared, *ratios, *fixed}
    return {name: fixed.get(name, declared.get(name, 1.0) * ratios.get(name, 1.0)) for name in sorted(names)}
