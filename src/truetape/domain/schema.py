"""The exact columns of every record kind, and the tables that keep them.

Two stages share the record kinds:

- DECODED (see domain.kinds): what one payload says, in the provider's own symbol and basis.
- TABLES: what the store keeps; claims are decoded rows with identity and origin, the others are what was decided.

Frames in messages have the schema of the table that they are meant for.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.errors import SchemaMismatch
from truetape.domain.kinds import ACTION_TYPES, ASSET_CLASSES, BASES, DECODED, INSTANT, Schema
from truetape.domain.stored import Table
from truetape.domain.stored_actions import ANNOUNCED
from truetape.domain.stored_claims import CLAIMS
from truetape.domain.stored_classes import CLASSES
from truetape.domain.stored_master import MASTER
from truetape.domain.stored_rates import RATES_KEPT
from truetape.domain.stored_records import RECORDS
from truetape.domain.stored_reference_claims import REFERENCE_CLAIMS
from truetape.domain.stored_venues import VENUES
from truetape.domain.stored_verdicts import VERDICTS

__all__ = [
    "ACTION_TYPES",
    "ASSET_CLASSES",
    "BASES",
    "DECODED",
    "INSTANT",
    "TABLES",
    "Schema",
    "Table",
    "check",
    "empty",
]

TABLES: Final[dict[str, Table]] = {
    **CLAIMS,
    **VERDICTS,
    **RECORDS,
    **REFERENCE_CLAIMS,
    **MASTER,
    **ANNOUNCED,
    **VENUES,
    **CLASSES,
    **RATES_KEPT,
}


def check(frame: pl.DataFrame, expected: Schema, *, kind: str) -> pl.DataFrame:
    """Return `frame` if it has exactly the columns `expected`, in order.

    Raises:
        SchemaMismatch: A column is missing, unknown, misplaced or of another type.
    """
    if dict(frame.schema) == expected and frame.columns == list(expected):
        return frame
    found = {name: dtype for name, dtype in frame.schema.items() if expected.get(name) != dtype}
    missing = [name for name in expected if name not in frame.columns]
    parts = [f"missing columns {missing}"] if missing else []
    parts += [f"unexpected columns {found}"] if found else []
    raise SchemaMismatch(
        kind=kind, expected=str(list(expected)), found=" and ".join(parts) or "its columns in another order"
    )


def empty(columns: Schema) -> pl.DataFrame:
    """Return a frame of no rows with `columns`."""
    return pl.DataFrame(schema=columns)
