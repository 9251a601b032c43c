"""Alerts by webhook: the notice as JSON, signed where a secret is shared."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from truetape.domain.notices import Notice
from truetape.domain.time import iso
from truetape.ports.clock import Clock

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[None]]


class WebhookNotifier:
    """Post each notice to a URL.

    The header X-Truetape-Delivery is the same for each repeat of one notice. With a secret, X-Truetape-Signature is
    "sha256=" and the HMAC-SHA256, in hexadecimal, of the header X-Truetape-Timestamp (seconds since 1970), a full stop
    and the body: a receiver can refuse what is forged or old.
    """

    def __init__(self, url: str, *, post: Post, clock: Clock, secret: str = "", token: str = "") -> None:
        """Post by `post` to `url`; `secret` signs, `token` is sent as a bearer's."""
        self._url = url
        self._post = post
        self._clock = clock
        self._secret = secret
        self._token = token

    async def send(self, notice: Notice) -> None:
        """Post `notice`.

        Raises:
            Undelivered: No answer came in time, or one other than 2xx.
        """
        body = webhook_body(notice)
        headers = {"X-Truetape-Delivery": f"{notice.fingerprint}-{notice.state}-{notice.seen_ns}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._secret:
            seconds = str(self._clock.now_ns() // 10**9)
            signed = hmac.new(self._secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
            headers |= {"X-Truetape-Timestamp": seconds, "X-Truetape-Signature": f"sha256={signed}"}
        await self._post(self._url, body, headers)

    async def close(self) -> None:
        """Do nothing: the pool of connections is its owner's."""


def webhook_body(notice: Notice) -> bytes:
    """Return `notice` as JSON; instants in ISO 8601, UTC."""
    told = msgspec.structs.asdict(notice)
    for name in ("started", "seen", "until"):
        told[name] = iso(told.pop(f"{name}_ns"))
    return msgspec.json.encode({"title": notice.title, **told})
