"""The real servers that adapters are tested against: the one place where they are registered.

A test asks for its server by a fixture that skips where the server cannot be started here. The tests' closing report
says of each whether it took part.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = 20.0
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "truetape"  # what scripts/servers keeps
POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
TIMESCALE_PACKAGE = CACHE / "timescale" / "node_modules" / "@unni-craftsman" / "pglite"


@dataclass(frozen=True)
class Server:
    """A server that tests start by themselves. `missing` returns why that is impossible here, "" if it is possible."""

    name: str
    missing: Callable[[], str]


def _redis_missing() -> str:
    return (
        "" if shutil.which("redis-server") else "redis-server is not on the PATH; scripts/servers installs it as root"
    )


def _postgres_missing() -> str:
    if not (POSTGRES_BIN / "initdb").exists():
        return f"there is no {POSTGRES_BIN}; scripts/servers installs it as root"
    return ""


def _timescale_missing() -> str:
    if not shutil.which("node"):
        return "node is not on the PATH; install Node.js 20 or newer"
    return "" if TIMESCALE_PACKAGE.is_dir() else f"there is no {TIMESCALE_PACKAGE}; scripts/servers fetches it"


def _built_missing(name: str) -> str:
    return "" if _built(name).exists() else f"{_built(name)} is missing; scripts/servers builds it where Go is"


def _built(name: str) -> Path:
    """Where scripts/servers puts what it builds."""
    return CACHE / "bin" / name


REDIS = Server(name="redis-server", missing=_redis_missing)
MINIO = Server(name="minio", missing=lambda: _built_missing("minio"))
VERSITYGW = Server(name="versitygw", missing=lambda: _built_missing("versitygw"))
POSTGRES = Server(name="PostgreSQL 15", missing=_postgres_missing)
TIMESCALE = Server(name="TimescaleDB", missing=_timescale_missing)
ENGINES_PYTHON = Path(__file__).resolve().parents[1] / ".venv-peers" / "bin" / "python"
ENGINES = Server(
    name="NautilusTrader and zipline, which read exports",
    missing=lambda: "" if ENGINES_PYTHON.exists() else "there is no .venv-peers; scripts/setup peers makes it",
)
SERVERS: tuple[Server, ...] = (REDIS, POSTGRES, TIMESCALE, MINIO, VERSITYGW, ENGINES)


def require(server: Server) -> None:
    """Skip the test, saying why, where `server` cannot be started; in CI (`CI` is set) that is a failure."""
    reason = server.missing()
    if reason and os.environ.get("CI"):
        pytest.fail(f"{server.name} is missing: {reason}")
    if reason:
        pytest.skip(f"{server.name} is missing: {reason}")


@dataclass(frozen=True)
class Redis:
    """A running Redis that keeps nothing on disk."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@contextlib.contextmanager
def redis_server(folder: Path, *, port: int = 0) -> Iterator[Redis]:
    """Give a Redis of the test's own, which listens on `port` (0: a free one), until the end of the block."""
    require(REDIS)
    port = port or _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield Redis(port, process)
        finally:
            process.kill()


@dataclass(frozen=True)
class S3Server:
    """A running service that speaks S3, with an empty bucket `bucket`."""

    endpoint: str
    key: str = "truetape-tests"
    secret: str = "hidden-from-everybody"
    bucket: str = "bucket"


@contextlib.contextmanager
def s3_server(server: Server, folder: Path) -> Iterator[S3Server]:
    """Give a MINIO or VERSITYGW of the test's own, with its data in `folder`, until the end of the block."""
    require(server)
    address = f"127.0.0.1:{_free_port()}"
    served = S3Server(endpoint=f"http://{address}")
    (folder / served.bucket).mkdir()
    options = {
        MINIO: ["server", "--quiet", "--address", address, "--console-address", f"127.0.0.1:{_free_port()}"],
        VERSITYGW: ["--quiet", "--port", address, "posix"],
    }[server]
    users = ("MINIO_ROOT_USER", "ROOT_ACCESS_KEY"), ("MINIO_ROOT_PASSWORD", "ROOT_SECRET_KEY")
    keys = {name: text for names, text in zip(users, (served.key, served.secret), strict=True) for name in names}
    with (
        (folder.parent / f"{server.name}.log").open("wb") as told,
        subprocess.Popen(
            [_built(server.name), *options, folder], stdout=told, stderr=told, env={**os.environ, **keys}
        ) as process,
    ):
        try:
            _wait_for_http(served.endpoint, process)
            yield served
        finally:
            process.kill()


def _wait_for_http(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when something of `process` answers requests at `url`, whatever it says."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500:
                return
        except OSError:
            pass
        else:
            return
        time.sleep(0.02)
    pytest.fail(f"nothing answered at {url} within {PATIENCE_S:g} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.sendall(b"PING\r\n")
            if probe.recv(16).startswith(b"+PONG"):
                return
        time.sleep(0.02)
    pytest.fail(f"redis-server did not answer on port {port} within {PATIENCE_S:g} s")


def report(servers: tuple[Server, ...] = SERVERS) -> list[str]:
    """Return one line for each server: whether it took part, and if not, why."""
    if not servers:
        return ["real servers: none is needed, every adapter of this version works on files and in memory"]
    reasons = {server.name: server.missing() for server in servers}
    return [f"real server {name}: {f'missing, {why}' if why else 'took part'}" for name, why in reasons.items()]
