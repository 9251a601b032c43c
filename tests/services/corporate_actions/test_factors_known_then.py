"""Factors at any knowledge time, over the real store: what a rebuild of the facts known then would give."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

import polars as pl

from lengths import usually
from room_doubles import ListBus, rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.messages import BatchStored
from truetape.domain.schema import TABLES
from truetape.ports.store import Selection
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.service import CorporateActionsService

INSTRUMENTS, DAYS, SPAN = usually(5, long=25), 20, 1000  # how many of each, and of knowledge times
QUESTIONS = usually(3_000, long=100_000)  # an instrument, an event date and a knowledge time
FIRST = date(2024, 1, 1)
TYPES = ("split", "stock_dividend", "dividend", "special_dividend")

Key = tuple[str, int, str]  # instrument, day, and the type of an action; "" for a bar


@dataclass(frozen=True)
class Fact:
    """A version of an action or a close; a value of None withdraws it."""

    key: Key
    version: int
    known: int
    value: float | None


@dataclass
class Facts:
    """Every fact of a market, and what was known at a time: the greatest of the versions that were known by then."""

    versions: dict[Key, list[Fact]] = field(default_factory=dict)

    def at(self, name: str, known: int) -> tuple[dict[int, float], dict[int, list[tuple[str, float]]]]:
        """Return the closes by day and the actions by ex-day of an instrument that stood at a knowledge time."""
        closes: dict[int, float] = {}
        actions: dict[int, list[tuple[str, float]]] = {}
        for (whose, day, kind), versions in self.versions.items():
            last = max((one for one in versions if one.known <= known), key=lambda one: one.version, default=None)
            if whose != name or last is None or last.value is None:
                continue
            if kind:
                actions.setdefault(day, []).append((kind, last.value))
            else:
                closes[day] = last.value
        return closes, actions


def rebuilt(closes: dict[int, float], actions: dict[int, list[tuple[str, float]]]) -> dict[int, tuple[float, float]]:
    """Return shares and what stays of the price by ex-day, in plain arithmetic, from the facts alone."""
    factors = {}
    for day, told in actions.items():
        if not any(one >= day for one in closes):
            continue  # it has no effect yet
        shares = math.prod(value if kind == "split" else 1 + value for kind, value in told if kind in TYPES[:2])
        cash = sum(value for kind, value in told if kind in TYPES[2:])
        before = [one for one in sorted(closes) if one < day]
        paid = cash * shares / closes[before[-1]] if before else 0.0
        kept = 1 - paid if 0 < paid < 1 else 1.0
        if (shares, kept) != (1.0, 1.0):
            factors[day] = (shares, kept)
    return factors


def market(random: Random) -> list[Fact]:
    """Return facts of every kind in the order of their versions: late, amended, withdrawn and told again."""
    facts = []
    for number in range(INSTRUMENTS):
        name = f"ins_{number:02d}"
        keys: list[Key] = [(name, day, "") for day in range(DAYS) if random.random() < 0.8]
        keys += [(name, random.randrange(DAYS + 2), random.choice(TYPES)) for _ in range(4)]
        for key in dict.fromkeys(keys):
            known = random.choice([random.randrange(SPAN), key[1] * SPAN // DAYS])
            for version in range(1, random.choice([1, 1, 1, 2, 3, 4]) + 1):
                gone = version > 1 and random.random() < 0.35
                facts.append(Fact(key, version, known, None if gone else _value(key[2], random)))
                known = random.choice([random.randrange(SPAN), min(SPAN, known + random.randrange(200))])
    return facts


def _value(kind: str, random: Random) -> float:
    if kind == "split":
        return random.choice([2.0, 0.1, 7.0])
    if kind == "stock_dividend":
        return random.choice([0.05, 0.5])
    return random.choice([0.24, 1.5, 30.0]) if kind else round(random.uniform(1, 200), 2)


def frames(facts: list[Fact]) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """Return facts as rows and withdrawals by table."""
    writes: dict[str, pl.DataFrame] = {}
    gone: dict[str, pl.DataFrame] = {}
    for table, own in (
        ("bars", [one for one in facts if not one.key[2]]),
        ("actions", [one for one in facts if one.key[2]]),
    ):
        days = [FIRST + timedelta(days=one.key[1]) for one in own]
        columns: dict[str, object] = {"instrument_id": [one.key[0] for one in own], "agreed": "alpha"}
        columns |= {"ts_known": [one.known for one in own], "version": [one.version for one in own]}
        values = [one.value for one in own]
        if table == "bars":
            columns |= {"timeframe": "1d", "ts_event": days, "close": values}
        else:
            columns |= {"ex_date": days, "type": [one.key[2] for one in own], "value": values}
        value = "close" if table == "bars" else "value"
        made = rows(table, **columns)
        stand, lapsed = made.filter(pl.col(value).is_not_null()), made.filter(pl.col(value).is_null())
        writes |= {table: stand} if len(stand) else {}
        gone |= {table: lapsed.select(list(TABLES[table].withdrawal))} if len(lapsed) else {}
    return writes, gone


def told(fact: Fact, *, ts_known: int) -> BatchStored:
    return BatchStored(
        kind="actions" if fact.key[2] else "bars",
        round_id="rnd_a",
        instrument_id=fact.key[0],
        timeframe="1d",
        start=FIRST,
        end=FIRST,
        ts_known=ts_known,
        new=1,
        corrected=0,
        repeated=0,
        quarantined=0,
        store_version=1,
    )


def room(store: DuckdbStore) -> CorporateActionsService:
    return CorporateActionsService(bus=ListBus(), store=store, config=CorporateActionsConfig())


async def differences(store: DuckdbStore, facts: Facts, random: Random) -> tuple[int, int]:
    """Return how many of the random questions were answered otherwise than by a rebuild, and how many had a factor."""
    wrong = answers = questions = 0
    while questions < QUESTIONS:
        known = random.randrange(SPAN + 200)
        stored = await store.read("factors", Selection(as_of=known))
        for name in {f"ins_{random.randrange(INSTRUMENTS):02d}" for _ in range(8)}:
            own = stored.filter(pl.col("instrument_id") == name)
            found = {(one - FIRST).days: (split, left) for _, one, split, left, *_ in own.iter_rows()}
            expected = rebuilt(*facts.at(name, known))
            for day in range(-1, DAYS + 2):
                mine, theirs = cumulated(found, day), cumulated(expected, day)
                wrong += not all(math.isclose(one, two, rel_tol=1e-12) for one, two in zip(mine, theirs, strict=True))
                answers += theirs != (1.0, 1.0)
                questions += 1
    return wrong, answers


def cumulated(factors: dict[int, tuple[float, float]], day: int) -> tuple[float, float]:
    later = [factors[one] for one in sorted(factors)[bisect_right(sorted(factors), day) :]]
    return math.prod(one for one, _ in later), math.prod(one for _, one in later)


async def test_factors_are_what_was_known_then(tmp_path: Path) -> None:
    """100,000 random questions about instrument, event date and knowledge time: none differs from a rebuild.

    Facts come in any order, some in one commit with others, and some are told late, twice, or after a restart only. The
    rebuild is plain arithmetic over the facts whose knowledge time had come.
    """
    random = Random(20_240_610)
    store = DuckdbStore(tmp_path / "store.duckdb")
    service, facts, waiting = room(store), Facts(), market(random)
    random.shuffle(waiting)
    late: list[Fact] = []
    while waiting:
        some = [waiting.pop() for _ in range(min(random.randint(1, 90), len(waiting)))]
        writes, gone = frames(some)
        await store.commit(writes, withdrawals=gone)
        for one in some:
            facts.versions.setdefault(one.key, []).append(one)
        late += some
        random.shuffle(late)
        for one in {fact.key[0]: fact for fact in late[: len(late) // 2]}.values():
            await service.on_batch_stored(told(one, ts_known=random.randrange(SPAN)))
        late = late[len(late) // 2 :]
    service = room(store)
    for number in range(INSTRUMENTS):
        await service.on_batch_stored(told(Fact((f"ins_{number:02d}", 0, ""), 1, 0, 1.0), ts_known=SPAN))

    version = store.version()
    wrong, answers = await differences(store, facts, random)
    for number in range(INSTRUMENTS):
        await service.on_batch_stored(told(Fact((f"ins_{number:02d}", 0, ""), 1, 0, 1.0), ts_known=SPAN))
    await store.close()

    assert wrong == 0
    assert answers > QUESTIONS // 4
    assert version == store.version()
