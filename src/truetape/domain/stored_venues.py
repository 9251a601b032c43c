"""What is known of venues: the codes of ISO 10383, the calendars that they follow, and corrections of these."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.stored import VERSIONED_COLUMNS, Table

VENUES: Final[dict[str, Table]] = {
    "venues": Table(
        columns={
            "mic": pl.String(),  # ISO 10383
            "operating_mic": pl.String(),  # of the venue that this one is a segment of; its own for an operating one
            "level": pl.String(),  # of domain.venues.LEVELS: operating or segment
            "name": pl.String(),
            "legal_entity": pl.String(),
            "lei": pl.String(),
            "category": pl.String(),  # market category code of ISO 10383, such as RMKT or MLTF
            "acronym": pl.String(),
            "country": pl.String(),  # ISO 3166, two letters
            "city": pl.String(),
            "website": pl.String(),
            "status": pl.String(),  # active, updated or expired
            "created": pl.Date(),
            "updated": pl.Date(),
            "expired": pl.Date(),  # null: it has not
            "zone": pl.String(),  # IANA; null: not known
            **VERSIONED_COLUMNS,
        },
        key=("mic",),
        writer="reference",
        versioned=True,
    ),
    "calendars": Table(
        columns={
            "mic": pl.String(),
            "keeper": pl.String(),  # whose calendar it follows: its own, or that of another MIC
            "zone": pl.String(),  # IANA, in which its hours are told
            "rules": pl.String(),  # by what its sessions were computed, with the version
            "first": pl.Date(),  # of the days that were asked for; those that no calendar knows have no sessions
            "last": pl.Date(),  # inclusive
            **VERSIONED_COLUMNS,
        },
        key=("mic",),
        writer="reference",
        versioned=True,
    ),
    "calendar_corrections": Table(
        columns={
            "mic": pl.String(),
            "session": pl.Date(),
            "known": INSTANT,  # since when the market knew it; null: since ever. When we heard of it is ts_known
            "what": pl.String(),  # of domain.corrections.KINDS: closed, open or no_break
            "open": INSTANT,  # null, as are those below: as on every day
            "close": INSTANT,
            "break_start": INSTANT,
            "break_end": INSTANT,
            "why": pl.String(),
            "source": pl.String(),  # who says so
            **VERSIONED_COLUMNS,
        },
        key=("mic", "session", "known"),
        writer="reference",
        versioned=True,
    ),
}
