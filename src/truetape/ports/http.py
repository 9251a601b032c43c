"""How a client reaches its provider over HTTP."""

from __future__ import annotations

from typing import Protocol

from truetape.domain.asks import Answer, Request


class Http(Protocol):
    """Send GET requests.

    Guarantees: secrets are sent but never logged, raised or returned; a body is read up to a stated size and time; a
    redirect is followed at most a few times and never to another host.
    """

    async def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            Unreachable: No complete answer came: no connection, a time-out, a cut or oversized body.
        """
        ...


class Unreachable(Exception):
    """No complete answer came. `reason` says why, without secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
