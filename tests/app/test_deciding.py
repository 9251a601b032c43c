"""Decisions about quarantined claims: what they change, what they leave alone, and that none is ever lost."""

from __future__ import annotations

import asyncio
import shutil
from datetime import date
from pathlib import Path

import msgspec
import polars as pl
import pytest

import quarantined_market
from quarantined_market import changed, contents, decided, listed, ruling, table
from room_doubles import rows
from small_platform import DAYS, declared_settings
from truetape.adapters.data_folder import ARCHIVE, read_owner
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.system_clock import SystemClock
from truetape.app import library
from truetape.app.deciding import decision, subject_of
from truetape.app.desk import decide, settings_of
from truetape.app.library_remote import RemoteSource
from truetape.app.run import Platform, replay, up
from truetape.app.settings import ProviderSettings
from truetape.domain.errors import BadInput, UnknownTarget, WrongFolder
from truetape.domain.messages import DecisionMade
from truetape.services.api.answers import Answers
from truetape.services.api.cases import Cases, ClaimCase
from truetape.services.api.query import DocketQuery
from truetape.services.api.reading import reading_now
from truetape.services.api.shelf import Shelf

PRICES = ("open", "high", "low", "close", "volume")
TRUE = {"open": 20.0, "high": 21.0, "low": 19.0, "close": 20.5, "volume": 7.0}


@pytest.fixture(scope="module")
def acquired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quarantined_market.acquired(tmp_path_factory.mktemp("acquired"))


@pytest.fixture
def data(acquired: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(acquired, tmp_path / "data"))


async def test_an_accepted_claim_is_golden(data: Path) -> None:
    """Whatever the others say, in that row only; they dissent."""
    (claim, _) = listed(data, reason="hundredfold")
    row = (await changed(data, (claim, ruling("accept")))).row(0, named=True)

    with library.open(data) as session:
        case = session.case(claim)
    assert isinstance(case, ClaimCase)
    assert {name: case.claim[name] for name in PRICES} == {name: row[name] for name in PRICES}
    assert ("operator", "operator", 2, "alpha_vantage,finnhub,iex_cloud") == tuple(
        row[name] for name in ("provider", "method", "version", "dissented")
    )
    assert ("accepted", "ann") == (case.claim["state"], case.claim["decided_by"])
    assert [("accept", 1)] == [(one["action"], one["changed"]) for one in case.decisions]


async def test_a_stale_claim_is_accepted_too(data: Path) -> None:
    """A rule that it broke does not keep it out any more."""
    claim = listed(data, reason="stale")[2]

    assert ["operator"] == (await changed(data, (claim, ruling("accept"))))["method"].to_list()


async def test_a_corrected_claim_is_golden_as_corrected(data: Path) -> None:
    """With the operator as its source, and the decision as its payload."""
    (claim, _) = listed(data, reason="hundredfold")
    rows = await changed(data, (claim, ruling("correct", values=TRUE)))

    assert [TRUE] == rows.select(PRICES).to_dicts()
    assert rows["payload"].to_list() == (await table(data, "decisions"))["decision_id"].to_list()


async def test_a_rejected_claim_stays_out(data: Path) -> None:
    """It was outvoted already: the row says the same, without its dissent."""
    (claim, _) = listed(data, reason="hundredfold")
    rows = await changed(data, (claim, ruling("reject")))

    assert [("consensus", 1.0, "", 2)] == rows.select("method", "score", "dissented", "version").rows()


async def test_the_later_decision_wins_and_the_audit_shows_both(data: Path) -> None:
    """Two people about one bar: the last word counts, each is kept with what it changed."""
    (claim, _) = listed(data, reason="hundredfold")
    rows = await changed(data, (claim, ruling("accept")), (claim, ruling("correct", values=TRUE, actor="bob")))

    assert [20.5] == rows["close"].to_list()
    audit = (await table(data, "decisions")).sort("ts_known")
    closes = [
        tuple(msgspec.json.decode(told)[0]["close"] for told in pair)
        for pair in audit.select("before", "after").iter_rows()
    ]
    golden = (await table(data, "bars", history=True)).filter(pl.col("ts_event") == rows["ts_event"][0])
    versions = golden.filter(pl.col("instrument_id") == rows["instrument_id"][0]).sort("version")["close"].to_list()
    assert [("accept", "ann", 1), ("correct", "bob", 1)] == audit.select("action", "actor", "changed").rows()
    assert [(versions[0], versions[1]), (versions[1], 20.5)] == closes


async def test_a_decision_is_undone(data: Path) -> None:
    """The values before it come again, as a new version: nothing of what was decided is erased."""
    (claim, _) = listed(data, reason="hundredfold")

    assert (await changed(data, (claim, ruling("accept")), (claim, ruling("undo")))).is_empty()
    versions = (await table(data, "bars", history=True)).filter(pl.col("version") > 1)
    assert [2, 3] == versions["version"].sort().to_list()
    with library.open(data) as session:
        assert ["open", "open"] == session.quarantine(reason="hundredfold")["state"].to_list()
        assert 2 == len(session.explain("BBB", session.quarantine(reason="hundredfold")["ts_event"][1]).decisions)
        assert "to undo (ann, " in str(session.explain("BBB", session.quarantine(reason="hundredfold")["ts_event"][1]))


async def test_a_replay_makes_the_same_decisions(data: Path, tmp_path: Path) -> None:
    """Every table comes out the same, versions and times included."""
    first, second = listed(data, reason="hundredfold")
    stale = listed(data, reason="stale")
    history = [
        (first, ruling("accept")),
        (second, ruling("correct", values=TRUE)),
        (stale[0], ruling("reject")),
        (first, ruling("undo")),
        (stale[1], ruling("accept")),
        (second, ruling("reject")),
    ]
    await decided(data, *history)

    await replay(data, tmp_path / "again")

    assert await contents(data) == await contents(tmp_path / "again")


async def test_a_decision_survives_a_crash_before_it_acted(data: Path, tmp_path: Path) -> None:
    """It stands in the journal: the next process acts on it, once, and a replay agrees."""
    (claim, other) = listed(data, reason="hundredfold")
    async with Platform(settings_of(data), command="test") as platform:
        parts = platform.parts
        subject = await subject_of(parts.store, parts.clock, claim, ruling("accept"))
        made = decision(subject, ruling("accept"), ts_known=parts.clock.now_ns(), simulated=True)
        parts.archive.record(made)

    await decide(data, other, ruling("reject"))
    await replay(data, tmp_path / "again")

    assert [made.decision_id] == (await table(data, "decisions")).filter(pl.col("target") == claim)[
        "decision_id"
    ].to_list()
    assert 1 == (await table(data, "bars"))["method"].to_list().count("operator")
    assert await contents(data) == await contents(tmp_path / "again")


async def test_a_running_platform_decides(data: Path) -> None:
    """The command line asks it over its API."""
    settings = msgspec.structs.replace(
        declared_settings(data, sandbox_url="http://127.0.0.1:9"), data=data, end=DAYS[-1]
    )
    (claim, _) = listed(data, reason="hundredfold")
    running = asyncio.create_task(up(settings))
    try:
        async with asyncio.timeout(30):
            while not ((owner := read_owner(data)) and owner.address):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            pages = RemoteSource(owner.address, page_rows=3)
            assert 7 == len(await asyncio.to_thread(pages.table, "quarantine", {}))
            assert 2 == len(await asyncio.to_thread(pages.table, "repairs", {"symbols": "BBB"}))
            pages.close()
            taken = await decide(data, claim, ruling("accept"))
            with pytest.raises(UnknownTarget, match="'qua_x_y'"):
                await decide(data, "qua_x_y", ruling("accept"))
            with pytest.raises(BadInput, match="Write one of apply, undo, reject"):
                await decide(data, "rep_x_y", ruling("accept"))
            while (await asyncio.to_thread(_state, data, claim)) != "accepted":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    archive = FileArchive(data / ARCHIVE, read_only=True)
    journalled = [one for one in archive.journal() if isinstance(one, DecisionMade)]
    assert [(taken.decision_id, "ann")] == [(one.decision_id, one.actor) for one in journalled]


def _state(data: Path, claim: str) -> str:
    with library.open(data) as session:
        case = session.case(claim)
    assert isinstance(case, ClaimCase)
    return str(case.claim["state"])


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    """Nothing is made there."""
    with pytest.raises(WrongFolder, match="it is no data folder"):
        asyncio.run(decide(tmp_path, "qua_x_y", ruling("accept")))

    assert [] == list(tmp_path.iterdir())


async def test_a_key_that_somebody_pastes_is_not_kept(data: Path) -> None:
    """A reason is kept for ever; a provider's key is not."""
    (claim, _) = listed(data, reason="hundredfold")
    settings = msgspec.structs.replace(
        settings_of(data), providers={"tiingo": ProviderSettings(key="k3yK3yk3yK3y", key_variable="TIINGO_API_KEY")}
    )
    async with Platform(settings, command="test") as platform:
        made = await platform.decide(claim, ruling("reject", why="seen at https://x/?token=k3yK3yk3yK3y"))

    assert "seen at https://x/?token=***" == made.why
    assert b"k3yK3yk3yK3y" not in b"".join(one.read_bytes() for one in (data / ARCHIVE).rglob("*") if one.is_file())


async def test_a_row_that_only_an_operator_made_cannot_be_taken_away(tmp_path: Path) -> None:
    """No claim could take its place, and rows are never erased: it can be corrected."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    day, target = date(2024, 6, 3), "ins_a"
    about = {"instrument_id": target, "timeframe": "1d", "ts_event": [day], "close": 5.0, "ts_known": day}
    await store.commit({"quarantine": rows("quarantine", provider="a", payload="p", reason="no_close", **about)})
    reading = reading_now(store, SystemClock())
    cases = Cases(reading, Answers(reading, Shelf()))
    claim = (await cases.claims(DocketQuery())).frame["id"][0]
    decided_so = rows("decisions", decision_id=["d"], target=claim, action="accept", instrument_id=target, ts_known=day)
    await store.commit({"decisions": decided_so, "bars": rows("bars", method="operator", provider="operator", **about)})

    for action in ("undo", "reject"):
        with pytest.raises(BadInput, match="No provider's claim could take its place"):
            await subject_of(store, SystemClock(), claim, ruling(action))
    assert claim == (await subject_of(store, SystemClock(), claim, ruling("accept"))).target
    await store.close()


def test_where_nothing_runs_the_settings_file_says_how_to_judge(data: Path, tmp_path: Path) -> None:
    """If it is about the same folder; nobody is asked anything, and what was heard stays readable."""
    file, listed_there = (
        tmp_path / "truetape.toml",
        '[[instruments]]\nsymbol = "AAA"\nmic = "XNAS"\n[providers.stooq]\n',
    )
    judged = '[quality.consensus]\nquorum = 2\n[quality.repair]\ndefault = "never"\n'
    file.write_text(f'data = "data"\nstart = 2012-01-02\n{listed_there}{judged}')
    other = tmp_path / "other.toml"
    other.write_text(f'data = "elsewhere"\nstart = 2012-01-02\n{listed_there}{judged}')
    plain = settings_of(data)
    own = settings_of(data, file=file)

    assert (2, "never", {*plain.providers, "stooq"}) == (
        own.consensus.quorum,
        own.repairing.default,
        set(own.providers),
    )
    assert plain == settings_of(data, file=other) == settings_of(data, file=tmp_path / "none.toml")
    other.write_text("data = 7")
    with pytest.raises(BadInput, match="other"):
        settings_of(data, file=other)
