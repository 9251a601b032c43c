"""What the operator says of classifications; domain.messages has the rest."""

from __future__ import annotations

from truetape.domain.messages import Message


class ClassesTold(Message, frozen=True, kw_only=True):
    """Somebody loaded the structure of a taxonomy, mappings between codes, or assignments of instruments."""

    table: str  # class_nodes: all of one revision; class_mappings or class_assignments: what is new or other
    taxonomy: str
    rows: bytes  # Arrow IPC stream, the columns of the table but for version, ts_known and simulated
    actor: str
    ts_known: int
    simulated: bool = False
