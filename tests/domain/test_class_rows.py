"""Files of classifications become rows where they are certain; what is not is told with its row."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.class_rows import Master, assignment_rows, mapping_rows, structure_rows, taxonomy_named
from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES, empty

FIRST, SECOND = date(2018, 9, 29), date(2023, 3, 18)


def table(**columns: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def nodes(revision: date, **classes: str) -> pl.DataFrame:
    told = table(code=[code.strip("_") for code in classes], name=list(classes.values()))
    found = structure_rows(told, taxonomy="gics", revision=revision, payload="file")
    return rows("class_nodes", **{name: found[name].to_list() for name in found.columns})


MASTER = Master(
    listings=pl.concat(
        [
            rows(
                "listings", instrument_id=["ins_a", "ins_goog", "ins_googl"], symbol=["A", "GOOG", "GOOGL"], mic="XNAS"
            ),
            rows("listings", instrument_id=["ins_v_us", "ins_v_uk"], symbol="V", mic=["XNYS", "XLON"]),
        ]
    ),
    identifiers=pl.concat(
        [
            rows("identifiers", instrument_id=["ins_goog", "ins_googl"], scheme="cik", value="0001652044"),
            rows(
                "identifiers", instrument_id=["ins_a"], scheme="isin", value="US00846U1016", valid_to=[date(2030, 1, 1)]
            ),
            rows("identifiers", instrument_id=["ins_v_us", "ins_v_uk"], scheme="figi", value="BBG000BLNNH6"),
        ]
    ),
    class_nodes=pl.concat(
        [nodes(FIRST, _45="Technology", _4510="Data", _40="Money", _4010="Data"), nodes(SECOND, _45="Technology")]
    ),
)


def assigned(
    *, since: date | None = FIRST, **columns: list[str | None]
) -> tuple[list[tuple[Any, ...]], dict[int, str]]:
    about = {"taxonomy": "gics", "source": "operator", "payload": "file"}
    found = assignment_rows(table(**columns), MASTER, since=since, **about)
    assert [
        name for name in TABLES["class_assignments"].columns if name not in {"version", "ts_known", "simulated"}
    ] == (found.rows.columns)
    told = found.rows.select("instrument_id", "code", "valid_from").rows()
    return told, dict(found.left.select("row", "why").iter_rows())


def test_a_structure_is_read_under_any_header() -> None:
    """GICS Code and Title will do; blank lines are none; the revision and the file stand in every row."""
    told = pl.DataFrame({"GICS Code": ["45", None, "4510"], "Title": ["Technology", None, "Software"]})
    told = told.with_columns(description=pl.lit("of two columns that mean the same the first counts"))
    found = structure_rows(told, taxonomy="gics", revision=FIRST, payload="file")
    assert [
        ("gics", FIRST, "45", "", 1, "Technology", "file"),
        ("gics", FIRST, "4510", "45", 2, "Software", "file"),
    ] == (found.rows())
    with pytest.raises(BadInput, match="Add the column name"):
        structure_rows(table(code=["1"]), taxonomy="gics", revision=FIRST, payload="")
    with pytest.raises(BadInput, match="It names no class"):
        structure_rows(table(code=[None], name=[None]), taxonomy="gics", revision=FIRST, payload="")


def test_mappings_are_sure_unless_they_say_otherwise() -> None:
    """Confidence is one where nothing is said; the date of the row goes before that of the file."""
    told = table(sic=["7372", "7373"], to=["4510", "45"], weight=[None, "0.5"], date=[None, "2020-01-01"])
    found = mapping_rows(told, taxonomy="sic", to="gics", since=None, payload="file")
    names = ("taxonomy", "code", "to_taxonomy", "to_code", "valid_from", "confidence")
    assert [
        ("sic", "7372", "gics", "4510", None, 1.0),
        ("sic", "7373", "gics", "45", date(2020, 1, 1), 0.5),
    ] == found.select(names).rows()
    plain = mapping_rows(table(code=["1"], to_code=["2"]), taxonomy="a", to="a", since=SECOND, payload="")
    assert [(SECOND, 1.0)] == plain.select("valid_from", "confidence").rows()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"code": ["1"]}, "Add the column to_code"),
        ({"code": ["1"], "to_code": [" "]}, "code in row 1 was ''"),
        ({"code": ["1"], "to_code": ["2"], "confidence": ["2"]}, "confidence in row 1 was '2'"),
        ({"code": ["1"], "to_code": ["2"], "confidence": ["much"]}, "Write 0 to 1"),
        ({"code": ["1"], "to_code": ["2"], "from": ["March"]}, "valid_from in row 1 was 'March'"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(columns: dict[str, list[str | None]], words: str) -> None:
    """The row and the value are told."""
    with pytest.raises(BadInput, match=words):
        mapping_rows(table(**columns), taxonomy="a", to="b", since=None, payload="")


def test_instruments_are_found_by_what_names_them() -> None:
    """By symbol, with its venue, by identifiers; a CIK means all of the issuer, unless the symbol is known."""
    told, left = assigned(
        symbol=["A", "V", "V", None, None, None, "GOOG", None],
        mic=[None, None, "XLON", None, None, None, None, None],
        isin=[None, None, None, "US00846U1016", None, "US0000000000", None, None],
        cik=[None, None, None, None, "1652044", None, "1652044", None],
        figi=[None, None, None, None, None, None, None, "BBG000BLNNH6"],
        code=["45"] * 8,
    )
    assert ["ins_a", "ins_goog", "ins_googl", "ins_v_uk"] == sorted(one for one, _, _ in told)
    assert {
        2: "several instruments may be meant; name one by its id, or add mic",
        6: "no instrument was listed under it then",
        8: "several instruments may be meant; name one by its id, or add mic",
    } == left


def test_an_id_names_itself() -> None:
    """Only one that is known; the last of two rows about one instrument and day counts."""
    told, left = assigned(instrument_id=["ins_a", "ins_a", "ins_z"], code=["45", "4510", "45"])
    assert [("ins_a", "4510", FIRST)] == told
    assert {3: "no instrument was listed under it then"} == left


def test_codes_are_those_of_the_revision_of_the_day() -> None:
    """What the later revision does not have is told; "" takes a class away; without a date the newest counts."""
    told, left = assigned(
        symbol=["A"] * 4, code=["4510", "4510", "", "45"], date=["2018-09-29", "2023-03-18", "2024-01-01", "2001-01-01"]
    )
    assert [("ins_a", "4510", FIRST), ("ins_a", "", date(2024, 1, 1))] == told
    assert {2: "gics on 2023-03-18 has no such code", 4: "no structure of gics on 2001-01-01 is loaded"} == left
    assert ([("ins_a", "45", None)], {}) == assigned(since=None, symbol=["A"], code=["45"])


def test_names_are_those_of_the_revision_of_the_day() -> None:
    """A name within its sector is certain, one in two sectors is not; levels may be numbered."""
    told, left = assigned(
        symbol=["A"] * 4, sector=["technology", None, "Energy", None], industry_group=["Data", "Data", None, None]
    )
    assert [("ins_a", "4510", FIRST)] == told
    assert {
        2: "several classes of gics on 2018-09-29 have this name",
        3: "gics on 2018-09-29 has no class of this name",
        4: "it names no class",
    } == left
    assert [("ins_a", "45", FIRST)] == assigned(symbol=["A"], level_1=["Technology"])[0]
    assert ([], {1: "no structure of gics on 2001-01-01 is loaded"}) == assigned(
        since=date(2001, 1, 1), symbol=["A"], sector=["Technology"]
    )


def test_a_file_that_names_neither_is_refused() -> None:
    """Somebody learns which column is missing; no rows are no fault."""
    with pytest.raises(BadInput, match="Add the column code"):
        assigned(symbol=["A"])
    with pytest.raises(BadInput, match="Add the column symbol"):
        assigned(code=["45"])
    assert ([], {}) == assigned(symbol=[], code=[])


@pytest.mark.parametrize("name", ["", "9lives", "a b", "x" * 33])
def test_names_of_taxonomies(name: str) -> None:
    """Letters, digits, dashes and underscores; capitals are small letters."""
    with pytest.raises(BadInput, match="taxonomy was"):
        taxonomy_named(name)
    assert taxonomy_named(" GICS ") == "gics"


def test_the_published_lists(recordings: Path) -> None:
    """All 503 members of one list are assigned in 2023's structure, by name; of the other 170 in 2018's."""
    import json

    told = json.loads((recordings / "reference" / "gics_20230318.json").read_text())
    new = nodes(SECOND, **{f"_{code}": one["name"] for code, one in told.items()})
    listed = pl.read_csv(recordings / "index_membership" / "sp500_current.csv", infer_schema=False)
    symbols = listed["Symbol"].to_list()
    names = rows("listings", instrument_id=[f"ins_{one}" for one in symbols], symbol=symbols, mic="XNYS")
    master = Master(names, empty(TABLES["identifiers"].columns), new)
    about = {"taxonomy": "gics", "source": "operator", "payload": "file"}
    found = assignment_rows(listed, master, since=date(2025, 1, 1), **about)
    assert (503, 0) == (len(found.rows), len(found.left))
    assert ["45301020"] == found.rows.filter(instrument_id="ins_NVDA")["code"].to_list()
