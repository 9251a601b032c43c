"""Each channel of the settings gets its technology."""

from __future__ import annotations

import pytest

from pipeline_doubles import SteppingClock
from truetape.adapters.alertmanager_notifier import AlertmanagerNotifier
from truetape.adapters.smtp_notifier import SmtpNotifier
from truetape.adapters.webhook_notifier import WebhookNotifier
from truetape.app.channels import channels
from truetape.app.watch_settings import ChannelSettings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ChannelSettings(by="webhook", url="http://host/hook"), WebhookNotifier),
        (ChannelSettings(by="alertmanager", url="http://host:9093"), AlertmanagerNotifier),
        (ChannelSettings(by="email", host="mail", port=587, sender="a@b", to=("c@d",)), SmtpNotifier),
    ],
)
async def test_a_channel_is_built(settings: ChannelSettings, expected: type) -> None:
    """Under its name; nothing is connected, and closing is lawful."""
    built = channels({"office": settings}, clock=SteppingClock())

    assert {"office": expected} == {name: type(one) for name, one in built.notifiers.items()}
    await built.close()
