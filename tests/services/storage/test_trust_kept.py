"""Votes are kept with their batch, weights with every version, and nothing of the other kind."""

from __future__ import annotations

import pytest

from pipeline_doubles import FRIDAY, INSTRUMENT, MONDAY, NOW, BothTimes, Heard, filled
from truetape.domain.errors import WrongFolder
from truetape.domain.messages import BatchGraded, TrustSettled
from truetape.domain.schema import TABLES, empty
from truetape.domain.wire import pack
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService


def room() -> tuple[BothTimes, Heard]:
    bus, store = Heard(), BothTimes()
    StorageService(bus=bus, store=store, config=StorageConfig(simulated=False)).subscribe()
    return store, bus


def settled(weight: float, *, known: int, simulated: bool = False) -> TrustSettled:
    given = {
        "provider": "alpha",
        "kind": "bars",
        "venue": "XNAS",
        "weight": weight,
        "agreed": 40.0,
        "dissented": 2.0,
        "rounds": 3,
        "since": known,
        "fixed": False,
        "ts_known": known,
        "version": 0,
        "simulated": simulated,
    }
    return TrustSettled(ts_known=known, rows=pack(filled("trust", 1, given)), simulated=simulated)


async def test_each_weight_is_a_version() -> None:
    """The same is kept once, and the one before stays readable."""
    store, bus = room()

    for message in (settled(1.01, known=NOW), settled(1.01, known=NOW), settled(0.97, known=NOW + 1)):
        await bus.handlers["storage hears TrustSettled"](message)

    assert store.rows["trust"].select("weight", "version").rows() == [(1.01, 1), (0.97, 2)]
    assert store.commits == [{"trust": 1}, {"trust": 1}]


async def test_simulated_trust_stays_out_of_a_live_folder() -> None:
    """What is learnt of simulated providers says nothing of real ones."""
    store, bus = room()

    with pytest.raises(WrongFolder):
        await bus.handlers["storage hears TrustSettled"](settled(1.01, known=NOW, simulated=True))

    assert store.commits == []


async def test_votes_are_kept_with_their_batch() -> None:
    """In the same transaction, and once, however often the batch is told."""
    store, bus = room()
    vote = {
        "round_id": "rnd_1",
        "kind": "bars",
        "venue": "XNAS",
        "provider": "alpha",
        "session": MONDAY,
        "agreed": 4.0,
        "dissented": 1.0,
        "ts_known": NOW,
        "simulated": False,
    }
    graded = BatchGraded(
        kind="bars",
        round_id="rnd_1",
        instrument_id=INSTRUMENT,
        timeframe="1d",
        start=MONDAY,
        end=FRIDAY,
        ts_known=NOW,
        providers=("alpha",),
        golden=pack(empty(TABLES["bars"].columns)),
        quarantined=pack(empty(TABLES["quarantine"].columns)),
        findings=pack(empty(TABLES["findings"].columns)),
        votes=pack(filled("votes", 1, vote)),
    )

    await bus.handlers["storage hears BatchGraded"](graded)
    await bus.handlers["storage hears BatchGraded"](graded)

    assert store.commits[0] == {"votes": 1, "rounds": 1}
    assert store.rows["votes"].select("agreed", "session").rows() == [(4.0, MONDAY)]
