"""Classifications as of a day and a knowledge time, page by page, and files that nobody takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import BothTimes
from room_doubles import Unchanged, rows
from small_market import asking
from truetape.domain.errors import BadInput, UnknownSymbol
from truetape.domain.time import from_datetime
from truetape.services.api.classifications import (
    TOLD,
    changes,
    classes,
    classes_query,
    structure_query,
    structures,
)
from truetape.services.api.config import ApiConfig
from truetape.services.api.reading import Reading
from truetape.services.api.shelf import Shelf

DAY = date(2020, 1, 1)
EARLY, LATE = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
IDS = ["ins_a", "ins_b", "ins_c"]


def read_at(moment: datetime) -> Reading:
    """Three instruments in one class; that ins_a was in another since ever became known late."""
    given = {"taxonomy": "gics", "source": "operator", "code": "45", "valid_from": DAY}
    assigned = [
        rows("class_assignments", instrument_id=IDS, **given, ts_known=EARLY),
        rows("class_assignments", instrument_id=["ins_a"], **{**given, "code": "10"}, version=2, ts_known=LATE),
    ]
    nodes = rows(
        "class_nodes", taxonomy="gics", revision=DAY, code=["10", "45"], level=1, parent="", name=["Oil", "Chips"]
    )
    listed = rows("listings", instrument_id=IDS, symbol=["A", "B", "C"], mic="XNAS", ts_known=EARLY)
    store = BothTimes(
        class_assignments=pl.concat(assigned),
        class_nodes=nodes.with_columns(ts_known=pl.lit(EARLY).cast(nodes.schema["ts_known"])),
        listings=listed,
    )
    known = from_datetime(moment)
    return Reading(store, changes=Unchanged(), version=0, as_of=known, told=known)


async def told(reading: Reading, *, at: dict[str, Any] | None = None, **given: str) -> list[tuple[Any, ...]]:
    query = classes_query({"taxonomy": "gics", **given}, ApiConfig())
    page = await classes(reading, Shelf(), query, **(at or {}))
    assert list(TOLD) == page.frame.columns
    return page.frame.select("symbol", "code").rows()


async def test_both_times_count() -> None:
    """What became known in February is not known in January, about the same day; before the day nothing is assigned."""
    before, after = read_at(EARLY), read_at(LATE)
    assert [("A", "45"), ("B", "45"), ("C", "45")] == await told(before, within="45")
    assert [("B", "45"), ("C", "45")] == await told(after, within="chips")
    assert [("A", "10")] == await told(after, symbols="A")
    assert [] == await told(after, on="2019-12-31")
    with pytest.raises(UnknownSymbol):
        await told(after, symbols="Z")


async def test_pages_follow_each_other() -> None:
    """Two on the first page, one on the second, and no third."""
    reading, query = read_at(LATE), classes_query({"taxonomy": "gics"}, ApiConfig())
    first = await classes(reading, Shelf(), query, limit=2)
    second = await classes(reading, Shelf(), query, limit=2, position=first.following)
    assert ([2, 1], None) == ([len(first.frame), len(second.frame)], second.following)


async def test_structures_of_a_day() -> None:
    """Before the first revision there is none; one revision changed nothing that could be told."""
    reading = read_at(LATE)
    page = await structures(reading, structure_query("gics", {"on": "2019-12-31"}))
    assert 0 == len(page.frame)
    assert [("gics", DAY, 2, 1)] == (await structures(reading, structure_query("", {}))).frame.rows()
    for day in ("2019-12-31", "2024-01-01"):
        with pytest.raises(BadInput, match="It takes two revisions in force by then; known are 2020-01-01"):
            await changes(reading, structure_query("gics", {"on": day}))


def test_a_server_that_only_reads_takes_no_file(tmp_path: Path) -> None:
    """It says so, and a question about no taxonomy says what to do."""
    with asking(tmp_path) as asked:
        refused = asked.post("/v1/taxonomies/gics/load", json={"what": "structure", "rows": []})
        unknown = asked.get("/v1/classifications?taxonomy=gics")
    assert (503, 400) == (refused.status_code, unknown.status_code)
    assert "truetape classify load gics FILE" in unknown.json()["fix"]
