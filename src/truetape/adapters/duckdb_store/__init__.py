"""The store as one DuckDB file."""

from truetape.adapters.duckdb_store.store import DuckdbStore

__all__ = ["DuckdbStore"]
