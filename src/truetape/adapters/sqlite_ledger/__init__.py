"""A ledger in one SQLite file, shared by every process of a machine."""

from truetape.adapters.sqlite_ledger.ledger import Account, SqliteLedger

__all__ = ["Account", "SqliteLedger"]
