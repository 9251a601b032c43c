"""truetape store: what would move or be deleted, doing it, looking for damage, and what all of it costs."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline_doubles import Heard
from room_doubles import FrameStore
from truetape.adapters.data_folder import DataFolder
from truetape.app.cli import app
from truetape.app.cli.storing import money, size
from truetape.app.parts import embedded
from truetape.app.settings import load
from truetape.app.tier_watch import STATE, State, TierWatch, read_state
from truetape.app.tiers import lifecycle
from truetape.domain.schema import TABLES
from truetape.domain.time import day_start_ns
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

SETTINGS = """
data = "data"
start = 2005-01-03
simulated = true
[[instruments]]
symbol = "AAPL"
mic = "XNAS"
[providers.yahoo]
[tiers]
warm = "cold/warm"
archive = "cold/archive"
kinds.bars = { hot = "2y", warm = "10y" }
kinds.quotes = { keep = "30d" }
licences.tiingo = { claims = "90d" }
prices = { hot = 1000.0, warm = 100.0, archive = 10.0, payloads = 0.0 }
"""
LATER = datetime.now(UTC).year - 5
YEARS = (2005, 2006, LATER)


def rows(table: str, *given: dict[str, Any]) -> pl.DataFrame:
    """Rows of `table`; what is not given is empty or nought."""
    blank: dict[Any, Any] = {pl.String(): "", pl.Boolean(): True, pl.UInt32(): 1}
    columns = TABLES[table].columns
    plain = {name: pl.Int64() if isinstance(dtype, pl.Datetime) else dtype for name, dtype in columns.items()}
    told = [{name: one.get(name, blank.get(dtype)) for name, dtype in columns.items()} for one in given]
    return pl.DataFrame(told, schema=plain).with_columns(pl.col(name).cast(dtype) for name, dtype in columns.items())


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a data folder with ten bars in each of three years, two old claims and an old quote."""
    path = tmp_path / "truetape.toml"
    path.write_text(SETTINGS)

    async def fill() -> None:
        parts = embedded(load(path, {}), command="test")
        bars = [
            {"instrument_id": "ins_a", "timeframe": "1d", "ts_event": day_start_ns(date(year, 3, day)), "ts_known": 1}
            for year in YEARS
            for day in range(1, 11)
        ]
        old = {"instrument_id": "ins_a", "ts_event": day_start_ns(date(LATER, 3, 2)), "ts_known": 1}
        claims = [{**old, "payload": name, "provider": name} for name in ("tiingo", "yahoo")]
        quote = {**old, "payload": "q", "provider": "yahoo"}
        await parts.store.commit(
            {"bars": rows("bars", *bars), "bar_claims": rows("bar_claims", *claims), "quotes": rows("quotes", quote)}
        )
        parts.archive.put(b"a payload")
        await parts.close()

    asyncio.run(fill())
    return path


def told(config: Path, *words: str) -> Any:
    """What a command says to a program."""
    done = CliRunner().invoke(app, ["store", *words, "--config", str(config), "--json"], env={"USER": "anna"})
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def shown(config: Path, *words: str) -> str:
    """What a command says to a person."""
    done = CliRunner().invoke(app, ["store", *words, "--config", str(config)], env={"USER": "anna", "COLUMNS": "140"})
    assert done.exit_code in (0, 1), done.output
    return done.stdout


def test_rows_move_once_they_are_shown_to(config: Path) -> None:
    """A dry run changes nothing; then two years go to the archive and one to the warm tier; then nothing is due."""
    dry = shown(config, "move", "--dry-run")
    assert "2005-01-01 2006-12-31 archive" in " ".join(dry.split())
    assert "Nothing was changed (--dry-run)." in dry
    done = told(config, "move")
    assert [(step["start"], step["goal"], step["moved_rows"]) for step in done["steps"]] == [
        ("2005-01-01", "archive", 10),
        ("2006-01-01", "archive", 10),
        (f"{LATER}-01-01", "warm", 10),
    ]
    assert len(list((config.parent / "cold").rglob("*.parquet"))) == 3
    assert shown(config, "move") == "Nothing is due: every row lies where the settings want it.\n"


def test_what_may_not_be_kept_is_deleted_unless_a_snapshot_shows_it(config: Path) -> None:
    """The quote is too old and the claim is licensed for ninety days; a snapshot pins both until --unpin."""

    async def name() -> None:
        parts = embedded(load(config, {}), command="test")
        await parts.store.commit({"snapshots": rows("snapshots", {"name": "eod", "as_of": 1, "ts_known": 1})})
        await parts.close()

    asyncio.run(name())
    assert "stays: snapshot eod shows it (--unpin)" in shown(config, "retain")
    assert [step["moved_rows"] for step in told(config, "retain")["steps"]] == [0, 0]
    done = told(config, "retain", "--unpin", "--actor", "bert")
    assert [(step["table"], step["provider"], step["moved_rows"]) for step in done["steps"]] == [
        ("quotes", "", 1),
        ("bar_claims", "tiingo", 1),
    ]
    assert told(config, "retain") == {"done": True, "steps": []}

    async def moves() -> list[tuple[object, ...]]:
        parts = embedded(load(config, {}), command="test")
        found = await parts.store.read("moves")
        await parts.close()
        return found.sort("table").select("action", "table", "provider", "rows", "actor", "why").rows()

    assert asyncio.run(moves()) == [
        ("delete", "bar_claims", "tiingo", 1, "bert", "tiingo lets claims be kept 90 days"),
        ("delete", "quotes", "", 1, "bert", "30 days old"),
    ]


def test_damage_is_named_and_ends_with_a_code(config: Path) -> None:
    """A whole folder is well; a changed cold file and a changed payload are named."""
    told(config, "move")
    assert told(config, "scrub") == {"cold_files": 3, "payloads": 1, "damaged": []}
    assert "Nothing is damaged." in shown(config, "scrub")
    cold = next((config.parent / "cold").rglob("*.parquet"))
    cold.write_bytes(cold.read_bytes()[:-1] + b"?")
    payload = next((config.parent / "data" / "archive" / "payloads").rglob("*.zst"))
    payload.write_bytes(b"?")
    done = CliRunner().invoke(app, ["store", "scrub", "--config", str(config), "--json"])
    assert done.exit_code == 1
    found = json.loads(done.stdout)["damaged"]
    assert [(one["what"], one["words"], one["repaired"]) for one in found] == [
        ("cold file of bars", "its bytes are not those that were written", False),
        ("archive", "it is cut short at 1 bytes", False),
    ]
    assert "its bytes are not those that were written." in shown(config, "scrub")


def test_costs_and_what_a_rule_would_save(config: Path) -> None:
    """Cold rows cost what their files weigh; another rule is tried without doing it."""
    assert "payloads" in shown(config, "cost")
    told(config, "move")
    found = told(config, "cost", "--if", "bars.warm=5y")
    sizes = {path.parent.parent.parent.name: 0 for path in (config.parent / "cold").rglob("*.parquet")}
    for path in (config.parent / "cold").rglob("*.parquet"):
        sizes[path.parent.parent.parent.name] += path.stat().st_size
    by_tier = {one["tier"]: (one["rows"], one["bytes"]) for one in found["rows"] if one["table"] == "bars"}
    assert by_tier == {"warm": (10, sizes["warm"]), "archive": (20, sizes["archive"])}
    cost = sum(one["money"] for one in found["rows"] if one["table"] == "bars")
    assert cost == pytest.approx((sizes["warm"] * 100 + sizes["archive"] * 10) / 1e9, rel=1e-9)
    assert found["money_then"] < found["money"]
    assert "which saves" in shown(config, "cost", "--if", "bars.warm=5y")
    done = CliRunner().invoke(app, ["store", "cost", "--config", str(config), "--if", "bars.hot"])
    assert done.exit_code == 2
    assert "--if was 'bars.hot'. Write a table, an age and a time" in " ".join(done.stderr.split())


def test_without_tiers_it_is_said_what_to_write(config: Path) -> None:
    """Settings without [tiers] name what is missing."""
    config.write_text(SETTINGS.partition("[tiers]")[0])
    done = CliRunner().invoke(app, ["store", "move", "--config", str(config)])
    assert done.exit_code == 2
    assert 'Write [tiers] with warm = "cold"' in " ".join(done.stderr.split())


def test_a_running_platform_looks_after_its_tiers(config: Path) -> None:
    """It does what is due, now and then reads everything, tells damage as a finding, and status shows how it went."""
    states, heard = asyncio.run(looked_after(config))
    assert [(one.moved_rows, one.files, one.damaged, one.waiting) for one in states] == [(32, 4, 0, ""), (0, 4, 3, "")]
    assert {tier: one.rows for tier, one in states[0].tiers.items()} == {"hot": 1, "warm": 10, "archive": 20}
    assert len(heard.happened) == 1
    data = str(config.parent / "data")
    seen = CliRunner().invoke(app, ["status", "--data", data], env={"COLUMNS": "200"}).stdout
    assert "tiers: archive 20 rows in" in seen
    assert "3 of 4 files were damaged" in seen


async def looked_after(config: Path) -> tuple[list[State], Heard]:
    """Look twice, the second time with every cold file gone and the last look forgotten."""
    settings, heard, states = load(config, {}), Heard(), []
    parts = embedded(settings, command="test")
    kept = lifecycle(parts, settings)
    assert kept is not None
    storage = StorageService(bus=heard, store=FrameStore(), config=StorageConfig(simulated=True))
    watch = TierWatch(kept, parts.archive, settings.data)
    assert read_state(settings.data) is None
    for _ in range(2):
        (settings.data / STATE).unlink(missing_ok=True)
        await watch.look(storage)
        state = read_state(settings.data)
        assert state is not None
        states.append(state)
        for path in (config.parent / "cold").rglob("*.parquet"):
            path.unlink()
    await parts.close()
    return states, heard


def test_a_folder_in_use_is_left_alone(config: Path) -> None:
    """Somebody else's platform is named."""
    owner = DataFolder.open(config.parent / "data", simulated=True)
    commands = (["move"], ["cost"], ["cost", "--if", "bars.hot=1y"])
    done = [CliRunner().invoke(app, ["store", *words, "--config", str(config)]) for words in commands]
    assert [(one.exit_code, "is in use by" in " ".join(one.stderr.split())) for one in done] == [(2, True)] * 3
    owner.close()


def test_a_running_platform_has_counted_its_costs(config: Path) -> None:
    """While a platform has the folder, its last count is told, with the instant of it."""
    asyncio.run(looked_after(config))
    owner = DataFolder.open(config.parent / "data", simulated=True)
    found, words = told(config, "cost"), shown(config, "cost")
    owner.close()
    assert {one["tier"] for one in found["rows"]} == {"hot", "warm", "archive", "payloads"}
    assert f"As the running platform counted it at {found['counted']}:" in words


def test_numbers_are_written_for_people() -> None:
    """Bytes in units of 1024, money with the digits that it has."""
    assert [size(count) for count in (0, 1023, 1536, 5 << 20, 3 << 40)] == [
        "0 B",
        "1,023 B",
        "1.5 KiB",
        "5.0 MiB",
        "3.0 TiB",
    ]
    assert [money(amount) for amount in (0, 1234.5, 0.00123)] == ["0.00", "1,234.50", "0.0012"]
