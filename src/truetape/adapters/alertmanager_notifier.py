"""Alerts for Prometheus' Alertmanager, by its API v2: POST /api/v2/alerts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from truetape.domain.notices import Notice
from truetape.domain.time import iso

Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[None]]


class AlertmanagerNotifier:
    """Post each notice as one alert; Alertmanager routes, groups and silences them by their labels."""

    def __init__(self, url: str, *, post: Post, token: str = "") -> None:
        """Post by `post` to the Alertmanager at `url`, without /api/v2; `token` is sent as a bearer's."""
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._post = post
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def send(self, notice: Notice) -> None:
        """Post `notice`.

        Raises:
            Undelivered: No answer came in time, or one other than 2xx.
        """
        await self._post(self._url, alertmanager_body(notice), self._headers)

    async def close(self) -> None:
        """Do nothing: the pool of connections is its owner's."""


def alertmanager_body(notice: Notice) -> bytes:
    """Return `notice` as a list of one postable alert.

    Its labels are those of the notice, with `alertname` (the rule) and `job`; empty ones are left out, as Alertmanager
    does itself. The severity is an annotation: it may change, and labels are what an alert is known by. `endsAt` of an
    alert that fires says until when it holds unless it is told again.
    """
    labels = {"alertname": notice.rule, "job": "truetape", **notice.labels, "fingerprint": notice.fingerprint}
    alert = {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {
            "summary": notice.title,
            "description": notice.words,
            "severity": notice.severity,
            "count": str(notice.count),
        },
        "startsAt": iso(notice.started_ns),
        "endsAt": iso(notice.until_ns),
    }
    return msgspec.json.encode([alert])
