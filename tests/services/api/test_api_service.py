"""The api room's place among the others."""

from __future__ import annotations

from truetape.domain.mail import MAIL
from truetape.services.api.service import ApiService


def test_the_room_hears_nobody() -> None:
    """No message is sent to it: kept answers are checked against the store."""
    ApiService().subscribe()

    assert [] == [kind for kind, rooms in MAIL.items() if "api" in rooms]
