"""How a live feed is heard: a connection that says and hears frames."""

from __future__ import annotations

from typing import Protocol

from truetape.domain.asks import Answer
from truetape.ports.feed import Endpoint, Frame


class Socket(Protocol):
    """One open connection. Of server-sent events it only receives: what is sent goes nowhere.

    Guarantees, held by tests/contracts/test_socket.py for every adapter:

    - Silent: secrets of the endpoint are sent and stand in no error, and in no frame that a server says them back in.
    - Bounded: a frame larger than `max_frame_bytes`, its compression undone, ends the connection; what was heard and
      not yet received holds the server back, and never fills the memory.
    - Prompt: `send` and `receive` raise where they would wait longer than promised.
    - In order: frames are received as they were sent, whole, each once.
    - Honest: a sandbox's connection is known as such.
    """

    @property
    def simulated(self) -> bool:
        """Whether the other side said that it is a sandbox, as the header SIMULATED_HEADER of its first answer."""
        ...

    async def send(self, frame: Frame) -> None:
        """Say one frame.

        Raises:
            Disconnected: The connection has ended, or took nothing within the time-out.
        """
        ...

    async def receive(self) -> Frame:
        """Return the next frame; pings of the protocol are answered and are none.

        Raises:
            Disconnected: The connection has ended, or nothing came for longer than `silent_s`.
        """
        ...

    async def close(self) -> None:
        """End the connection; never raises, and takes at most the time-out."""
        ...


class Sockets(Protocol):
    """Open connections."""

    async def connect(self, endpoint: Endpoint, *, silent_s: float, max_frame_bytes: int) -> Socket:
        """Return an open connection to `endpoint`; the scheme of its URL says which kind.

        Args:
            endpoint: Where to; redirects are not followed.
            silent_s: A connection on which nothing comes for so long has ended.
            max_frame_bytes: Of the largest frame, its compression undone.

        Raises:
            Disconnected: There is no connection.
        """
        ...


class Disconnected(Exception):
    """There is no connection, or there is none any more. `reason` says why, without secrets.

    `answer` is what the server said instead of opening a connection; `code` that with which it closed one, else 0.
    """

    def __init__(self, reason: str, *, answer: Answer | None = None, code: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer
        self.code = code
