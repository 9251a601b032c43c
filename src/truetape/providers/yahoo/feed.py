"""Yahoo's streamer: prices as protobuf in base64, bare or in an envelope of JSON."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from truetape.domain.conversation import Conversation, portions
from truetape.domain.fields import Text
from truetape.domain.ticks import Tick
from truetape.ports.feed import Endpoint, Feed, Frame, Manners, heard_at
from truetape.providers.yahoo import pricing

HOME: Final = "yahoo.com"
STREAM: Final = "wss://streamer.finance.yahoo.com"
REPEATED_S: Final = 15.0  # the whole subscription is said again so often

_MANNERS: Final = Manners(silent_s=120.0, ping_s=REPEATED_S, symbols_per_frame=500, frames_per_second=2.0)


class _Envelope(msgspec.Struct):
    type: Text = ""
    message: str = ""


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_BRACE: Final = (ord("{"), "{")


class YahooFeed(Conversation):
    """One connection to the streamer."""

    ready = True

    def __init__(self, *, base_url: str = "") -> None:
        """Begin a conversation at `base_url`."""
        super().__init__()
        self.manners = _MANNERS
        self._root = heard_at(base_url, home=HOME, stream=STREAM)
        self._symbols: dict[str, None] = {}

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:  # noqa: ARG002 - one place for all
        """Return the streamer's address."""
        return Endpoint(url=f"{self._root}/?version=2")

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:  # noqa: ARG002 - prices only
        """Return the subscriptions; from now on the ping repeats all of them."""
        self._symbols.update(dict.fromkeys(symbols))
        self.manners = replace(_MANNERS, ping=_frame(list(self._symbols)))
        return [_frame(part) for part in portions(symbols, self.manners.symbols_per_frame)]

    def hear(self, frame: Frame, ts_known: int) -> list[Tick]:
        """Return what one frame says."""
        if frame and frame[0] in _BRACE:
            said = _ENVELOPE.decode(frame)
            if said.type and said.type != pricing.CHANNEL:
                return []
            frame = said.message
        return [pricing.read(b64decode(frame, validate=True), ts_known)]


def make(*, base_url: str = "", key: str = "", secret: str = "") -> Feed:  # noqa: ARG001 - no key is wanted
    """Return a new conversation with Yahoo, or with what stands in for it at `base_url`."""
    return YahooFeed(base_url=base_url)


def _frame(symbols: list[str]) -> str:
    return msgspec.json.encode({"subscribe": symbols}).decode()
