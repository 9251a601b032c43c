"""An export is there in full or not at all, and takes the place of nothing that it should not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import truetape as tt
from truetape.app.exports.landing import MARK, check_place, landing
from truetape.app.exports.order import Order, form_of
from truetape.domain.errors import BadInput, Terminal


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """A draft that is not finished is removed; the old file and the old folder stay as they were."""
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder"):
        with pytest.raises(ZeroDivisionError), landing(tmp_path / name) as draft:
            _fail(draft, is_folder=name == "folder")

    assert ["file", "folder"] == sorted(one.name for one in tmp_path.iterdir())
    assert "old" == (tmp_path / "file").read_text()


def _fail(draft: Path, *, is_folder: bool) -> None:
    if is_folder:
        draft.mkdir()
    (draft / "half" if is_folder else draft).write_text("half")
    raise ZeroDivisionError


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    """Nothing of the export before stays."""
    for name in ("first", "second"):
        with landing(tmp_path / "out") as draft:
            (draft / "below").mkdir(parents=True)
            (draft / "below" / name).write_text(name)

    assert ["out", "out/below", "out/below/second"] == sorted(
        str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*")
    )


def test_a_link_leads_to_what_is_replaced(tmp_path: Path) -> None:
    """A link stays one."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")

    with landing(tmp_path / "link") as draft:
        draft.write_text("new")

    assert ("new", True) == ((tmp_path / "real").read_text(), (tmp_path / "link").is_symlink())


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A failure of the disk is told with the path and the way out."""
    with pytest.raises(BadInput, match="Check the path and its permissions"), landing(tmp_path / "out"):
        (tmp_path / "no" / "such").write_text("")


@pytest.mark.parametrize(
    ("name", "is_folder", "force", "words"),
    [
        ("no/out.csv", False, False, "Its folder does not exist"),
        ("file", False, False, "It is there already. Name another, or add --force."),
        ("file", True, True, "It is no folder"),
        ("export", False, True, "It is a folder. Name a file in it."),
        ("export", True, False, "It holds an earlier export"),
        ("other", True, True, "It holds other things than an export"),
    ],
)
def test_a_place_that_is_taken(tmp_path: Path, *, name: str, is_folder: bool, force: bool, words: str) -> None:
    """Even with --force a folder is replaced only if it holds an earlier export."""
    (tmp_path / "file").write_text("")
    for folder, inside in (("export", MARK), ("other", "holiday.jpg")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / inside).write_text("{}")

    with pytest.raises(BadInput, match=re.escape(words)):
        check_place(tmp_path / name, is_folder=is_folder, force=force)


def test_a_place_that_is_free(tmp_path: Path) -> None:
    """A new name, an empty folder, and with --force a file or an earlier export."""
    (tmp_path / "file").write_text("")
    for folder in ("export", "empty"):
        (tmp_path / folder).mkdir()
    (tmp_path / "export" / MARK).write_text("{}")

    check_place(tmp_path / "new", is_folder=True, force=False)
    check_place(tmp_path / "empty", is_folder=True, force=False)
    check_place(tmp_path / "export", is_folder=True, force=True)
    check_place(tmp_path / "file", is_folder=False, force=True)


def test_the_name_of_a_file_tells_the_form() -> None:
    """A name that tells nothing is refused with the forms that there are."""
    names = ["a.parquet", "a.arrow", "a.feather", "a.csv", "a.dbn", "A.DBN.ZST"]

    assert ["parquet", "arrow", "arrow", "csv", "dbn", "dbn"] == [form_of(Path(name)) for name in names]
    with pytest.raises(BadInput, match=r"Its name tells no format. Choose one with --format: parquet, arrow"):
        form_of(Path("bars.xlsx"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"form": "xlsx"}, "--format was 'xlsx'. Choose one of parquet"),
        ({"timeframe": "2d"}, "--timeframe was '2d'. Choose one of 1m"),
        ({"form": "zipline", "timeframe": "1h"}, "A file of zipline holds bars of 1m, 1d."),
        ({"start": "2024-01-02", "end": "2024-01-01"}, "It is later than the end, which was 2024-01-01"),
        ({"end": "soon"}, "--end was 'soon'. Write a date as YYYY-MM-DD"),
    ],
)
def test_an_order_that_makes_no_sense(given: dict[str, str], words: str) -> None:
    """Each is refused with its value and what to write."""
    with pytest.raises(BadInput, match=re.escape(words)):
        Order(symbols=("A",), output=Path("x"), **{"form": "csv", **given})  # type: ignore[arg-type]


def test_a_failed_export_leaves_nothing(exported: tt.Session, tmp_path: Path) -> None:
    """An unknown symbol, and one that its form cannot hold, leave an empty folder."""
    for symbols in ("NOPE", "AAPL,BTC/USD"):
        with pytest.raises(Terminal):
            exported.export(symbols, tmp_path / "out", format="zipline")
    assert [] == list(tmp_path.iterdir())
