"""Plain files: what is read, where a defect is said to be, and what is written."""

from __future__ import annotations

import gzip
import io
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from truetape.app.plain_files import (
    check_output,
    read_actions,
    read_bars,
    read_bytes,
    read_sheet,
    write_bytes,
    write_frame,
)
from truetape.domain.errors import BadInput

HEADER = "date,open,high,low,close,volume\n"
ROW = "2024-06-03,1,2,0.5,1.5,100\n"


def written(folder: Path, text: str | bytes, *, name: str = "bars.csv") -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


@pytest.mark.parametrize("packed", [False, True])
def test_bytes_are_read_plain_or_gunzipped(tmp_path: Path, packed: bool) -> None:
    """Gzip is told by its first bytes, not by the name."""
    file = written(tmp_path, gzip.compress(b"hello") if packed else b"hello", name="answer.json")

    assert read_bytes(file) == b"hello"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes come from the pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped")))

    assert read_bytes("-") == b"piped"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"x" * 11, "more than 10 bytes", id="too large"),
        pytest.param(gzip.compress(b"x" * 100_000, 9)[:200], "damaged|more than", id="large within gzip"),
        pytest.param(b"\x1f\x8b\x08", "damaged", id="cut gzip"),
        pytest.param(b"\x1f\x8bxxxx", "damaged", id="no gzip after all"),
    ],
)
def test_bytes_are_bounded_and_whole(tmp_path: Path, body: bytes, said: str) -> None:
    """Too much, and gzip that is not whole, is refused."""
    with pytest.raises(BadInput, match=said):
        read_bytes(written(tmp_path, body, name="answer"), most=10)


@pytest.mark.parametrize(("name", "said"), [("none.csv", "No such file"), ("", "directory")])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str, said: str) -> None:
    """The system's own reason is told."""
    with pytest.raises(BadInput, match=said):
        read_bytes(str(tmp_path / name))


def test_a_csv_sheet_keeps_text_as_it_was_and_knows_its_lines(tmp_path: Path) -> None:
    """Blank lines and line ends within quotes do not shift the numbers of lines."""
    text = '\ufeffDate,note\r\n2024-06-03,"a\r\nb"\r\n\r\n2024-06-04,\r\n'

    sheet = read_sheet(written(tmp_path, text))

    assert sheet.frame.rows() == [("2024-06-03", "a\r\nb"), ("2024-06-04", None)]
    assert [sheet.place(0), sheet.place(1)] == ["line 3", "line 5"]
    assert sheet.named("date") == "Date"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "empty", id="no byte"),
        pytest.param("a,b\n1,2\n3\n", "line 3 was 'it has 1 fields, the header has 2'", id="a field too few"),
        pytest.param("a,b\n1,2,3\n", "line 2 was 'it has 3 fields, the header has 2'", id="a field too many"),
        pytest.param('a,b\n1,"2\n3,4\n', "line 3 was 'unexpected end of data'", id="an open quote"),
        pytest.param('a,b\n1,"2"3\n', "line 2 was", id="text after a quote"),
        pytest.param(b"a,b\n\xff,2\n", "UTF-8", id="another encoding"),
        pytest.param("a,b, A \n1,2,3\n", "one name", id="one name twice"),
    ],
)
def test_a_malformed_csv_is_refused_with_its_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    """The place and the reason are told."""
    with pytest.raises(BadInput, match=said):
        read_sheet(written(tmp_path, text))


def test_many_rows_are_read_in_order(tmp_path: Path) -> None:
    """Rows beyond one chunk follow the others."""
    numbers = [str(number) for number in range(120_001)]

    sheet = read_sheet(written(tmp_path, "n,m\n" + "".join(f"{number},x\n" for number in numbers)))

    assert sheet.frame["n"].to_list() == numbers
    assert sheet.place(120_000) == "line 120002"


def test_a_parquet_that_is_none_is_refused(tmp_path: Path) -> None:
    """Text under the name of Parquet has no magic number."""
    with pytest.raises(BadInput, match="no whole Parquet file"):
        read_sheet(written(tmp_path, HEADER, name="bars.parquet"))


def test_a_parquet_with_one_name_in_two_cases_is_refused(tmp_path: Path) -> None:
    """It would not be told which of both is meant."""
    pl.DataFrame({"close": [1.0], "Close": [2.0]}).write_parquet(tmp_path / "bars.parquet")

    with pytest.raises(BadInput, match="close is there twice"):
        read_sheet(str(tmp_path / "bars.parquet"))


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """The known ones are listed."""
    with pytest.raises(BadInput, match=r"\.csv, \.csv\.gz, \.parquet"):
        read_sheet(written(tmp_path, HEADER, name="bars.xlsx"))


@pytest.mark.parametrize(
    "written_date",
    ["2024-06-03", " 2024-06-03 ", "2024-06-03T16:00:00", "2024-06-03 23:30:00-04:00", "2024-06-03T00:00:00.000Z"],
)
def test_dates_are_read_as_they_are_written(tmp_path: Path, written_date: str) -> None:
    """An instant counts as its own date, whatever its zone."""
    sheet = read_sheet(written(tmp_path, f"{HEADER}{written_date},1,2,0.5,1.5,100\n"))

    assert read_bars(sheet)["date"].to_list() == [date(2024, 6, 3)]


def test_blank_and_nan_are_missing(tmp_path: Path) -> None:
    """Neither becomes a number."""
    bars = read_bars(read_sheet(written(tmp_path, HEADER + "2024-06-03,,NaN,nan, 1.5 ,\n")))

    assert bars.select("open", "high", "low", "close", "volume").rows() == [(None, None, None, 1.5, None)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("2024-06-03,1,2,0.5,abc,100\n", "line 2, close was 'abc'. Write a price above 0"),
        ("2024-06-03,1,2,0.5,-1,100\n", "line 2, close was '-1'"),
        ("2024-06-03,0,2,0.5,1,100\n", "line 2, open was '0'"),
        ("2024-06-03,1,inf,0.5,1,100\n", "line 2, high was 'inf'"),
        ('2024-06-03,1,2,0.5,"1,5",100\n', "line 2, close was '1,5'"),
        ("2024-06-03,1,2,0.5,1.5,-5\n", "line 2, volume was '-5'. Write a number that is not below 0"),
        ("2024-06-03,1,2,0.5,1.5,many\n", "line 2, volume was 'many'"),
        (ROW + "03/06/2024,1,2,0.5,1.5,100\n", "line 3, date was '03/06/2024'. Write a date as YYYY-MM-DD"),
        ("2024-02-30,1,2,0.5,1.5,100\n", "line 2, date was '2024-02-30'"),
        ("0024-02-03,1,2,0.5,1.5,100\n", "line 2, date was '0024-02-03'"),
        (",1,2,0.5,1.5,100\n", "line 2, date was ''"),
        (ROW + "2024-06-04,1,2,0.5,1.5,1\n" + ROW, "line 4, date was '2024-06-03 as on line 2'. Keep one"),
        ("", "It has no rows"),
    ],
)
def test_a_defect_in_bars_is_told_with_its_place(tmp_path: Path, rows: str, said: str) -> None:
    """File, line, column, value and fix are in the sentence."""
    sheet = read_sheet(written(tmp_path, HEADER + rows))

    with pytest.raises(BadInput) as told:
        read_bars(sheet)

    assert said in str(told.value)
    assert "bars.csv" in str(told.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    """What was found is listed."""
    with pytest.raises(BadInput, match=r"was 'date, close'. Add the column open."):
        read_bars(read_sheet(written(tmp_path, "date,close\n2024-06-03,1\n")))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("2024-06-03,merger,2\n", "line 2, type was 'merger'. Write one of split, stock_dividend, dividend"),
        ("2024-06-03,,2\n", "line 2, type was ''"),
        ("2024-06-03,split,0\n", "line 2, value was '0'. Write a number above 0"),
        ("2024-06-03,dividend,-0.5\n", "line 2, value was '-0.5'"),
        ("2024-06-03,dividend,\n", "line 2, value was ''"),
        ("2024-06-03,dividend,2:1\n", "line 2, value was '2:1'"),
        ("soon,split,2\n", "line 2, ex_date was 'soon'"),
        ("2024-06-03,split,2\n2024-06-03,Split,2.0\n", "line 3, ex_date was '2024-06-03 as on line 2'"),
    ],
)
def test_a_defect_in_actions_is_told_with_its_place(tmp_path: Path, rows: str, said: str) -> None:
    """File, line, column, value and fix are in the sentence."""
    sheet = read_sheet(written(tmp_path, "ex_date,type,value\n" + rows, name="actions.csv"))

    with pytest.raises(BadInput) as told:
        read_actions(sheet)

    assert said in str(told.value)


def parquet(folder: Path, **columns: Any) -> str:
    whole = {"date": [date(2024, 6, 3)], "open": [1.0], "high": [2.0], "low": [0.5], "close": [1.5], "volume": [7]}
    pl.DataFrame(whole | columns, strict=False).write_parquet(folder / "bars.parquet")
    return str(folder / "bars.parquet")


@pytest.mark.parametrize(
    "dates",
    [
        [date(2024, 6, 3)],
        ["2024-06-03"],
        [datetime(2024, 6, 3, 16, 0)],  # noqa: DTZ001 - as pandas writes an index of dates
        [datetime(2024, 6, 3, tzinfo=UTC)],
    ],
)
def test_parquet_may_hold_dates_in_any_type(tmp_path: Path, dates: list[object]) -> None:
    """Numbers of any width become float64, NaN becomes missing."""
    bars = read_bars(read_sheet(parquet(tmp_path, date=dates, high=[float("nan")])))

    assert bars.rows() == [(0, "", date(2024, 6, 3), 1.0, None, 0.5, 1.5, 7.0)]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"close": [True]}, "The type of close in .*bars.parquet was 'Boolean'"),
        ({"date": [20240603]}, "The type of date in .* was 'Int64'"),
        ({"close": [-1.5]}, "row 1, close was '-1.5'"),
        ({"symbol": [1]}, "The type of symbol in .* was 'Int64'"),
    ],
)
def test_a_defect_in_parquet_is_told_with_its_row(tmp_path: Path, columns: dict[str, Any], said: str) -> None:
    """Columns of another type are refused as a whole."""
    with pytest.raises(BadInput, match=said):
        read_bars(read_sheet(parquet(tmp_path, **columns)))


FRAME = pl.DataFrame({"a": [1 / 3, None], "b": ["x, y", None]})


@pytest.mark.parametrize(
    ("name", "unpacked"), [("out.csv", lambda body: body), ("out.csv.gz", gzip.decompress)], ids=["csv", "gzip"]
)
def test_csv_is_written_with_full_precision_and_blanks(tmp_path: Path, name: str, unpacked: Any) -> None:
    """The shortest digits that read back as the same number."""
    write_frame(FRAME, tmp_path / name)

    assert unpacked((tmp_path / name).read_bytes()) == b'a,b\n0.3333333333333333,"x, y"\n,\n'


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    """The old file is gone and no part lies beside the new one; a link keeps pointing."""
    (tmp_path / "real.parquet").write_bytes(b"old")
    (tmp_path / "out.parquet").symlink_to(tmp_path / "real.parquet")

    write_frame(FRAME, tmp_path / "out.parquet")

    assert pl.read_parquet(tmp_path / "real.parquet").equals(FRAME)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "real.parquet"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("out.xlsx", "must end in one of"), ("none/out.csv", "folder does not exist"), ("folder.csv", "It is a folder")],
)
def test_an_impossible_output_is_refused(tmp_path: Path, name: str, said: str) -> None:
    """Before any work is done."""
    (tmp_path / "folder.csv").mkdir()

    with pytest.raises(BadInput, match=said):
        check_output(tmp_path / name)


def test_columns_that_csv_cannot_hold_ask_for_parquet(tmp_path: Path) -> None:
    """A list has no place in a line."""
    with pytest.raises(BadInput, match="file instead"):
        write_frame(pl.DataFrame({"a": [[1, 2]]}), tmp_path / "out.csv")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """A name that the disk refuses is told, and no part is left behind."""
    with pytest.raises(BadInput, match="too long"):
        write_bytes(b"new", tmp_path / f"{'x' * 255}.csv")

    assert list(tmp_path.iterdir()) == []
