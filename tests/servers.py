"""The real servers that adapters are tested against: the one place where they are registered.

A test asks for its server by a fixture that skips where the server cannot be started here. The tests' closing report
says of each whether it took part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Server:
    """A server that tests start by themselves. `missing` returns why that is impossible here, "" if it is possible."""

    name: str
    missing: Callable[[], str]


SERVERS: tuple[Server, ...] = ()


def report(servers: tuple[Server, ...] = SERVERS) -> list[str]:
    """Return one line for each server: whether it took part, and if not, why."""
    if not servers:
        return ["real servers: none is needed, every adapter of this version works on files and in memory"]
    reasons = {server.name: server.missing() for server in servers}
    return [f"real server {name}: {f'missing, {why}' if why else 'took part'}" for name, why in reasons.items()]
