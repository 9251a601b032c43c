"""Write the migration of the TimescaleDB store that the tables of domain/schema.py still need.

Run it after a table or a column was added: `.venv/bin/python scripts/draft_migration.py`. It writes the next numbered
file, or says that nothing is missing. A column that is renamed or removed needs a migration by hand.
With `--check` it writes nothing, prints what is missing and fails.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from truetape.adapters.timescale_store import migrating
from truetape.adapters.timescale_store.names import EVENT_TABLES, KINDS, LATEST, SERIES, kept_of, quoted
from truetape.domain.schema import TABLES, Schema
from truetape.domain.time import DAY_NS

PLAIN, TIMESCALE = migrating.EDITIONS


def main() -> int:
    """Write the missing migration, if there is one, and return the exit status."""
    known = _known("\n".join(one.text(PLAIN) for one in migrating.migrations()))
    drafts = {edition: _missing(known, edition) for edition in (PLAIN, TIMESCALE)}
    if not any(drafts.values()):
        print("Nothing is missing: the migrations make every table of the schema.")
        return 0
    if "--check" in sys.argv:
        print("\n".join(drafts[TIMESCALE]))
        return 1
    number = migrating.migrations()[-1].number + 1
    for edition, statements in drafts.items():
        suffix = "" if drafts[PLAIN] == drafts[TIMESCALE] else f".{edition}"
        path = Path(migrating.__file__).parent / "migrations" / f"{number:04}_tables{suffix}.sql"
        path.write_text("\n".join(statements) + "\n")
        print(f"Wrote {path}.")
    return 0


def _known(text: str) -> dict[str, set[str]]:
    """Return the columns of each table that the statements `text` make."""
    known: dict[str, set[str]] = {}
    for name, body in re.findall(r'CREATE TABLE "(\w+)" \(\n(.*?)\n\)', text, re.DOTALL):
        known[name] = set(re.findall(r'^ +"(\w+)"', body, re.MULTILINE))
    for name, column in re.findall(r'ALTER TABLE "(\w+)" ADD COLUMN "(\w+)"', text):
        known.setdefault(name, set()).add(column)
    return known


def _missing(known: dict[str, set[str]], edition: str) -> list[str]:
    statements = []
    for name in TABLES:
        for one, columns in kept_of(name).items():
            if one not in known:
                statements += _create(one, columns, name, edition)
            statements += [
                f'ALTER TABLE "{one}" ADD COLUMN "{column}" {KINDS[dtype].sql};'
                for column, dtype in columns.items()
                if one in known and column not in known[one]
            ]
    return statements


def _create(one: str, columns: Schema, name: str, edition: str) -> list[str]:
    lines = ",\n".join(
        f'    "{column}" {KINDS[dtype].sql}{_not_null(one, column)}' for column, dtype in columns.items()
    )
    is_parted = one in EVENT_TABLES and edition == PLAIN
    create = f'CREATE TABLE "{one}" (\n{lines}\n){" PARTITION BY RANGE (ts_event)" if is_parted else ""};'
    by = f"by_range('ts_event', {migrating.CHUNK_DAYS.get(one, 0) * DAY_NS})"
    chunks = [f"SELECT create_hypertable('{one}', {by}, create_default_indexes => false);"]
    return [create, *(chunks if one in EVENT_TABLES and edition == TIMESCALE else []), *_indexes(one, name, columns)]


def _not_null(one: str, column: str) -> str:
    return " NOT NULL" if one in EVENT_TABLES and column == "ts_event" else ""


def _indexes(one: str, name: str, columns: Schema) -> list[str]:
    if one == LATEST:
        return [f'ALTER TABLE "{one}" ADD PRIMARY KEY ({quoted(SERIES)});']
    if name in EVENT_TABLES:
        return [f'CREATE INDEX ON "{one}" ({quoted(EVENT_TABLES[name])});']
    key = TABLES[name].key
    statements = [f'CREATE INDEX ON "{one}" ({quoted(key)});']
    if "instrument_id" in columns and key[0] != "instrument_id":
        event = [column for column in ("ts_event", "ex_date", "session") if column in columns][:1]
        statements.append(f'CREATE INDEX ON "{one}" ({quoted(["instrument_id", *event])});')
    return statements


if __name__ == "__main__":
    sys.exit(main())
