"""Reading XML whose facts stand in attributes or in flat rows: no document types, so no entities from elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from xml.parsers import expat

from truetape.domain.decoding import Payload

DEEPEST: Final = 64

Elements = list[tuple[str, dict[str, str]]]


def elements(payload: Payload, *, names: Collection[str]) -> Elements:
    """Return the local name and the attributes of each element called one of `names`, in the order of their beginning.

    Raises:
        UndecodablePayload: The body is too large, no well-formed XML, too deep, or declares a document type.
    """
    payload.bounded()
    found: Elements = []
    wanted = frozenset(names)
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise payload.defect("it was nested too deeply")
        local = name.rpartition(":")[2]
        if local in wanted:
            found.append((local, attributes))

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_declared: object) -> None:
        raise payload.defect("it declared a document type, which is refused")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(payload.body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise payload.defect(f"it was no XML: {str(error)[:200]}") from None
    return found


def flat_rows(payload: Payload, *, name: str) -> list[dict[str, str]]:
    """Return of each element called `name` the texts of its children by their local names.

    Attributes of a child stand beside its text, as child.attribute. Of children of one name the texts are joined.

    Raises:
        UndecodablePayload: The body is too large, no well-formed XML, too deep, or declares a document type.
    """
    payload.bounded()
    rows = _FlatRows(payload, name)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = rows.begin, rows.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = rows.text, rows.refuse
    try:
        parser.Parse(payload.body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise payload.defect(f"it was no XML: {str(error)[:200]}") from None
    return rows.found


class _FlatRows:
    """What a parser met so far."""

    def __init__(self, payload: Payload, name: str) -> None:
        self.found: list[dict[str, str]] = []
        self._payload = payload
        self._name = name
        self._path: list[str] = []
        self._row: dict[str, str] | None = None

    def begin(self, named: str, attributes: dict[str, str]) -> None:
        local = named.rpartition(":")[2]
        if self._row is not None:
            self._row |= {f"{local}.{attribute}": value for attribute, value in attributes.items()}
        elif local == self._name:
            self._row = {}
        self._path.append(local)
        if len(self._path) > DEEPEST:
            raise self._payload.defect("it was nested too deeply")

    def end(self, _named: str) -> None:
        if self._path.pop() == self._name and self._row is not None:
            self.found.append({key: text.strip() for key, text in self._row.items()})
            self._row = None

    def text(self, said: str) -> None:
        if self._row is not None and self._path[-1] != self._name:
            self._row[self._path[-1]] = self._row.get(self._path[-1], "") + said

    def refuse(self, *_declared: object) -> None:
        raise self._payload.defect("it declared a document type, which is refused")
