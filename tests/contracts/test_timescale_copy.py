"""Binary COPY as truetape writes and reads it, beside what psycopg makes of the same rows one value at a time."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import polars as pl
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from database_servers import Postgres
from truetape.adapters.timescale_store.decoding import decoded
from truetape.adapters.timescale_store.encoding import SLICE_ROWS, encoded
from truetape.adapters.timescale_store.names import KINDS, escape, unescape
from truetape.domain.kinds import INSTANT

COLUMNS: dict[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "flag": pl.Boolean(),
    "count": pl.UInt32(),
    "day": pl.Date(),
    "instant": INSTANT,
    "other": pl.String(),
}
TYPES = ["text", "float8", "bool", "int8", "date", "int8", "text"]
ONE = st.tuples(
    st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\x01"), max_size=12),
    st.none() | st.floats(),
    st.none() | st.booleans(),
    st.none() | st.integers(0, 2**32 - 1),
    st.none() | st.dates(),
    st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
    st.sampled_from(["", "same", None]),
)
ROWS = st.lists(ONE, max_size=8)
QUIET = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def frame_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    plain = {name: pl.Int64() if dtype == INSTANT else dtype for name, dtype in COLUMNS.items()}
    columns = {name: [row[place] for row in rows] for place, name in enumerate(plain)}
    return pl.DataFrame(columns, schema=plain).with_columns(pl.col("instant").cast(INSTANT))


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return one == other


def table(connection: psycopg.Connection[Any]) -> None:
    columns = ", ".join(f'"{name}" {KINDS[dtype].sql}' for name, dtype in COLUMNS.items())
    connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS copied ({columns})".encode())
    connection.execute("TRUNCATE copied")


@given(rows=ROWS)
@QUIET
def test_the_server_reads_what_we_write(postgres: Postgres, rows: list[tuple[Any, ...]]) -> None:
    """Every value, as psycopg hands it to Python, is the one that stood in the frame."""
    with psycopg.connect(postgres.dsn) as connection:
        table(connection)
        with connection.cursor() as cursor:
            with cursor.copy("COPY copied FROM STDIN (FORMAT BINARY)") as copy:
                for piece in encoded(frame_of(rows)):
                    copy.write(piece.data)
            found = cursor.execute("SELECT * FROM copied").fetchall()
    assert len(rows) == len(found)
    assert [] == [pair for pair in zip(rows, found, strict=True) if not all(map(same, *pair))]


@given(rows=ROWS)
@QUIET
def test_we_read_what_psycopg_writes(postgres: Postgres, rows: list[tuple[Any, ...]]) -> None:
    """Rows that psycopg has written value by value come out as a frame."""
    with psycopg.connect(postgres.dsn) as connection:
        table(connection)
        with connection.cursor() as cursor:
            with cursor.copy("COPY copied FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(TYPES)
                for row in rows:
                    copy.write_row(row)
            with cursor.copy("COPY copied TO STDOUT (FORMAT BINARY)") as copy:
                found = decoded([bytes(message) for message in copy], COLUMNS)
    assert_frame_equal(frame_of(rows), found)


def test_rows_of_several_slices(postgres: Postgres) -> None:
    """More rows than are turned at once, of even and of uneven lengths, come back in their order."""
    count = 2 * SLICE_ROWS + 7
    for text in ("even", None):
        rows = [
            (text or "x" * (number % 5), float(number), True, number, date(2024, 1, 1), number, "")
            for number in range(count)
        ]
        messages = b"".join(bytes(piece) for piece in encoded(frame_of(rows)))
        with psycopg.connect(postgres.dsn) as connection:
            table(connection)
            with connection.cursor() as cursor:
                with cursor.copy("COPY copied FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(messages)
                with cursor.copy("COPY copied TO STDOUT (FORMAT BINARY)") as copy:
                    assert_frame_equal(frame_of(rows), decoded([bytes(one) for one in copy], COLUMNS))


@given(texts=st.lists(st.none() | st.text(st.sampled_from("\0\x01\x0201ab"), max_size=6), min_size=2, max_size=9))
def test_escaped_texts_come_back_and_keep_their_order(texts: list[str | None]) -> None:
    """NUL and what escapes it included; nothing that is written holds a NUL."""
    series = pl.Series(texts, dtype=pl.String)
    held = escape(series)
    assert series.to_list() == unescape(held).to_list()
    known = [one for one in texts if one is not None]
    kept = [one for one in held.to_list() if one is not None]
    assert not any("\0" in one for one in kept)
    assert [known[place] for place in sorted(range(len(known)), key=kept.__getitem__)] == sorted(known)
