"""Classification: the dated structures of taxonomies, what maps to what, and which instrument is assigned what."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.stored import VERSIONED_COLUMNS, Table

CLASSES: Final[dict[str, Table]] = {
    "class_nodes": Table(
        columns={
            "taxonomy": pl.String(),  # gics, sic, naics, or the operator's own
            "revision": pl.Date(),  # the structure as it is valid from this date on, inclusive, until the next revision
            "code": pl.String(),
            "parent": pl.String(),  # a code of the same revision; "" at the top
            "level": pl.UInt32(),  # 1 at the top
            "name": pl.String(),
            "payload": pl.String(),  # the archived file that says so
            **VERSIONED_COLUMNS,
        },
        key=("taxonomy", "revision", "code"),
        writer="reference",
        versioned=True,
    ),
    "class_mappings": Table(
        columns={
            "taxonomy": pl.String(),
            "code": pl.String(),
            "to_taxonomy": pl.String(),  # the same one where a revision moved the code
            "to_code": pl.String(),
            "valid_from": pl.Date(),  # inclusive; null: since ever
            "confidence": pl.Float64(),  # above 0, up to 1
            "payload": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("taxonomy", "code", "to_taxonomy", "to_code", "valid_from"),
        writer="reference",
        versioned=True,
    ),
    "class_assignments": Table(
        columns={
            "instrument_id": pl.String(),
            "taxonomy": pl.String(),
            "source": pl.String(),  # a provider, or operator
            "valid_from": pl.Date(),  # inclusive, until the next one of this source; null: since ever
            "code": pl.String(),  # "": it is not classified any more
            "payload": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "taxonomy", "source", "valid_from"),
        writer="reference",
        versioned=True,
    ),
}
