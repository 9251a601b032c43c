"""What a person can try: each stream's address, and what is said there to hear one symbol."""

from __future__ import annotations

from importlib import import_module
from urllib.parse import urlencode

from truetape.app.sandbox.streams import NAMES
from truetape.ports.feed import Feed

KEY = "any"


def examples(address: str, symbol: str) -> list[tuple[str, list[str]]]:
    """Return the URL of each provider's stream at the sandbox's `address`, and the frames that ask for our `symbol`.

    Both are what the platform's own feed would say.
    """
    found = []
    for name in NAMES:
        package = import_module(f"truetape.providers.{name}")
        feed: Feed = package.feed.make(base_url=f"{address}/{name}", key=KEY, secret=KEY)
        endpoint = feed.endpoint([package.spell(symbol)], ["trades"])
        query = urlencode(endpoint.secrets)
        url = f"{endpoint.url}{'&' if '?' in endpoint.url else '?'}{query}" if query else endpoint.url
        frames = [*feed.greet(), *feed.subscribe([package.spell(symbol)], ["trades"])]
        found.append((url, [frame for frame in frames if isinstance(frame, str)]))
    return found
