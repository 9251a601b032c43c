"""Read everything that is kept, and say what is damaged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from truetape.adapters.file_archive import FileArchive
from truetape.domain.errors import CorruptArchive
from truetape.ports.tiering import Tiers


async def scrubbed(
    tiers: Tiers | None, archive: FileArchive, *, on_read: Callable[[int | None], None] = lambda _total: None
) -> dict[str, Any]:
    """Return how many cold files and payloads were read, and what is damaged: `what`, `name`, `words`, `repaired`.

    `on_read` is told after each file, with how many there are, where that is known.

    Raises:
        StoreUnavailable: A tier or the archive cannot be read now.
    """
    damaged: list[dict[str, Any]] = []
    files = 0
    if tiers is not None:
        async for name, damage in tiers.scrub():
            files += 1
            on_read(None)
            if damage is not None:
                told = {"what": f"cold file of {damage.table}", "name": name, "words": damage.words}
                damaged.append({**told, "repaired": damage.repaired})
    damaged += [
        {"what": "archive", "name": problem.path, "words": problem.reason, "repaired": False}
        for problem in await asyncio.to_thread(_problems, archive)
    ]
    payloads = await asyncio.to_thread(lambda: sum(1 for _ in archive.sizes()))
    return {"cold_files": files, "payloads": payloads, "damaged": damaged}


def _problems(archive: FileArchive) -> list[CorruptArchive]:
    return list(archive.scrub())
