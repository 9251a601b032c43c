"""A live feed without its connection: what to say to a provider, and what its frames mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from truetape.domain.asks import Request
from truetape.domain.hiding import HIDDEN, unshown
from truetape.domain.ticks import Tick
from truetape.domain.tracks import Track

Frame = str | bytes  # a text or a binary frame; of server-sent events, the data of one event


@dataclass(frozen=True)
class Endpoint:
    """Where a feed is heard. Secrets are sent, or said in frames, and never shown."""

    url: str  # wss://, ws://, or http(s):// for server-sent events
    headers: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)  # of the query
    secret_headers: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()  # secrets that only the frames of the talk carry

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Endpoint({told})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        secrets, headers = unshown(self.secrets), unshown(self.secret_headers)
        said = tuple(HIDDEN for _ in self.said)
        shown = {"url": self.url, "headers": self.headers, "secrets": secrets, "secret_headers": headers, "said": said}
        return list(shown.items())


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
    at_connect: bool = False  # symbols are asked for by the endpoint alone: other symbols take another connection


class Feed(Protocol):
    """One conversation with a provider: made anew for each connection, and a pure machine of frames.

    `channels` are record kinds of domain.schema ("trades", "quotes", "bars") or "book". The feed keeps what it must to
    judge the next frame: sequence numbers and order books.
    """

    manners: Manners  # look again after `subscribe`: some providers want the subscription repeated as a ping
    ready: bool  # the provider has let us in: `subscribe` may be said

    @property
    def tracks(self) -> Mapping[tuple[str, str], Track]:
        """What was counted and is kept of each symbol, by the provider's channel and symbol."""
        ...

    def part(self, symbols: Sequence[str]) -> list[list[str]]:
        """Return `symbols` in lists that may share a connection.

        Some providers hear each asset class at a server of its own, and `manners.symbols` bounds every list. A feed is
        made for each list.
        """
        ...

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

    def wanted(self) -> list[Request]:
        """Return, once, what must be asked for over HTTP so that the feed can go on: order books, whole."""
        ...

    def fetched(self, url: str, body: bytes, ts_known: int) -> list[Tick]:
        """Return what the answer to such a request says; `url` is the request's. Nothing for an answer of other use.

        Never raises for what a server may send.
        """
        ...


def heard_at(base_url: str, *, home: str, stream: str) -> str:
    """Return the root of a provider's stream, without a slash at the end.

    Args:
        base_url: Where the provider's REST API is asked. "" or a host at `home`: the provider itself, heard at
            `stream`. A ws:// or wss:// URL is taken as it is. Anything else is a stand-in, which is heard under
            /stream of the same root.
        home: The provider's own domain, such as "kraken.com".
        stream: The root of its own stream.
    """
    root = base_url.rstrip("/")
    scheme, _, rest = root.partition("://")
    host = rest.partition("/")[0].partition(":")[0]
    if not root or host == home or host.endswith(f".{home}"):
        return stream if scheme not in ("ws", "wss") else root
    if scheme in ("ws", "wss"):
        return root
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/stream"
