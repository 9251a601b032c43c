"""Time to import the library, and to the first healthy answer of a server on an empty folder."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from perf.measure import Result, result

IMPORT_BUDGET_S = 0.25
HEALTHY_BUDGET_S = 3.0


def measure() -> Iterator[Result]:
    """Yield both figures against their budgets."""
    seconds = statistics.median(_seconds([sys.executable, "-c", "import truetape"]) for _ in range(7))
    bare = statistics.median(_seconds([sys.executable, "-c", "pass"]) for _ in range(7))
    yield result(
        "import_time",
        unit="s",
        ours=seconds - bare,
        peer=IMPORT_BUDGET_S,
        peer_name=f"budget of {IMPORT_BUDGET_S} s",
        bar=1.0,
        better="lower",
    )
    yield result(
        "first_healthy_answer",
        unit="s",
        ours=statistics.median(_healthy() for _ in range(3)),
        peer=HEALTHY_BUDGET_S,
        peer_name=f"budget of {HEALTHY_BUDGET_S} s",
        bar=1.0,
        better="lower",
    )


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def _healthy() -> float:
    """Return the seconds from starting `truetape up` on an empty folder to the first 200 of /healthz."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "truetape.toml"
        subprocess.run([sys.executable, "-m", "truetape", "init", str(config)], check=True, capture_output=True)
        text = config.read_text(encoding="utf-8").replace("port = 8000", "port = 18765")
        config.write_text(text, encoding="utf-8")
        started = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "truetape", "up", "--config", str(config)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return _wait_for("http://127.0.0.1:18765/healthz", started, server)
        finally:
            server.kill()
            server.wait()


def _wait_for(url: str, started: float, server: subprocess.Popen[bytes]) -> float:
    while time.perf_counter() - started < 10 * HEALTHY_BUDGET_S and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return time.perf_counter() - started
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"the server did not answer at {url}")
