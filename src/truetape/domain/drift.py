"""How a payload differs from what its reader expects, field by field: the schema of a provider drifts.

Expected is what msgspec's decoder was made for; found are the kinds of value that stand in the body. No value is told,
since it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

MOST_BYTES: Final = 4 * 1024 * 1024  # of a body that is looked through
MOST_ELEMENTS: Final = 500  # of an array or object that are looked at
MOST_TOLD: Final = 20
LONGEST_NAME: Final = 60
ALIKE: Final = 0.6  # share of two names that is the same, from which one may be the other's new spelling
CLEARLY: Final = 0.75  # the same, for a field that may be missing

MISSING: Final = "nothing"
MOST_HEADER: Final = 64 * 1024  # bytes of a first line
_DATA: Final = re.compile(r"[\d\s:./TZ+-]+")  # names that are dates or numbers
_KINDS: Final[dict[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}
_EXPECTED: Final[dict[type, tuple[str, ...]]] = {
    inspect.StructType: ("an object",),
    inspect.DictType: ("an object",),
    inspect.ListType: ("an array",),
    inspect.VarTupleType: ("an array",),
    inspect.TupleType: ("an array",),
    inspect.IntType: ("a number",),
    inspect.FloatType: ("a number",),
    inspect.StrType: ("a text",),
    inspect.BoolType: ("a truth value",),
    inspect.NoneType: ("null",),
}
Walk = Iterator["Difference"]


class Difference(NamedTuple):
    """A field that is not as its reader expects it."""

    field: str  # the way to it; [] stands for each element of an array, {} for each value of an object
    expected: str  # MISSING: the reader knows no such field
    found: str  # MISSING: it is not there
    nearest: str = ""  # the unknown field that is spelled most like it


def differences(expected: type, body: bytes) -> tuple[Difference, ...]:
    """Return what of `body` is not as `expected`, a type that msgspec decodes; nothing for what is no JSON at all.

    Of an object in which a field is missing the unknown fields are told too: one of them may be its new name.
    """
    if len(body) > MOST_BYTES:
        return ()
    try:
        value = msgspec.json.decode(body)
        found = {(one.field, one.expected): one for one in _walk(inspect.type_info(expected), value, "")}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
    return tuple(found.values())


def drifted(decode: Callable[[bytes], object], body: bytes) -> str:
    """Return a sentence about the fields that `decode`, a decoder's method, misses in `body`; "" for none."""
    decoder = getattr(decode, "__self__", None)
    if not isinstance(decoder, msgspec.json.Decoder):
        return ""
    return words(differences(decoder.type, body))


def words(found: Iterable[Difference]) -> str:
    """Return `found` as a sentence's end, field by field; "" for nothing."""
    fields = list(found)
    if not fields:
        return ""
    more = f"; and {len(fields) - MOST_TOLD} more" if len(fields) > MOST_TOLD else ""
    return "; fields: " + "; ".join(_told(one) for one in fields[:MOST_TOLD]) + more


def names_differ(expected: Iterable[str], found: Iterable[str]) -> tuple[Difference, ...]:
    """Return the columns of a table that are missing, each with the name nearest to it, and those that are unknown."""
    wanted, there = list(dict.fromkeys(expected)), list(dict.fromkeys(found))
    unknown = [name for name in there if name not in wanted]
    missing = [Difference(name, "a column", MISSING, _nearest(name, unknown)) for name in wanted if name not in there]
    return (*missing, *(Difference(name, MISSING, "a column") for name in unknown if missing))


def _told(one: Difference) -> str:
    name = one.field[:LONGEST_NAME] or "the whole"
    if one.expected == MISSING:
        return f"{name} is unknown, with {one.found}"
    near = f", {one.nearest[:LONGEST_NAME]} has the nearest name" if one.nearest else ""
    return f"{name} should be {one.expected} and was {one.found}{near}"


def _walk(expected: inspect.Type, value: Any, path: str) -> Walk:
    """Yield what of `value` is not as `expected`."""
    kind = _KINDS[type(value)]
    if isinstance(expected, inspect.UnionType):
        yield from _any_of(expected.types, value, path)
    elif type(expected) in _EXPECTED and kind not in _kinds_of(expected):
        yield Difference(path, _named([expected]), kind)
    elif isinstance(expected, inspect.StructType):
        yield from (_positions if expected.array_like else _members)(expected, value, path)
    elif isinstance(expected, inspect.DictType):
        for one in list(value.values())[:MOST_ELEMENTS]:
            yield from _walk(expected.value_type, one, f"{path}{{}}")
    elif isinstance(expected, inspect.ListType | inspect.VarTupleType):
        for one in value[:MOST_ELEMENTS]:
            yield from _walk(expected.item_type, one, f"{path}[]")
    elif isinstance(expected, inspect.TupleType):
        yield from _places(expected.item_types, value, path)


def _any_of(types: Iterable[inspect.Type], value: Any, path: str) -> Walk:
    """Yield what differs from the alternative that is of the value's kind, where none fits."""
    every = list(types)
    alike = [one for one in every if type(one) not in _EXPECTED or _KINDS[type(value)] in _kinds_of(one)]
    if not alike:
        yield Difference(path, _named(every), _KINDS[type(value)])
        return
    yield from min((list(_walk(one, value, path)) for one in alike), key=len)


def _members(expected: inspect.StructType, value: dict[str, Any], path: str) -> Walk:
    names = [one.encode_name for one in expected.fields]
    unknown = [name for name in value if name not in names]
    is_short = False
    for one in expected.fields:
        name = f"{path}.{one.encode_name}".lstrip(".")
        if one.encode_name in value:
            yield from _walk(one.type, value[one.encode_name], name)
            continue
        nearest = _nearest(one.encode_name, unknown, alike=ALIKE if one.required else CLEARLY)
        is_short = is_short or one.required
        if one.required or nearest:
            yield Difference(name, _named([one.type]), MISSING, nearest)
    if is_short:
        for other in unknown[:MOST_TOLD]:
            yield Difference(f"{path}.{other}".lstrip("."), MISSING, _KINDS[type(value[other])])


def _positions(expected: inspect.StructType, value: list[Any], path: str) -> Walk:
    required = [one.type for one in expected.fields if one.required]
    yield from _places([one.type for one in expected.fields], value, path, least=len(required))


def _places(types: Iterable[inspect.Type], value: list[Any], path: str, *, least: int | None = None) -> Walk:
    every = list(types)
    for place, one in enumerate(every):
        if place < len(value):
            yield from _walk(one, value[place], f"{path}[{place}]")
        elif least is None or place < least:
            yield Difference(f"{path}[{place}]", _named([one]), MISSING)


def _kinds_of(expected: inspect.Type) -> tuple[str, ...]:
    if isinstance(expected, inspect.StructType) and expected.array_like:
        return ("an array",)
    return _EXPECTED[type(expected)]


def _named(types: Iterable[inspect.Type]) -> str:
    flat = [part for one in types for part in (one.types if isinstance(one, inspect.UnionType) else (one,))]
    known = [kind for one in flat if type(one) in _EXPECTED for kind in _kinds_of(one)]
    return " or ".join(dict.fromkeys(known)) or "anything"


def _nearest(name: str, others: Iterable[str], *, alike: float = ALIKE) -> str:
    """Return the one of `others` that is spelled most like `name`, whatever its capitals and marks; "" for none."""
    plain = {_plain(one): one for one in others}
    found = get_close_matches(_plain(name), plain, n=1, cutoff=alike)
    return plain[found[0]] if found else ""


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())[:LONGEST_NAME]


def changed(before: bytes, now: bytes) -> tuple[Difference, ...]:
    """Return how the fields of a payload differ from those of an earlier one: gone, new, or of another kind.

    Fields are those of JSON, or the names in the first line of a table; numbers and dates among them are data. What
    lies within a field that is gone or new is not told apart.
    """
    told, found = _fields(before), _fields(now)
    unknown = [path for path in found if path not in told]
    gone = [path for path in told if path not in found]
    missing = [Difference(path, told[path], MISSING, _nearest(path, unknown)) for path in _outermost(gone)]
    others = [Difference(path, told[path], found[path]) for path in told if found.get(path, told[path]) != told[path]]
    return (*missing, *others, *(Difference(path, MISSING, found[path]) for path in _outermost(unknown)))


def _fields(body: bytes) -> dict[str, str]:
    """Return each field of a body with the kinds of its values."""
    if len(body) > MOST_BYTES:
        return {}
    try:
        value = msgspec.json.decode(body)
        pairs = sorted({(path, kind) for path, kind in _paths(value, "") if path})
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        first = body[:MOST_HEADER].partition(b"\n")[0].decode(errors="replace")
        return {name.strip().strip('"'): "a column" for name in first.replace(";", ",").split(",") if name.strip()}
    kinds: dict[str, list[str]] = {}
    for path, kind in pairs:
        kinds.setdefault(path, []).append(kind)
    return {path: " or ".join(several) for path, several in kinds.items()}


def _paths(value: Any, path: str) -> Iterator[tuple[str, str]]:
    yield path, _KINDS[type(value)]
    if isinstance(value, list):
        for one in value[:MOST_ELEMENTS]:
            yield from _paths(one, f"{path}[]")
    if isinstance(value, dict):
        for name, one in list(value.items())[:MOST_ELEMENTS]:
            yield from _paths(one, f"{path}{{}}" if _DATA.fullmatch(name) else f"{path}.{name}".lstrip("."))


def _outermost(paths: Iterable[str]) -> list[str]:
    """Return those of `paths` that lie in no other of them."""
    every = list(paths)
    starts = tuple(f"{path}{mark}" for path in every for mark in (".", "[", "{"))
    return [path for path in every if not path.startswith(starts)]
