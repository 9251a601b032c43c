"""Settings of the processing room."""

from __future__ import annotations

import msgspec


class ProcessingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the room accepts."""

    simulated: bool = False  # the kind of data its folder holds; payloads of the other kind are refused
