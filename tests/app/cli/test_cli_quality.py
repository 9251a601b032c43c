"""`truetape quality` on a folder whose days were counted by hand."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from room_doubles import rows
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.cli.commands import app
from truetape.app.quality_report import small_bars

START = date(2024, 6, 3)
DAYS = [START + timedelta(days=number) for number in range(12)]
AAA = rows(
    "listings", instrument_id="ins_a", symbol="AAA", mic="XNAS", valid_from=None, valid_to=None, ts_known=[START]
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve days of 1000 rows each: alpha has 1, 2, 3 ... faults, bravo none, and all together miss one session."""
    asyncio.run(fill(tmp_path / "data"))
    return tmp_path / "data"


async def fill(path: Path) -> None:
    folder = DataFolder.open(path, simulated=False, command="test")
    store = DuckdbStore(folder.store)
    same = {"instrument_id": "ins_a", "timeframe": "1d", "ts_known": [START] * 12, "missing": 0}
    faults = list(range(1, 13))
    judged = {"check": "", "severity": "", "judged": 1000, "agreed": 900}
    for part in (
        rows("quality_daily", session=DAYS, provider="alpha", count=faults, **judged, **same),
        rows("quality_daily", session=DAYS, provider="bravo", count=0, **judged, **same),
        rows(
            "quality_daily", session=DAYS, provider="alpha", check="stale", severity="quarantine", count=faults,
            judged=0, agreed=0, **same,
        ),
        rows(
            "quality_daily", session=DAYS[:1], provider="", check="missing_session", severity="warning", count=1,
            judged=0, agreed=0, instrument_id="ins_b", timeframe="1d", ts_known=[START], missing=0,
        ),
    ):  # fmt: skip
        await store.commit({"quality_daily": part})
    await store.commit({"listings": AAA})
    await store.close()
    folder.close()


def answer(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["quality", *words], env={"COLUMNS": "120"})
    assert code == done.exit_code, done.output
    return done.output


def test_the_gravest_stands_first_with_its_trend(data: Path) -> None:
    """A rate that rises by a thousandth a day has crossed 1 %."""
    told = json.loads(answer("--data", str(data), "--json"))

    assert [("alpha", ""), ("alpha", "stale"), ("", "missing_session"), ("bravo", "")] == [
        (one["provider"], one["check"]) for one in told
    ]
    first, _, session, last = told
    assert (0.012, 0.006, "worse", 0) == (first["today"], first["usual"], first["trend"], first["crosses_in"])
    assert {"session": "2024-06-14", "faults": 12, "judged": 1000} == first["days"][-1]
    assert [1, 2000] == [session["days"][0][name] for name in ("faults", "judged")]
    assert (0.0, "steady", None) == (last["today"], last["trend"], last["crosses_in"])


def test_it_is_drawn_for_people(data: Path) -> None:
    """Days as small bars; what goes on like this is foreseen."""
    told = answer("--data", str(data), "--objective", "0.0155")

    assert "Share of faulty rows, 2024-06-03 to 2024-06-14:" in told
    line = next(line for line in told.splitlines() if "stale" in line)
    assert ["alpha", "stale", "▂▃▃▄▄▅▆▆▇▇██", "1.2", "%", "0.6", "%"] == line.split()[:7]
    assert ["worse", "in", "4", "days"] == line.split()[-4:]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--provider", "bravo"], [("bravo", "")]),
        (["--check", "stale"], [("alpha", "stale")]),
        (["--instrument", "AAA", "--provider", "alpha"], [("alpha", ""), ("alpha", "stale")]),
        (["--provider", "nobody"], []),
    ],
)
def test_it_is_narrowed_down(data: Path, words: list[str], expected: list[tuple[str, str]]) -> None:
    """By provider, check and symbol."""
    told = json.loads(answer("--data", str(data), "--json", *words))

    assert expected == [(one["provider"], one["check"]) for one in told]


def test_a_folder_without_days_says_so(data: Path) -> None:
    """Instead of an empty table."""
    assert "No day is counted" in answer("--data", str(data), "--provider", "nobody")


def test_unknown_symbols_and_folders_in_use_are_refused(data: Path, tmp_path: Path) -> None:
    """In one sentence each."""
    assert "The symbol 'ZZZ' is unknown" in answer("--data", str(data), "--instrument", "ZZZ", "--json", code=2)
    assert "it is no data folder" in answer("--data", str(tmp_path / "none"), "--json", code=2)
    owner = DataFolder.open(data, simulated=False, command="truetape up")
    try:
        assert "is in use by process" in answer("--data", str(data), "--json", code=2)
    finally:
        owner.close()


@pytest.mark.parametrize(
    ("faults", "judged", "expected"), [([0, 1, 7], [10, 10, 10], "▁▂█"), ([0, 0], [5, 0], "▁·"), ([], [], "")]
)
def test_bars_are_as_high_as_the_share(faults: list[int], judged: list[int], expected: str) -> None:
    """The highest day has the highest letter; no rows are a dot; any fault at all is more than none."""
    assert expected == small_bars(faults, judged)


def test_a_long_table_is_cut(data: Path) -> None:
    """Fifty checks make forty lines, and say so."""
    asyncio.run(many_checks(data))

    assert "14 more; narrow them down" in answer("--data", str(data))


async def many_checks(path: Path) -> None:
    folder = DataFolder.open(path, simulated=False, command="test")
    store = DuckdbStore(folder.store)
    given = {"instrument_id": "ins_a", "timeframe": "1d", "provider": "alpha", "severity": "note", "count": 1}
    noughts = dict.fromkeys(("judged", "agreed", "missing"), 0)
    checks = [f"c{number:02d}" for number in range(50)]
    made = rows("quality_daily", session=[START] * 50, check=checks, ts_known=[START] * 50, **given, **noughts)
    await store.commit({"quality_daily": made})
    await store.close()
    folder.close()
