"""Settings of the storage room."""

from __future__ import annotations

import msgspec


class StorageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the room accepts."""

    simulated: bool = False  # the kind of data its folder holds; batches of the other kind are refused
    daily_every_s: float = 60.0  # between two counts of what each day brought
