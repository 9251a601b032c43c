"""What a question may be made of: declared parameters, read from a query string and documented from one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final
from urllib.parse import parse_qsl

from truetape.domain.errors import BadInput

MOST_FIELDS: Final = 32


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, what it does, and what it may be."""

    name: str
    about: str
    example: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    default: str | None = None
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string", "minLength": 1})


def read_parameters(query_string: bytes, known: Sequence[Parameter], *, max_bytes: int) -> dict[str, str]:
    """Return what a query string gives, by name, after checking names and choices.

    Raises:
        BadInput: It is too long, a name is unknown or given twice, a value is empty or none of the choices, or a
            required parameter is missing.
    """
    if len(query_string) > max_bytes:
        fix = f"At most {max_bytes} bytes are read. Ask for fewer symbols at once."
        raise BadInput(parameter="the query string", value=f"{len(query_string)} bytes", fix=fix)
    try:
        pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        fix = f"At most {MOST_FIELDS} parameters are read; each may stand once."
        raise BadInput(parameter="the query string", value="too many parameters", fix=fix) from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            fix = f"It stands twice. Give it once; several values are separated by commas: {name}=A,B."
            raise BadInput(parameter=name, value=value, fix=fix)
        given[name] = value
    return checked(given, known)


def checked(given: Mapping[str, str], known: Sequence[Parameter]) -> dict[str, str]:
    """Return `given` with defaults filled in.

    Raises:
        BadInput: As `read_parameters`, but for length and repetition.
    """
    names = [parameter.name for parameter in known]
    for name, value in given.items():
        if name not in names:
            raise BadInput(parameter=name, value=value, fix=_unknown(name, names))
    filled = {parameter.name: _value(parameter, given.get(parameter.name)) for parameter in known}
    return {name: value for name, value in filled.items() if value is not None}


def _value(parameter: Parameter, value: str | None) -> str | None:
    if value is None:
        if parameter.required:
            fix = f"It is required: {parameter.name}={parameter.example}."
            raise BadInput(parameter=parameter.name, value=None, fix=fix)
        return parameter.default
    if not value.strip():
        fix = "Give it a value, or leave it out."
        raise BadInput(parameter=parameter.name, value=value, fix=fix)
    if parameter.choices and value not in parameter.choices:
        nearest = get_close_matches(value.lower(), parameter.choices, n=1, cutoff=0.5)
        meant = f"Did you mean {nearest[0]!r}? " if nearest else ""
        raise BadInput(parameter=parameter.name, value=value, fix=f"{meant}Choose one of {_listed(parameter.choices)}.")
    return value


def _unknown(name: str, names: Sequence[str]) -> str:
    nearest = get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    meant = f"Did you mean {nearest[0]!r}? " if nearest else ""
    known = f"Parameters are {_listed(names)}." if names else "None can be given here."
    return f"There is no such parameter. {meant}{known}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
