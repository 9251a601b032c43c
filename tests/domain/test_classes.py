"""What instruments are classified as on a day; every case is worked out by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from room_doubles import rows
from truetape.domain.classes import CLASSIFIED, classified, members, revision_on, structure_on
from truetape.domain.taxonomies import structure

FIRST, SECOND = date(2018, 9, 29), date(2023, 3, 18)
OLD = {"45": "Technology", "4510": "Software & Services", "451020": "IT Services", "45102020": "Data Processing"}
NEW = {"45": "Technology", "4510": "Software", "20": "Industrials", "2020": "Services", "202020": "Professional"}
NEW |= {"20202030": "Data Processing", "40": "Financials", "4020": "Payments"}
SICS = {"73": "Business services", "737": "Programming", "7372": "Prepackaged software", "60": "Banks"}


def nodes(taxonomy: str, revision: date, classes: dict[str, str]) -> pl.DataFrame:
    found = structure(pl.DataFrame({"code": list(classes), "name": list(classes.values())}))
    given = {name: found[name].to_list() for name in found.columns}
    return rows("class_nodes", taxonomy=taxonomy, revision=revision, **given)


NODES = pl.concat([nodes("gics", FIRST, OLD), nodes("gics", SECOND, NEW), nodes("sic", date(1987, 1, 1), SICS)])
NO_WAYS = rows("class_mappings", taxonomy=[""]).clear()


def assigned(*given: tuple[str, str, date | None, str], taxonomy: str = "gics") -> pl.DataFrame:
    """Assignments: (instrument, source, since, code)."""
    who, source, since, code = map(list, zip(*given, strict=True))
    about = {"instrument_id": who, "source": source, "valid_from": since, "code": code}
    return rows("class_assignments", taxonomy=taxonomy, **about)


def way(code: str, to: str, *, of: str = "gics", sure: float = 1.0, since: date | None = SECOND) -> pl.DataFrame:
    about = {"taxonomy": of, "code": [code], "to_taxonomy": "gics", "to_code": to}
    return rows("class_mappings", **about, valid_from=[since], confidence=sure)


def told(found: pl.DataFrame, *names: str) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in found.select("instrument_id", *names).iter_rows()}


def test_an_assignment_stands_until_the_next() -> None:
    """Before the first there is none; on the day of the second it is that one."""
    given = assigned(("a", "p", date(2019, 1, 1), "451020"), ("a", "p", date(2020, 1, 1), "45102020"))
    on = {
        day: classified(given, NODES, NO_WAYS, taxonomy="gics", on=day)
        for day in (date(2018, 12, 31), date(2019, 12, 31), date(2020, 1, 1))
    }
    assert [[], ["451020"], ["45102020"]] == [one["code"].to_list() for one in on.values()]
    last = on[date(2020, 1, 1)]
    assert CLASSIFIED == dict(last.schema)
    assert {"a": ("assigned", 1.0, "45,4510,451020,45102020", 4, FIRST)} == told(
        last, "status", "confidence", "codes", "level", "revision"
    )
    assert ["Technology > Software & Services > IT Services > Data Processing"] == last["names"].to_list()


def test_whose_word_counts() -> None:
    """The operator's before all, then the newest, then by name; a source may be asked for; "" takes a class away."""
    day = date(2020, 1, 1)
    given = assigned(
        ("a", "operator", None, "45"),
        ("a", "p", day, "4510"),
        ("b", "p", date(2019, 1, 1), "45"),
        ("b", "q", day, "4510"),
        ("c", "q", day, "45"),
        ("c", "p", day, "4510"),
        ("d", "operator", day, ""),
        ("d", "p", day, "45"),
    )
    found = classified(given, NODES, NO_WAYS, taxonomy="gics", on=day)
    assert {"a": ("45", "operator"), "b": ("4510", "q"), "c": ("4510", "p")} == told(found, "code", "source")
    only = classified(given, NODES, NO_WAYS, taxonomy="gics", on=day, source="p")
    assert {"a": ("4510",), "b": ("45",), "c": ("4510",), "d": ("45",)} == told(only, "code")


def test_a_code_that_a_revision_took_away() -> None:
    """It stays what it was before, is unmapped after, and mapped once a mapping is loaded; history is kept."""
    given = assigned(("a", "p", FIRST, "45102020"), ("b", "p", FIRST, "45"))
    before = classified(given, NODES, NO_WAYS, taxonomy="gics", on=date(2023, 3, 17))
    after = classified(given, NODES, NO_WAYS, taxonomy="gics", on=SECOND)
    mapped = classified(given, NODES, way("45102020", "20202030", sure=0.8), taxonomy="gics", on=SECOND)
    assert ("45102020", "assigned") == told(before, "code", "status")["a"]
    assert (None, "unmapped", None, "45102020") == told(after, "code", "status", "confidence", "assigned")["a"]
    assert ("20202030", "mapped", 0.8, "45102020") == told(mapped, "code", "status", "confidence", "assigned")["a"]
    assert {("45", "assigned")} == {told(one, "code", "status")["b"] for one in (before, after, mapped)}


def test_a_mapping_that_does_not_decide_is_not_followed() -> None:
    """Two equally sure ways are none; a surer one is; one that begins later or leads nowhere known is not."""
    given = assigned(("a", "p", FIRST, "45102020"))
    two = pl.concat([way("45102020", "20202030", sure=0.5), way("45102020", "4020", sure=0.5)])
    surer = pl.concat([two, way("45102020", "45", sure=0.6)])
    later = way("45102020", "45", since=date(2023, 3, 19))
    nowhere = way("45102020", "99")
    chain = pl.concat([way("45102020", "99", sure=0.5), way("99", "4020", sure=0.5)])
    newest = pl.concat([way("45102020", "45", since=None), way("45102020", "4020", sure=0.3)])
    found = [
        told(classified(given, NODES, one, taxonomy="gics", on=SECOND), "code", "confidence")["a"]
        for one in (two, surer, later, nowhere, chain, newest)
    ]
    assert [(None, None), ("45", 0.6), (None, None), (None, None), ("4020", 0.25), ("4020", 0.3)] == found


def test_a_class_may_be_derived_from_another_taxonomy() -> None:
    """By the mapping of the code or of the nearest above it, the surest taxonomy first; what is assigned stands."""
    ways = pl.concat(
        [
            way("73", "20", of="sic", sure=0.4, since=None),
            way("7372", "4510", of="sic", sure=0.9, since=None),
            way("60", "99", of="sic", since=None),
            way("x", "40", of="naics", sure=0.95, since=None),
        ]
    )
    given = pl.concat(
        [
            assigned(("a", "sec", None, "7372"), ("b", "sec", None, "737"), ("c", "sec", None, "60"), taxonomy="sic"),
            assigned(("a", "census", None, "x"), ("d", "census", None, "y"), taxonomy="naics"),
            assigned(("e", "p", None, "45")),
            assigned(("e", "sec", None, "7372"), taxonomy="sic"),
        ]
    )
    found = classified(given, NODES, ways, taxonomy="gics", on=SECOND)
    assert {
        "a": ("40", "derived", 0.95, "x", "naics"),
        "b": ("20", "derived", 0.4, "737", "sic"),
        "e": ("45", "assigned", 1.0, "45", "gics"),
    } == told(found, "code", "status", "confidence", "assigned", "assigned_in")


def test_members_are_those_within() -> None:
    """A sector has all that is in its sub-industries; a code that only begins alike has not."""
    given = assigned(("a", "p", FIRST, "45102020"), ("b", "p", FIRST, "45"), ("c", "p", FIRST, "99"))
    found = classified(given, NODES, NO_WAYS, taxonomy="gics", on=FIRST)
    assert [["a", "b"], ["a"], []] == [members(found, code)["instrument_id"].to_list() for code in ("45", "4510", "4")]


def test_before_the_first_revision_nothing_is_in_force() -> None:
    """Codes are unmapped where no structure is known."""
    day = date(2018, 9, 28)
    found = classified(assigned(("a", "p", None, "45")), NODES, NO_WAYS, taxonomy="gics", on=day)
    assert {"a": (None, "unmapped", None)} == told(found, "code", "status", "revision")
    assert (None, SECOND) == tuple(revision_on(NODES, taxonomy="gics", on=one) for one in (day, SECOND))
    assert (0, 4, 8) == tuple(len(structure_on(NODES, taxonomy="gics", on=one)) for one in (day, FIRST, SECOND))
