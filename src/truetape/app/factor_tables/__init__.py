"""Tables of factors in files: made from bars and actions, read in two forms, and applied to bars."""

from truetape.app.factor_tables.applying import Scaled, scaled
from truetape.app.factor_tables.making import Table, made
from truetape.app.factor_tables.modes import known_mode
from truetape.app.factor_tables.reading import is_lean, read_factors, read_lean

__all__ = ["Scaled", "Table", "is_lean", "known_mode", "made", "read_factors", "read_lean", "scaled"]
