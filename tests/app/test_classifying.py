"""Classifications are loaded into a data folder, answered as of any day, and told again by a replay."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from room_doubles import rows
from small_platform import declared_settings
from truetape.app import library
from truetape.app.class_files import Rows, read_rows
from truetape.app.classifying import classify, classify_here, retell
from truetape.app.cli.commands import app
from truetape.app.desk import settings_of
from truetape.app.run import Platform, replay
from truetape.domain.errors import BadInput
from truetape.domain.identity import instrument_id
from truetape.services.api.class_endpoints import LARGEST_BODY, NewClasses, read_classes

OLD = [{"code": "45", "name": "Technology"}, {"code": "4510", "name": "Data Processing"}]
NEW = [*OLD[:1], {"code": "20", "name": "Industrials"}, {"code": "2020", "name": "Data Processing"}]


BBB = instrument_id(mic="XNAS", symbol="BBB", valid_from=None)
CIK = rows("identifiers", instrument_id=[BBB], scheme="cik", value="0000000001", source="sec", simulated=True)
SAID = rows(
    "issuer_claims",
    number=[0, 1, 2],
    provider="sec",
    cik=["0000000001", "0000000001", "0000000002"],
    sic=["7372", "7372", "7372"],
    payload="f",
    ts_known=[date(2024, 5, 1), date(2024, 6, 1), date(2024, 5, 1)],
    simulated=True,
)


def told(*arguments: str, code: int = 0) -> str:
    """What the command line says."""
    done = CliRunner().invoke(app, ["classify", *arguments])
    assert code == done.exit_code, done.output
    return done.output


async def _declared(data: Path) -> None:
    """Make a data folder that knows of AAA and BBB and has asked nobody."""
    async with Platform(declared_settings(data, sandbox_url="http://127.0.0.1:9"), command="truetape up") as platform:
        await platform.recover()
        await platform.declare()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two revisions, and AAA assigned a code that the second does not have."""
    place = tmp_path_factory.mktemp("classes")
    asyncio.run(_declared(place / "data"))
    (place / "old.json").write_text(json.dumps({one["code"]: {"name": one["name"]} for one in OLD}))
    (place / "new.json").write_text(json.dumps(NEW))
    (place / "given.csv").write_text(
        "ticker,sector,industry group\nAAA,Technology,Data processing\nBBB,Technology,\nZZZ,Technology,\n"
    )
    where = ("--data", str(place / "data"))
    assert "Loaded 2 classes of gics." in told(
        "load", "gics", str(place / "old.json"), "--revision", "2018-09-29", *where
    )
    told("load", "gics", str(place / "new.json"), "--revision", "2023-03-18", *where)
    words = told("assign", "gics", str(place / "given.csv"), "--from", "2020-01-01", *where, code=1)
    assert "Row 3 (ZZZ): no instrument was listed under it then." in words
    assert "Instruments whose code is in force no more: 1." in words
    return place / "data"


def test_sectors_as_of_a_day(folder: Path) -> None:
    """Before the revision AAA is within technology; after it, it is unmapped and BBB is there alone."""
    with library.open(folder) as session:
        before = session.classifications("gics", within="technology", on="2023-03-17")
        after = session.classifications("gics", on="2023-03-18")
        one = session.classifications("gics", symbols="AAA", state="unmapped", source="operator")
        assert [("AAA", "4510"), ("BBB", "45")] == sorted(before.select("symbol", "code").rows())
        assert [("AAA", None, "unmapped"), ("BBB", "45", "assigned")] == sorted(
            after.select("symbol", "code", "status").rows()
        )
        assert ["AAA"] == one["symbol"].to_list()
        assert 0 == len(session.classifications("gics", symbols="AAA", on="2019-12-31"))
        listed = [
            session.instruments(within="gics:45")["symbol"].to_list(),
            session.instruments("AAA", within="gics:technology")["symbol"].to_list(),
            session.instruments("BBB", q="b", within="gics:45")["symbol"].to_list(),
        ]
        assert [["BBB"], [], ["BBB"]] == listed
        with pytest.raises(BadInput, match="such as gics:45"):
            session.instruments(within="45")
        assert [("gics", 2, 2), ("gics", 3, 2)] == session.taxonomy().select("taxonomy", "classes", "levels").rows()
        assert ["45", "4510"] == session.taxonomy("gics", on="2020-01-01")["code"].to_list()
        assert [("came", "20"), ("came", "2020"), ("went", "4510")] == session.taxonomy_changes("gics").select(
            "change", "code"
        ).rows()


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"taxonomy": "icb"}, "taxonomy was 'icb'. Known are gics."),
        ({"taxonomy": "gics", "as_of": "2020-01-01"}, "Known are none yet"),
        ({"taxonomy": "gics", "within": "Energy"}, "No class of that day has this code or name"),
        ({"taxonomy": "gics", "within": "x" * 101}, "Write at most 100 characters"),
    ],
)
def test_what_cannot_be_answered(folder: Path, question: dict[str, str], words: str) -> None:
    """Each error tells what there is."""
    with library.open(folder) as session, pytest.raises(BadInput, match=words):
        session.classifications(**question)


def test_a_name_of_two_classes_is_not_guessed(folder: Path) -> None:
    """Two classes that lie side by side are told with their codes; one within the other means the outer."""
    where = ("--data", str(folder))
    twins = folder.parent / "twins.csv"
    twins.write_text("code,name\n1,Goods\n11,Goods\n2,Services\n12,Misc\n22,Misc\n")
    told("load", "own", str(twins), "--revision", "2020-01-01", *where)
    assert "Several classes have this name; write the code: 12 (level 2), 22 (level 2)" in told(
        "members", "own", "misc", *where, code=2
    )
    assert "0 rows." in told("members", "own", "Goods", *where)
    assert "It takes two revisions in force by then; known are 2020-01-01" in told("diff", "own", *where, code=2)


def test_the_command_line_shows_a_person_what_matters(folder: Path) -> None:
    """The top and the name of the class; what was assigned where it is another."""
    where = ("--data", str(folder))
    shown = told("show", "gics", "--on", "2023-03-17", *where)
    assert "Technology" in shown
    assert "assigned" in shown
    assert "4510" in told("show", "gics", *where)
    assert "2018-09-29" in told("tree", *where)
    found = json.loads(told("show", "gics", "BBB", "--json", *where))
    assert ["45"] == [one["codes"] for one in found]
    assert "one of the two" in told("assign", "sic", *where, code=2)
    given = folder.parent / "given.csv"
    told_json = json.loads(told("assign", "gics", str(given), "--from", "2020-01-01", "--json", *where, code=1))
    assert (2, 1, 1) == (told_json["rows"], told_json["left_out"], told_json["unmapped"])


async def test_a_running_platform_takes_files_and_a_replay_tells_them_again(folder: Path, tmp_path: Path) -> None:
    """A mapping that goes over HTTP leads AAA on, and a copy of the journal says the same of every day."""
    settings = settings_of(folder)
    async with Platform(settings, command="truetape up") as platform:
        await platform.serve()
        await platform.recover()
        ways: Rows = ({"code": "4510", "to_code": "2020", "confidence": "0.8"},)
        made = await classify(folder, "gics", NewClasses(what="mappings", rows=ways, since="2023-03-18"))
        assert (1, 0) == (made.rows, made.unmapped)
        await retell(platform)
        with pytest.raises(BadInput, match="--revision 2023-03-18"):
            await classify_here(platform, "own", NewClasses(what="structure", rows=()))
        own = NewClasses(what="mappings", rows=ways, to="gics")
        assert "sic" == (await classify_here(platform, "SIC", own)).taxonomy
        await platform.parts.store.commit({"identifiers": CIK, "issuer_claims": SAID})
        named: Rows = ({"code": "73", "name": "Services"}, {"code": "7372", "name": "Software"})
        await classify_here(platform, "sic", NewClasses(what="structure", rows=named, since="1987-01-01"))
        claimed = await classify_here(platform, "sic", NewClasses(what="claims"))
        assert (1, 1, "no instrument was listed under it then") == (claimed.rows, claimed.left_out, claimed.left[0].why)
        with pytest.raises(BadInput, match="Registers tell codes of sic alone"):
            await classify_here(platform, "gics", NewClasses(what="claims"))
    await replay(folder, tmp_path / "again")

    with library.open(folder) as here:
        assert [("BBB", "7372", "sec", date(2024, 5, 1))] == here.classifications("sic").select(
            "symbol", "code", "source", "valid_from"
        ).rows()
    with library.open(folder) as here, library.open(tmp_path / "again") as there:
        asked = [one.classifications("gics") for one in (here, there)]
        assert ("2020", "mapped", 0.8) == asked[0].filter(symbol="AAA").select("code", "status", "confidence").row(0)
        assert asked[0].equals(asked[1])


def test_rows_of_files(tmp_path: Path) -> None:
    """JSON of codes with names, of codes with objects, or of objects; what is none is told."""
    file = tmp_path / "classes.json"
    file.write_text('{"10": "Energy", "20": {"name": "Industry", "weight": 1}}')
    assert ({"code": "10", "name": "Energy"}, {"code": "20", "name": "Industry", "weight": "1"}) == read_rows(str(file))
    file.write_text('[{"code": "10", "name": null}]')
    assert ({"code": "10", "name": None},) == read_rows(str(file))
    for text in ("7", "[1]", "{"):
        file.write_text(text)
        with pytest.raises(BadInput, match="Write a list of objects"):
            read_rows(str(file))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Send JSON such as"),
        (b'{"what": "all", "rows": []}', "Send JSON such as"),
        (b'{"what": "mappings", "rows": [], "actor": ""}', "actor was ''"),
        (b'{"what": "mappings", "rows": [], "source": "%s"}' % (b"x" * 500), "source was"),
    ],
)
def test_what_is_no_file_is_refused(body: bytes, words: str) -> None:
    """The form is told."""
    with pytest.raises(BadInput, match=words):
        read_classes(body)
    assert LARGEST_BODY > len(body)
