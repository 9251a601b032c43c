"""Corporate actions in files of an operator's own: CSV or JSON, one action a row, as statements."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from truetape.domain.announced_terms import FIELDS
from truetape.domain.errors import BadInput
from truetape.services.api.statements import NewStatement, sound_statement

LARGEST: Final = 64 << 20  # bytes of a file
MOST: Final = 100_000  # rows
COLUMNS: Final = ("symbol", "target", "said", "why", *FIELDS)
OTHER_NAMES: Final = {"ex_date": "effective_date", "option": "options", "id": "target"}


def read_statements(path: Path, *, actor: str, why: str) -> list[NewStatement]:
    """Return the statements in a file: rows with `symbol`, or `target` for an announcement's id, and fields.

    Columns are those of COLUMNS; `said` is announced where it is left out, and `why` stands for the rows without one.
    In JSON it is a list of objects, whose `options` may be a list too.

    Raises:
        BadInput: The file cannot be read, or a row is not usable; it says which.
    """
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)
    except OSError as error:
        fix = f"{error.strerror or 'It could not be read'}. Name a file that can be read."
        raise BadInput(parameter="--file", value=str(path), fix=fix) from None
    if len(body) > LARGEST:
        raise BadInput(parameter="--file", value=str(path), fix=f"Divide it: at most {LARGEST >> 20} MiB are read.")
    rows = _json_rows(path, body) if path.suffix.lower() == ".json" else _csv_rows(path, body)
    if not 0 < len(rows) <= MOST:
        raise BadInput(parameter="--file", value=f"{len(rows)} rows", fix=f"Give 1 to {MOST:,} actions.")
    return [_statement(path, number, row, actor=actor, why=why) for number, row in enumerate(rows, start=1)]


def _csv_rows(path: Path, body: bytes) -> list[dict[str, str]]:
    try:
        text = body.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), strict=True, restkey="a cell without a header"))
    except (csv.Error, UnicodeError) as error:
        raise BadInput(parameter="--file", value=str(path), fix=f"It is no CSV in UTF-8: {error}.") from None
    return [{(name or "").strip(): str(cell or "") for name, cell in row.items()} for row in rows]


def _json_rows(path: Path, body: bytes) -> list[dict[str, str]]:
    try:
        rows = msgspec.json.decode(body, type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        fix = f'It is no list of objects such as [{{"symbol": "AAPL", "type": "split"}}]: {str(error)[:100]}.'
        raise BadInput(parameter="--file", value=str(path), fix=fix) from None
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def _statement(path: Path, number: int, row: Mapping[str, str], *, actor: str, why: str) -> NewStatement:
    named = {OTHER_NAMES.get(name, name): text.strip() for name, text in row.items() if text.strip()}
    place = f"{path.name}, row {number}"
    strange = next((name for name in named if name not in COLUMNS), None)
    if strange is not None:
        raise BadInput(parameter=place, value=strange[:60], fix=f"Columns are {', '.join(COLUMNS)}.")
    wanted = NewStatement(
        said=named.get("said", "announced"),
        symbol=named.get("symbol", ""),
        target=named.get("target", ""),
        fields={name: text for name, text in named.items() if name in FIELDS},
        actor=actor,
        why=named.get("why", why),
    )
    try:
        return sound_statement(wanted)
    except BadInput as error:
        raise BadInput(parameter=f"{place}, {error.parameter}", value=error.value, fix=error.fix) from None
