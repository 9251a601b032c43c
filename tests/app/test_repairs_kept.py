"""Repairs of the kept series: proposed, applied, undone and rejected, by people and by policy."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

import quarantined_market
from quarantined_market import changed, contents, decided, ruling, table
from truetape.app import library
from truetape.app.repair_policies import Repairing, repairing
from truetape.app.run import replay
from truetape.domain.errors import BadInput
from truetape.services.api.cases import RepairCase


@pytest.fixture(scope="module")
def acquired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quarantined_market.acquired(tmp_path_factory.mktemp("acquired"))


@pytest.fixture
def data(acquired: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(acquired, tmp_path / "data"))


@pytest.fixture(scope="module")
def never(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rule = Repairing(venues={"XNAS": "never"})
    return quarantined_market.acquired(tmp_path_factory.mktemp("never"), repairing=rule)


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quarantined_market.acquired(tmp_path_factory.mktemp("auto"), repairing=Repairing(default="auto"))


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


async def test_what_is_never_repaired_cannot_be(never: Path) -> None:
    """The settings stand in the journal, so that they hold where nothing runs too; rejecting is always possible."""
    target = repairs(never)["id"][0]

    with pytest.raises(BadInput, match="By the settings nothing of this instrument is ever repaired"):
        await decided(never, (target, ruling("apply")))
    await decided(never, (target, ruling("reject")))
    assert ["rejected", "proposed"] == repairs(never)["state"].to_list()


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


def test_sure_repairs_are_applied_without_asking(repaired: Path) -> None:
    """In the name of the policy, with its reason in the audit."""
    found = repairs(repaired)
    with library.open(repaired) as session:
        case = session.case(found["id"][0])

    assert [("applied", "policy")] * 2 == found.select("state", "decided_by").rows()
    assert ["the policy is auto, and the confidence is 0.99"] == [one["why"] for one in case.decisions]


async def test_what_somebody_undoes_stays_undone(repaired: Path, tmp_path: Path) -> None:
    """The policy does not apply it again, and a replay, which knows no settings, agrees."""
    data = Path(shutil.copytree(repaired, tmp_path / "data"))
    target = repairs(data)["id"][0]
    await decided(data, (target, ruling("undo")))
    await decided(data, (repairs(data)["id"][1], ruling("undo")))
    await replay(data, tmp_path / "again")

    assert ["undone", "undone"] == repairs(data)["state"].to_list()
    assert await contents(data) == await contents(tmp_path / "again")
