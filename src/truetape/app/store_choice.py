"""Which store stands behind the port: a file of the data folder, or the database that TRUETAPE_STORE names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from truetape.adapters.data_folder import STORE as FILE
from truetape.adapters.data_folder import read_marker
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.tiered_store import TieredStore
from truetape.app.cold_places import with_cold
from truetape.app.database_settings import STORE, Database
from truetape.domain.errors import BadInput, WrongFolder

if TYPE_CHECKING:
    from truetape.adapters.timescale_store import Examined, TimescaleStore

SIMULATED: Final = "_simulated"  # what the schema of simulated data ends with: it never stands beside live rows
PREFIXES: Final = ("postgresql://", "postgres://")


def in_database(database: Database, *, simulated: bool, read_only: bool = False) -> TimescaleStore:
    """Return the store in the database that the settings name.

    Raises:
        BadInput: The address is no PostgreSQL server's, or the package for it is not installed.
        WrongFolder: The store there is newer than this program, or is to be read and missing.
        StoreUnavailable: The server cannot be reached, or refused.
    """
    try:
        from truetape.adapters.timescale_store import Lifecycle, TimescaleStore
    except ImportError:
        raise _without_package() from None
    _check(database.address)
    lifecycle = Lifecycle(
        chunk_days=database.chunk_days,
        compress_after_days=database.compress_after_days,
        keep_days=database.keep_days,
    )
    schema = schema_of(simulated=simulated)
    return TimescaleStore(database.address, read_only=read_only, schema=schema, lifecycle=lifecycle)


def to_read(data: Path, environ: Mapping[str, str]) -> DuckdbStore | TieredStore | TimescaleStore:
    """Return the store of the data folder `data` for reading only, with its cold files if it has any.

    Raises:
        WrongFolder: There is none.
        BadInput: As for `in_database`.
        StoreUnavailable: It cannot be read now.
    """
    address = environ.get(STORE, "").strip()
    if not address:
        return with_cold(DuckdbStore(data / FILE, read_only=True), data, environ)
    marker = read_marker(data)
    if marker is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    return in_database(Database(address=address), simulated=marker.simulated, read_only=True)


def examined(address: str, *, simulated: bool) -> Examined:
    """Return what the server at `address` can do, and what it holds.

    Raises:
        BadInput: The address is no PostgreSQL server's, or the package for it is not installed.
        StoreUnavailable: The server cannot be reached, or refused.
    """
    try:
        from truetape.adapters.timescale_store import Patience, look
    except ImportError:
        raise _without_package() from None
    _check(address)
    return look(address, schema=schema_of(simulated=simulated), patience=Patience(connect_s=3, statement_s=3))


def schema_of(*, simulated: bool) -> str:
    """Return the schema of a database that holds the tables."""
    return f"truetape{SIMULATED if simulated else ''}"


def _check(address: str) -> None:
    if not address.startswith(PREFIXES):
        fix = "Write the address of a PostgreSQL server, such as postgresql://user:password@host:5432/truetape."
        raise BadInput(parameter=STORE, value="***", fix=fix)


def _without_package() -> BadInput:
    fix = "Install the package for PostgreSQL: pip install 'truetape[timescale]'."
    return BadInput(parameter=STORE, value="***", fix=fix)
