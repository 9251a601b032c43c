"""One journal entry of every kind, for the tests of archives."""

from __future__ import annotations

from datetime import date

from truetape.domain.messages import (
    DecisionMade,
    DeclaredListing,
    Edit,
    GaveUp,
    InstrumentsDeclared,
    RawCaptured,
    RoundClosed,
    SnapshotNamed,
    StreamCaptured,
)
from truetape.domain.ticks import Gap
from truetape.ports.archive import Attempted, Entry

# sha256 of b"abc", from FIPS 180-2
ABC_KEY = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def captured(number: int, key: str = ABC_KEY) -> RawCaptured:
    return RawCaptured(
        provider="yahoo",
        kind="bars",
        key=key,
        ts_known=number,
        round_id="rnd_1",
        instrument_id="ins_a",
        symbol="ÆX\u2028\n",
        timeframe="1d",
        start=date(2005, 2, 25),
        end=date(2005, 3, 1),
    )


ENTRIES: list[Entry] = [
    SnapshotNamed(name="eod", as_of=1, store_version=2, ts_known=3, actor="ann", note="Æ\u2028", simulated=True),
    InstrumentsDeclared(
        listings=(DeclaredListing(symbol="AAPL", mic="XNAS", valid_from=date(1980, 12, 12)),),
        start=date(2000, 1, 1),
        end=date(2013, 12, 31),
        ts_known=1,
        simulated=True,
    ),
    captured(2),
    Attempted(
        provider="finnhub",
        kind="bars",
        round_id="rnd_1",
        instrument_id="ins_a",
        symbol="AAPL",
        ts_known=3,
        failure_class="throttled",
        words="429",
        status=429,
        attempt=1,
    ),
    RoundClosed(
        round_id="rnd_1",
        instrument_id="ins_a",
        kind="bars",
        timeframe="1d",
        start=date(2005, 2, 25),
        end=date(2005, 3, 1),
        ts_known=4,
        captured=(ABC_KEY,),
        providers=("yahoo",),
        gave_up=(GaveUp(provider="finnhub", failure_class="throttled", words="429", attempts=4),),
    ),
    StreamCaptured(
        provider="alpaca",
        connection="alpaca 0 1",
        number=2,
        key=ABC_KEY,
        ts_known=5,
        frames=3,
        channels=("trades",),
        instruments={"AAPL": "ins_a"},
        gaps=(Gap(symbol="AAPL", channel="trades", ts_event=4, since=3, words="trade 7 was expected and 9 came"),),
        ended="we stopped to listen",
    ),
    DecisionMade(
        decision_id="dec_1",
        target="rep_1",
        action="apply",
        instrument_id="ins_a",
        kind="bars",
        timeframe="1d",
        start=date(2005, 2, 25),
        end=date(2005, 3, 1),
        provider="yahoo",
        actor="ann",
        why="ÆX\u2028\n",
        ts_known=6,
        edits=(Edit(5, "close", 100.0, 1.0), Edit(5, "volume", 7.0, None)),
    ),
]
