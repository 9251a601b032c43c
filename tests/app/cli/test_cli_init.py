"""truetape init: a commented file that loads, and never over another."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from truetape.app.cli import app
from truetape.app.settings import load


def test_what_is_written_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path the file lies where `up` looks for it, and names the instruments that it would acquire."""
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["init"])

    assert (0, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("Wrote truetape.toml. ")
    assert ["AAPL", "IBM"] == [one.symbol for one in load(tmp_path / "truetape.toml", {}).instruments]


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    """What is there stays, unless --force says otherwise."""
    path = tmp_path / "mine.toml"
    path.write_text("# mine")

    refused = CliRunner().invoke(app, ["init", str(path)])
    kept = path.read_text()
    forced = CliRunner().invoke(app, ["init", str(path), "--force"])

    assert (2, "# mine", 0) == (refused.exit_code, kept, forced.exit_code)
    assert f"BadInput: path was '{path}'. The file is there already; replace it with --force.\n" == refused.stderr
    assert "[[instruments]]" in path.read_text()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that does not exist is named, not made."""
    path = tmp_path / "none" / "truetape.toml"

    result = CliRunner().invoke(app, ["init", str(path)])

    assert 2 == result.exit_code
    assert f"BadInput: path was '{path}'. It cannot be written: No such file or directory.\n" == result.stderr
