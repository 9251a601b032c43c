"""Where the library's answers come from, and how its questions are written."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from datetime import date, datetime
from typing import Protocol

import polars as pl

from truetape.domain.errors import BadInput
from truetape.domain.time import from_datetime, iso
from truetape.services.api.announced import ActionCase
from truetape.services.api.cases import ClaimCase, RepairCase
from truetape.services.api.explain import Explanation
from truetape.services.api.hints import Plan
from truetape.services.api.master import InstrumentCase
from truetape.services.api.render import Receipt
from truetape.services.api.snapshots import Snapshot


class Source(Protocol):
    """Where answers come from."""

    def table(self, name: str, given: Mapping[str, str]) -> pl.DataFrame:
        """Return every row of the answer to `given`, at the endpoint `name`."""
        ...

    def receipt(self) -> Receipt:
        """Return which store would answer now, as known when."""
        ...

    def explain(self, symbol: str, ts: str, given: Mapping[str, str]) -> Explanation:
        """Return the explanation of one bar."""
        ...

    def frames(self, given: Mapping[str, str]) -> Generator[pl.DataFrame, None, None]:
        """Yield the bars that `given` asks for in frames of a bounded number of rows, all of one state of the store."""
        ...

    def plan(self, given: Mapping[str, str]) -> Plan:
        """Return how the bars that `given` asks for are answered."""
        ...

    def snapshot(self, name: str) -> Snapshot:
        """Return what `name` stands for."""
        ...

    def answer_of(self, receipt: str) -> bytes:
        """Return the body of the answer that has this receipt."""
        ...

    def action(self, target: str, given: Mapping[str, str]) -> ActionCase:
        """Return one announced corporate action with all that is known of it."""
        ...

    def instrument(self, one: str, given: Mapping[str, str]) -> InstrumentCase:
        """Return all that is known of the instrument whose id or ticker is `one`."""
        ...

    def case(self, target: str) -> ClaimCase | RepairCase:
        """Return the evidence about a quarantined claim or a repair."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


def given_as(**values: object) -> dict[str, str]:
    """Return the values that were given, written as they stand in a URL."""
    return {name: written_as(name, value) for name, value in values.items() if value is not None}


def written_as(name: str, value: object) -> str:
    """Return `value` as it stands in a URL.

    Raises:
        BadInput: It is no text, date or list, or a datetime without a zone.
    """
    match value:
        case str():
            return value
        case datetime():
            if name in {"start", "end"}:
                return f"{value:%Y-%m-%d}"
            if value.tzinfo is None:
                raise BadInput(parameter=name, value=str(value), fix="Give a datetime with a zone, for example UTC.")
            return iso(from_datetime(value))
        case date():
            return value.isoformat()
        case Iterable():
            return ",".join(str(part) for part in value)
    raise BadInput(parameter=name, value=value, fix="Give text, or a date.")
