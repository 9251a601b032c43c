"""Databases for tests: a PostgreSQL 15 of the test's own, and a real TimescaleDB that Node runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
import pytest

from servers import POSTGRES, POSTGRES_BIN, TIMESCALE, TIMESCALE_PACKAGE, require

PATIENCE_S: Final = 30.0
USER: Final = "truetape"
PASSWORD: Final = "hidden-from-everybody"
OWNER, GROUP, GROUPS = (None, None, None) if os.getuid() else ("nobody", "nogroup", ())  # it refuses to be root
FRONT: Final = Path(__file__).resolve().parent / "fronts" / "timescale.mjs"
QUICK: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # nothing here outlives a test


@dataclass(frozen=True)
class Database:
    """A running server. `dsn` has a password where it asks for one."""

    name: str
    dsn: str


@dataclass
class Postgres:
    """A PostgreSQL whose files stand in `folder`; it can be stopped and started again, on the same port."""

    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        """Initialise an empty cluster."""
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        options: list[str | Path] = [
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "--pwfile",
            secret,
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        self.run("initdb", "-D", self.data, *options)

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's programs to its end, as the user that owns the files."""
        done = subprocess.run(
            [POSTGRES_BIN / program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD, "LC_ALL": "C"},
            timeout=PATIENCE_S,
            user=OWNER,
            group=GROUP,
            extra_groups=GROUPS,
        )
        assert done.returncode == 0, f"{program}: {done.stdout} {done.stderr}"

    def start(self) -> None:
        """Start the server, and return when it answers."""
        settings = {"port": str(self.port), "listen_addresses": "127.0.0.1", **self.settings}
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as told:
            self.process = subprocess.Popen(
                [POSTGRES_BIN / "postgres", "-D", self.data, "-k", self.folder, *options],
                stdout=told,
                stderr=told,
                cwd=self.folder,
                user=OWNER,
                group=GROUP,
                extra_groups=GROUPS,
            )
        _wait_until(self._answers, lambda: (self.folder / "log").read_text()[-2000:])

    def stop(self, *, signal: int = 3) -> None:
        """Stop the server at once, by default as in a crash (SIGQUIT)."""
        if self.process is not None:
            self.process.send_signal(signal)
            self.process.wait(PATIENCE_S)
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "PostgreSQL did not start"
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.dsn, connect_timeout=2):
            return True
        return False


@contextlib.contextmanager
def postgres_server(**settings: str) -> Iterator[Postgres]:
    """Give an empty PostgreSQL 15 with `settings` until the end of the block."""
    require(POSTGRES)
    with cluster(**{**QUICK, **settings}) as server:
        server.make()
        server.start()
        yield server


@contextlib.contextmanager
def cluster(**settings: str) -> Iterator[Postgres]:
    """Give a place for a PostgreSQL with `settings`; what is started there is stopped in the end."""
    require(POSTGRES)
    with tempfile.TemporaryDirectory(prefix="truetape-postgres-") as made:
        folder = Path(made)
        if OWNER and GROUP:
            shutil.chown(folder, OWNER, GROUP)
        server = Postgres(folder, _free_port(), settings)
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def timescale_server() -> Iterator[Database]:
    """Give an empty TimescaleDB, which keeps everything in memory, until the end of the block."""
    require(TIMESCALE)
    port = _free_port()
    with subprocess.Popen(
        ["node", FRONT, TIMESCALE_PACKAGE, str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
            if told.strip() != b"ready":
                pytest.fail(f"TimescaleDB did not start: {(told + process.stdout.read(2000)).decode()}")
            yield Database("timescale", f"postgresql://postgres@127.0.0.1:{port}/postgres")
        finally:
            process.kill()


def _wait_until(happens: Callable[[], bool], words: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        if time.monotonic() > deadline:
            pytest.fail(f"PostgreSQL did not answer within {PATIENCE_S:g} s: {words()}")
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
