"""Answer over HTTP from inside this process, on the same event loop as the rooms."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
from typing import TYPE_CHECKING, Final, Self

from litestar import Litestar

from truetape.domain.errors import BadInput, PortInUse

if TYPE_CHECKING:
    from granian.server.embed import Server

PATIENCE_S: Final = 10.0  # until the server must answer, and until it must have stopped
LAST_PORT: Final = 65_535
_PAUSE_S: Final = 0.02


class Served:
    """An application that answers at `address` inside `async with`.

    Port 0 means any free one.
    """

    def __init__(self, app: Litestar, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """The URL to ask, without a slash at its end."""
        return f"http://{_in_url(self._host)}:{self._port}"

    async def __aenter__(self) -> Self:
        """Start, and return when requests are answered.

        Raises:
            PortInUse: Another program listens there.
            BadInput: This machine has no such address, or the port may not be used.
        """
        from granian.constants import Interfaces
        from granian.server.embed import Server

        where, self._port = free_place(self._host, self._port)
        self._server = Server(
            self._app,
            address=where,
            port=self._port,
            interface=Interfaces.ASGI,
            websockets=False,
            log_enabled=False,
        )
        self._serving = asyncio.create_task(self._server.serve())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._answering()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stop()

    async def _answering(self) -> None:
        """Return when a connection is taken; the server listens only once it can answer."""
        assert self._serving is not None
        while not self._serving.done():
            try:
                _, writer = await asyncio.open_connection(_reachable(self._host), self._port)
            except OSError:
                await asyncio.sleep(_PAUSE_S)
                continue
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return
        await self._serving
        raise PortInUse(address=self.address)

    async def _stop(self) -> None:
        assert self._server is not None
        assert self._serving is not None
        self._server.stop()  # type: ignore[no-untyped-call]  # granian's
        _, late = await asyncio.wait({self._serving}, timeout=PATIENCE_S)
        for task in late:
            task.cancel()


def free_place(host: str, port: int) -> tuple[str, int]:
    """Return the IP address of `host`, and `port` if nobody listens on it there, or any free one for 0.

    Raises:
        PortInUse: Another program listens there.
        BadInput: This machine has no such address, or the port may not be used.
    """
    if not 0 <= port <= LAST_PORT:
        raise BadInput(parameter="port", value=port, fix=f"Choose one from 1 to {LAST_PORT}, or 0 for any.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise BadInput(
            parameter="host", value=host, fix="Write an address of this machine, such as 127.0.0.1."
        ) from None
    family, kind, protocol, _, where = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except PermissionError:
            fix = "This user may not listen there. Choose a port above 1023 with --port."
            raise BadInput(parameter="port", value=port, fix=fix) from None
        except OSError as error:
            raise _refusal(error, host, port) from None
        address, free = probe.getsockname()[:2]
        return str(address), int(free)


def _refusal(error: OSError, host: str, port: int) -> PortInUse | BadInput:
    if error.errno == errno.EADDRINUSE:
        return PortInUse(address=f"http://{_in_url(host)}:{port}")
    return BadInput(parameter="host", value=host, fix="Write an address of this machine, such as 127.0.0.1.")


def _reachable(host: str) -> str:
    """Return where to knock: a wildcard address listens everywhere and is itself nowhere."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004  the Internet Protocol's
    return host


def _in_url(host: str) -> str:
    reachable = _reachable(host)
    return f"[{reachable}]" if ":" in reachable else reachable
