"""QuestDB as a peer, where Java runs it and `scripts/questdb` has fetched it; it is asked over HTTP."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import date
from pathlib import Path

import polars as pl

from truetape.domain.schema import INSTANT, TABLES

HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "truetape" / "questdb"
START_S = 60
_SYMBOLS = frozenset({"instrument_id", "timeframe", "currency", "basis", "feed", "provider", "method", "agreed"})
_COLUMNS = TABLES["bars"].columns
_CONFIG = """\
http.bind.to=127.0.0.1:{port}
http.min.enabled=false
pg.enabled=false
line.tcp.enabled=false
telemetry.enabled=false
cairo.sql.copy.root={imports}
"""


class QuestDb:
    """Bars in a QuestDB of its own, by month, with an index of the instruments."""

    name = "QuestDB"

    def __init__(self, folder: Path, parquet: Path, timeframe: str) -> None:
        imports = folder / "import"
        (folder / "conf").mkdir(parents=True)
        imports.mkdir()
        (imports / "bars.parquet").symlink_to(parquet)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self._address.rpartition(":")[2]
        (folder / "conf" / "server.conf").write_text(_CONFIG.format(port=port, imports=imports))
        words = ["java", "-Xmx2g", "-p", str(HOME), "-m", "io.questdb/io.questdb.ServerMain", "-d", str(folder)]
        log = (folder / "log.txt").open("wb")
        self._process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT)
        self._of_it = f"timeframe = '{timeframe}'"
        self._wait()
        self._ask(f"CREATE TABLE bars AS (SELECT {_cast()} FROM read_parquet('bars.parquet')), INDEX(instrument_id) "
                  "TIMESTAMP(ts_event) PARTITION BY MONTH BYPASS WAL")  # fmt: skip

    def one(self, instrument: str) -> pl.DataFrame:
        return self._frame(f"instrument_id = '{instrument}' AND {self._of_it} ORDER BY ts_event")

    def day(self, day: date) -> pl.DataFrame:
        return self._frame(f"ts_event IN '{day}' AND {self._of_it} ORDER BY instrument_id, ts_event")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _frame(self, where: str) -> pl.DataFrame:
        names = ", ".join(_COLUMNS)
        body = self._ask(f"SELECT {names} FROM bars WHERE {where}", path="exp")
        texts = {name: pl.String() if dtype == INSTANT else dtype for name, dtype in _COLUMNS.items()}
        rows = pl.read_csv(io.BytesIO(body), schema=texts)
        instants = (pl.col(name).str.to_datetime(time_unit="ns", time_zone="UTC") for name in _instants())
        return rows.with_columns(*instants).with_columns(pl.col(pl.String).fill_null(""))  # "" is exported as nothing

    def _ask(self, sql: str, *, path: str = "exec") -> bytes:
        url = f"{self._address}/{path}?{urllib.parse.urlencode({'query': sql})}"
        with urllib.request.urlopen(url, timeout=900) as answer:
            body: bytes = answer.read()
        return body

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        while True:
            try:
                self._ask("SELECT 1")
            except (urllib.error.URLError, OSError):
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.2)
            else:
                return


def is_there() -> bool:
    """Return whether QuestDB was fetched, and Java can run it."""
    return shutil.which("java") is not None and any(HOME.glob("questdb-*.jar"))


def _cast() -> str:
    shown = []
    for name, dtype in _COLUMNS.items():
        if name in _SYMBOLS:
            shown.append(f"CAST({name} AS SYMBOL) {name}")
        elif dtype == INSTANT:
            shown.append(f"CAST({name} AS TIMESTAMP) {name}")
        else:
            shown.append(name)
    return ", ".join(shown)


def _instants() -> list[str]:
    return [name for name, dtype in _COLUMNS.items() if dtype == INSTANT]
