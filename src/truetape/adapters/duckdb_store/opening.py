"""Open the file: made if it is new, refused with a reason if it is not ours."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import duckdb

from truetape.adapters.duckdb_store.holding import THRESHOLD
from truetape.adapters.duckdb_store.migrating import OLD, create, migrate
from truetape.adapters.duckdb_store.names import columns_in_sql, past, quoted, withdrawn
from truetape.adapters.duckdb_store.torn import TORN_WORDS, cut_torn_end
from truetape.domain.errors import FolderInUse, StoreUnavailable, WrongFolder
from truetape.domain.schema import TABLES

FORMAT: Final = 2
META: Final = "truetape_meta"
_START: Final = "Start `truetape up` on it once, which brings it there."
_REPLAY: Final = "Rebuild it from the archive with `truetape replay`."
_NOT_OURS: Final = ("not a valid DuckDB database file", "version number", "corrupt", "checksum", "Is a directory")


def connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Return a connection to the store at `path`, with every table in place.

    Raises:
        FolderInUse: Another process has the file open for writing.
        WrongFolder: The file is no store, or of another format, or is to be read and missing.
        StoreUnavailable: It cannot be read or written now.
    """
    if read_only and not path.exists():
        raise WrongFolder(path=str(path), reason="it holds no store yet. Choose another folder with --data.")
    try:
        if not path.exists():
            _make(path)
        connection = _open(path, read_only=read_only)
    except (duckdb.Error, OSError) as error:
        _refuse(error, path)
    try:
        _configure(connection)
        if not read_only:
            _tidy(path)
        _check(connection, path, read_only=read_only)
    except duckdb.Error as error:
        connection.close()
        _refuse(error, path)
    except WrongFolder:
        connection.close()
        raise
    return connection


def readable(connection: duckdb.DuckDBPyConnection) -> range:
    """Return the versions that can be asked for: the last is what the last commit left."""
    row = connection.execute(f"SELECT readable_from, version FROM {META}").fetchone()  # noqa: S608  a constant
    assert row is not None
    return range(int(row[0]), int(row[1]) + 1)


def withdrawn_from(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the tables that have withdrawals."""
    questions = [
        f"SELECT '{name}' WHERE EXISTS (FROM {quoted([withdrawn(name)])})"
        for name, table in TABLES.items()
        if table.versioned
    ]
    return {str(name) for (name,) in connection.execute(" UNION ALL ".join(questions)).fetchall()}


def reason(error: Exception) -> str:
    """Return what DuckDB said, without its kind of error, its hints and the full stop."""
    return re.sub(r"^\w[\w ]* Error: ", "", str(error).partition("\n")[0]).rstrip(".!")


def _open(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open the file; where the machine stopped in the midst of a commit, that one is cut off."""
    try:
        return duckdb.connect(path, read_only=read_only)
    except duckdb.Error as error:
        if read_only and TORN_WORDS in str(error):
            fix = "If the machine stopped while it was written, `truetape up` cuts off what was not finished."
            raise WrongFolder(path=str(path), reason=f"its log is damaged ({reason(error)}). {fix}") from None
        if read_only or not cut_torn_end(path, str(error)):
            raise
        return duckdb.connect(path)


def _make(path: Path) -> None:
    """Make the file beside, then rename it: a crash or a full disk on the way leaves no half store."""
    draft = path.with_name(f".{path.name}.new")
    log = draft.with_name(f"{draft.name}.wal")
    try:
        for leftover in (draft, log):
            leftover.unlink(missing_ok=True)
        with duckdb.connect(draft) as connection:
            _found(connection)
            connection.execute("CHECKPOINT")
        draft.replace(path)
        sync(path.parent)
    finally:
        for leftover in (draft, log):
            leftover.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Make the names in `folder` survive a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def draft_of(path: Path) -> Path:
    """Return where the store at `path` is written anew."""
    return path.with_name(f".{path.name}.compact")


def _tidy(path: Path) -> None:
    """Remove what a killed process sorted, or wrote anew, beside the store; nobody else has it open."""
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)
    draft = draft_of(path)
    for leftover in (draft, draft.with_name(f"{draft.name}.wal")):
        leftover.unlink(missing_ok=True)


def _configure(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute(f"SET GLOBAL checkpoint_threshold = '{THRESHOLD}'")  # a checkpoint makes writers wait
    # DuckDB 2.0.0 trusts the least value of a block of rows for ORDER BY ... LIMIT, even if that row was deleted.
    connection.execute("SET GLOBAL disabled_optimizers = 'row_group_pruner'")
    connection.execute("SET GLOBAL memory_limit = '50%'")  # what does not fit is sorted in a folder beside the file


def _check(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    found = _layout(connection)
    if META not in found:
        raise WrongFolder(path=str(path), reason="it is a DuckDB database of another program. Choose another folder.")
    row = connection.execute(f"SELECT format FROM {META}").fetchone()  # noqa: S608  a constant
    held = row[0] if row else None
    if held == OLD:
        if read_only:
            raise WrongFolder(path=str(path), reason=f"the store has format {held}, not yet {FORMAT}. {_START}")
        migrate(connection, meta=META, to=FORMAT, found=found)
        found = _layout(connection)
    elif held != FORMAT:
        reason = f"the store has format {held} and this version of truetape reads format {FORMAT}. {_REPLAY}"
        raise WrongFolder(path=str(path), reason=reason)
    layout = columns_in_sql()
    missing = [one for name in TABLES if name not in found for one in (name, past(name), withdrawn(name))]
    missing = [name for name in missing if name in layout and name not in found]
    if missing and read_only:
        raise WrongFolder(path=str(path), reason=f"the store has no table {missing[0]} yet. {_START}")
    _create(connection, missing)
    for name, columns in layout.items():
        if name not in missing and found.get(name) != list(columns):
            raise WrongFolder(path=str(path), reason=f"its table {name} has other columns than expected. {_REPLAY}")


def _layout(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    rows = connection.execute(
        "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        "WHERE NOT internal GROUP BY table_name"
    ).fetchall()
    return {str(name): list(columns) for name, columns in rows}


def _create(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Make the tables `names`, all or none of them."""
    layout = columns_in_sql()
    connection.begin()
    for name in names:
        create(connection, name, layout[name])
    connection.commit()


def _found(connection: duckdb.DuckDBPyConnection) -> None:
    """Make a store in an empty file."""
    _create(connection, list(columns_in_sql()))
    connection.begin()
    connection.execute(f"CREATE TABLE {META} (format UINTEGER, version UBIGINT, readable_from UBIGINT)")
    connection.execute(f"INSERT INTO {META} VALUES (?, 0, 0)", [FORMAT])  # noqa: S608  a constant
    connection.commit()


def _refuse(error: Exception, path: Path) -> NoReturn:
    words = reason(error)
    if "lock" in words:
        holder = re.search(r"\(PID (\d+)\)", words)
        raise FolderInUse(path=str(path), owner=f"process {holder[1]}" if holder else "another process") from None
    if any(mark in words for mark in _NOT_OURS):
        raise WrongFolder(
            path=str(path), reason=f"the file is no store that can be read ({words}). {_REPLAY}"
        ) from None
    raise StoreUnavailable(path=str(path), reason=words) from None
