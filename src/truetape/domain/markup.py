"""Reading XML whose facts stand in attributes: no document types, so no entities and nothing from elsewhere."""

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
