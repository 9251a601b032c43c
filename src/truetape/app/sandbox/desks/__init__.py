"""The providers' desks, one file for each: their paths, parameters, limits, errors and bodies."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from truetape.app.sandbox.desk import Desk

NAMES: Final = tuple(sorted(module.name for module in iter_modules(__path__)))


def desk(name: str) -> Desk:
    """Return the desk of the provider `name`, one of NAMES."""
    found: Desk = import_module(f"{__name__}.{name}").DESK
    return found
