"""What providers and operators take back no longer stands, from the bytes to the factors: and stays readable."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from pipeline_doubles import BOTH, FRIDAY, INSTRUMENT, MONDAY, NOW, DictArchive, Script, capture, closing, provider
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_bus import MemoryBus
from truetape.adapters.set_clock import SetClock
from truetape.domain.messages import DecisionMade
from truetape.domain.time import day_start_ns
from truetape.ports.store import Selection
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.service import CorporateActionsService
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.service import ProcessingService
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.service import QualityService
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

WEDNESDAY = date(2024, 6, 5)
SPLIT, NO_SPLIT = b"raw,20,20,10,10,10|2,2", b"raw,20,20,10,10,10.5|"


class Rooms:
    """Everything from the archive to the factors, over one store."""

    def __init__(self, folder: Path) -> None:
        clock = SetClock(NOW)
        self.bus = MemoryBus(clock=clock)
        self.store = DuckdbStore(folder / "store.duckdb")
        self.archive = DictArchive()
        providers = {name: provider(name, Script(b""), decode=BOTH) for name in ("alpha", "bravo")}
        rooms = (
            ProcessingService(
                bus=self.bus, store=self.store, archive=self.archive, providers=providers, config=ProcessingConfig()
            ),
            QualityService(bus=self.bus, store=self.store, config=QualityConfig()),
            StorageService(bus=self.bus, store=self.store, config=StorageConfig()),
            CorporateActionsService(bus=self.bus, store=self.store, config=CorporateActionsConfig()),
        )
        for room in rooms:
            room.subscribe()

    async def hear(self, number: int, **bodies: bytes) -> None:
        """Close round `number`, in which providers sent `bodies`."""
        for body in bodies.values():
            self.archive.put(body)
        captures = [
            capture(name, body=body, ts_known=NOW + number, round_id=f"rnd_{number}") for name, body in bodies.items()
        ]
        for one in captures:
            await self.bus.publish(one)
        await self.bus.publish(closing(*captures))
        await self.bus.drain()

    async def splits(self, **selection: int | bool) -> list[tuple[float | None, int]]:
        """Return the value and version of each split."""
        return (await self.store.read("actions", Selection(**selection))).select("value", "version").rows()  # type: ignore[arg-type]

    async def factors(self) -> list[float]:
        return (await self.store.read("factors"))["split"].to_list()


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    rooms = Rooms(tmp_path)
    yield rooms
    await rooms.bus.close()
    await rooms.store.close()


async def test_an_action_that_vanishes_from_a_corrected_answer_is_withdrawn(rooms: Rooms) -> None:
    """Its factor goes with it, a finding says why, the past keeps it, and told again it stands as a new version."""
    await rooms.hear(1, alpha=SPLIT)
    assert ([(2.0, 1)], [2.0]) == (await rooms.splits(), await rooms.factors())
    await rooms.hear(2, alpha=NO_SPLIT)
    assert ([], []) == (await rooms.splits(), await rooms.factors())
    assert [(None, 2)] == await rooms.splits(withdrawn=True)
    assert [(2.0, 1)] == await rooms.splits(as_of=NOW + 1)
    told = (await rooms.store.read("findings", Selection(equal={"check": ("withdrawn",)}))).row(0, named=True)
    assert (
        "The stored row no longer stands: alpha told the split of 2024-06-05 before and no longer does."
        == (told["explanation"])
    )
    assert (WEDNESDAY, "split", 2.0, "rnd_2") == (
        told["ts_event"].date(),
        told["field"],
        told["value"],
        told["round_id"],
    )
    await rooms.hear(3, alpha=NO_SPLIT)
    assert ([], 1) == (await rooms.splits(), len(await rooms.splits(withdrawn=True, history=True)))
    await rooms.hear(4, alpha=SPLIT)
    assert ([(2.0, 3)], [2.0]) == (await rooms.splits(), await rooms.factors())
    await rooms.hear(5, alpha=NO_SPLIT)
    assert [] == await rooms.splits()
    assert [(None, 2), (None, 4)] == await rooms.splits(withdrawn=True, history=True)


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        pytest.param({"bravo": b"raw,20,20,10,10,10.5|"}, [(2.0, 1)], id="somebody else is silent"),
        pytest.param({"alpha": b"raw,20,20"}, [(2.0, 1)], id="the answer ends before its day"),
        pytest.param({"alpha": b"garbled"}, [(2.0, 1)], id="the answer is not readable"),
        pytest.param({"alpha": NO_SPLIT, "bravo": SPLIT}, [(2.0, 2)], id="another tells it now"),
        pytest.param({"alpha": b"raw,20,20,10,10,10|2,3"}, [(3.0, 2)], id="it has another value"),
    ],
)
async def test_an_action_that_may_still_be_told_stands(
    rooms: Rooms, bodies: dict[str, bytes], expected: list[tuple[float, int]]
) -> None:
    """Only a whole answer about its day that its own provider sends without it takes it back."""
    await rooms.hear(1, alpha=SPLIT)
    await rooms.hear(2, **bodies)
    assert expected == await rooms.splits()


async def test_a_bar_that_only_a_decision_gave_goes_with_the_decision(rooms: Rooms) -> None:
    """A claim that cannot stand is corrected, then the decision is undone: the row is withdrawn, with its reason."""
    await rooms.hear(1, alpha=b"raw,20,20,-10,10,10")
    wednesday = Selection(start=WEDNESDAY, end=WEDNESDAY)
    assert (await rooms.store.read("bars", wednesday)).is_empty()
    claim = (await rooms.store.read("quarantine", wednesday)).row(0, named=True)
    for number, action in ((2, "correct"), (3, "undo")):
        made = DecisionMade(
            decision_id=f"dec_{number}",
            target="qua_1",
            action=action,
            instrument_id=INSTRUMENT,
            kind="bars",
            timeframe="1d",
            start=WEDNESDAY,
            end=WEDNESDAY,
            provider="alpha",
            actor="ann",
            why="seen on the tape" if action == "correct" else "it was a typo.",
            ts_known=NOW + number,
            ts_event=day_start_ns(WEDNESDAY),
            payload=claim["payload"],
            claimed={"close": -10.0},
            values={"close": 9.5} if action == "correct" else {},
        )
        await rooms.bus.publish(made)
        await rooms.bus.drain()
        standing = (await rooms.store.read("bars", wednesday)).select("close", "method", "version").rows()
        assert ([(9.5, "operator", 1)] if action == "correct" else []) == standing
    assert 4 == len(await rooms.store.read("bars", Selection(start=MONDAY, end=FRIDAY)))
    found = await rooms.store.read("findings", Selection(equal={"check": ("withdrawn",)}))
    assert ["The stored row no longer stands: ann decided to undo qua_1: it was a typo."] == (
        found["explanation"].to_list()
    )
    audit = (await rooms.store.read("decisions")).select("action", "changed", "before", "after").rows()
    assert [("correct", 1), ("undo", 1)] == [row[:2] for row in audit]
    assert "9.5" in audit[1][2]
    assert "[]" == audit[1][3]
