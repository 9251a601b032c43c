"""Read everything that is kept, and say what is damaged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from truetape.adapters.file_archive import FileArchive
from truetape.ports.tiering import Tiers


async def scrubbed(
    tiers: Tiers | None, archive: FileArchive, *, on_read: Callable[[int, int | None], None] = lambda _read, _of: None
) -> dict[str, Any]:
    """Return how many cold files and payloads were read, and what is damaged: `what`, `name`, `words`, `repaired`.

    `on_read` is told how many files were read so far, and of how many payloads, once that is known.

    Raises:
        StoreUnavailable: A tier or the archive cannot be read now.
    """
    damaged: list[dict[str, Any]] = []
    files = 0
    if tiers is not None:
        async for name, damage in tiers.scrub():
            files += 1
            on_read(files, None)
            if damage is not None:
                told = {"what": f"cold file of {damage.table}", "name": name, "words": damage.words}
                damaged.append({**told, "repaired": damage.repaired})
    payloads = await asyncio.to_thread(lambda: sum(1 for _ in archive.sizes()))
    done = count(1)
    found = await asyncio.to_thread(lambda: list(archive.scrub(lambda: on_read(next(done), payloads))))
    damaged += [{"what": "archive", "name": one.path, "words": one.reason, "repaired": False} for one in found]
    return {"cold_files": files, "payloads": payloads, "damaged": damaged}
