"""What a plan says of the places that rows came from, and which hints follow."""

from __future__ import annotations

from datetime import date

from truetape.domain.read_trace import Step
from truetape.services.api.hints import Source, hints, sources
from truetape.services.api.query import BarsQuery

QUERY = BarsQuery(symbols=("AAPL",))


def source(place: str, rows: int, *, files: int = 0, why: str = "", table: str = "bars") -> Source:
    return Source(place=place, table=table, reads=1, rows=rows, files=files, bytes=10 * files, why=why)  # type: ignore[arg-type]


def told(*used: Source, rows: int, query: BarsQuery = QUERY, is_whole: bool = True) -> tuple[str, ...]:
    return hints(query, used, rows=rows, is_whole=is_whole)


def test_steps_of_one_place_are_one_source() -> None:
    """Rows, files and bytes are added up; bars come first, and what found nothing is left out."""
    steps = [
        Step(place="store", table="listings", rows=2),
        Step(place="warm", table="bars", rows=5, files=1, size=100),
        Step(place="segments", table="bars", rows=7, files=2),
        Step(place="warm", table="bars", rows=6, files=1, size=50),
        Step(place="store", table="bars", rows=0, why="late"),
        Step(place="store", table="bars", rows=1, why="late"),
    ]
    found = [(one.place, one.table, one.reads, one.rows, one.files, one.bytes, one.why) for one in sources(steps)]
    assert [
        ("warm", "bars", 2, 11, 2, 150, ""),
        ("segments", "bars", 1, 7, 2, 0, ""),
        ("store", "bars", 2, 1, 0, 0, "late"),
        ("store", "listings", 1, 2, 0, 0, ""),
    ] == found


def test_nothing_to_do_needs_no_hint() -> None:
    """Bars from segments and memory, and from a store that has no segments."""
    assert () == told(source("segments", 250), source("memory", 1), source("store", 3), rows=254)


def test_cold_bars_say_how_to_leave_them_out() -> None:
    """With a later start, or with a first one."""
    cold = (source("archive", 40, files=2), source("warm", 2, files=1), source("store", 9, table="factors", why="x"))
    (open_ended,) = told(*cold, rows=42)
    (bounded,) = told(*cold, rows=42, query=BarsQuery(symbols=("A",), start=date(2020, 1, 1)))
    assert open_ended.startswith("42 bars came from 3 files of the archive and warm tier: a start leaves them out")
    assert bounded.startswith("42 bars came from 3 files of the archive and warm tier: a later start leaves")


def test_bars_that_segments_lack_say_why() -> None:
    """The reason stands in the hint."""
    (hint,) = told(source("store", 12, why="there are no segments of 1d bars"), rows=12)
    assert hint.startswith("12 bars came from the store, because there are no segments of 1d bars:")


def test_long_answers_are_better_streamed() -> None:
    """As soon as a page cannot hold all of it."""
    (hint,) = told(source("segments", 50), rows=50, is_whole=False)
    assert hint.startswith("More than 50 rows: /v1/bars/stream")


def test_many_bars_for_a_few_are_told() -> None:
    """A month of minutes for one monthly bar; but not fifty for one, nor where nothing was found."""
    monthly = BarsQuery(symbols=("A",), timeframe="1mo")
    (hint,) = told(source("segments", 8_000), rows=1, query=monthly)
    assert hint.startswith("8,000 bars were read to make 1 of 1mo:")
    assert () == told(source("segments", 50), rows=1, query=monthly)
    assert () == told(source("segments", 8_000), rows=0, query=monthly)
