"""What a provider is: a declaration, a client that returns bytes, and pure functions that read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from truetape.domain.asks import Answer, Ask
from truetape.domain.capability import Declaration
from truetape.domain.failures import Failure
from truetape.domain.plans import Allowance
from truetape.domain.sales import Sale
from truetape.ports.feed import Feed

Decode = Callable[[bytes, Ask], pl.DataFrame]
Classify = Callable[[Answer], Failure | None]
Follow = Callable[[Answer, Ask], Ask | None]
Allowances = Callable[[Mapping[str, str]], tuple[Allowance, ...]]


def last_page(answer: Answer, ask: Ask) -> None:
    """Say that no page follows: what a provider does whose answers come whole."""


def nothing_told(headers: Mapping[str, str]) -> tuple[Allowance, ...]:  # noqa: ARG001 - there is nothing to read
    """Say that the headers tell nothing of what is left: what a silent provider does."""
    return ()


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
    UndecodablePayload for anything else that is not data. `follow` returns the ask for the page after an answer, or
    None after the last one. `allowances` returns what an answer's headers (names in lower case) say of the quota.
    """

    declaration: Declaration
    client: Client
    classify: Classify
    decode: Mapping[str, Decode]
    spell: Callable[[str], str]  # our symbol ("BRK.B") in the provider's spelling
    follow: Follow = last_page
    allowances: Allowances = nothing_told
    feed: Callable[[], Feed] | None = field(default=None, repr=False)  # a new talk with its stream, if it has one
    sales: Mapping[str, Sale] = field(default_factory=dict, repr=False)  # what its trades count for, by condition
