"""Repairs of the kept series: proposed, applied, undone and rejected, by people and by policy."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec
import polars as pl
import pytest

import quarantined_market
from quarantined_market import changed, contents, decided, ruling, table
from truetape.app import library
from truetape.app.deciding import Subject, decision
from truetape.app.desk import settings_of
from truetape.app.repair_policies import Repairing, keep_repairing, repairing, settle_by_policy
from truetape.app.run import Platform, replay
from truetape.domain.errors import BadInput
from truetape.domain.messages import Edit, InstrumentsDeclared
from truetape.domain.time import day_start_ns
from truetape.ports.store import Selection
from truetape.services.api.cases import RepairCase


@pytest.fixture(scope="module")
def acquired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quarantined_market.acquired(tmp_path_factory.mktemp("acquired"))


@pytest.fixture
def data(acquired: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(acquired, tmp_path / "data"))


def repairs(data: Path) -> pl.DataFrame:
    with library.open(data) as session:
        return session.repairs().sort("start")


def test_a_series_far_from_the_others_is_searched(data: Path) -> None:
    """Each fault is one proposal, with every value before and after; a feed that stands still is none."""
    found = repairs(data)
    with library.open(data) as session:
        case = session.case(found["id"][0])
        claim = session.quarantine(reason="hundredfold").sort("ts_event").row(0, named=True)

    columns = ("symbol", "provider", "kind", "rows", "state", "start")
    assert [("BBB", "yahoo", "unit_flip", 1, "proposed")] * 2 == found.select(columns[:-1]).rows()
    assert claim["ts_event"].date() == found["start"][0]
    assert isinstance(case, RepairCase)
    assert [(name, claim[name], round(claim[name] / 100, 2)) for name in ("open", "high", "low", "close")] == [
        (edit["column"], edit["before"], edit["after"]) for edit in case.edits
    ]


async def test_an_applied_repair_gives_the_claim_its_vote_back(data: Path) -> None:
    """Everybody agrees on that row then, and on that row only; who decided stands in the repair."""
    rows = await changed(data, (repairs(data)["id"][0], ruling("apply")))

    assert [("alpha_vantage,finnhub,iex_cloud,yahoo", 1.0, 2)] == rows.select("agreed", "score", "version").rows()
    assert [("applied", "ann"), ("proposed", "")] == repairs(data).select("state", "decided_by").rows()


async def test_undo_after_repair_is_the_identity(data: Path) -> None:
    """The golden values are what they were; both steps stay in the history."""
    target = repairs(data)["id"][1]

    assert (await changed(data, (target, ruling("apply")), (target, ruling("undo")))).is_empty()
    assert ["proposed", "undone"] == repairs(data)["state"].to_list()
    history = (await table(data, "repairs", history=True)).filter(pl.col("repair_id") == target).sort("version")
    assert ["proposed", "applied", "undone"] == history["state"].to_list()


async def test_a_repair_takes_only_what_its_state_allows(data: Path) -> None:
    """A rejected one can still be applied, an applied one only undone."""
    target = repairs(data)["id"][0]
    await decided(data, (target, ruling("reject")), (target, ruling("apply")))

    for action in ("apply", "reject"):
        with pytest.raises(BadInput, match="The repair is applied: it can take undo"):
            await decided(data, (target, ruling(action)))
    assert ["reject", "apply"] == (await table(data, "decisions")).sort("ts_known")["action"].to_list()


async def test_a_replay_repairs_the_same(data: Path, tmp_path: Path) -> None:
    """What was decided comes from the journal, not from settings: every table is the same again."""
    first, second = repairs(data)["id"]
    history = [(first, "apply"), (second, "apply"), (first, "undo"), (second, "undo"), (first, "apply")]
    await decided(data, *((target, ruling(action)) for target, action in history))

    await replay(data, tmp_path / "again")

    assert await contents(data) == await contents(tmp_path / "again")


async def test_what_is_never_repaired_cannot_be(data: Path) -> None:
    """The settings stand in the journal, so that they hold where nothing runs too; rejecting is always possible."""
    async with Platform(settings_of(data), command="test") as platform:
        (declared,) = (one for one in platform.parts.archive.journal() if isinstance(one, InstrumentsDeclared))
        never = msgspec.to_builtins(Repairing(venues={"XNAS": "never"}))
        platform.parts.archive.record(msgspec.structs.replace(declared, repair=never))
    target = repairs(data)["id"][0]

    with pytest.raises(BadInput, match="By the settings nothing of this instrument is ever repaired"):
        await decided(data, (target, ruling("apply")))
    await decided(data, (target, ruling("reject")))
    assert ["rejected", "proposed"] == repairs(data)["state"].to_list()


@pytest.mark.parametrize(
    ("rule", "policy"),
    [
        (Repairing(), "propose"),
        (Repairing(default="auto"), "auto"),
        (Repairing(default="auto", venues={"XNAS": "never"}), "never"),
        (Repairing(venues={"XNAS": "never"}, instruments={"META": "auto"}), "auto"),
        (Repairing(venues={"XLON": "never"}, instruments={"AAPL": "never"}), "propose"),
        (Repairing(instruments={"META": "auto", "FB": "propose"}), "propose"),
    ],
)
def test_the_nearest_policy_counts(rule: Repairing, policy: str) -> None:
    """An instrument's before its venue's before the default; of several symbols the stricter."""
    assert policy == rule.of([("FB", "XNAS"), ("META", "XNAS")])
    assert rule.asks_always == ("auto" not in {rule.default, *rule.venues.values(), *rule.instruments.values()})


def test_policies_are_read() -> None:
    """As they stand in the settings."""
    problems: list[str] = []
    found = repairing({"default": "auto", "confidence": 1, "venues": {"XLON": "never"}}, problems)

    assert ([], Repairing(default="auto", confidence=1.0, venues={"XLON": "never"})) == (problems, found)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "quality.repair must be a table"),
        ({"defualt": "auto"}, "quality.repair.defualt is no setting; did you mean default?"),
        ({"zzz": "auto"}, "quality.repair.zzz is no setting; known are default, venues"),
        ({"default": "always"}, "quality.repair.default was 'always'; write one of propose, auto, never."),
        ({"default": True}, "quality.repair.default was True; write one of propose, auto, never."),
        ({"confidence": 2}, "quality.repair.confidence was 2; write a number from 0 to 1."),
        ({"confidence": True}, "quality.repair.confidence was True; write a number from 0 to 1."),
        ({"venues": "auto"}, "quality.repair.venues was 'auto'; write a table such as { XLON = \"auto\" }."),
        ({"instruments": 1}, 'quality.repair.instruments was 1; write a table such as { AAPL = "never" }.'),
        ({"instruments": {"AAPL": "x"}}, "quality.repair.instruments.AAPL was 'x'; write one of propose, auto, never."),
    ],
)
def test_what_is_wrong_with_policies_is_told(found: object, words: str) -> None:
    """In one sentence each."""
    problems: list[str] = []

    repairing(found, problems)

    assert 1 == len(problems)
    assert words in problems[0]


async def by_policy(data: Path, rule: Repairing, *, until_applied: int) -> int:
    """Let the platform run with `rule` until so many repairs are applied; return how many are."""
    settings = msgspec.structs.replace(settings_of(data), repairing=rule)
    async with Platform(settings, command="test") as platform:
        if until_applied:
            work = asyncio.create_task(keep_repairing(platform, platform.parts.clock))
            async with asyncio.timeout(20):
                while len(applied := await _applied(platform)) < until_applied:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            work.cancel()
        await settle_by_policy(platform)
        applied = await _applied(platform)
    return len(applied)


async def _applied(platform: Platform) -> pl.DataFrame:
    return await platform.parts.store.read("repairs", Selection(equal={"state": ("applied",)}))


async def test_sure_repairs_are_applied_without_asking(data: Path) -> None:
    """In the name of the policy, with its reason in the audit; those that are less sure wait."""
    assert 0 == await by_policy(data, Repairing(), until_applied=0)
    assert 0 == await by_policy(data, Repairing(default="auto", confidence=0.999), until_applied=0)
    assert 0 == await by_policy(data, Repairing(default="auto", venues={"XNAS": "propose"}), until_applied=0)
    assert 2 == await by_policy(data, Repairing(instruments={"BBB": "auto"}), until_applied=2)
    with library.open(data) as session:
        case = session.case(repairs(data)["id"][0])

    assert [("applied", "policy")] * 2 == repairs(data).select("state", "decided_by").rows()
    assert ["the policy is auto, and the confidence is 0.99"] == [one["why"] for one in case.decisions]


async def test_what_somebody_undoes_stays_undone(data: Path, tmp_path: Path) -> None:
    """The policy does not apply it again, and a replay, which knows no settings, agrees."""
    auto = Repairing(default="auto")
    assert 2 == await by_policy(data, auto, until_applied=0)
    await decided(data, (repairs(data)["id"][0], ruling("undo")))
    assert 1 == await by_policy(data, auto, until_applied=0)
    await replay(data, tmp_path / "again")

    assert ["undone", "applied"] == repairs(data)["state"].to_list()
    assert await contents(data) == await contents(tmp_path / "again")


async def test_a_repaired_dividend_changes_the_action_and_its_factor(data: Path, tmp_path: Path) -> None:
    """As soon as most providers say so: three of four are told to have paid 0.6 where they said 0.5."""
    before = await table(data, "actions")
    paid = before.filter(pl.col("type") == "dividend").row(0, named=True)
    async with Platform(settings_of(data), command="test") as platform:
        for number, provider in enumerate(paid["agreed"].split(",")[:3]):
            subject = Subject(
                target=f"rep_x_{number}",
                instrument_id=paid["instrument_id"],
                kind="actions",
                timeframe="1d",
                start=paid["ex_date"],
                end=paid["ex_date"],
                provider=provider,
                claimed={},
                edits=(Edit(day_start_ns(paid["ex_date"]), "dividend", 0.5, 0.6),),
            )
            known = platform.parts.clock.now_ns()
            platform.parts.archive.record(decision(subject, ruling("apply"), ts_known=known, simulated=True))

    await decided(data)
    await replay(data, tmp_path / "again")

    rows = (await table(data, "actions")).join(before, on=["ex_date", "type", "value"], how="anti")
    assert [("dividend", 0.6)] == rows.select("type", "value").rows()
    (factor,) = (await table(data, "factors")).filter(pl.col("ex_date") == paid["ex_date"])["dividend"]
    closes = (await table(data, "bars")).filter(pl.col("instrument_id") == paid["instrument_id"])
    previous = closes.filter(pl.col("ts_event").dt.date() < paid["ex_date"]).sort("ts_event")["close"][-1]
    assert pytest.approx(1 - 0.6 / previous) == factor
    assert await contents(data) == await contents(tmp_path / "again")
