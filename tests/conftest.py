"""Fixtures that every test may use, how hard properties are tried, and what the closing report says."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import truetape as tt
from database_servers import Database, Postgres, postgres_server, timescale_server
from servers import MINIO, VERSITYGW, Redis, S3Server, redis_server, report, s3_server

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, print_blob=True)
settings.register_profile(
    "fuzz", deadline=None, max_examples=1_000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
settings.load_profile(PROFILE)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded provider answers, which is not part of the project; a test that needs it skips without."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings at {RECORDINGS}: the small fixtures of the project's own stand in for them")
    return RECORDINGS


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis server for the whole run; a test that needs it skips, or fails in CI, where none can be started."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A MinIO for the whole run; a test that needs it skips, or fails in CI, where none can be started."""
    with s3_server(MINIO, tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A Versity S3 Gateway for the whole run; a test that needs it skips, or fails in CI, where none can start."""
    with s3_server(VERSITYGW, tmp_path_factory.mktemp("versitygw")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL 15 for the whole run; a test that needs it skips, or fails in CI, where none can be started."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def timescale() -> Iterator[Database]:
    """A TimescaleDB for the whole run; a test that needs it skips, or fails in CI, where none can be started."""
    with timescale_server() as server:
        yield server


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tt.Session]:
    """A session on the data folder of which exports are made."""
    from exported_market import market

    with tt.open(asyncio.run(market(tmp_path_factory.mktemp("exported") / "data"))) as opened:
        yield opened


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffle the tests of a fuzz run, so that a short one reaches others each time."""
    if PROFILE == "fuzz":
        random.shuffle(items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which parts of the world the tests met."""
    if terminalreporter.config.option.verbose < 0:
        return
    terminalreporter.section("what the tests met")
    for line in report():
        terminalreporter.write_line(line)
    found = "found" if RECORDINGS.is_dir() else f"not found at {RECORDINGS}; tests of them were skipped"
    terminalreporter.write_line(f"recordings of real providers: {found}")
