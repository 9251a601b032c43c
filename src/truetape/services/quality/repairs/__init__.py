"""Find what is wrong with a price series by itself, say why, correct it, and take it back."""

from truetape.services.quality.repairs.find import find_repairs
from truetape.services.quality.repairs.rebuilt import rebuilt_by, rebuilt_from
from truetape.services.quality.repairs.record import KINDS, Change, NotThisSeries, Repair, apply, undo

__all__ = ["KINDS", "Change", "NotThisSeries", "Repair", "apply", "find_repairs", "rebuilt_by", "rebuilt_from", "undo"]
