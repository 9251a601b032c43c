"""The user's own checks: none of them can stop grading."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import polars as pl
import pytest

from evidence_doubles import bars
from truetape.app.user_checks import SLOW_S, broken_check, guarded, user_checks
from truetape.domain.errors import BadInput
from truetape.services.quality.checks import Broken, Check, Tuning, examine, needed, prepare

HEAD = "import polars as pl\nfrom truetape.services.quality.checks import Broken, Check\n"
GIVEN = "kinds=('bars',), family='business', severity='note', sentence='It is.'"
ROUND = (
    f"{HEAD}ROUND = Check(name='round', {GIVEN}, judge=lambda frame, tuning: "
    "Broken(where=pl.col('close') % 10 == 0, words=pl.lit('a round close'), field='close'))\n"
)


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.py").write_text(text)
    return path


def told(checks: tuple[Check, ...]) -> list[tuple[int, str, str]]:
    """Return the row, check and explanation of each finding in three closes."""
    evidence = prepare(bars([9.0, 10.0, 20.0]), needs=needed(checks))
    return examine(evidence, checks=checks).select("row", "check", "explanation").rows()


def test_a_folder_brings_checks(tmp_path: Path) -> None:
    """They find what they find, whatever family they say they are of."""
    (check,) = checks = user_checks(folder(tmp_path, mine=ROUND))

    assert told(checks) == [(1, "round", "a round close"), (2, "round", "a round close")]
    assert (check.family, user_checks()) == ("user", ())


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("1 / 0", "mine.py", "ZeroDivisionError: division by zero"),
        ("def (", "mine.py", "SyntaxError: invalid syntax (mine.py, line 1)"),
        ("x = 1", "mine.py", "no Check stands in it"),
        (ROUND.replace("'round'", "'stale'"), "stale of mine.py", "the name stale is taken"),
        (ROUND.replace("'close') %", "'clse') %"), "round", 'ColumnNotFoundError: unable to find column "clse"'),
        (ROUND.replace("'note'", "'grave'"), "mine.py", "ValueError: The check round is 'grave'"),
    ],
)
def test_what_does_not_work_says_so(tmp_path: Path, text: str, name: str, reason: str) -> None:
    """In a finding about the first row."""
    ((row, check, words),) = told(user_checks(folder(tmp_path, mine=text)))

    assert (row, check) == (0, name)
    assert words.startswith(f"this check does not work: {reason}")


def test_two_checks_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """The first one, by the names of the files, has it."""
    checks = user_checks(folder(tmp_path, a=ROUND, b=ROUND))

    assert [one.name for one in checks] == ["round", "round of b.py"]


def test_a_long_run_is_a_finding() -> None:
    """Beside what was found; a row has one finding of one check."""

    def slow(_frame: pl.DataFrame, _: Tuning) -> Broken:
        time.sleep(SLOW_S * 1.05)
        return Broken(where=pl.col("close") < 20, words=pl.lit("below 20"))

    check = Check(name="slow", kinds=("bars",), family="user", severity="note", sentence="It is.", judge=slow)
    (first, second) = told((guarded(check),))

    assert first[2].startswith("this check took 2.1 s for 3 rows; 2 s is the most")
    assert second == (1, "slow", "below 20")


def test_nothing_is_said_of_nothing() -> None:
    """Evidence without rows has no first one."""
    assert examine(prepare(bars([1.0]).clear()), checks=[broken_check("x", reason="y")]).is_empty()


def test_a_package_brings_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point of the group truetape.checks."""
    folder(tmp_path, bringing_checks=ROUND)
    (tmp_path / "bringing-1.0.dist-info").mkdir()
    (tmp_path / "bringing-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: bringing\nVersion: 1.0\n"
    )
    (tmp_path / "bringing-1.0.dist-info" / "entry_points.txt").write_text("[truetape.checks]\nmine = bringing_checks\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert [one.name for one in user_checks()] == ["round"]
    sys.modules.pop("bringing_checks")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Its path is named."""
    with pytest.raises(BadInput, match="nowhere"):
        user_checks(tmp_path / "nowhere")
