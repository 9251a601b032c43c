"""A store as lists of what it was told, from the words of the port alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from truetape.ports.store import Selection

Key = tuple[str | int, ...]
EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Row:
    """One version of a row, or its withdrawal: then `value` is None. Days count from 1970."""

    key: Key  # instrument and day of a bar; the name of a payload
    version: int
    known: int
    value: float | None


@dataclass
class Model:
    """What was told of each table, with the commit that brought it, in the order of telling."""

    told: dict[str, list[tuple[int, Row]]] = field(default_factory=dict)
    version: int = 0

    def commit(self, writes: Mapping[str, Sequence[Row]]) -> None:
        """Keep the rows whose key and version were not told before."""
        before = self.version
        for table, rows in writes.items():
            told = self.told.setdefault(table, [])
            for row in rows:
                if (row.key, row.version) not in {(one.key, one.version) for _, one in told}:
                    told.append((before + 1, row))
                    self.version = before + 1

    def read(self, table: str, selection: Selection) -> list[Row]:
        """Return what a selection shows, in the order of the key, then of the version."""
        state = self.version if selection.at_version is None else selection.at_version
        seen = [(commit, row) for commit, row in self.told.get(table, []) if commit <= state]
        if selection.as_of is not None:
            seen = [(commit, row) for commit, row in seen if row.known <= selection.as_of]
        if not selection.history:
            seen = list(
                {row.key: (commit, row) for commit, row in sorted(seen, key=lambda one: one[1].version)}.values()
            )
        if selection.since_version is not None:
            seen = [(commit, row) for commit, row in seen if commit > selection.since_version]
        rows = [row for _, row in seen if (row.value is None) == selection.withdrawn]
        for wanted in selection.equal.values():
            rows = [row for row in rows if row.key[0] in wanted]
        if selection.start is not None:
            rows = [row for row in rows if int(row.key[1]) >= selection.start.toordinal() - EPOCH]
        if selection.end is not None:
            rows = [row for row in rows if int(row.key[1]) <= selection.end.toordinal() - EPOCH]
        return sorted(rows, key=lambda row: (row.key, row.version))[: selection.limit]
