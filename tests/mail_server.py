"""A small mail server for tests, from the facts of RFC 5321, 3207 and 4954: it takes mail, or refuses as told."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class MailDesk:
    """What the server says, and what it was handed. `refuses` maps a command to its reply."""

    context: ssl.SSLContext | None = None  # offers STARTTLS
    at_once: bool = False  # speaks TLS from the first byte
    password: str = ""
    refuses: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    port: int = 0
    mails: list[str] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    secret: list[bool] = field(default_factory=list)  # whether each mail came over TLS
    talks: list[asyncio.Task[None]] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.talks.append(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await (reader.read() if self.silent else self._serve(reader, writer))
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hidden = self.at_once
        writer.write(b"220 desk ready\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.split(":")[0].split()[0].upper()
            if verb in self.refuses:
                writer.write(f"{self.refuses[verb]}\r\n".encode())
            elif verb == "EHLO":
                offers = ["desk", *(["STARTTLS"] if self.context and not hidden else []), "AUTH PLAIN", "8BITMIME"]
                writer.write("".join(f"250{' ' if one == offers[-1] else '-'}{one}\r\n" for one in offers).encode())
            elif verb == "STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.drain()
                await writer.start_tls(self.context)  # type: ignore[arg-type]
                hidden = True
            elif verb == "AUTH":
                said = base64.b64decode(line.split()[2]).decode()
                right = said.endswith(f"\0{self.password}")
                writer.write(b"235 in\r\n" if right else f"535 {said.split(chr(0))[2]} is wrong\r\n".encode())
            elif verb == "DATA":
                writer.write(b"354 say it\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                self.secret.append(hidden)
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                self.receivers += [line.split(":")[1]] if verb == "RCPT" else []
                writer.write(b"250 fine\r\n")


@contextlib.asynccontextmanager
async def listening(desk: MailDesk) -> AsyncIterator[MailDesk]:
    """Give `desk`, listening on a free port, until the end of the block."""
    server = await asyncio.start_server(desk.talk, "127.0.0.1", 0, ssl=desk.context if desk.at_once else None)
    desk.port = server.sockets[0].getsockname()[1]
    try:
        yield desk
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*desk.talks, return_exceptions=True), 5)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context with a new certificate for 127.0.0.1, and a client's that trusts it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on the PATH: no certificate can be made")
    key, chain = folder / "key.pem", folder / "chain.pem"
    command: list[str | Path] = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        chain,
        "-days",
        "2",
    ]
    about = ["-subj", "/CN=desk", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *about], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    return server, ssl.create_default_context(cafile=str(chain))
