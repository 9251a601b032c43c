"""`truetape store segments`: files of bars that are read instead of the store, where that is faster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from truetape.app.cli.terminal import FINDINGS, Data, Json, err, out, run, write_json

if TYPE_CHECKING:
    from truetape.adapters.read_segments import Holding, Progress

HELP: Final = {"help_option_names": ["-h", "--help"]}
MANIFEST: Final = "manifest.json"
NONE: Final = (
    "There are no segments yet. `truetape up` makes them when it is quiet, `truetape store segments build` now."
)

segments = typer.Typer(
    name="segments",
    help="Make, list and verify read segments: bars in the order in which they are read.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=HELP,
)


@segments.command()
def build(*, data: Data = Path("data"), as_json: Json = False) -> None:
    """Make the segments that are missing or lack bars, of a data folder that no process owns."""
    with err().status("looking for bars") as status:

        def seen(progress: Progress) -> None:
            period = progress.period
            status.update(f"{period.timeframe} {period.label}: {progress.rows:,} bars; {progress.left} more periods")

        found = run(_build(data, seen), as_json=as_json)
    _tell(found, as_json=as_json)


@segments.command(name="list")
def list_segments(*, data: Data = Path("data"), as_json: Json = False) -> None:
    """List the segments by timeframe and period, with how many instruments have bars that they lack."""
    _tell(run(_list(data), as_json=as_json), as_json=as_json)


@segments.command()
def verify(*, data: Data = Path("data"), as_json: Json = False) -> None:
    """Read every byte of the segments and compare checksums; exit code 1 if one is not as it was written."""
    with err().status("reading segments"):
        checked, found = run(_verify(data), as_json=as_json)
    if as_json:
        write_json({"segments": checked, "damages": found})
    else:
        for words in found:
            out().print(words, markup=False, highlight=False, soft_wrap=True)
        mend = " Remove their folders: they are made again." if found else ""
        out().print(f"{checked:,} segments read, {len(found):,} files not as they were written.{mend}", highlight=False)
    if found:
        raise typer.Exit(FINDINGS)


def in_short(data: Path) -> dict[str, int] | None:
    """Return how many bars the segments of a data folder hold, in how many bytes, and how many periods lack some.

    None if there are none.
    """
    found = _held(data) if (_folder(data) / MANIFEST).exists() else []
    if not found:
        return None
    behind = sum(1 for one in found if one.behind)
    return {"bars": sum(one.rows for one in found), "bytes": sum(one.size for one in found), "periods_behind": behind}


async def _build(data: Path, seen: Callable[[Progress], None]) -> list[Holding]:
    from truetape.adapters.data_folder import STORE
    from truetape.adapters.duckdb_store import DuckdbStore
    from truetape.adapters.read_segments import Builder, Library, Load
    from truetape.app.segments import SEGMENTS, name_of
    from truetape.domain.errors import BadInput, StoreUnavailable
    from truetape.ports.store import Selection

    _names(data)
    store = DuckdbStore(data / STORE, read_only=True)
    try:
        if len(await store.read("cold_files", Selection(limit=1))):
            fix = "Rows of it lie in cold files; `truetape up` makes its segments."
            raise BadInput(parameter="--data", value=str(data), fix=fix)
        library = Library(data / SEGMENTS, store, identity=name_of(data / STORE))
        await Builder(store, library, load=Load()).build(seen=seen)
        library.note()
        return library.holdings()
    except OSError as error:
        raise StoreUnavailable(path=str(data / SEGMENTS), reason=error.strerror or str(error)) from None
    finally:
        await store.close()


async def _list(data: Path) -> list[Holding]:
    return _held(data)


def _held(data: Path) -> list[Holding]:
    from truetape.adapters.read_segments import held

    return [one for name in _names(data) for one in held(_folder(data), store=name)]


async def _verify(data: Path) -> tuple[int, list[str]]:
    from truetape.adapters.read_segments import damages

    told = [words for name in _names(data) for _, words in damages(_folder(data), store=name)]
    return len(told), [one for words in told for one in words]


def _names(data: Path) -> list[str]:
    """Return what the store of `data` may be called; its segments have one of the names."""
    from truetape.adapters.data_folder import STORE, read_marker
    from truetape.app.segments import name_of
    from truetape.domain.errors import WrongFolder

    if read_marker(data) is None or not (data / STORE).exists():
        raise WrongFolder(path=str(data), reason="it is no data folder with a store. Choose another one with --data.")
    return [name_of(data / STORE, reads_cold=reads_cold) for reads_cold in (False, True)]


def _folder(data: Path) -> Path:
    from truetape.app.segments import SEGMENTS

    return data / SEGMENTS


def _tell(found: list[Holding], *, as_json: bool) -> None:
    if as_json:
        write_json({"segments": found})
        return
    if not found:
        out().print(NONE, highlight=False, soft_wrap=True)
        return
    from rich.table import Table

    table = Table(header_style="dim")
    for name in ("timeframe", "period"):
        table.add_column(name, no_wrap=True)
    for name in ("bars", "MB", "bytes a bar", "instruments behind"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        a_bar = f"{one.size / one.rows:.1f}" if one.rows else "-"
        cells = (f"{one.rows:,}", f"{one.size / 1e6:,.1f}", a_bar, f"{one.behind:,}" if one.behind else "-")
        table.add_row(one.timeframe, one.period, *cells)
    rows, size = sum(one.rows for one in found), sum(one.size for one in found)
    out().print(table)
    out().print(
        f"{rows:,} bars in {sum(one.segments for one in found):,} segments, {size / 1e6:,.1f} MB", highlight=False
    )
