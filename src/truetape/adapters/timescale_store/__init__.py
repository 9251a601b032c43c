"""The store in PostgreSQL, with TimescaleDB where it is there."""

from truetape.adapters.timescale_store.connecting import Patience
from truetape.adapters.timescale_store.store import TimescaleStore

__all__ = ["Patience", "TimescaleStore"]
