"""Store the journal's payloads, each once: those that the last backup holds are not looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from truetape.adapters.data_folder import ARCHIVE
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.file_archive.disk import unwrap
from truetape.app.backups.catalogue import Contents, KeptFile, Piece, digest
from truetape.app.backups.storing import PIECE, Storing, packed, part
from truetape.domain.errors import CorruptArchive
from truetape.domain.identity import payload_key
from truetape.domain.messages import RawCaptured, StreamCaptured
from truetape.ports.archive import Attempted, Entry

JOURNAL: Final = f"{ARCHIVE}/journal.jsonl"
PACK: Final = 8 << 20  # bytes of payloads together
BLOCK: Final = 1 << 20


@dataclass
class Payloads:
    """Where the payloads of a backup are: large ones are files, the others are in packs."""

    files: list[KeptFile]
    packs: list[Piece]
    damaged: list[str]  # paths of those that are not what was put
    count: int = 0


async def payloads_of(
    folder: Path, storing: Storing, earlier: Contents | None, journal: KeptFile, *, entries: int
) -> Payloads:
    """Store the payloads that the journal names and the last backup does not hold."""
    known = earlier if earlier is not None and await _continues(folder, earlier, journal) else None
    large = {one.path: one for one in known.files if one.path.startswith(f"{ARCHIVE}/payloads/")} if known else {}
    if known and not all(storing.has(one) for one in (*known.packs, *(p for f in large.values() for p in f.pieces))):
        known, large = None, {}
    archive = FileArchive(folder / ARCHIVE, read_only=True)
    named = islice(archive.journal(), entries)
    old, new = await asyncio.to_thread(_keys, named, known.entries if known else 0)
    done = Payloads(list(large.values()), list(known.packs) if known else [], [])
    done.count = len(old) + len(new)
    together: dict[str, bytes] = {}
    again = {"".join(Path(one).with_suffix("").parts[-2:]) for one in known.damaged} if known else set()
    for key in sorted(new | again):
        path = f"{ARCHIVE}/payloads/{key[:2]}/{key[2:]}.zst"
        body = await asyncio.to_thread(_payload, folder / path, key)
        if body is None:
            done.damaged.append(path)
        elif len(body) > PACK:
            done.files.append(await storing.local(path, folder / path))
        else:
            together[path] = body
        if sum(map(len, together.values())) > PACK:
            done.packs.append(await storing.piece(packed(together)))
            together = {}
    if together:
        done.packs.append(await storing.piece(packed(together)))
    return done


def _payload(path: Path, key: str) -> bytes | None:
    """Return a payload as it is kept, or None if it is damaged."""
    try:
        kept = path.read_bytes()
        return kept if payload_key(unwrap(kept, path)) == key else None
    except (CorruptArchive, FileNotFoundError):
        return None


def _keys(journal: Iterator[Entry], until: int) -> tuple[set[str], set[str]]:
    """Return the payloads of the first `until` entries, and those that only later ones name."""
    old: set[str] = set()
    new: set[str] = set()
    for number, entry in enumerate(journal, start=1):
        if isinstance(entry, RawCaptured | StreamCaptured | Attempted) and entry.key:
            (old if number <= until else new).add(entry.key)
    return old, new - old


async def _continues(folder: Path, earlier: Contents, now: KeptFile) -> bool:
    """Return whether the journal begins with what it was at the last backup."""
    before = next(one for one in earlier.files if one.path == JOURNAL)
    if before.size > now.size:
        return False
    whole = before.size // PIECE
    if [one.sum for one in before.pieces[:whole]] != [one.sum for one in now.pieces[:whole]]:
        return False
    rest = await asyncio.to_thread(part, folder / JOURNAL, whole * PIECE, before.size - whole * PIECE)
    return not rest or digest(rest) == before.pieces[whole].sum


def whole_lines(journal: Path) -> tuple[int, int]:
    """Return how many bytes of the journal are whole lines, and how many lines those are."""
    size = lines = at = 0
    with journal.open("rb") as file:
        while block := file.read(BLOCK):
            found = block.rfind(b"\n")
            if found >= 0:
                size, lines = at + found + 1, lines + block.count(b"\n")
            at += len(block)
    return size, lines
