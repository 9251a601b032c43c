"""A live feed without its connection: what to say to a provider, and what its frames mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from truetape.domain.ticks import Tick

Frame = str | bytes  # a text or a binary frame; of server-sent events, the data of one event


@dataclass(frozen=True)
class Endpoint:
    """Where a feed is heard. Secrets are sent and never shown."""

    url: str  # wss://, ws://, or http(s):// for server-sent events
    headers: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)  # of the query
    secret_headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manners:
    """How one provider wants its feed treated, and how its silence is judged."""

    silent_s: float  # without any frame for so long, the socket is mute: connect again
    ping: Frame = ""  # said every `ping_s`; "" for none beyond the protocol's own
    ping_s: float = 0.0
    symbols_per_frame: int = 100  # most symbols in one subscribing frame
    frames_per_second: float = 5.0  # most frames that we may say
    symbols: int = 0  # most symbols of one connection; 0: any number
    lives_s: float = 0.0  # the server ends every connection after so long; 0: never
    max_frame_bytes: int = 16 << 20


class Feed(Protocol):
    """One conversation with a provider: made anew for each connection, and a pure machine of frames.

    `channels` are record kinds of domain.schema ("trades", "quotes", "bars") or "book". The feed keeps what it must to
    judge the next frame: sequence numbers and order books.
    """

    manners: Manners
    ready: bool  # the provider has let us in: `subscribe` may be said

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:
        """Return where to connect; some providers want to know there what will be subscribed to."""
        ...

    def greet(self) -> list[Frame]:
        """Return what is said first: authentication, mostly."""
        ...

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        """Return what asks for `symbols`, in frames as small as the provider wants them."""
        ...

    def receive(self, frame: Frame, ts_known: int) -> list[Tick]:
        """Return what one frame says, in its order; a frame that cannot be read says Told("unreadable").

        Never raises for what a server may send.
        """
        ...

    def replies(self) -> list[Frame]:
        """Return, once, what the last frames want said to them: pongs, and subscriptions asked for again."""
        ...
