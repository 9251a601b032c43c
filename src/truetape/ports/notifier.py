"""How people are told of an alert."""

from __future__ import annotations

from typing import Protocol

from truetape.domain.notices import Notice


class Notifier(Protocol):
    """One channel: a webhook, an Alertmanager, a mailbox.

    Guarantees, held by tests/contracts/test_notifier.py for every adapter:

    - Delivered: when `send` returns, the other side has taken the notice.
    - Prompt: `send` returns or raises within its time-out, whatever the other side does.
    - Silent: addresses with tokens, passwords and keys are sent and stand in no error and no log.
    """

    async def send(self, notice: Notice) -> None:
        """Tell the other side.

        Raises:
            Undelivered: It was not told; `again` says whether it may be later.
        """
        ...

    async def close(self) -> None:
        """Give back what is open."""
        ...


class Undelivered(Exception):
    """The other side did not take a notice. `reason` says why, without secrets."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again  # False: the same notice will be refused again
