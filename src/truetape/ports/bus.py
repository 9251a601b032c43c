"""How rooms speak: publish a message, subscribe a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from truetape.domain.messages import Message

M = TypeVar("M", bound=Message)


class Bus(Protocol):
    """Carry messages between rooms.

    Guarantees, held by tests/contracts/test_bus.py for every adapter:

    - At least once: a message is delivered to each group until its handler returns.
    - In order: one group sees messages of one subject in the order of publishing, whatever their types.
    - Apart: a handler's error never reaches the publisher.
    - Bounded: `publish` waits while a group has `capacity` messages unread.
    - Buried: a message whose handler raised Terminal, or failed `attempts` times, goes to `dead_letters`.
    """

    async def publish(self, message: Message) -> None:
        """Hand over `message`; return when the bus has it safe.

        Raises:
            Transient: The bus cannot take it now.
        """
        ...

    def subscribe(self, kind: type[M], *, group: str, handler: Callable[[M], Awaitable[None]]) -> None:
        """Call `handler` for every message of `kind`, once for each `group`."""
        ...
