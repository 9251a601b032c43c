"""Settings of the api room: what one request may ask for."""

from __future__ import annotations

from typing import Final

import msgspec

CACHED: Final = "api/"  # the start of every key of an answer that was kept


class ApiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds that keep the memory of one request small, whoever sends it."""

    max_query_bytes: int = 4096
    max_symbols: int = 100
    default_limit: int = 10_000
    max_limit: int = 100_000  # rows of one page
    max_cached_bytes: int = 4 << 20  # a larger answer is computed each time
    cache_ttl_s: float = 3600.0
