"""What one path answers, and the parameters that many paths share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from truetape.domain.schema import TABLES
from truetape.services.api.formats import PAGE_FORMATS, STREAM_FORMATS, TABLE_FORMATS
from truetape.services.api.parameters import Parameter
from truetape.services.api.snapshots import SNAPSHOT, SNAPSHOTS

STREAM: Final = "bars_stream"
RECEIPTS: Final = "/v1/receipts"


@dataclass(frozen=True)
class Endpoint:
    """One path: what it answers, and with which rows. `name` is what the rows are called in JSON."""

    name: str
    path: str
    title: str
    about: str
    example: str
    parameters: tuple[Parameter, ...]
    formats: tuple[str, ...]
    columns: Mapping[str, pl.DataType]
    path_parameters: tuple[Parameter, ...] = ()


def form_of(choices: tuple[str, ...]) -> Parameter:
    """Return the parameter that chooses the form of an answer."""
    about = "The form of the answer; without it the header Accept decides."
    return Parameter("format", about, choices=choices, schema={"type": "string"})


def stream_of(bars: Endpoint) -> Endpoint:
    """Return the endpoint that answers in one go what `bars` answers in pages."""
    parameters = tuple(one for one in bars.parameters if one.name not in {"format", "limit", "cursor"})
    return replace(
        bars,
        name=STREAM,
        path=f"{bars.path}/stream",
        title="Bars, streamed",
        about=(
            "All bars of a question in one answer without pages, however many, sent as they are read: all of one state "
            "of the store. A stream that was cut ends without its last chunk."
        ),
        example=f"{bars.path}/stream?symbols=AAPL&format=csv",
        parameters=(*parameters, form_of(STREAM_FORMATS)),
        formats=STREAM_FORMATS,
    )


def kept_endpoints() -> list[Endpoint]:
    """Return the endpoints of snapshots."""
    columns = TABLES["snapshots"].columns
    return [
        Endpoint(
            name="snapshots",
            path=SNAPSHOTS,
            title="Snapshots",
            about=(
                "Names of states of the store, the newest first. POST a name to name the present state; it stands for "
                "the same for ever."
            ),
            example=SNAPSHOTS,
            parameters=(form_of(TABLE_FORMATS),),
            formats=TABLE_FORMATS,
            columns={name: columns[name] for name in SNAPSHOT},
        ),
        Endpoint(
            name="snapshot",
            path=f"{SNAPSHOTS}/{{name}}",
            title="A snapshot",
            about="What a name stands for. `format=text` is for reading.",
            example=f"{SNAPSHOTS}/eod-2026-11-20?format=text",
            parameters=(form_of(PAGE_FORMATS),),
            formats=PAGE_FORMATS,
            columns={},
            path_parameters=(Parameter("name", "A name of /v1/snapshots.", example="eod-2026-11-20", required=True),),
        ),
    ]
