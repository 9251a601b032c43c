"""Alerts by e-mail over SMTP (RFC 5321), by default on a connection that STARTTLS makes secret (RFC 3207)."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final, Literal

from truetape.domain.hiding import veil
from truetape.domain.notices import Notice
from truetape.domain.time import iso
from truetape.ports.notifier import Undelivered

FIRST_LASTING: Final = 500  # replies from here on will be the same again (RFC 5321, 4.2.1)
_LINE: Final = 180  # letters of a subject


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    trusted: ssl.SSLContext | None = field(default=None, repr=False)  # None: the machine's own certificates


class SmtpNotifier:
    """Send each notice as a mail of plain text. The conversation runs in a thread of its own."""

    def __init__(self, server: MailServer, *, sender: str, to: Sequence[str], timeout_s: float = 10.0) -> None:
        self._server = server
        self._sender = sender
        self._to = tuple(to)
        self._timeout_s = timeout_s

    async def send(self, notice: Notice) -> None:
        """Hand in a mail to all receivers.

        Raises:
            Undelivered: The server was not reached, is not trusted, or refused the sender or every receiver.
        """
        place = f"{self._server.host}:{self._server.port}"
        try:
            async with asyncio.timeout(3 * self._timeout_s):
                await asyncio.to_thread(self._hand_in, mail(notice, sender=self._sender, to=self._to))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            reason, again = _reason(error)
        else:
            return
        # a new error from nowhere: smtplib's own carry what the server said back
        raise Undelivered(f"{place}: {veil(self._server.password).over(reason)}", again=again)

    async def close(self) -> None:
        """Do nothing: each mail has a connection of its own."""

    def _hand_in(self, message: EmailMessage) -> None:
        server = self._server
        trusted = server.trusted or ssl.create_default_context()
        client: smtplib.SMTP
        if server.security == "tls":
            client = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=trusted)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        with client:
            if server.security == "starttls":
                client.starttls(context=trusted)
            if server.user:
                client.login(server.user, server.password)
            client.send_message(message)


def mail(notice: Notice, *, sender: str, to: Sequence[str]) -> EmailMessage:
    """Return `notice` as a mail; mails of one alert form a thread, as they answer to one and the same."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(f"[{notice.severity}] {notice.title}".split())[:_LINE]
    message["Date"] = formatdate(notice.seen_ns / 10**9)
    message["Message-ID"] = f"<{notice.fingerprint}.{notice.state}.{notice.seen_ns}@truetape>"
    message["References"] = f"<{notice.fingerprint}.{notice.started_ns}@truetape>"
    lines = [
        notice.words,
        "",
        *(f"{name}: {value}" for name, value in notice.labels.items() if value),
        f"findings: {notice.count}",
        f"since: {iso(notice.started_ns // 10**9 * 10**9)}",
        *(["These data are simulated."] if notice.simulated else []),
    ]
    message.set_content("\n".join(lines) + "\n")
    return message


def _reason(error: Exception) -> tuple[str, bool]:
    """Return why a mail was not taken, and whether it may be later."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"the server answered {error.smtp_code}: {words[:200]}", error.smtp_code < FIRST_LASTING
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return f"no receiver was accepted ({', '.join(map(str, sorted(codes)))})", min(codes) < FIRST_LASTING
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not valid", False
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server does not offer what the settings ask for (STARTTLS or a password)", False
    if isinstance(error, TimeoutError):
        return "no answer in time", True
    return f"no connection ({type(error).__name__})", True
