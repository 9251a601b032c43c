"""Imported by the server that forks processes of the platform: what each of them would import and compute at first."""

from __future__ import annotations

import importlib
import pkgutil

import granian.server.embed  # noqa: F401
import litestar.testing  # noqa: F401
from exchange_calendars import get_calendar

import truetape.app.sandbox.desks
import truetape.app.sandbox.streams
import truetape.providers
import truetape.services.api.dialects

for package in (
    truetape.app.sandbox.desks,
    truetape.app.sandbox.streams,
    truetape.providers,
    truetape.services.api.dialects,
):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
for mic in ("XNAS", "XNYS"):
    get_calendar(mic)  # no frame may be made here: a fork has none of the threads of Polars
