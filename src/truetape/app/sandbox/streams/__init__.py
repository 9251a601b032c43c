"""The providers' streams in the sandbox, one file for each: what is said at connect, asked, refused and told.

A stream is heard at ws://HOST:PORT/PROVIDER/stream, below which the provider's own paths follow; server-sent events at
http:// there. What happens is the dataset's last day, played from its beginning.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from truetape.app.sandbox.streams.speaker import Speaker

NAMES: Final = (
    "alpaca",
    "binance",
    "coinbase",
    "finnhub",
    "iex_cloud",
    "kraken",
    "massive",
    "tiingo",
    "yahoo",
)


def speaker_of(name: str) -> type[Speaker]:
    """Return who speaks for the provider `name`, one of NAMES."""
    found: type[Speaker] = import_module(f"{__name__}.{name}").SPEAKER
    return found
