"""Remove backups that are no longer wanted, and the objects that none of the others needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from truetape.app.backup_settings import Keep
from truetape.app.backups.catalogue import MANIFESTS, OBJECTS, Manifest, manifests
from truetape.app.backups.lease import leased
from truetape.domain.errors import BadInput
from truetape.domain.time import to_datetime
from truetape.ports.objects import Objects

UNFINISHED_NS: Final = 86_400 * 10**9  # objects of a backup that was cut short are kept so long: it may go on


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be."""

    kept: tuple[str, ...]
    removed: tuple[str, ...]
    objects: int
    bytes: int


def wanted(found: Iterable[Manifest], keep: Keep) -> list[Manifest]:
    """Return those of `found` that stay, newest first. The newest whole one always stays."""
    newest_first = sorted(found, key=lambda one: one.created, reverse=True)
    stay = {one.backup_id for one in newest_first[: max(1, keep.newest)]}
    for form, count in (("%Y-%m-%d", keep.daily), ("%G-%V", keep.weekly), ("%Y-%m", keep.monthly)):
        periods: dict[str, str] = {}
        for one in newest_first:
            periods.setdefault(to_datetime(one.created).strftime(form), one.backup_id)
        stay |= set(list(periods.values())[:count])
    return [one for one in newest_first if one.backup_id in stay]


async def prune(objects: Objects, keep: Keep, *, now: Callable[[], int], dry: bool) -> Pruned:
    """Remove what `keep` does not want; `dry` only says what that would be. Objects that a kept backup needs stay.

    Raises:
        BadInput: Nothing is to be kept.
        DamagedBackup: A manifest is not readable, so that nobody knows what it needs; nothing was removed.
        PlaceInUse: Somebody else makes or prunes backups there.
        StoreUnavailable: The place cannot be read or written now.
    """
    if keep == Keep():
        raise BadInput(parameter="--keep", value=0, fix="Say how many to keep: --keep 7, --daily 30, --monthly 12.")
    async with leased(objects, what="a pruning", now=now) as lease:
        found = await manifests(objects)
        stay = wanted(found, keep)
        kept = tuple(one.backup_id for one in stay)
        needed = {name for one in stay for name in one.objects}
        gone = [one for one in found if one.backup_id not in kept]
        named = {name for one in gone for name in one.objects}
        before, unneeded = now() - UNFINISHED_NS, {}
        async for one in objects.list(OBJECTS):
            name = one.key.rpartition("/")[2]
            if name not in needed and (name in named or one.modified < before):
                unneeded[one.key] = one.size
        if not dry:
            await lease.check()
            for manifest in gone:
                await objects.delete(MANIFESTS + manifest.backup_id)
            for key in unneeded:
                await objects.delete(key)
    return Pruned(kept, tuple(one.backup_id for one in gone), len(unneeded), sum(unneeded.values()))
