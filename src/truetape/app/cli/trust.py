"""`truetape trust`: how much each provider's word weighs, and which votes stand behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from truetape.app.cli.terminal import Data, Json, out, run, write_json

if TYPE_CHECKING:
    import polars as pl

PLACE: Final = ["provider", "kind", "venue"]


def trust(*, data: Data = Path("data"), as_json: Json = False) -> None:
    """Show how much each provider's word weighs, by record kind and venue, and the votes behind it.

    A weight starts at 1, or at what the provider declares, and moves with the votes of earlier days. One that is fixed
    in the settings stands above what is learnt, everywhere.
    """
    found = run(_weights(data), as_json=as_json)
    if as_json:
        write_json(found)
    else:
        _show(found)


async def _weights(data: Path) -> list[dict[str, Any]]:
    from truetape.app.reading import opened

    async with opened(data) as store:
        return standing(await store.read("trust"), await store.read("votes"))


def standing(settled: pl.DataFrame, votes: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a row for each provider, record kind and venue of which anything is known.

    Args:
        settled: Current rows of trust.
        votes: Rows of votes, those of today too, which weigh nothing yet.
    """
    import polars as pl

    cast = votes.group_by(PLACE).agg(
        pl.col("agreed", "dissented").sum(), pl.len().alias("rounds"), pl.col("ts_known").max().alias("last_vote")
    )
    weights = settled.drop_nulls("weight").select(*PLACE, "weight", "since", "fixed")
    rows = cast.join(weights, on=PLACE, how="full", coalesce=True).sort(PLACE)
    share = pl.col("agreed") / (pl.col("agreed") + pl.col("dissented"))
    return rows.select(
        *PLACE,
        pl.col("weight").fill_null(1.0),
        pl.col("fixed").fill_null(value=False),
        _moment("since"),
        share.round(4).alias("right"),
        pl.col("agreed", "dissented").round(1).fill_null(0.0),
        pl.col("rounds").fill_null(0),
        _moment("last_vote"),
    ).to_dicts()


def _moment(column: str) -> pl.Expr:
    import polars as pl

    return pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _show(found: list[dict[str, Any]]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    console = out()
    if not found:
        console.print("No votes were cast yet: everybody's word weighs what the provider declares.", markup=False)
        return
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("provider", "kind", "venue", "weight", "since", "right", "agreed", "against", "rounds"):
        number = title in {"weight", "right", "agreed", "against", "rounds"}
        table.add_column(title, justify="right" if number else "left", no_wrap=True)
    for one in found:
        weight = f"{one['weight']:.4g}{' fixed' if one['fixed'] else ''}"
        share = "" if one["right"] is None else f"{one['right']:.2%}"
        counts = (f"{one[name]:,.0f}" for name in ("agreed", "dissented", "rounds"))
        since = (one["since"] or "")[:10] or "not yet"
        table.add_row(one["provider"], one["kind"] or "all", one["venue"] or "all", weight, since, share, *counts)
    console.print(table)
