"""Steps that are done to a store and to the model of one, which must agree, and how they are drawn at random."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Any, Final, TypeVar

import polars as pl
import polars.selectors as cs
from carried_store import archive, rest
from database_places import keep_by_column
from store_model import EPOCH, Model, Row
from store_rows import bar, frame, withdrawal, withdrawals
from stores import OpenStore

from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection

Value = TypeVar("Value")
Upkeep = Callable[[OpenStore], Awaitable[None]]

# What a store of the registry can do to itself and no reader may see, such as to compact its file or to move rows to
# another tier: by the name of the store.
UPKEEP: Final[dict[str, tuple[Upkeep, ...]]] = {"tiers": (archive, rest), "timescale": (keep_by_column,)}
LATEST: Final = 12  # the last knowledge time
COLUMNS: Final = {
    "bars": ("instrument_id", "ts_event", "version", "ts_known", "close"),
    "rejected_payloads": ("payload", "ts_known"),
}


@dataclass(frozen=True)
class Commit:
    """Write bars and payloads and withdraw bars, in one commit."""

    bars: tuple[Row, ...]
    payloads: tuple[Row, ...]

    async def do(self, store: OpenStore, model: Model) -> None:
        """Commit to both; they must agree on the version."""
        rows = [row for row in self.bars if row.value is not None]
        gone = [row for row in self.bars if row.value is None]
        model.commit({"bars": [*rows, *gone], "rejected_payloads": self.payloads})
        writes = {
            "bars": frame("bars", *(bar(int(row.key[1]), row.value, **_about(row)) for row in rows)),
            "rejected_payloads": frame("rejected_payloads", *map(_payload, self.payloads)),
        }
        told = withdrawals(*(withdrawal(int(row.key[1]), **_about(row)) for row in gone)) if gone else None
        assert await store.commit(writes, withdrawals=told) == store.version() == model.version


@dataclass(frozen=True)
class Ask:
    """Read; or stream, in frames of so many `rows`. The number of a version wraps around at the store's own."""

    table: str
    selection: Selection
    rows: int | None = None

    async def do(self, store: OpenStore, model: Model) -> None:
        """Ask both; they must agree on every row and on the order."""
        at = self.selection.at_version
        at = None if at is None else at % (model.version + 1)
        wanted = replace(self.selection, at_version=at, columns=COLUMNS[self.table])
        frames = [await store.read(self.table, wanted)]
        if self.rows is not None:
            frames += [some async for some in store.stream(self.table, wanted, rows=self.rows)]
            assert [len(some) for some in frames[1:] if not 0 < len(some) <= self.rows] == []
            assert pl.concat(frames[1:] or [frames[0].clear()]).equals(frames[0])
        found = frames[0].with_columns(cs.datetime().cast(pl.Int64)).rows()
        assert (wanted, found) == (wanted, [_shown(self.table, row) for row in model.read(self.table, wanted)])


@dataclass(frozen=True)
class Restart:
    """Close the store and open it again; the test does it."""


@dataclass(frozen=True)
class Keep:
    """Let the store do the `number`th thing of UPKEEP, if it has any; the test does it."""

    number: int


Step = Commit | Ask | Restart | Keep


def _about(row: Row) -> dict[str, Any]:
    return {"version": row.version, "known": row.known, "who": row.key[0]}


def _payload(row: Row) -> dict[str, Any]:
    return {"payload": row.key[0], "kind": "bars", "ts_known": row.known}


def _shown(table: str, row: Row) -> tuple[object, ...]:
    if table == "bars":
        return (row.key[0], int(row.key[1]) * DAY_NS, row.version, row.known, row.value)
    return (row.key[0], row.known)


INSTRUMENTS: Final = ("ins_a", "ins_b")
MOST_DAYS: Final = 3
MOST_VERSIONS: Final = 8


def draw(random: Random) -> Step:
    """Return a random step: half of them ask, most others commit."""
    kind = random.random()
    if kind < 0.03:
        return Restart()
    if kind < 0.06:
        return Keep(random.randrange(8))
    if kind < 0.35:
        return Commit(bars=_bars(random), payloads=_payloads(random))
    if kind < 0.42:
        return Ask("rejected_payloads", _times(random))
    return Ask("bars", _selection(random), rows=_seldom(random, random.randint(1, 4)))


def _bars(random: Random) -> tuple[Row, ...]:
    """Return versions of bars: of one instrument or of all, of any number and time, a third of them withdrawals."""
    about = random.choice([INSTRUMENTS, INSTRUMENTS[:1], INSTRUMENTS[1:]])
    return tuple(
        Row(
            key=(random.choice(about), random.randint(1, MOST_DAYS)),
            version=random.randint(1, MOST_VERSIONS),
            known=random.randint(0, LATEST),
            value=random.choice([None, float(random.randrange(99)), float(random.randrange(99))]),
        )
        for _ in range(random.randint(0, 4))
    )


def _payloads(random: Random) -> tuple[Row, ...]:
    names = random.sample("pqrstuvw", k=random.randint(0, 2))
    return tuple(Row(key=(name,), version=0, known=random.randint(0, LATEST), value=1.0) for name in names)


def _times(random: Random) -> Selection:
    return Selection(
        as_of=random.choice([None, random.randint(0, LATEST)]),
        at_version=random.choice([None, random.randint(0, 99)]),
        since_version=_seldom(random, random.randint(0, 30)),
    )


def _selection(random: Random) -> Selection:
    start, end = (date.fromordinal(EPOCH + random.randint(1, MOST_DAYS)) for _ in "ab")
    some = random.sample(INSTRUMENTS, k=random.randint(0, len(INSTRUMENTS)))
    return replace(
        _times(random),
        equal=_seldom(random, {"instrument_id": tuple(some)}) or {},
        start=_seldom(random, start),
        end=_seldom(random, end),
        history=random.choice([False, False, True]),
        limit=_seldom(random, random.randint(0, 4)),
        withdrawn=random.choice([False, False, True]),
    )


def _seldom(random: Random, value: Value) -> Value | None:
    """Return mostly None, so that answers are not empty too often."""
    return value if random.random() < 0.2 else None
