"""Files of corporate actions: CSV or JSON, each row a statement, or an error that says which row."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetape.app.action_files import read_statements
from truetape.domain.errors import BadInput
from truetape.services.api.statements import NewStatement

CSV = "symbol,type,ex_date,value,currency,why\nAAPL,dividend,2024-08-12,0.25,USD,\nXYZ,split,2024-09-01,1:8,,notice 7\n"
JSON = """[{"symbol": "XYZ", "type": "dividend", "effective_date": "2024-08-12", "value": 0.25, "said": "confirmed",
 "options": [{"label": "cash", "value": "0.25"}], "price": null},
 {"target": "ann_x_1", "said": "cancelled"}]"""


def read(folder: Path, name: str, text: str) -> list[NewStatement]:
    path = folder / name
    path.write_text(text)
    return read_statements(path, actor="ann", why="as told")


def test_a_csv_file_is_statements(tmp_path: Path) -> None:
    """A row's own reason stands before the one that is given for all."""
    first, second = read(tmp_path, "a.csv", CSV)

    assert ("announced", "AAPL", "ann", "as told") == (first.said, first.symbol, first.actor, first.why)
    assert {"type": "dividend", "effective_date": "2024-08-12", "value": "0.25", "currency": "USD"} == first.fields
    assert ({"type": "split", "effective_date": "2024-09-01", "value": "0.125"}, "notice 7") == (
        second.fields,
        second.why,
    )


def test_a_json_file_is_statements(tmp_path: Path) -> None:
    """Numbers and lists stand as they are written; a null says nothing."""
    first, second = read(tmp_path, "a.json", JSON)

    assert ("confirmed", "XYZ", "0.25", '[{"label":"cash","value":"0.25"}]') == (
        first.said,
        first.symbol,
        first.fields["value"],
        first.fields["options"],
    )
    assert ("cancelled", "ann_x_1", {}) == (second.said, second.target, second.fields)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "symbol,colour\nA,red\n", "a.csv, row 1 was 'colour'. Columns are symbol, target"),
        ("a.csv", "symbol,type,value\nA,split,2\nB,split,much\n", "a.csv, row 2, value was 'much'"),
        ("a.csv", "symbol,type\nA,split,2\n", "Columns are"),
        ("a.csv", "symbol,type\n", "0 rows"),
        ("a.csv", 'symbol,type\n"A,split\n', "no CSV"),
        ("a.json", '{"symbol": "A"}', "no list of objects"),
        ("a.json", '[{"symbol": "A", "target": "ann_x_1", "said": "announced"}]', "row 1, target"),
        ("a.json", '[{"symbol": "A", "said": "shouted"}]', "row 1, said was 'shouted'"),
    ],
)
def test_a_row_that_cannot_be_said_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    """Nothing of the file is said then."""
    with pytest.raises(BadInput) as caught:
        read(tmp_path, name, text)

    assert words in str(caught.value)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    """Without reading more than is allowed."""
    with pytest.raises(BadInput, match="No such file"):
        read_statements(tmp_path / "none.csv", actor="ann", why="w")
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(BadInput, match="at most 64 MiB"):
        read_statements(huge, actor="ann", why="w")
