"""Which backups stay, and what is removed with the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from backup_folder import files, restored, tape

from truetape.adapters.folder_objects import FolderObjects
from truetape.app.backup_settings import Keep
from truetape.app.backups.catalogue import Manifest, Piece, key_of, manifests
from truetape.app.backups.creating import Wish, create
from truetape.app.backups.pruning import UNFINISHED_NS, prune, wanted
from truetape.domain.errors import BadInput
from truetape.domain.time import from_datetime


def made_at(moment: datetime) -> Manifest:
    return Manifest(
        backup_id=f"{moment:%m-%d %H}", created=from_datetime(moment), label="", simulated=False, version=1,
        entries=1, size=1, added=1, recipient="", contents=Piece("", 0, "", 0), objects={},
    )  # fmt: skip


TWICE_A_DAY = [made_at(datetime(2026, 1, 1, 6, tzinfo=UTC) + timedelta(hours=12 * number)) for number in range(120)]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        (Keep(newest=2), ["03-01 18", "03-01 06"]),
        (Keep(daily=3), ["03-01 18", "02-28 18", "02-27 18"]),
        (Keep(weekly=3), ["03-01 18", "02-22 18", "02-15 18"]),  # 1 March 2026 is a Sunday
        (Keep(monthly=3), ["03-01 18", "02-28 18", "01-31 18"]),
        (Keep(monthly=9), ["03-01 18", "02-28 18", "01-31 18"]),
        (Keep(newest=2, monthly=2), ["03-01 18", "03-01 06", "02-28 18"]),
        (Keep(), ["03-01 18"]),
    ],
)
def test_the_newest_of_each_period_stays(keep: Keep, expected: list[str]) -> None:
    """Two a day from January on: the last of each day, week and month in UTC; the newest of all always."""
    assert expected == [one.backup_id for one in wanted(TWICE_A_DAY, keep)]


async def test_objects_that_a_kept_backup_needs_stay(tmp_path: Path) -> None:
    """Of four, the second and the last are kept by day; both are restored whole, and nothing else lies about."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    day, states = 86_400 * 10**9, {}
    times = {"a": 10, "b": 10 + day // 2, "c": day, "d": day + 10}
    for name, at in times.items():
        await made.day(payload=5_000)
        manifest = await create(Wish(folder=made.folder, label=name), made.store, place, now=lambda: at)  # noqa: B023
        await made.close()
        states[name] = files(made.folder), manifest
        made = await tape(made.folder, days=0, seed=len(states))
        made.known = [0] * (len(states) + 1)
    dry = await prune(place, Keep(daily=2), now=lambda: 3 * day, dry=True)
    assert [one.label for one in await manifests(place)] == ["a", "b", "c", "d"]
    done = await prune(place, Keep(daily=2), now=lambda: 3 * day, dry=False)
    assert done == dry
    assert [one.label for one in await manifests(place)] == ["b", "d"]
    needed = {name for label in "bd" for name in states[label][1].objects}
    assert {one.key async for one in place.list("objects/")} == {key_of(name) for name in needed}
    for label in "bd":
        await restored(place, tmp_path / label, backup_id=states[label][1].backup_id)
        payloads = [name for name in states[label][0] if "payloads" in name]
        assert [states[label][0][name] for name in payloads] == [files(tmp_path / label)[name] for name in payloads]
    await made.close()


async def test_what_an_unfinished_backup_stored_is_kept_for_a_day(tmp_path: Path) -> None:
    """It may go on with that; a day later it is removed."""
    made, place = await tape(tmp_path / "data", days=1), FolderObjects(tmp_path / "place")
    manifest = await create(Wish(folder=made.folder), made.store, place)
    await made.close()
    await place.put(key_of("f" * 64), b"left over")
    (left,) = [one async for one in place.list(key_of("f" * 64))]
    for later, objects in ((0, 0), (UNFINISHED_NS, 0), (UNFINISHED_NS + 10**9, 1)):
        done = await prune(place, Keep(newest=1), now=lambda: left.modified + later, dry=False)  # noqa: B023
        assert done.objects == objects
    assert [manifest] == await manifests(place)


async def test_nothing_to_keep_is_refused(tmp_path: Path) -> None:
    """Rather than that everything is removed."""
    with pytest.raises(BadInput, match="--keep 7"):
        await prune(FolderObjects(tmp_path), Keep(), now=lambda: 0, dry=False)
    assert msgspec.json.encode(await manifests(FolderObjects(tmp_path))) == b"[]"
