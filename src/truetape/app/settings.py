"""Settings."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec

from truetape.domain.messages import DeclaredListing


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    enabled: bool = True
    base_url: str = ""
    key: str = ""
    calls_per_second: float | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    data: Path
    host: str = "127.0.0.1"
    port: int = 8000
    simulated: bool = False
    start: date
    end: date | None = None
    timeframe: str = "1d"
    instruments: tuple[DeclaredListing, ...] = ()
    providers: dict[str, ProviderSettings] = {}
    refresh_s: float = 3600.0
    timeout_s: float = 30.0
    attempts: int = 5
    backoff_s: float = 0.5
    cache_bytes: int = 64 << 20
