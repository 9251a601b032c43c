"""Which technology stands behind each channel of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from truetape.adapters.aiohttp_post import AiohttpPost
from truetape.adapters.alertmanager_notifier import AlertmanagerNotifier
from truetape.adapters.smtp_notifier import MailServer, SmtpNotifier
from truetape.adapters.webhook_notifier import WebhookNotifier
from truetape.app.watch_settings import ChannelSettings
from truetape.ports.clock import Clock
from truetape.ports.notifier import Notifier


@dataclass(frozen=True)
class Channels:
    """The channels of a platform by name, and the connections that they share."""

    notifiers: dict[str, Notifier]
    post: AiohttpPost

    async def close(self) -> None:
        """Give back what is open."""
        for one in self.notifiers.values():
            await one.close()
        await self.post.close()


def channels(settings: Mapping[str, ChannelSettings], *, clock: Clock, timeout_s: float = 10.0) -> Channels:
    """Return the channels that the settings name; nothing is connected yet."""
    post = AiohttpPost(timeout_s=timeout_s)
    return Channels({name: _notifier(one, post, clock, timeout_s) for name, one in settings.items()}, post)


def _notifier(one: ChannelSettings, post: AiohttpPost, clock: Clock, timeout_s: float) -> Notifier:
    if one.by == "webhook":
        return WebhookNotifier(one.url, post=post, clock=clock, secret=one.secret, token=one.token)
    if one.by == "alertmanager":
        return AlertmanagerNotifier(one.url, post=post, token=one.token)
    server = MailServer(one.host, one.port, security=one.security, user=one.user, password=one.password)
    return SmtpNotifier(server, sender=one.sender, to=one.to, timeout_s=timeout_s)
