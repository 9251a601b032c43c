"""The faults of streams: each shows up in the feed as the gap, the repeat or the words that it should be."""

from __future__ import annotations

from typing import Any

import pytest
from stream_talk import Talk, dataset, market, said, talk

from truetape.app.sandbox.faults import STREAM, Fault, StreamKind
from truetape.app.sandbox.streams import NAMES
from truetape.app.sandbox.streams.tape import Tape, usual_hours
from truetape.domain.ticks import Depth, Tick, Told, Trade

SOUND = {"welcome", "authenticated", "subscribed", "unsubscribed", "heartbeat"}
ABLE = {
    "wrong_checksum": ("kraken",),
    "correction": ("alpaca",),
    "cancel": ("alpaca", "tiingo"),
    "late_trade": tuple(name for name in NAMES if name not in ("iex_cloud", "yahoo")),  # they are asked for quotes
}
PLAIN = {"conditions": "", "venue": "", "channel": "trade"}


def kraken(kind: StreamKind, **keys: Any) -> Talk:
    """Kraken's trades of one pair, with one fault."""
    return talk("kraken", ["BTC/USD"], ["trades"], at=market(Fault(provider="kraken", kind=kind, **keys)))


def test_a_gap_is_noticed_by_the_numbers() -> None:
    """Two trades are lost from the third on; the rest of the day is there."""
    heard = kraken("gap", first=3, times=2).run()

    trades = said("kraken", "BTC/USD", "trades", **PLAIN)
    assert [*trades[:2], *trades[4:]] == heard.of(Trade)
    (gap,) = heard.gaps
    assert (f"trade {trades[2].trade_id} was expected and {trades[4].trade_id} came", trades[1].ts_event) == (
        gap.words,
        gap.since,
    )


def test_repeats_are_dropped_and_counted() -> None:
    """Nobody sees them."""
    made = kraken("repeated", first=5, times=3)
    heard = made.run(50)

    assert 3 == made.feed.tracks["trade", "BTC/USD"].stale
    assert said("kraken", "BTC/USD", "trades", **PLAIN)[: len(heard.of(Trade))] == heard.of(Trade)


def test_a_trade_out_of_order_is_missed_and_then_comes() -> None:
    """The gap is noticed at once, and what comes late is taken."""
    heard = kraken("reordered", first=2).run(20)

    first, second, third, fourth = said("kraken", "BTC/USD", "trades", **PLAIN)[:4]
    assert [first, third, second, fourth] == heard.of(Trade)[:4]
    assert 1 == len(heard.gaps)


@pytest.mark.parametrize(("keys", "behind"), [({}, 20), ({"rows": 3}, 3)])
def test_a_late_trade_comes_behind_others(keys: dict[str, int], behind: int) -> None:
    """With its own time."""
    heard = kraken("late_trade", first=2, **keys).run(60)

    first, late, *others = said("kraken", "BTC/USD", "trades", **PLAIN)
    assert [first, *others[:behind], late, *others[behind : behind + 5]] == heard.of(Trade)[: behind + 7]


def test_equal_seeds_give_equal_tapes() -> None:
    """Another seed gives other quantities in the books, and the same trades."""
    one, same, other = (Tape(dataset(), seed=seed).day("AAA", usual_hours("AAA")) for seed in (3, 3, 4))

    assert one == same
    assert one.opening != other.opening
    assert [event for event in one.events if not isinstance(event.news, Depth)] == [
        event for event in other.events if not isinstance(event.news, Depth)
    ]


def test_a_symbol_without_the_last_day_is_never_heard_of() -> None:
    """It may be subscribed to."""
    assert {"heartbeat"} >= {tick.what for tick in talk("finnhub", ["GONE"], ["trades"]).run().of(Told)}


def test_what_is_held_comes_at_the_end_of_the_day_at_the_latest() -> None:
    """The last trade has nothing behind it."""
    made = kraken("late_trade", first=5760)
    made.run()

    assert 5760 == made.feed.tracks["trade", "BTC/USD"].messages
    assert 0 == len(made.heard.gaps)


def test_a_garbage_frame_is_told_and_costs_nothing() -> None:
    """The tick behind it is heard."""
    heard = kraken("garbage_frame", first=3).run(20)

    assert 1 == len(heard.told("unreadable"))
    assert [] == heard.gaps


def test_a_delay_is_a_wait_before_the_frame() -> None:
    """Everything behind it waits too."""
    heard = kraken("delayed", first=3, seconds=7.5).run(10)

    assert [0.0, 0.0, 7.5, 0.0] == [step.wait_s for step in heard.steps][:4]
    assert [] == heard.gaps


def test_a_reset_loses_what_was_about_to_be_said() -> None:
    """The next conversation goes on behind it, and with a feed of its own notices nothing."""
    shared = market(Fault(provider="kraken", symbol="BTC/USD", kind="disconnect", first=4))
    before = talk("kraken", ["BTC/USD"], ["trades"], at=shared).run()
    after = talk("kraken", ["BTC/USD"], ["trades"], at=shared).run()

    trades = said("kraken", "BTC/USD", "trades", **PLAIN)
    assert before.steps[-1].reset
    assert trades[:3] == before.of(Trade)
    assert trades[3:] == after.of(Trade)


def test_silence_takes_the_tick_with_it() -> None:
    """For good where it has no end."""
    assert 0.0 == kraken("silence", first=2, seconds=0).run().steps[-1].silent_s
    made = kraken("silence", first=2)
    heard = made.run(2)

    assert 3.0 == heard.steps[-1].silent_s
    made.playback.skip(60.0)
    made.run(2)
    assert 1 == len(heard.gaps)
    assert said("kraken", "BTC/USD", "trades", **PLAIN)[6] == heard.of(Trade)[-1]


def test_faults_count_ticks_by_provider_and_symbol() -> None:
    """Those of another provider or symbol are not met, and a fault for all symbols is met by the first that is due."""
    faults = (
        Fault(provider="coinbase", kind="gap", first=2),
        Fault(provider="kraken", symbol="EUR/USD", kind="gap", first=2),
        Fault(provider="*", kind="repeated", first=4, times=2),
        Fault(provider="*", kind="stale"),
    )
    on = market(*faults)
    talk("kraken", ["EUR/USD", "BTC/USD"], ["trades"], at=on).run(30)

    assert {1: 1, 2: 2} == on.trouble.hits


def test_bars_meet_no_fault() -> None:
    """They follow from the trades."""
    on = market(Fault(provider="*", kind="gap", times=0))
    heard = talk("kraken", ["BTC/USD"], ["bars"], at=on).run(20)

    assert {} == on.trouble.hits
    assert heard.ticks


@pytest.mark.parametrize("kind", STREAM)
@pytest.mark.parametrize("name", NAMES)
def test_no_fault_breaks_a_feed(name: str, kind: StreamKind) -> None:
    """Met by every third tick, whatever it is; what is heard is a tick, a gap or words."""
    faults = tuple(Fault(provider=name, kind=kind, first=3 * number + 3, rows=2) for number in range(60))
    symbols = ["BTC/USD"] if name in ("coinbase", "kraken", "binance") else ["AAA"]
    on = market(*faults)

    ticks: list[Tick] = []
    for _ in range(4):
        made = talk(name, symbols, ["trades", "quotes", "bars", "book"], at=on)
        ticks += made.run(60).ticks
        on.leave(made.playback)

    assert (sum(on.trouble.hits.values()) > 0) is (name in ABLE.get(kind, NAMES))
    told = {tick.what for tick in ticks if isinstance(tick, Told)}
    assert told <= SOUND | ({"unreadable"} if kind == "garbage_frame" else set())
