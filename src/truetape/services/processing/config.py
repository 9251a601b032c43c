"""Settings of the processing room."""

from __future__ import annotations

import msgspec


class ProcessingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How claims are brought to one form."""

    simulated: bool = False
