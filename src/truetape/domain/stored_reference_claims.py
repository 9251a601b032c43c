"""What registers said, and what their lists differ in: the claims of reference data."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.listing_changes import EVENT_COLUMNS
from truetape.domain.reference_kinds import REGISTERS
from truetape.domain.stored import ORIGIN_COLUMNS, Table


def _claims(kind: str) -> Table:
    """Return the table of the rows that payloads say of `kind`, by their place in the payload, from 0."""
    columns = {
        "number": pl.UInt32(),
        "provider": pl.String(),
        **REGISTERS[kind],
        "payload": pl.String(),
        **ORIGIN_COLUMNS,
    }
    return Table(columns=columns, key=("payload", "provider", "number"), writer="processing")


REFERENCE_CLAIMS: Final[dict[str, Table]] = {
    "venue_claims": _claims("venues"),
    "currency_claims": _claims("currencies"),
    "issuer_claims": _claims("issuers"),
    "identifier_claims": _claims("identifiers"),
    "listing_events": Table(
        columns={
            "provider": pl.String(),  # whose two lists differ
            "payload": pl.String(),  # the newer of them; the rows of one payload are written at once
            "number": pl.UInt32(),  # of the event, from 0
            **EVENT_COLUMNS,
            "old_payload": pl.String(),
            "held": pl.String(),  # why the event is not believed; "" of those that are
            **ORIGIN_COLUMNS,
        },
        key=("payload", "provider", "number"),
        writer="reference",
    ),
    "listing_reviews": Table(
        columns={
            "provider": pl.String(),
            "payload": pl.String(),  # a list that was compared
            "old_payload": pl.String(),  # with this one; "" of the first
            "live": pl.UInt32(),  # listings of it that go on
            "events": pl.UInt32(),
            "held": pl.UInt32(),  # events that are not believed; the next list is compared with the older one then
            "words": pl.String(),  # why this list is not believed; "" if it is
            **ORIGIN_COLUMNS,
        },
        key=("payload", "provider"),
        writer="reference",
    ),
}
