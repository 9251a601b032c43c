"""The store in PostgreSQL, with TimescaleDB where it is there."""

from truetape.adapters.timescale_store.connecting import Patience
from truetape.adapters.timescale_store.examining import Examined, look
from truetape.adapters.timescale_store.lifecycle import Lifecycle
from truetape.adapters.timescale_store.store import SCHEMA, TimescaleStore

__all__ = ["SCHEMA", "Examined", "Lifecycle", "Patience", "TimescaleStore", "look"]
