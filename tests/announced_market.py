"""Claims and statements about corporate actions of one instrument, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.schema import TABLES
from truetape.domain.time import day_start_ns

INSTRUMENT = "ins_a"
KNOWN = date(2024, 5, 1)


def table(name: str, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of a table; instants are nanoseconds."""
    columns = TABLES[name].columns
    frame = pl.DataFrame(list(rows), schema={**columns, "ts_known": pl.Int64()})
    return frame.with_columns(pl.col("ts_known").cast(INSTANT))


def claim(provider: str, kind: str, day: str, value: float | None, **more: Any) -> dict[str, Any]:
    """Return a row of action_claims; `known` is a date, and `payload` is made of it."""
    known = date.fromisoformat(more.pop("known", str(KNOWN)))
    row = {
        "instrument_id": INSTRUMENT,
        "ex_date": date.fromisoformat(day),
        "type": kind,
        "provider": provider,
        "value": value,
        "currency": "USD",
        "basis": "raw",
        "payload": f"{provider}:{known}",
        "ts_known": day_start_ns(known),
        "simulated": False,
    }
    return {**row, **more}


def detail(row: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Return a row of action_details beside the claim `row`."""
    names = ("instrument_id", "ex_date", "type", "provider", "payload", "ts_known", "simulated")
    dates = {name: date.fromisoformat(text) if name.endswith("_date") else text for name, text in given.items()}
    return {**dict.fromkeys(TABLES["action_details"].columns), **{name: row[name] for name in names}, **dates}


def statement(announcement: str, said: str, *, known: str = "2024-05-02", **fields: str) -> dict[str, Any]:
    """Return a row of action_statements."""
    return {
        "statement_id": f"sta_{announcement}_{said}_{known}_{sorted(fields.items())}",
        "announcement_id": announcement,
        "instrument_id": INSTRUMENT,
        "said": said,
        "fields": msgspec.json.encode(fields).decode(),
        "actor": "ann",
        "why": "told by the issuer",
        "ts_known": day_start_ns(date.fromisoformat(known)),
        "simulated": False,
    }


def claims(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows of action_claims."""
    return table("action_claims", rows)


def details(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows of action_details."""
    return table("action_details", rows)


def stated(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows of action_statements."""
    return table("action_statements", rows)
