"""What a provider is: a declaration, a client that returns bytes, and pure functions that read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from truetape.domain.asks import Answer, Ask
from truetape.domain.capability import Declaration
from truetape.domain.failures import Failure

Decode = Callable[[bytes, Ask], pl.DataFrame]
Classify = Callable[[Answer], Failure | None]


class Client(Protocol):
    """Ask one provider."""

    async def fetch(self, ask: Ask) -> Answer:
        """Return what the provider sent, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        ...


@dataclass(frozen=True)
class Provider:
    """One provider, ready to be asked.

    `classify` returns None for an answer with data. `decode` maps a record kind (a key of schema.DECODED) to a function
    from bytes and the ask to a frame with exactly that kind's columns; it raises ProviderRefused for an error body and
    UndecodablePayload for anything else that is not data.
    """

    declaration: Declaration
    client: Client
    classify: Classify
    decode: Mapping[str, Decode]
    spell: Callable[[str], str]  # our symbol ("BRK.B") in the provider's spelling
