"""truetape store compact: the store's file written anew by hand, in front of people and programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import truetape as tt
from small_market import filled_folder
from truetape.adapters.data_folder import DataFolder
from truetape.app.cli import app, main


def asked(*words: str, folder: Path) -> tuple[int, str]:
    """The exit code and what stands on standard output."""
    found = CliRunner().invoke(app, ["store", "compact", *words, "--data", str(folder)])
    return found.exit_code, found.stdout


def test_a_store_is_compacted(tmp_path: Path) -> None:
    """People read a sentence, programs numbers; a session answers as before."""
    folder = asyncio.run(filled_folder(tmp_path / "data"))
    with tt.open(folder) as session:
        before = session.bars("AAPL")
    code, text = asked("--json", folder=folder)
    told = json.loads(text)
    assert (0, (folder / "truetape.duckdb").stat().st_size) == (code, told["bytes_after"])
    code, text = asked(folder=folder)
    assert (0, True) == (code, text.startswith(f"{told['rows']:,} rows in order; the file has "))
    with tt.open(folder) as session:
        assert_frame_equal(session.bars("AAPL"), before)


@pytest.mark.parametrize(
    ("state", "words"),
    [("missing", "it is no data folder"), ("empty", "it holds no store yet"), ("owned", "(truetape up)")],
)
def test_what_cannot_be_compacted_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    words: str,
) -> None:
    """No data folder, one without a store, and one that a running platform owns: with exit code 2 and no traceback."""
    folder = tmp_path / "data"
    owner = None if state == "missing" else DataFolder.open(folder, simulated=True, command="truetape up")
    if owner is not None and state == "empty":
        owner.close()
    monkeypatch.setattr("sys.argv", ["truetape", "store", "compact", "--data", str(folder)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert 2 == ended.value.code
    assert words in capsys.readouterr().err.replace("\n", " ")
    if owner is not None:
        owner.close()
