"""`truetape store compact`: write the store's file anew, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from truetape.app.cli.terminal import Data, Json, call, err, out, write_json

if TYPE_CHECKING:
    from truetape.adapters.duckdb_store.compacting import Compacted

MB: Final = 1e6


def compact(*, data: Data = Path("data"), as_json: Json = False) -> None:
    """Write the store's file anew and in order: long series are read faster.

    Rows that came day by day lie scattered; afterwards those of one instrument stand together, by time. Rows, versions
    and snapshots stay. Stop the platform first. It takes as much room again as the store has, for as long as it runs.
    Killed, it leaves the store as it was.
    """
    with err().status("reading") as status:

        def show(done: int, total: int) -> None:
            status.update(f"writing: {done:,} of {total:,} rows")

        done = call(lambda: _compacted(data, show), as_json=as_json)
    if as_json:
        write_json({"rows": done.rows, "bytes_before": done.before, "bytes_after": done.after})
        return
    words = f"{done.rows:,} rows in order; the file has {done.after / MB:,.1f} MB and had {done.before / MB:,.1f} MB."
    out().print(words, highlight=False, soft_wrap=True)


def _compacted(data: Path, show: Callable[[int, int], None]) -> Compacted:
    from truetape.adapters.data_folder import DataFolder, read_marker
    from truetape.adapters.duckdb_store.compacting import compact as written_anew
    from truetape.domain.errors import WrongFolder

    marker = read_marker(data)
    if marker is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    folder = DataFolder.open(data, simulated=marker.simulated, command="truetape store compact")
    try:
        if not folder.store.exists():
            raise WrongFolder(path=str(data), reason="it holds no store yet. Choose another folder with --data.")
        return written_anew(folder.store, on_progress=show)
    finally:
        folder.close()
