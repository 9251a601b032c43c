"""What every channel of alerts promises, against servers of our own on this machine."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from mail_server import MailDesk, certificate, listening
from pipeline_doubles import NOW, SteppingClock
from truetape.adapters.aiohttp_post import AiohttpPost
from truetape.adapters.alertmanager_notifier import AlertmanagerNotifier
from truetape.adapters.smtp_notifier import MailServer, SmtpNotifier
from truetape.adapters.webhook_notifier import WebhookNotifier
from truetape.domain.notices import Notice
from truetape.ports.notifier import Notifier, Undelivered

SECRET = "s3cr3t-t0ken-of-ours"
KINDS = ("webhook", "alertmanager", "email")
NOTICE = Notice(
    fingerprint="0123456789abcdef",
    rule="bad closes",
    state="firing",
    severity="error",
    words="alpha said 100 where bravo said 1",
    labels={"check": "hundredfold", "provider": "alpha", "instrument": ""},
    count=3,
    started_ns=NOW,
    seen_ns=NOW + 60 * 10**9,
    until_ns=NOW + 3660 * 10**9,
)
TITLE = "bad closes firing: check hundredfold, provider alpha"


class Side:
    """The other side of one kind of channel: what it was told, and how it answers."""

    def __init__(self, kind: str, url: str, mail: MailDesk, post: AiohttpPost) -> None:
        self.kind, self.mail, self.post, self.url = kind, mail, post, url
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.status, self.silent = 200, False

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if self.silent:
            await asyncio.sleep(1.0)
        self.seen.append((request.path, dict(request.headers), await request.read()))
        return web.Response(status=self.status, text=f"{request.path} {request.headers.get('Authorization')}")

    def notifier(self, *, port: int = 0) -> Notifier:
        url = f"http://127.0.0.1:{port}" if port else self.url
        if self.kind == "webhook":
            return WebhookNotifier(f"{url}/{SECRET}?key={SECRET}", post=self.post, clock=SteppingClock(), token=SECRET)
        if self.kind == "alertmanager":
            return AlertmanagerNotifier(f"{url}/{SECRET}/", post=self.post, token=SECRET)
        server = MailServer("127.0.0.1", port or self.mail.port, security="none", user="us", password=SECRET)
        return SmtpNotifier(server, sender="a@desk", to=["b@desk", "c@desk"], timeout_s=0.3)

    def refuse(self, *, again: bool) -> None:
        self.status = 503 if again else 400
        self.mail.refuses = {"MAIL": f"{'451' if again else '550'} not from {SECRET}"}

    def hush(self) -> None:
        self.silent = self.mail.silent = True

    def told(self) -> list[Any]:
        return self.mail.mails if self.kind == "email" else [body for _, _, body in self.seen]


@pytest.fixture(params=KINDS)
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    post = AiohttpPost(timeout_s=0.3)
    async with listening(MailDesk(password=SECRET)) as mail:
        found = Side(request.param, "", mail, post)
        runner = web.ServerRunner(web.Server(found.answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield found
        await post.close()
        await runner.cleanup()


async def test_a_notice_is_delivered_once(side: Side) -> None:
    """With what it is about and its words."""
    notifier = side.notifier()
    await notifier.send(NOTICE)
    await notifier.close()

    assert 1 == len(side.told())
    assert all(text in str(side.told()[0]) for text in (TITLE, NOTICE.words, NOTICE.fingerprint))


@pytest.mark.parametrize("again", [True, False])
async def test_a_refusal_says_whether_to_try_again(side: Side, again: bool) -> None:
    """A server in trouble may take it later; one that does not like it will not. No secret is told."""
    side.refuse(again=again)
    with pytest.raises(Undelivered) as caught:
        await side.notifier().send(NOTICE)

    assert again is caught.value.again
    assert SECRET not in f"{caught.value!r} {caught.value.reason} {caught.value.__context__!r}"
    assert "127.0.0.1" in caught.value.reason


async def test_a_mute_server_is_not_waited_for(side: Side) -> None:
    """Within a second it is undelivered, and may be delivered later."""
    side.hush()
    begun = time.monotonic()
    with pytest.raises(Undelivered) as caught:
        await side.notifier().send(NOTICE)

    assert (True, True) == (caught.value.again, time.monotonic() - begun < 2)


async def test_a_server_that_is_not_there_may_come_back(side: Side) -> None:
    """Nobody listens on port 1. No secret is told."""
    with pytest.raises(Undelivered) as caught:
        await side.notifier(port=1).send(NOTICE)

    assert caught.value.again
    assert SECRET not in f"{caught.value!r} {caught.value.__context__!r}"


@pytest.mark.parametrize("side", ["webhook"], indirect=True)
async def test_a_webhook_is_signed(side: Side) -> None:
    """The receiver computes the same HMAC of the time and the body; a repeat has the same delivery."""
    notifier = WebhookNotifier(f"{side.url}/hook", post=side.post, clock=SteppingClock(), secret=SECRET)
    await notifier.send(NOTICE)
    await notifier.send(NOTICE)

    (path, headers, body), (_, again, _) = side.seen
    signed = hmac.new(SECRET.encode(), f"{NOW // 10**9}.".encode() + body, hashlib.sha256).hexdigest()
    assert ("/hook", f"sha256={signed}", str(NOW // 10**9)) == (
        path,
        headers["X-Truetape-Signature"],
        headers["X-Truetape-Timestamp"],
    )
    assert headers["X-Truetape-Delivery"] == again["X-Truetape-Delivery"]
    assert {
        "title": TITLE,
        "state": "firing",
        "started": "2024-06-10T00:00:00Z",
        "until": "2024-06-10T01:01:00Z",
        "count": 3,
    }.items() <= json.loads(body).items()


@pytest.mark.parametrize("side", ["alertmanager"], indirect=True)
async def test_alertmanager_gets_its_own_form(side: Side) -> None:
    """Labels without empty ones, annotations of text, and both times; the end of a resolved one is when it was."""
    await side.notifier().send(NOTICE)
    await side.notifier().send(msgspec.structs.replace(NOTICE, state="resolved", until_ns=NOTICE.seen_ns))

    path, headers, body = side.seen[0]
    assert (f"/{SECRET}/api/v2/alerts", f"Bearer {SECRET}", "application/json") == (
        path,
        headers["Authorization"],
        headers["Content-Type"],
    )
    expected = {
        "labels": {
            "alertname": "bad closes",
            "job": "truetape",
            "check": "hundredfold",
            "provider": "alpha",
            "fingerprint": NOTICE.fingerprint,
        },
        "annotations": {"summary": TITLE, "description": NOTICE.words, "severity": "error", "count": "3"},
        "startsAt": "2024-06-10T00:00:00Z",
        "endsAt": "2024-06-10T01:01:00Z",
    }
    assert [expected] == json.loads(body)
    assert "2024-06-10T00:01:00Z" == json.loads(side.seen[1][2])[0]["endsAt"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_goes_over_a_secret_line(tmp_path: Path, security: Any) -> None:
    """With STARTTLS or TLS, to a server that is trusted only."""
    ours, theirs = certificate(tmp_path)
    notice = msgspec.structs.replace(NOTICE, simulated=True)
    async with listening(MailDesk(context=ours, at_once=security == "tls", password=SECRET)) as desk:
        server = MailServer("127.0.0.1", desk.port, security=security, user="us", password=SECRET, trusted=theirs)
        await SmtpNotifier(server, sender="a@desk", to=["b@desk", "c@desk"]).send(notice)
        stranger = MailServer("127.0.0.1", desk.port, security=security, user="us", password=SECRET)
        with pytest.raises(Undelivered, match="certificate is not valid") as caught:
            await SmtpNotifier(stranger, sender="a@desk", to=["b@desk"]).send(notice)

    assert (False, [True], ["<b@desk>", "<c@desk>"]) == (caught.value.again, desk.secret, desk.receivers)
    read = email.message_from_string(desk.mails[0], policy=email.policy.default)
    assert (f"[error] {TITLE}", "a@desk", "b@desk, c@desk") == (read["Subject"], read["From"], read["To"])
    assert "These data are simulated." in desk.mails[0]


@pytest.mark.parametrize(
    ("changes", "refuses", "words", "again"),
    [
        ({"security": "starttls"}, {}, "does not offer", False),
        ({"password": "another-secret"}, {}, r"answered 535: \*\*\* is wrong", False),
        ({}, {"RCPT": "450 full"}, r"no receiver was accepted \(450\)", True),
        ({}, {"RCPT": "550 unknown"}, r"no receiver was accepted \(550\)", False),
    ],
)
async def test_mail_that_is_refused_says_why(
    changes: dict[str, Any], refuses: dict[str, str], words: str, again: bool
) -> None:
    """A password stands in no reason, also where the server says it back."""
    async with listening(MailDesk(password=SECRET, refuses=refuses)) as desk:
        given = {"security": "none", "user": "us", "password": SECRET, **changes}
        notifier = SmtpNotifier(MailServer("127.0.0.1", desk.port, **given), sender="a@desk", to=["b@desk"])
        with pytest.raises(Undelivered, match=words) as caught:
            await notifier.send(NOTICE)

    assert (again, []) == (caught.value.again, desk.mails)
    assert base64.b64encode(SECRET.encode()).decode() not in str(caught.value)


async def test_mail_needs_no_name() -> None:
    """A server of one's own network may take it from anybody; a talk that breaks off is tried again."""
    async with listening(MailDesk()) as desk:
        server = MailServer("127.0.0.1", desk.port, security="none")
        await SmtpNotifier(server, sender="a@desk", to=["b@desk"]).send(NOTICE)
        secret = MailServer("127.0.0.1", desk.port, security="tls")
        with pytest.raises(Undelivered, match=r"no connection \(SSLError\)") as caught:
            await SmtpNotifier(secret, sender="a@desk", to=["b@desk"]).send(NOTICE)

    assert (1, True) == (len(desk.mails), caught.value.again)
