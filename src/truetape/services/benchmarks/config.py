"""Settings of the benchmarks room."""

from __future__ import annotations

import msgspec


class BenchmarksConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The index that is kept. Its members are part of its identity: other members, another `index_id`."""

    index_id: str = "EW5"
    name: str = "Equal weight, total return"
    members: tuple[str, ...] = ()  # instrument ids; none given: every instrument
    timeframe: str = "1d"
    base: float = 100.0  # level on the first date
    every_s: float = 5.0  # the index is computed at most this often
