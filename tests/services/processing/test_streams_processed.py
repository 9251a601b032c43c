"""Segments of streams become trades, quotes and minutes, once each, whatever crashes in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import NOW, BothTimes, DictArchive, Heard, Script, capture, closing, provider
from stream_doubles import WordFeed
from truetape.domain.asks import Ask
from truetape.domain.captures import answered, opened, received
from truetape.domain.errors import StoreUnavailable, WrongFolder
from truetape.domain.messages import BatchNormalized, PayloadRejected, StreamCaptured
from truetape.domain.sales import VOLUME_ONLY
from truetape.domain.schema import DECODED, INSTANT
from truetape.domain.ticks import Bar, Gap, Tick
from truetape.domain.time import NANOSECONDS
from truetape.domain.wire import unpack
from truetape.ports.feed import Frame
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.service import ProcessingService
from truetape.services.processing.streamed import Wound, wounds

MINUTE = 60 * NANOSECONDS
LETTERS = {"A": "ins_a", "B": "ins_b"}
Word = tuple[float, str]  # seconds after NOW, and what was said then


class BarFeed(WordFeed):
    """Understand "bar A 10" too: a minute that the provider built itself."""

    def receive(self, frame: Frame, ts_known: int) -> list[Tick]:
        words = str(frame).split()
        if words[0] != "bar":
            return super().receive(frame, ts_known)
        price, at = float(words[2]), ts_known - ts_known % MINUTE
        prices: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), price)
        return [Bar(symbol=words[1], timeframe=one, ts_event=at, **prices, volume=7.0) for one in ("1m", "5m")]


def decode_heal(body: bytes, ask: Ask) -> pl.DataFrame:
    """Read a price: that of NOW's minute."""
    price = float(body)
    row = {"symbol": ask.symbol, "timeframe": ask.timeframe, "ts_event": NOW, "volume": 9.0, "basis": "raw"}
    given = row | dict.fromkeys(("open", "high", "low", "close"), price) | {"running": False}
    return pl.DataFrame(
        {
            name: pl.Series([given.get(name)], dtype=pl.Int64 if dtype == INSTANT else dtype).cast(dtype)
            for name, dtype in DECODED["bars"].items()
        }
    )


class Room:
    """A processing room that hears segments of the provider "p"."""

    def __init__(self, store: BothTimes | None = None) -> None:
        self.archive, self.bus, self.store = DictArchive(), Heard(), store or BothTimes()
        self.numbers: dict[str, int] = {}
        self.start()

    def start(self, **changes: Any) -> None:
        """Begin with what is in the store, as a new process does."""
        made = provider("p", Script(), decode={"bars": decode_heal})
        streaming = replace(made, feed=BarFeed, spell=str.upper, sales={"I": VOLUME_ONLY})
        self.service = ProcessingService(
            bus=self.bus,
            store=self.store,
            archive=self.archive,
            providers=changes.get("providers", {"p": streaming}),
            config=ProcessingConfig(),
        )

    def segment(self, at_s: float, *words: Word, connection: str = "c", **changes: Any) -> StreamCaptured:
        """Return a segment that was closed at `at_s`, archived."""
        body = opened("wss://words", NOW) + b"".join(
            received(word, NOW + round(at * NANOSECONDS)) for at, word in words
        )
        number = self.numbers[connection] = self.numbers.get(connection, -1) + 1
        given: dict[str, Any] = {
            "provider": "p",
            "connection": connection,
            "number": number,
            "key": self.archive.put(body),
            "ts_known": NOW + round(at_s * NANOSECONDS),
            "frames": len(words),
            "channels": ("trades",),
            "instruments": LETTERS,
            **changes,
        }
        return StreamCaptured(**given)

    async def hear(self, at_s: float, *words: Word, **changes: Any) -> StreamCaptured:
        message = self.segment(at_s, *words, **changes)
        await self.service.on_stream_captured(message)
        return message

    def told(self) -> list[tuple[Any, ...]]:
        """Return instrument, minute after NOW, prices, volume and `running` of what was told, in its order."""
        return [
            (
                row["instrument_id"],
                (row["at"] - NOW) // MINUTE,
                *(row[name] for name in ("open", "high", "low", "close", "volume", "running")),
            )
            for batch in self.bus.of(BatchNormalized)
            if batch.kind == "bars"
            for row in unpack(batch.frame)
            .with_columns(pl.col("ts_event").cast(pl.Int64).alias("at"))
            .iter_rows(named=True)
        ]

    def trades(self) -> list[tuple[Any, ...]]:
        rows = self.store.rows["trades"].sort("ts_event", "place")
        return list(rows.select("instrument_id", "price", "size", "trade_id").iter_rows())


async def test_trades_are_kept_and_a_minute_is_told_when_it_is_over() -> None:
    """With the origin of each; a trade without an id is known by its place; odd lots make volume only."""
    room = Room()
    first = await room.hear(
        50, (10, "A 10 100 t1"), (20, "A 12 50"), (30, "B 7 1 t9"), (40, "A 99 3 t3 I"), (45, "Z 1 1")
    )
    assert [] == room.told()
    second = await room.hear(70, (70, "A 11 1 t4"))

    place = f"{first.key[:16]}:1"
    assert [
        ("ins_a", 10.0, 100.0, "t1"),
        ("ins_a", 12.0, 50.0, place),
        ("ins_b", 7.0, 1.0, "t9"),
        ("ins_a", 99.0, 3.0, "t3"),
        ("ins_a", 11.0, 1.0, "t4"),
    ] == room.trades()
    assert [
        ("ins_a", 0, 10.0, 12.0, 10.0, 12.0, 153.0, False),
        ("ins_b", 0, 7.0, 7.0, 7.0, 7.0, 1.0, False),
    ] == room.told()
    batch = room.bus.of(BatchNormalized)[0]
    assert ("bars", "1m", "ins_a", ("p",), False) == (
        batch.kind,
        batch.timeframe,
        batch.instrument_id,
        batch.providers,
        batch.last,
    )
    assert {second.key} == set(room.store.rows["bar_claims"]["payload"])
    assert {"trades", "bar_claims", "segments"} == set(room.store.commits[-1])


async def test_the_same_trade_on_two_connections_is_one() -> None:
    """Its id says so."""
    room = Room()
    await room.hear(20, (10, "A 10 100 t1"))
    await room.hear(30, (10, "A 10 100 t1"), (25, "A 11 1 t2"), connection="d")
    await room.hear(70, (70, "A 11 1 t3"))

    assert 3 == len(room.trades())
    assert ("ins_a", 0, 10.0, 11.0, 10.0, 11.0, 101.0, False) == room.told()[0]


async def test_a_segment_that_comes_again_changes_nothing() -> None:
    """Also after a crash between the commit and the telling; and a commit that failed is made good."""
    room = Room()
    first = await room.hear(20, (10, "A 10 100"))
    second = room.segment(70, (70, "A 11 1"))
    room.store.full = True
    with pytest.raises(StoreUnavailable):
        await room.service.on_stream_captured(second)
    room.store.full = False
    await room.service.on_stream_captured(second)
    told, trades = room.told(), room.trades()
    room.start()
    for message in (first, second):
        await room.service.on_stream_captured(message)

    assert [("ins_a", 0, 10.0, 10.0, 10.0, 10.0, 100.0, False)] == told == room.told()
    assert trades == room.trades()
    assert 2 == len(trades)


async def test_a_crash_in_a_minute_does_not_cut_it_in_two() -> None:
    """The next process goes on with what the store has of it, and with what was not heard meanwhile."""
    room = Room()
    gap = Gap(symbol="", channel="connection", ts_event=NOW + 5 * NANOSECONDS, since=0, words="")
    await room.hear(20, (10, "A 10 100 t1"), gaps=(gap,))
    room.start()
    await room.hear(40, (30, "A 12 1 t2"), connection="d")
    await room.hear(70, (70, "A 11 1 t3"), connection="d")

    assert [("ins_a", 0, 10.0, 12.0, 10.0, 12.0, 101.0, True)] == room.told()


async def test_minutes_that_were_not_stored_are_told_again() -> None:
    """After a crash between the commit of the claims and that of the bars."""
    room = Room()
    await room.service.resume()
    await room.hear(20, (10, "A 10 100 t1"))
    await room.service.resume()
    assert [] == room.told()
    await room.hear(70, (70, "A 11 1 t3"))
    told = room.told()
    room.start()
    await room.service.resume()

    assert told * 2 == room.told()


async def test_a_torn_minute_is_running_until_it_is_healed() -> None:
    """What the provider sends as history stands then, until something else of it turns out to be missing."""
    room = Room()
    gap = Gap(symbol="A", channel="t", ts_event=NOW + 8 * NANOSECONDS, since=NOW + 5 * NANOSECONDS, words="1, 3")
    await room.hear(20, (10, "A 10 100 t1"), gaps=(gap,))
    await room.hear(70, (70, "A 11 1 t3"))
    heal = capture(
        "p",
        body=b"10.5",
        key=room.archive.put(b"10.5"),
        timeframe="1m",
        start=NOW_DAY,
        end=NOW_DAY,
        ts_known=NOW + 100 * NANOSECONDS,
    )
    await room.service.on_round_closed(closing(heal))
    await room.hear(110, (30, "A 12 1 t2"))
    assert [
        ("ins_a", 0, 10.0, 10.0, 10.0, 10.0, 100.0, True),
        ("ins_a", 0, 10.5, 10.5, 10.5, 10.5, 9.0, False),
    ] == [row for row in room.told() if row[1] == 0]
    await room.hear(112, (111, "A 12 1 t4"), gaps=(gap,))
    assert ("ins_a", 0, 10.0, 12.0, 10.0, 12.0, 101.0, True) == room.told()[-1]


NOW_DAY = pl.Series([NOW]).cast(INSTANT).dt.date()[0]


async def test_a_late_correction_reads_the_store() -> None:
    """Hours after its trade."""
    room = Room()
    await room.hear(20, (10, "A 10 100 t1"), (15, "A 99 1 t2"))
    await room.hear(7200, (7200, "A 11 1 t3"))
    await room.hear(7201, (7201, "A 10.5 1 t2 @ correct"))

    assert ("ins_a", 0, 10.0, 10.5, 10.0, 10.5, 101.0, False) == [row for row in room.told() if row[1] == 0][-1]


async def test_quotes_are_kept_where_they_were_asked_for() -> None:
    """Of several at one instant the last."""
    room = Room()
    await room.hear(20, (10, "quote A 1 2"), (10, "quote A 3 4"), (11, "quote B 5 6"))
    assert room.store.rows["quotes"].is_empty()
    said = [(20, "quote A 1 2"), (20, "quote A 3 4"), (21, "quote B 5 6"), (22, "quote Z 1 2")]
    await room.hear(30, *said, channels=("quotes",))

    assert [("ins_a", 3.0, 4.0), ("ins_b", 5.0, 6.0)] == list(
        room.store.rows["quotes"].select("instrument_id", "bid", "ask").iter_rows()
    )


async def test_a_providers_own_minutes_are_told_where_its_trades_are_not_heard() -> None:
    """One-minute bars alone; where trades are heard they are only archived."""
    room = Room()
    await room.hear(20, (10, "bar A 10"), (11, "bar A 11"))
    assert [] == room.told()
    await room.hear(30, (10, "bar A 10"), (11, "bar A 11"), (12, "bar Z 1"), (13, "ok"), channels=("bars",))

    assert [("ins_a", 0, 11.0, 11.0, 11.0, 11.0, 7.0, False)] == room.told()


async def test_claims_of_other_providers_are_told_along() -> None:
    """So that the vote sees all of them, in raw basis."""
    room = Room()
    other = capture("q", body=b"10.5", key=room.archive.put(b"10.5"), timeframe="1m", start=NOW_DAY, end=NOW_DAY)
    made = provider(
        "q",
        Script(),
        decode={"bars": lambda body, ask: decode_heal(body, ask).with_columns(pl.lit("split").alias("basis"))},
    )
    room.start(providers={**room.service._providers, "q": made})
    await room.service.on_round_closed(closing(other))
    await room.hear(20, (10, "A 10 100 t1"))
    await room.hear(70, (70, "A 11 1 t3"))

    batch = room.bus.of(BatchNormalized)[-1]
    assert ("p", "q") == batch.providers
    assert [10.0, 10.5] == unpack(batch.frame)["close"].to_list()


async def test_what_nobody_can_read_is_told() -> None:
    """A provider that is not enabled, or bytes that are not those that were put."""
    room = Room()
    room.start(providers={})
    await room.hear(20, (10, "A 10 100 t1"))

    assert ["trades"] == [one.kind for one in room.bus.of(PayloadRejected)]
    assert 1 == len(room.store.rows["segments"])


async def test_simulated_segments_never_mix() -> None:
    """With live data."""
    room = Room()
    with pytest.raises(WrongFolder):
        await room.hear(20, simulated=True)


async def test_answers_go_to_the_feed_and_ended_talks_are_forgotten() -> None:
    """A book that was asked for over HTTP is heard in its place."""
    room = Room()
    body = answered("https://words/book", b"{}", NOW)
    await room.hear(20, key=room.archive.put(body))
    feed = room.service._feeds["c"]
    assert isinstance(feed, WordFeed)
    assert [("https://words/book", b"{}")] == feed.fetched_bodies
    await room.hear(21, ended="it broke")
    assert {} == room.service._feeds


def test_gaps_are_of_whom_they_are_about() -> None:
    """All instruments of the segment, or that of the symbol; nobody's are nothing."""
    every = Gap(symbol="", channel="c", ts_event=9, since=0, words="")
    one = Gap(symbol="B", channel="c", ts_event=9, since=4, words="")
    other = Gap(symbol="Z", channel="c", ts_event=9, since=4, words="")
    message = Room().segment(1, gaps=(every, one, other))

    assert [Wound("ins_a", 9, 9), Wound("ins_b", 9, 9), Wound("ins_b", 4, 9)] == wounds(message)
