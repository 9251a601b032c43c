"""What is announced about corporate actions: details of providers' claims, what was stated, and what came of both."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.stored import ORIGIN_COLUMNS, VERSIONED_COLUMNS, Table

ANNOUNCED: Final[dict[str, Table]] = {
    "action_details": Table(
        columns={
            "instrument_id": pl.String(),
            "ex_date": pl.Date(),
            "type": pl.String(),
            "provider": pl.String(),
            "declared_date": pl.Date(),
            "record_date": pl.Date(),
            "pay_date": pl.Date(),
            "new_symbol": pl.String(),  # in the provider's spelling
            "payload": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("payload", "instrument_id", "ex_date", "type", "provider"),  # of the claim in action_claims
        writer="processing",
    ),
    "action_statements": Table(
        columns={
            "statement_id": pl.String(),
            "announcement_id": pl.String(),  # of a rejected proposal: the proposal's
            "instrument_id": pl.String(),
            "said": pl.String(),  # of domain.announcements.SAID, or elected, accepted, rejected
            "fields": pl.String(),  # what is said of each field, all as text, in JSON
            "actor": pl.String(),
            "why": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("statement_id",),
        writer="corporate_actions",
    ),
    "announcements": Table(
        columns={
            "announcement_id": pl.String(),
            "instrument_id": pl.String(),
            "type": pl.String(),  # of ACTION_TYPES
            "status": pl.String(),  # of domain.announcements.STATUSES; by its dates it may have taken effect since
            "effective_date": pl.Date(),  # ex-date, or the day on which it takes effect
            "declared_date": pl.Date(),
            "record_date": pl.Date(),
            "pay_date": pl.Date(),
            "deadline": pl.Date(),  # last day on which holders may choose, inclusive
            "value": pl.String(),  # see domain.entitlements.Told: an exact fraction such as 1/7, or a decimal
            "price": pl.String(),
            "currency": pl.String(),
            "new_symbol": pl.String(),  # of what is handed out, or what the instrument is called from then on
            "options": pl.String(),  # what holders choose between, JSON; "" where there is no choice
            "sources": pl.String(),  # who speak of it, comma separated
            "dissented": pl.String(),  # who say something else about a field
            "made_of": pl.String(),  # each field with its value, who said so, who did not and why; JSON
            **VERSIONED_COLUMNS,
        },
        key=("announcement_id",),
        writer="corporate_actions",
        versioned=True,
    ),
}
