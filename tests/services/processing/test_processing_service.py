"""The processing room: payloads become claims, closed rounds become batches."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipeline_doubles import (
    BOTH,
    FRIDAY,
    INSTRUMENT,
    MONDAY,
    NOW,
    BothTimes,
    DictArchive,
    Heard,
    Script,
    capture,
    closing,
    decode_bars,
    provider,
    weekdays,
)
from truetape.domain.errors import CorruptArchive, StoreUnavailable, WrongFolder
from truetape.domain.messages import BatchNormalized, PayloadRejected, RawCaptured
from truetape.domain.schema import TABLES, check
from truetape.domain.time import DAY_NS
from truetape.domain.wire import unpack
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.service import MOST_OPEN_ROUNDS, ProcessingService

DAYS = weekdays(5)


class Damaged(DictArchive):
    """An archive that has lost one body, and cannot be read while its disk is `away`."""

    away = False

    def get(self, key: str) -> bytes:
        if self.away:
            raise StoreUnavailable(path="archive", reason="the disk is away")
        if self.bodies[key] == b"lost":
            raise CorruptArchive(path="of p", reason="it is missing")
        return super().get(key)


class Room:
    """A processing room with providers p (bars and actions) and q (bars only)."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.bus, self.store, self.archive = Heard(), BothTimes(), Damaged()
        self.service = ProcessingService(
            bus=self.bus,
            store=self.store,
            archive=self.archive,
            providers={
                "p": provider("p", Script(b""), decode=BOTH),
                "q": provider("q", Script(b""), decode={"bars": decode_bars}),
            },
            config=ProcessingConfig(simulated=simulated),
        )
        self.service.subscribe()

    async def hear(self, message: Any) -> None:
        await self.bus.handlers[f"processing hears {type(message).__name__}"](message)

    async def captured(self, name: str, body: bytes, **changes: Any) -> RawCaptured:
        self.archive.put(body)
        message = capture(name, body=body, **changes)
        await self.hear(message)
        return message

    async def closed(self, name: str, body: bytes, **changes: Any) -> RawCaptured:
        """Capture `body` in a round of its own, and close it."""
        message = await self.captured(name, body, **changes)
        await self.hear(closing(message))
        return message

    def batches(self) -> list[tuple[str, bool, pl.DataFrame]]:
        return [(batch.kind, batch.last, unpack(batch.frame)) for batch in self.bus.of(BatchNormalized)]


async def test_a_payload_becomes_claims_of_bars_and_actions() -> None:
    """Both are kept in one commit, with the provider's feed."""
    room = Room()

    message = await room.closed("p", b"raw,10,11,12,13,14|2,2")

    assert room.store.commits == [{"bar_claims": 5, "action_claims": 1, "captures": 1}]
    claims = room.store.rows["bar_claims"]
    assert claims.select("provider", "feed", "payload", "instrument_id").unique().rows() == [
        ("p", "p feed", message.key, INSTRUMENT)
    ]


async def test_the_same_payload_twice_is_kept_once() -> None:
    """Messages may come again after a crash."""
    room = Room()

    await room.closed("p", b"raw,10,11")
    await room.closed("p", b"raw,10,11")

    assert len(room.store.rows["bar_claims"]) == 2


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("p", b"garbled", "The payload of p was not readable as bars: it is no list of closes."),
        ("p", b"refused", "p refused (quota): no: quota"),
        ("p", b"misshaped", "A frame of bars had missing columns"),
        ("p", b"surprising", "The code that reads p failed with KeyError('a field that was always there')."),
        ("p", b"lost", "The archive file of p is damaged: it is missing."),
        ("r", b"raw,10", "The payload of r was not readable as bars: the settings do not enable this provider"),
    ],
)
async def test_what_cannot_be_read_is_told_and_not_kept(name: str, body: bytes, words: str) -> None:
    """The bytes stay in the archive; the message says which and why."""
    room = Room()

    message = await room.captured(name, body)
    await room.hear(closing(message))

    (rejected,) = room.bus.of(PayloadRejected)
    assert rejected.reason.startswith(words)
    assert (rejected.provider, rejected.kind, rejected.key) == (name, "bars", message.key)
    assert (rejected.ts_known, rejected.subject, rejected.simulated) == (NOW, INSTRUMENT, False)
    assert room.store.commits == []


async def test_a_full_disk_is_not_a_rejected_payload() -> None:
    """The bus is to deliver the message again; then the round goes on with all of its payloads."""
    room = Room()
    one = await room.captured("p", b"raw,10,11")
    other = await room.captured("q", b"raw,10,11")
    room.store.full = True
    with pytest.raises(StoreUnavailable):
        await room.hear(closing(one, other))
    assert room.bus.happened == []

    room.store.full = False
    await room.hear(closing(one, other))

    assert [batch[2]["provider"].to_list() for batch in room.batches()] == [[], ["p", "q", "p", "q"]]
    assert room.store.commits == [{"bar_claims": 4, "captures": 2}]


async def test_a_closing_brings_its_captures_along() -> None:
    """A process that never heard of the captures, or has forgotten them, decodes them now."""
    room = Room()
    for number in range(MOST_OPEN_ROUNDS):
        await room.captured("p", b"raw,9", round_id=f"rnd_open_{number}")
    one = await room.captured("p", b"raw,10,11", round_id="rnd_last")
    other = capture("q", body=b"raw,10,11", round_id="rnd_last")
    room.archive.put(b"raw,10,11")

    await room.hear(closing(one, other))
    await room.hear(closing(capture("p", body=b"raw,9", round_id="rnd_open_0")))

    assert [frame["provider"].to_list() for kind, _, frame in room.batches() if kind == "bars"] == [
        ["p", "q", "p", "q"],
        ["p", "q", "p", "q"],
    ]
    assert room.store.commits == [{"bar_claims": 4, "captures": 2}, {"bar_claims": 1, "captures": 1}]


async def test_an_archive_that_is_away_rejects_nothing() -> None:
    """The bytes are there; they are read as soon as the disk is back."""
    room = Room()
    room.archive.away = True
    with pytest.raises(StoreUnavailable):
        await room.captured("p", b"raw,10,11")

    room.archive.away = False
    await room.hear(closing(capture("p", body=b"raw,10,11")))

    assert room.bus.of(PayloadRejected) == []
    assert room.batches()[1][2]["close"].to_list() == [10.0, 11.0]


@pytest.mark.parametrize("folder_is_simulated", [True, False])
async def test_simulated_and_live_data_do_not_mix(folder_is_simulated: bool) -> None:
    """Neither a payload nor a round of the other kind is let in."""
    room = Room(simulated=folder_is_simulated)
    holds, came = ("simulated", "live") if folder_is_simulated else ("live", "simulated")

    for message in (
        capture(simulated=not folder_is_simulated),
        closing(capture(simulated=True), simulated=not folder_is_simulated),
    ):
        with pytest.raises(WrongFolder, match=f"it holds {holds} data and {came} data came"):
            await room.hear(message)

    assert room.store.commits == []
    assert room.bus.happened == []


async def test_a_closed_round_is_told_in_raw_basis_actions_first() -> None:
    """p's prices are split-adjusted, q's are raw; afterwards they can be compared."""
    room = Room()
    one = await room.captured("p", b"split,10,11,12,13,14|2,2")
    other = await room.captured("q", b"raw,20,22,12,13,14")

    await room.hear(closing(one, other))

    (actions_kind, actions_last, actions), (bars_kind, bars_last, bars) = room.batches()
    assert (actions_kind, actions_last, bars_kind, bars_last) == ("actions", False, "bars", True)
    assert actions.select("ex_date", "type", "value").rows() == [(DAYS[2], "split", 2.0)]
    assert bars["provider"].to_list() == ["p", "q"] * 5
    assert bars["close"].to_list() == [20.0, 20.0, 22.0, 22.0, 12.0, 12.0, 13.0, 13.0, 14.0, 14.0]
    check(actions, TABLES["action_claims"].columns, kind="action_claims")
    check(bars, TABLES["bar_claims"].columns, kind="bar_claims")
    told = room.bus.of(BatchNormalized)[0]
    assert (told.round_id, told.providers, told.start, told.end) == ("rnd_1", ("p", "q"), MONDAY, FRIDAY)


async def test_splits_beyond_the_range_undo_adjustments_but_are_not_told() -> None:
    """The round is about Monday and Tuesday; the split came on Friday."""
    room = Room()
    message = await room.captured("p", b"split,10,11|4,2", end=DAYS[1])

    await room.hear(closing(message))

    (_, _, actions), (_, _, bars) = room.batches()
    assert actions.is_empty()
    assert bars["close"].to_list() == [20.0, 22.0]


async def test_a_round_sees_nothing_that_came_after_it() -> None:
    """A replay that has all claims in the store already gives the same batch."""
    room = Room()
    first = await room.captured("p", b"raw,10,11")
    await room.hear(closing(first))
    later = await room.captured("p", b"raw,10,12|1,2", ts_known=NOW + DAY_NS, round_id="rnd_2")
    await room.hear(closing(later))
    room.bus.happened.clear()

    await room.hear(closing(first))
    await room.hear(closing(later))

    assert [frame["close"].to_list() for kind, _, frame in room.batches() if kind == "bars"] == [[10, 11], [10, 12]]
    assert [len(frame) for kind, _, frame in room.batches() if kind == "actions"] == [0, 1]


async def test_an_older_claim_stands_in_for_a_provider_that_gave_up() -> None:
    """What q said last week still counts."""
    room = Room()
    await room.closed("q", b"raw,10,11")
    room.bus.happened.clear()
    message = await room.captured("p", b"raw,10,11", ts_known=NOW + 1, round_id="rnd_2")

    await room.hear(closing(message))

    assert room.batches()[1][2]["provider"].to_list() == ["p", "q", "p", "q"]


async def test_bytes_that_come_again_are_the_newest() -> None:
    """p corrects Tuesday and takes the correction back: the bytes are those of the first answer."""
    room = Room()
    await room.closed("p", b"raw,10,11")
    await room.closed("p", b"raw,10,99", ts_known=NOW + 1, round_id="rnd_2")
    room.bus.happened.clear()
    again = await room.captured("p", b"raw,10,11", ts_known=NOW + 2, round_id="rnd_3")

    await room.hear(closing(again))

    assert room.batches()[1][2]["close"].to_list() == [10.0, 11.0]


async def test_a_round_of_rejected_payloads_still_ends() -> None:
    """Its batches are empty, and the last one says that it is the last."""
    room = Room()
    message = await room.captured("p", b"garbled")

    await room.hear(closing(message))

    assert [(kind, last, len(frame)) for kind, last, frame in room.batches()] == [
        ("actions", False, 0),
        ("bars", True, 0),
    ]


async def test_quotes_are_kept_as_they_are() -> None:
    """A capture of quotes is decoded as quotes only; a provider without such a decoder yields nothing."""
    room = Room()

    await room.captured("p", b"raw,10", kind="quotes", round_id="")
    await room.captured("p", b"raw,10,11", round_id="")

    assert room.store.commits == [{"bar_claims": 2, "captures": 1}]
