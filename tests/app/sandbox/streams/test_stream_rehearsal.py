"""The script of every fault: each is met, every feed lives through all of them, and what can be numbered is noticed."""

from __future__ import annotations

from collections import Counter

import pytest
from stream_talk import market, said, talk

from truetape.app.sandbox.faults import STREAM
from truetape.app.sandbox.streams import NAMES
from truetape.app.sandbox.streams.rehearsal import every_stream_fault
from truetape.domain.ticks import Tick, Told, Trade

PAIRED = ("binance", "coinbase", "kraken")


def test_every_kind_is_in_the_script() -> None:
    """Only what a provider has words for; equal seeds give equal scripts."""
    script = every_stream_fault(seed=1)

    kinds = Counter(fault.kind for fault in script)
    assert set(STREAM) == set(kinds)
    assert (1, 1, 2, 8, 9) == tuple(
        kinds[kind] for kind in ("wrong_checksum", "correction", "cancel", "late_trade", "gap")
    )
    assert script == every_stream_fault(seed=1)
    assert script != every_stream_fault(seed=2)


@pytest.mark.parametrize("name", NAMES)
def test_a_feed_lives_through_all_of_them(name: str) -> None:
    """It connects again where it must; every fault is met once."""
    script = every_stream_fault([name], seed=3)
    on = market(*script)
    channels = ["trades", "book"] if name in PAIRED else ["quotes"] if name == "yahoo" else ["trades"]
    ticks: list[Tick] = []

    for _ in range(2):
        made = talk(name, ["BTC/USD" if name in PAIRED else "AAA"], channels, at=on)
        ticks += made.run(600).ticks
        on.leave(made.playback)

    assert [1] * len(script) == [on.trouble.hits[place] for place in range(len(script))]
    assert 1 == len([tick for tick in ticks if isinstance(tick, Told) and tick.what == "unreadable"])


def test_what_is_lost_can_be_counted() -> None:
    """A gap and a silence cost one trade each; what the reset took is the last trade that the next client is told."""
    on = market(*every_stream_fault(["kraken"], seed=5))
    found = [
        *talk("kraken", ["BTC/USD"], ["trades"], at=on).run().of(Trade),
        *talk("kraken", ["BTC/USD"], ["trades"], at=on).run().of(Trade),
    ]

    trades = said("kraken", "BTC/USD", "trades", conditions="", venue="", channel="trade")
    heard = {trade.trade_id for trade in found}
    assert 5760 - 2 == len(heard)
    assert heard < {trade.trade_id for trade in trades}
