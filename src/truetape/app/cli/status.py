"""`truetape status`: what a data folder holds, and who works on it."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from truetape.app.cli.segments import in_short
from truetape.app.cli.terminal import Data, Json, out, run, write_json


def status(*, data: Data = Path("data"), as_json: Json = False) -> None:
    """Say what a data folder holds, what came last from whom, and which process owns it."""
    from rich.markup import escape

    found = run(_status(data), as_json=as_json)
    if as_json:
        write_json(found)
        return
    console = out()
    console.print(f"[bold]{data}[/bold]: {'simulated' if found['simulated'] else 'live'} data")
    console.print(f"owner: {found['owner'] or 'none'}", highlight=False)
    for name, told in found["providers"].items():
        console.print(
            f"{name}: {told['answers']:,} answers, last {told['last'] or 'never'}; {told['failures']:,} failures"
        )
    if found["tiers"]:
        _show_tiers(found["tiers"])
    if found["segments"]:
        _show_segments(found["segments"])
    if found["backup"]:
        _show_backups(data)
    if found["damage"]:
        console.print(found["damage"], markup=False, highlight=False, style="red", soft_wrap=True)
        return
    if found["instruments"] is None:
        console.print(f"The store is in use; ask the API for what it holds: {found['address'] or 'not listening yet'}")
        return
    for one in found["instruments"]:
        console.print(
            f"{one['symbol']}: {one['golden']:,} bars, {one['first']} to {one['last']}; {one['actions']} actions",
            highlight=False,
        )
    for one in found["unreadable"]:
        console.print(
            f"{one['provider']}: {one['times']:,} answers about {one['kind']} not readable since {one['since']}, last "
            f"{one['last']}: {escape(one['reason'])}",
            highlight=False,
        )
    console.print(f"{found['rounds']:,} rounds stored, {found['quarantined']:,} claims in quarantine")


def _show_segments(told: dict[str, int]) -> None:
    """Say what is in read segments, and how far they are behind."""
    behind = f"; {told['periods_behind']:,} periods lack some" if told["periods_behind"] else ""
    out().print(f"segments: {told['bars']:,} bars in {told['bytes'] / 1e6:,.1f} MB{behind}", highlight=False)


def _show_backups(data: Path) -> None:
    """Say how old the newest backup is, when one was proved, and what went wrong."""
    from truetape.app.backups.standing import in_words, standing_of

    for words in in_words(standing_of(data), now_ns=time.time_ns()):
        out().print(words, markup=False, highlight=False, soft_wrap=True)


def _show_tiers(told: dict[str, Any]) -> None:
    """Say what lies in each tier, when somebody looked after them, and what is wrong."""
    from truetape.app.cli.storing import size

    console = out()
    kept = ", ".join(f"{name} {one['rows']:,} rows in {size(one['bytes'])}" for name, one in told["tiers"].items())
    console.print(f"tiers: {kept}; looked after {told['looked']}", highlight=False)
    if told["waiting"]:
        console.print(told["waiting"], markup=False, highlight=False, style="red")
    if told["damaged"]:
        told_of = f"{told['damaged']:,} of {told['files']:,} files were damaged at {told['scrubbed']}"
        console.print(f"{told_of}; truetape store scrub names them.", highlight=False, style="red")


def _tiers(data: Path) -> dict[str, Any] | None:
    """Return how the tiers fared last, with instants as text; None if nobody looked after them."""
    from msgspec import to_builtins

    from truetape.app.tier_watch import read_state
    from truetape.domain.time import iso

    state = read_state(data)
    if state is None:
        return None
    instants = {name: iso(getattr(state, name)) if getattr(state, name) else "" for name in ("looked", "scrubbed")}
    told = to_builtins(state)
    told.pop("costs")  # which truetape store cost tells
    return {**told, **instants}


async def _status(data: Path) -> dict[str, Any]:
    from truetape.adapters.data_folder import ARCHIVE, read_marker, read_owner
    from truetape.adapters.file_archive import FileArchive
    from truetape.app.backups.standing import told_of
    from truetape.domain.errors import CorruptArchive, WrongFolder

    marker = read_marker(data)
    if marker is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    owner = read_owner(data)
    archive = FileArchive(data / ARCHIVE, read_only=True)
    found: dict[str, Any] = {
        "data": str(data),
        "simulated": marker.simulated,
        "owner": str(owner) if owner else "",
        "address": owner.address if owner else "",
        "providers": _providers(archive),
        "backup": told_of(data),
        "tiers": _tiers(data),
        "segments": in_short(data),
        "damage": "",
        "instruments": None,
        "rounds": None,
        "quarantined": None,
        "unreadable": None,
    }
    if owner:
        return found
    try:
        return found | await _stored(data, archive)
    except CorruptArchive as error:
        return found | {"damage": str(error)}


def _providers(archive: Any) -> dict[str, dict[str, Any]]:
    from truetape.domain.messages import RawCaptured
    from truetape.domain.time import iso
    from truetape.ports.archive import Attempted

    answers: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    last: dict[str, int] = {}
    for entry in archive.journal():
        if isinstance(entry, RawCaptured):
            answers[entry.provider] += 1
            last[entry.provider] = max(entry.ts_known, last.get(entry.provider, 0))
        elif isinstance(entry, Attempted):
            failures[entry.provider] += 1
    return {
        name: {
            "answers": answers[name],
            "failures": failures[name],
            "last": iso(last[name] // 10**9 * 10**9) if name in last else "",
        }
        for name in sorted({*answers, *failures})
    }


async def _stored(data: Path, archive: Any) -> dict[str, Any]:
    from truetape.app.store_choice import to_read
    from truetape.app.summary import summarize

    store = to_read(data, os.environ)
    try:
        summary = await summarize(store, archive)
        rounds = await store.read("rounds")
    finally:
        await store.close()
    return {
        "instruments": summary.instruments.to_dicts(),
        "rounds": len(rounds),
        "quarantined": int(summary.quarantined["rows"].sum()),
        "unreadable": summary.rejected.to_dicts(),
    }
