"""Which instruments the rows of a bulk answer are about: those of one day, or of a whole market."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.messages import RawCaptured
from truetape.domain.schema import DECODED, INSTANT, TABLES, empty
from truetape.domain.symbology import Symbology
from truetape.domain.venue_suffixes import spelling_of
from truetape.services.processing.claim import CLAIM_TABLES

UNKNOWN: Final = "unknown_symbols"
_FINDINGS: Final = TABLES["findings"].columns
_SHOWN: Final = 10  # symbols that a finding names


def is_bulk(capture: RawCaptured) -> bool:
    """Return whether the rows of a capture say for themselves which instruments they are about."""
    if capture.instrument_id or capture.kind not in CLAIM_TABLES:
        return False
    return "instrument_id" in TABLES[CLAIM_TABLES[capture.kind]].columns and "symbol" in DECODED[capture.kind]


def identified(decoded: pl.DataFrame, capture: RawCaptured, symbology: Symbology) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of `decoded` whose instrument is certain, with `instrument_id`, and a finding about the others.

    A symbol means what it meant on the date of its row. The others stay in the archive; the finding (schema findings)
    names some of them: those that name no instrument, and those that name several.
    """
    day = pl.col("ts_event").dt.date() if "ts_event" in decoded.columns else pl.col("ex_date")
    found = symbology.resolve(decoded.with_columns(date=day), spelling=spelling_of(capture.provider))
    known = found.filter(pl.col("instrument_id").is_not_null())
    lost = found.filter(pl.col("instrument_id").is_null())
    rows = known.select(*decoded.columns, "instrument_id")
    return rows, _finding(lost, capture, of=len(found)) if len(lost) else empty(_FINDINGS)


def _finding(lost: pl.DataFrame, capture: RawCaptured, *, of: int) -> pl.DataFrame:
    stamp = pl.Series([capture.ts_known]).cast(INSTANT)[0]
    none = lost.filter(pl.col("matches") == 0)["symbol"].unique().sort()
    several = lost.filter(pl.col("matches") > 1)["symbol"].unique().sort()
    parts = [
        f"{len(symbols):,} {what} ({', '.join(symbols.head(_SHOWN))}{', ...' if len(symbols) > _SHOWN else ''})"
        for symbols, what in ((none, "name no instrument"), (several, "name several"))
        if len(symbols)
    ]
    row = {
        "instrument_id": "",
        "timeframe": capture.timeframe,
        "ts_event": stamp,
        "provider": capture.provider,
        "check": UNKNOWN,
        "severity": "warning",
        "explanation": (
            f"{len(lost):,} of {of:,} rows were left out, since of their symbols {' and '.join(parts)}. List them "
            f"under [[instruments]], and replay. Payload {capture.key[:16]}."
        ),
        "round_id": capture.round_id or capture.key,
        "ts_known": stamp,
        "simulated": capture.simulated,
    }
    return pl.DataFrame([row], schema=_FINDINGS)
