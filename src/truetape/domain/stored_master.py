"""The instrument master beyond the tickers: dated details, identifiers, issuers, merged records, open questions."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.stored import ORIGIN_COLUMNS, VERSIONED_COLUMNS, Table

_DATED: Final = {
    "valid_from": pl.Date(),  # inclusive; null: since ever, as far as anybody told
    "valid_to": pl.Date(),  # exclusive; null: still valid
}

MASTER: Final[dict[str, Table]] = {
    "instrument_details": Table(
        columns={
            "instrument_id": pl.String(),
            **_DATED,
            "name": pl.String(),
            "paper": pl.String(),  # of domain.papers.PAPERS
            "issuer_id": pl.String(),  # null: not told
            "source": pl.String(),  # the provider that told
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "valid_from"),
        writer="reference",
        versioned=True,
    ),
    "listing_details": Table(
        columns={
            "instrument_id": pl.String(),
            "symbol": pl.String(),
            "mic": pl.String(),
            **_DATED,
            "currency": pl.String(),
            "lot": pl.Float64(),  # shares of a round lot
            "increment": pl.Float64(),  # the least difference between two prices, in `currency`
            "status": pl.String(),  # active, suspended or delisted
            "board": pl.String(),  # the venue's part that lists it, in the source's code
            "source": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "symbol", "mic", "valid_from"),
        writer="reference",
        versioned=True,
    ),
    "identifiers": Table(
        columns={
            "instrument_id": pl.String(),
            "scheme": pl.String(),  # of domain.identifiers.SCHEMES; its check digits are right
            "value": pl.String(),  # as domain.identifiers.normalized writes it
            **_DATED,
            "source": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "scheme", "value", "valid_from"),
        writer="reference",
        versioned=True,
    ),
    "issuers": Table(
        columns={
            "issuer_id": pl.String(),
            "name": pl.String(),
            "cik": pl.String(),
            "lei": pl.String(),
            "source": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("issuer_id",),
        writer="reference",
        versioned=True,
    ),
    "merges": Table(
        columns={
            "instrument_id": pl.String(),  # the record that is another's
            "into": pl.String(),  # that other one
            "stands": pl.Boolean(),  # false: it was undone
            "actor": pl.String(),
            "why": pl.String(),
            "evidence": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id",),
        writer="reference",
        versioned=True,
    ),
    "master_questions": Table(
        columns={
            "question_id": pl.String(),  # the same question has the same id, however often it comes up
            "kind": pl.String(),  # of services.reference.questions.KINDS
            "provider": pl.String(),  # whose listing it is about
            "symbol": pl.String(),  # as the provider writes it
            "mic": pl.String(),
            "instruments": pl.String(),  # ids that may be meant, comma separated
            "words": pl.String(),
            "payload": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("question_id",),
        writer="reference",
        versioned=True,
    ),
    "settled_listings": Table(
        columns={
            "payload": pl.String(),
            "provider": pl.String(),
            "rows": pl.UInt32(),  # listings that it claims
            "added": pl.UInt32(),  # instruments that were new
            "questions": pl.UInt32(),  # rows that nobody could place
            **ORIGIN_COLUMNS,
        },
        key=("payload", "provider"),
        writer="reference",
    ),
}
