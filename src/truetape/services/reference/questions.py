"""What the rules could not decide about a listing, as rows that an operator reads."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.identity import question_id
from truetape.domain.schema import TABLES, empty

COLUMNS: Final = TABLES["master_questions"].columns
KINDS: Final = {
    "bad_identifier": "an identifier has a wrong check digit, and was left out",
    "dates": "the dates of a listing contradict each other",
    "twice": "one list names a ticker twice at one time, with different facts",
    "several": "the identifiers or the ticker are those of several instruments",
    "identifier_differs": "the ticker is an instrument's that has another identifier",
    "overlap": "another instrument has had the ticker at that time",
    "no_end": "a listing is over, and nobody says since when",
    "maybe_renamed": "a ticker may be the new one of an instrument",
    "maybe_delisted": "a ticker is gone from a list that does not say that it is whole",
}


def questions(rows: pl.DataFrame, *, kind: str, words: pl.Expr, instruments: pl.Expr | None = None) -> pl.DataFrame:
    """Return a question of `kind` for each of `rows`, columns of the table master_questions.

    Args:
        rows: `provider`, `spelled`, `mic`, `payload`, `ts_known`, `simulated`, and what the expressions need.
        kind: Of KINDS.
        words: What is asked, in words.
        instruments: Ids that may be meant, comma separated; None: no instrument is.
    """
    if rows.is_empty():
        return empty(COLUMNS)
    told = rows.select(
        "provider",
        pl.col("spelled").alias("symbol"),
        "mic",
        (instruments if instruments is not None else pl.lit("")).cast(pl.String).alias("instruments"),
        words.alias("words"),
        "payload",
        "ts_known",
        "simulated",
    )
    about = told.select("provider", "symbol", "mic", "words").iter_rows()
    ids = [question_id(kind=kind, about=tuple("" if one is None else one for one in row)) for row in about]
    return told.with_columns(
        pl.Series("question_id", ids, dtype=pl.String),
        pl.lit(kind).alias("kind"),
        pl.lit(1, dtype=pl.UInt32).alias("version"),
    ).select(list(COLUMNS))
