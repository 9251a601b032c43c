"""What an instrument is classified as on a day, from what was assigned, mapped and known then.

An assignment stands from its date until the next one of its source. Where several sources assign, the operator's word
counts before those of providers, then the newest, then the first in alphabetical order. A code that the revision of the
day does not have is followed over the mappings that were loaded; what no mapping settles is unmapped: nothing is
guessed. An instrument without an assignment may be derived from another taxonomy, such as SIC, with the confidence of
the mapping.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from truetape.domain.taxonomies import NODE, lineages

OPERATOR: Final = "operator"
ASSIGNED, MAPPED, DERIVED, UNMAPPED = "assigned", "mapped", "derived", "unmapped"
CLASSIFIED: Final = {
    "instrument_id": pl.String(),
    "taxonomy": pl.String(),
    "code": pl.String(),  # of the revision of the day; null: unmapped
    "name": pl.String(),
    "level": pl.UInt32(),
    "codes": pl.String(),  # from the top down to `code`, comma separated
    "names": pl.String(),  # the same in words, with " > " between
    "status": pl.String(),  # assigned, mapped, derived or unmapped
    "confidence": pl.Float64(),  # 1 where it was assigned; null: unmapped
    "assigned": pl.String(),  # the code as it was assigned
    "assigned_in": pl.String(),  # the taxonomy that it is of
    "source": pl.String(),
    "valid_from": pl.Date(),  # of the assignment; null: since ever
    "revision": pl.Date(),  # whose structure was in force; null: none is loaded
}
_HOPS: Final = 8  # revisions that one code may be followed over


def revision_on(nodes: pl.DataFrame, *, taxonomy: str, on: date) -> date | None:
    """Return the revision of `taxonomy` that is in force on a day; None before the first, or where none is known.

    Args:
        nodes: Rows of class_nodes.
        taxonomy: Its name.
        on: The day.
    """
    found = nodes.filter(pl.col("taxonomy") == taxonomy, pl.col("revision") <= on)["revision"].max()
    return found if isinstance(found, date) else None


def structure_on(nodes: pl.DataFrame, *, taxonomy: str, on: date) -> pl.DataFrame:
    """Return the classes of `taxonomy` on a day, columns NODE; none where no revision is in force."""
    revision = revision_on(nodes, taxonomy=taxonomy, on=on)
    own = nodes.filter(pl.col("taxonomy") == taxonomy, pl.col("revision") == pl.lit(revision, dtype=pl.Date))
    return own.select(list(NODE)).sort("code")


def classified(
    assignments: pl.DataFrame, nodes: pl.DataFrame, mappings: pl.DataFrame, *, taxonomy: str, on: date, source: str = ""
) -> pl.DataFrame:
    """Return what every instrument is in `taxonomy` on a day, columns CLASSIFIED, by instrument.

    Args:
        assignments: Rows of class_assignments, as they were known.
        nodes: Rows of class_nodes.
        mappings: Rows of class_mappings.
        taxonomy: Its name.
        on: The day.
        source: Whose assignments count; "": those of the source that comes first.
    """
    dated = assignments.filter(pl.col("valid_from").fill_null(date.min) <= on)
    counted = dated.filter(pl.col("source") == source) if source else dated
    chosen = _chosen(counted)
    ways = mappings.filter(pl.col("valid_from").fill_null(date.min) <= on)
    lines = lineages(structure_on(nodes, taxonomy=taxonomy, on=on))
    own = chosen.filter(pl.col("taxonomy") == taxonomy)
    told = _followed(own, lines["code"], _best(ways, of=taxonomy, to=taxonomy))
    others = chosen.filter(pl.col("taxonomy") != taxonomy).join(own, on="instrument_id", how="anti")
    derived = _derived(others, nodes, ways, lines["code"], taxonomy=taxonomy, on=on)
    whole = pl.concat([told, derived]).filter(pl.col("assigned") != "")
    named = whole.join(lines, on="code", how="left")
    revision = pl.lit(revision_on(nodes, taxonomy=taxonomy, on=on), dtype=pl.Date)
    return (
        named.with_columns(
            pl.col("codes").list.join(","),
            pl.col("names").list.join(" > "),
            pl.lit(taxonomy).alias("taxonomy"),
            revision.alias("revision"),
        )
        .select([pl.col(name).cast(dtype) for name, dtype in CLASSIFIED.items()])
        .sort("instrument_id")
    )


def members(rows: pl.DataFrame, code: str) -> pl.DataFrame:
    """Return those of `rows`, columns CLASSIFIED, that are in the class `code` or in one within it."""
    return rows.filter(pl.col("codes").str.split(",").list.contains(code))


def _chosen(assignments: pl.DataFrame) -> pl.DataFrame:
    """Return the one assignment of each instrument and taxonomy that counts, of those that have begun."""
    newest = assignments.sort("valid_from", nulls_last=False).unique(
        ["instrument_id", "taxonomy", "source"], keep="last", maintain_order=True
    )
    ranked = newest.sort(
        (pl.col("source") != OPERATOR),
        pl.col("valid_from").fill_null(date.min),
        "source",
        descending=[False, True, False],
    )
    return ranked.unique(["instrument_id", "taxonomy"], keep="first", maintain_order=True)


def _best(mappings: pl.DataFrame, *, of: str, to: str) -> pl.DataFrame:
    """Return where each code leads: `code`, `to_code`, `sure`; codes with two equally sure ways are left out.

    Of mappings of one code the newest date counts.
    """
    own = mappings.filter(pl.col("taxonomy") == of, pl.col("to_taxonomy") == to)
    since = pl.col("valid_from").fill_null(date.min)
    newest = own.filter(since == since.max().over("code"))
    surest = newest.filter(pl.col("confidence") == pl.col("confidence").max().over("code"))
    return surest.filter(pl.len().over("code") == 1).select("code", "to_code", sure="confidence")


def _followed(assignments: pl.DataFrame, known: pl.Series, ways: pl.DataFrame) -> pl.DataFrame:
    """Return `assignments` with the code of the day: as assigned if it is `known`, else where `ways` lead."""
    rows = assignments.select(
        "instrument_id", "code", "source", "valid_from", assigned="code", assigned_in="taxonomy"
    ).with_columns(confidence=pl.lit(1.0))
    is_known = pl.col("code").is_in(known.implode())
    for _ in range(_HOPS):
        if rows.select(is_known.all()).item():
            break
        led = rows.join(ways, on="code", how="left", maintain_order="left")
        goes = ~is_known & pl.col("to_code").is_not_null()
        rows = led.with_columns(
            code=pl.when(goes).then("to_code").otherwise("code"),
            confidence=pl.when(goes).then(pl.col("confidence") * pl.col("sure")).otherwise("confidence"),
        ).drop("to_code", "sure")
    status = pl.when(~is_known).then(pl.lit(UNMAPPED)).when(pl.col("code") == pl.col("assigned"))
    told = rows.with_columns(status=status.then(pl.lit(ASSIGNED)).otherwise(pl.lit(MAPPED)))
    return told.with_columns(
        code=pl.when(pl.col("status") != UNMAPPED).then("code"),
        confidence=pl.when(pl.col("status") != UNMAPPED).then("confidence"),
    )


def _derived(
    others: pl.DataFrame, nodes: pl.DataFrame, ways: pl.DataFrame, known: pl.Series, *, taxonomy: str, on: date
) -> pl.DataFrame:
    """Return what assignments in other taxonomies lead to: by the mapping of the code, or of the nearest above it."""
    parts = []
    for (other,), own in others.partition_by("taxonomy", as_dict=True).items():
        best = _best(ways, of=str(other), to=taxonomy).filter(pl.col("to_code").is_in(known.implode()))
        lines = lineages(structure_on(nodes, taxonomy=str(other), on=on)).select(assigned="code", above="codes")
        rows = own.select("instrument_id", "source", "valid_from", assigned="code", assigned_in="taxonomy").join(
            lines, on="assigned", how="left"
        )
        each = rows.with_columns(pl.col("above").fill_null(pl.concat_list("assigned"))).explode("above")
        deep = each.with_columns(depth=pl.int_range(pl.len()).over("instrument_id"))
        found = deep.join(best, left_on="above", right_on="code", how="inner").sort("depth")
        parts.append(found.unique("instrument_id", keep="last"))
    nothing = _followed(others.clear(), known, ways.clear().select("code", "to_code", sure="confidence"))
    if not parts:
        return nothing
    surest = pl.concat(parts).sort("sure", "assigned_in", descending=[True, False])
    one = surest.unique("instrument_id", keep="first", maintain_order=True)
    return one.with_columns(code="to_code", confidence="sure", status=pl.lit(DERIVED)).select(nothing.columns)
