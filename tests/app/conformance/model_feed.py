"""The live feed of the model provider: JSON in, ticks out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from truetape.domain.asks import Request
from truetape.domain.ticks import Tick, Told
from truetape.domain.tracks import Track
from truetape.ports.feed import Endpoint, Frame, Manners


class ModelFeed:
    """One connection to the model."""

    manners = Manners(silent_s=30.0, symbols_per_frame=50)
    ready = True

    def __init__(self, key: str = "") -> None:
        self._key = key
        self.tracks: Mapping[tuple[str, str], Track] = {}

    def part(self, symbols: Sequence[str]) -> list[list[str]]:
        return [list(symbols)]

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:
        return Endpoint(url="wss://stream.model.example", secrets={"key": self._key})

    def greet(self) -> list[Frame]:
        return ['{"say": "hello"}']

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        most = self.manners.symbols_per_frame
        parts = [list(symbols[first : first + most]) for first in range(0, len(symbols), most)]
        return [msgspec.json.encode({"subscribe": part, "channels": list(channels)}).decode() for part in parts]

    def receive(self, frame: Frame, ts_known: int) -> list[Tick]:
        try:
            said: Any = msgspec.json.decode(frame)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return [Told(what="unreadable")]
        return [Told(what="heartbeat")] if said == {"say": "hello"} else []

    def replies(self) -> list[Frame]:
        return []

    def wanted(self) -> list[Request]:
        return []

    def fetched(self, url: str, body: bytes, ts_known: int) -> list[Tick]:
        return []
