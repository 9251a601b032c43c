"""The reference room keeps what was told of classifications: new, corrected, or of a class that is no more."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from pipeline_doubles import NOW
from room_doubles import FrameStore
from truetape.domain.class_messages import ClassesTold
from truetape.domain.schema import TABLES, empty
from truetape.domain.wire import pack
from truetape.services.reference.classes import ClassTables, class_changes

REVISION = date(2023, 3, 18)


def told(*codes: str, name: str = "Energy", table: str = "class_nodes", known: int = NOW, **more: Any) -> ClassesTold:
    """A message about classes of one revision, all of one name."""
    given = {"taxonomy": "gics", "revision": REVISION, "level": 1, "parent": "", "name": name, "payload": "f", **more}
    names = [one for one in TABLES[table].columns if one not in {"version", "ts_known", "simulated"}]
    columns = {one: list(codes) if one == "code" else [given.get(one)] * len(codes) for one in names}
    rows = pl.DataFrame(columns, schema={one: TABLES[table].columns[one] for one in names})
    return ClassesTold(table=table, taxonomy="gics", rows=pack(rows), actor="me", ts_known=known)


async def kept(*messages: ClassesTold) -> FrameStore:
    store = FrameStore()
    for message in messages:
        await ClassTables(store=store).on_classes_told(message)
    return store


async def test_what_is_new_or_other_is_written_once() -> None:
    """The same again changes nothing; another name is the second version."""
    store = await kept(told("10", "20"), told("10", "20", known=NOW + 1), told("10", "20", name="Power", known=NOW + 2))
    versions = store.rows["class_nodes"].sort("code", "version").select("code", "name", "version").rows()
    assert [("10", "Energy", 1), ("10", "Power", 2), ("20", "Energy", 1), ("20", "Power", 2)] == versions
    assert [{"class_nodes": 2}, {"class_nodes": 2}] == store.commits


def test_a_class_that_the_file_no_longer_has_is_withdrawn() -> None:
    """Of that revision alone; mappings and assignments stand until something else is told of them."""
    nothing = empty(TABLES["class_nodes"].columns)
    current, _ = class_changes(told("10", "20"), nothing, nothing)
    other = current.with_columns(revision=pl.lit(date(2018, 9, 29)))
    write, gone = class_changes(told("10", known=NOW + 1), pl.concat([current, other]), nothing)
    assert (0, [("gics", REVISION, "20", 2)]) == (
        len(write),
        gone.select("taxonomy", "revision", "code", "version").rows(),
    )

    about: dict[str, Any] = {"table": "class_assignments", "instrument_id": "ins_a", "source": "operator"}
    none = empty(TABLES["class_assignments"].columns)
    first, _ = class_changes(told("10", **about), none, none)
    write, gone = class_changes(told("20", **about, known=NOW + 1), first, none)
    assert ([("20", 2)], 0) == (write.select("code", "version").rows(), len(gone))
