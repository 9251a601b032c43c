"""Minutes out of trades, by hand arithmetic and by properties."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_doubles import NOW, filled
from truetape.domain.sales import NOTHING, RANGE_ONLY, VOLUME_ONLY, Sale, sale_of
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import NANOSECONDS
from truetape.services.processing.minutes import MINUTE_NS, Minutes, bars, restored
from truetape.services.processing.streamed import Wound

KEY = "k" * 64
NONE = empty(TABLES["trades"].columns)
SALES = {"I": VOLUME_ONLY, "Z": RANGE_ONLY, "M": NOTHING}
Row = tuple[Any, ...]  # seconds after NOW, price, size, id, then what differs


def trades(*rows: Row, known_s: float = 0.0, instrument: str = "ins_a") -> pl.DataFrame:
    """Return trades; "" as an id stands for none."""
    places = range(len(rows))
    given_ = {
        "instrument_id": instrument,
        "ts_event": [NOW + round(row[0] * NANOSECONDS) for row in rows],
        "provider": "p",
        "price": [float(row[1]) for row in rows],
        "size": [float(row[2]) for row in rows],
        "trade_id": [row[3] or f"{KEY[:16]}:{place}" for place, row in zip(places, rows, strict=True)],
        "conditions": [row[4] if len(row) > 4 else None for row in rows],
        "side": None,
        "venue": "X",
        "correction": [row[5] if len(row) > 5 else "" for row in rows],
        "currency": None,
        "payload": KEY,
        "place": list(places),
        "ts_known": NOW + round(known_s * NANOSECONDS),
        "simulated": False,
    }
    return filled("trades", len(rows), given_)


def made(frame: pl.DataFrame) -> list[tuple[float, ...]]:
    """Return minute (since NOW), open, high, low, close, volume of each bar."""
    return [
        ((at - NOW) // MINUTE_NS, *values)
        for at, *values in zip(
            frame["ts_event"].cast(pl.Int64),
            *(frame[name] for name in ("open", "high", "low", "close", "volume")),
            strict=True,
        )
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1, 10, 100, "a"), (2, 12, 50, "b"), (3, 9, 25, "c"), (4, 11, 25, "d")], [(0, 10, 12, 9, 11, 200)]),
        ([(59.999, 10, 1, "a"), (60, 11, 1, "b"), (180, 12, 1, "c")],
         [(0, 10, 10, 10, 10, 1), (1, 11, 11, 11, 11, 1), (3, 12, 12, 12, 12, 1)]),
        ([(2, 11, 1, "b"), (1, 10, 1, "a")], [(0, 10, 11, 10, 11, 2)]),
        ([(1, 10, 1, ""), (1, 12, 1, ""), (1, 11, 1, "")], [(0, 10, 12, 10, 11, 3)]),
        ([(1, 10, 1, "a"), (1, 10, 1, "a"), (1, 10, 1, "b")], [(0, 10, 10, 10, 10, 2)]),
        ([(1, 10, 0, "a"), (2, 0, 5, "b"), (3, 11, 5, "c")], [(0, 11, 11, 11, 11, 5)]),
        ([(1, 10, 0, "a")], []),
        ([(1, 99, 5, "a", "@,I"), (2, 10, 100, "b", "@"), (3, 1, 7, "c", "I")], [(0, 10, 10, 10, 10, 112)]),
        ([(1, 10, 1, "a"), (2, 15, 1, "b", "Z"), (3, 11, 1, "c")], [(0, 10, 15, 10, 11, 3)]),
        ([(1, 15, 1, "b", "Z"), (2, 14, 1, "c", "Z")], [(0, 15, 15, 14, 14, 2)]),
        ([(1, 10, 1, "a"), (2, 10, 9000, "b", "M")], [(0, 10, 10, 10, 10, 1)]),
        ([(1, 10, 1, "a", "I")], []),
        ([(1, 10, 0.1, "a"), (2, 10, 0.2, "b"), (3, 10, 0.3, "c")], [(0, 10, 10, 10, 10, 0.6)]),
        ([(1, 10, 1, "a"), (2, 99, 5, "b"), (90, 99, 5, "b", None, "cancel")], [(0, 10, 10, 10, 10, 1)]),
        ([(1, 10, 1, "a"), (2, 99, 5, "b"), (90, 11, 4, "b", "@", "correct")], [(0, 10, 11, 10, 11, 5)]),
        ([(1, 10, 1, "a"), (2, 99, 5, "b"), (90, 11, 4, "b", None, "correct"), (91, 12, 3, "b", None, "correct")],
         [(0, 10, 12, 10, 12, 4)]),
        ([(1, 10, 1, "a"), (2, 11, 1, "b"), (90, 11, 4, "b", None, "correct"), (91, 0, 0, "b", None, "cancel")],
         [(0, 10, 10, 10, 10, 1)]),
        ([(1, 10, 1, ""), (1, 10, 1, ""), (2, 11, 1, ""), (1, 10, 1, "", None, "cancel")], [(0, 10, 11, 10, 11, 2)]),
        ([(1, 10, 1, "a"), (90, 11, 4, "never heard", None, "correct")], [(0, 10, 10, 10, 10, 1)]),
    ],
    ids=[
        "one", "edges", "out of order", "one instant", "twice", "no size or price", "nothing", "odd lots", "range only",
        "range alone", "repeats of the venue", "no price", "fractions", "cancelled", "corrected", "corrected again",
        "corrected and cancelled", "cancelled without an id", "corrected and never heard",
    ],
)  # fmt: skip
def test_bars_are_what_hands_make_of_the_trades(rows: list[Row], expected: list[tuple[float, ...]]) -> None:
    """Open, high, low, close and volume; what conditions, corrections and cancels leave of them."""
    assert expected == made(bars(trades(*rows), sales=SALES))


def test_conditions_work_together() -> None:
    """A trade counts for what each of its conditions allows; unknown ones allow everything."""
    assert Sale() == sale_of("", SALES) == sale_of("@,F", SALES)
    assert Sale(range=False, ends=False, volume=False) == sale_of("I, M", SALES)


Portion = tuple[pl.DataFrame, list[Wound], float]


def played(*portions: Portion) -> list[tuple[float, ...]]:
    """Return the bars that are told, in order, as portions come at seconds after NOW, with `running`."""
    state = Minutes()
    told: list[tuple[float, ...]] = []
    for frame, wounds, at_s in portions:
        state, due = state.take(frame, wounds, now_ns=NOW + round(at_s * NANOSECONDS))
        assert due.older == ()
        found = state.told(due, NONE, sales=SALES)
        told += [(*row, running) for row, running in zip(made(found), found["running"], strict=True)]
        state = state.trimmed()
    return told


def test_a_minute_is_told_when_it_is_over() -> None:
    """Two seconds after its end by the clock of the venue, which is ours less the least delay seen."""
    first, second = trades((10, 10, 1, "a")), trades((50, 11, 1, "b"))

    assert [] == played((first, [], 40), (second, [], 70), (NONE, [], 81.9))
    assert [(0, 10, 11, 10, 11, 2, False)] == played((first, [], 40), (second, [], 70), (NONE, [], 82))
    assert [(0, 10, 10, 10, 10, 1, False)] == played((first, [], 40), (NONE, [], 600), (NONE, [], 700), (NONE, [], 800))


def test_a_late_trade_tells_its_minute_again() -> None:
    """With all that is known of it."""
    portions: list[Portion] = [
        (trades((50, 11, 1, "b")), [], 50),
        (NONE, [], 62),
        (trades((20, 10, 1, "a"), (70, 9, 1, "c")), [], 70),
    ]

    assert [(0, 11, 11, 11, 11, 1, False), (0, 10, 11, 10, 11, 2, False)] == played(*portions)


def test_a_correction_tells_the_minute_of_its_trade_again() -> None:
    """Not its own."""
    portions: list[Portion] = [
        (trades((10, 10, 1, "a"), (20, 99, 1, "b")), [], 20),
        (NONE, [], 62),
        (trades((70, 11, 1, "b", None, "correct")), [], 70),
    ]

    assert [(0, 10, 99, 10, 99, 2, False), (0, 10, 11, 10, 11, 2, False)] == played(*portions)


def test_a_minute_with_a_gap_is_running() -> None:
    """Of its instrument alone; also where the gap is noticed after it was told."""
    both = pl.concat([trades((10, 10, 1, "a"), (130, 11, 1, "c")), trades((10, 20, 1, "b"), instrument="ins_b")])
    gap = [Wound("ins_a", NOW + 5 * NANOSECONDS, NOW + 8 * NANOSECONDS)]
    other = [Wound("ins_a", NOW + 125 * NANOSECONDS, NOW + 125 * NANOSECONDS)]

    assert [(0, 10, 10, 10, 10, 1, True), (0, 20, 20, 20, 20, 1, False)] == played((both, gap, 132))
    assert [
        (0, 10, 10, 10, 10, 1, False),
        (0, 20, 20, 20, 20, 1, False),
        (0, 10, 10, 10, 10, 1, True),
        (2, 11, 11, 11, 11, 1, True),
    ] == played((both, other, 132), (NONE, gap, 140), (NONE, [], 190))


def test_old_trades_are_read_from_the_store() -> None:
    """A trade or correction of a minute that is no longer in memory asks for the instrument's trades since then."""
    old, now = trades((10, 10, 1, "a"), (20, 99, 1, "b")), trades((600, 11, 1, "c"))
    state = Minutes()
    for frame, at in ((old, 20), (now, 600), (NONE, 662)):
        state, due = state.take(frame, [], now_ns=NOW + at * NANOSECONDS)
        state = state.trimmed()
    assert NOW + 9 * MINUTE_NS == state.kept_from

    late, due = state.take(trades((30, 12, 5, "d")), [], now_ns=NOW + 663 * NANOSECONDS)
    assert (("ins_a",), NOW) == (due.older, due.since)
    assert [(0, 10, 99, 10, 12, 7)] == made(late.told(due, old, sales=SALES))

    fixed, due = state.take(trades((661, 11, 1, "b", None, "correct")), [], now_ns=NOW + 664 * NANOSECONDS)
    assert (("ins_a",), NOW + 661 * NANOSECONDS - 86_400 * NANOSECONDS) == (due.older, due.since)
    assert [(0, 10, 11, 10, 11, 2)] == made(fixed.told(due, old, sales=SALES))


def test_a_process_that_starts_goes_on_where_the_last_one_ended() -> None:
    """The minute that a crash cut in two is one; a minute that nobody told is told, also after a long silence."""
    kept = trades((10, 10, 1, "a"), (70, 11, 1, "b"))
    for first_s in (80, 3000):
        state = restored(kept, [], first_ns=NOW + first_s * NANOSECONDS)
        state, due = state.take(trades((first_s, 12, 1, "c"), known_s=5), [], now_ns=NOW + (first_s + 62) * NANOSECONDS)
        state, due = state.take(NONE, [], now_ns=NOW + (first_s + 124) * NANOSECONDS)
        assert made(state.told(due, NONE, sales=SALES))[-1][-1] in (1, 2)
    assert (NOW - MINUTE_NS, ()) == (
        restored(NONE, [], first_ns=NOW + MINUTE_NS).kept_from,
        restored(NONE, [], first_ns=NOW).trades,
    )


def test_memory_is_bounded() -> None:
    """Of more trades than may be kept the older ones are left to the store, as whole minutes."""
    rows = trades(*((second, 10, 1, f"{second}") for second in range(0, 180, 30)))
    few, none = (Minutes(most_rows=most).take(rows, [], now_ns=NOW + 170 * NANOSECONDS)[0].trimmed() for most in (3, 1))

    assert (2, NOW + 2 * MINUTE_NS) == (sum(map(len, few.trades)), few.kept_from)
    assert (0, NOW + 3 * MINUTE_NS) == (sum(map(len, none.trades)), none.kept_from)


def test_a_clock_far_ahead_is_a_mistake() -> None:
    """A trade of next year completes no minute of this one."""
    state, due = Minutes().take(trades((30_000_000, 10, 1, "a")), [], now_ns=NOW)

    assert -5 * NANOSECONDS == state.lag
    assert due.keys.is_empty()


SOME = st.tuples(
    st.integers(0, 200), st.integers(1, 50), st.integers(0, 30), st.sampled_from(["I", "Z", None]), st.booleans()
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(SOME, min_size=1, max_size=40), seed=st.integers(0, 1000), cuts=st.integers(1, 6))
def test_any_order_and_any_portions_give_the_same_bars(rows: list[Row], seed: int, cuts: int) -> None:
    """The last word about each minute is the same, and hearing a portion twice changes nothing."""
    plain = [(at, price, size / 10, f"{number}", code) for number, (at, price, size, code, _) in enumerate(rows)]
    fixes = [
        (400 + number, price + 1, 2, f"{number}", None, "correct" if price % 2 else "cancel")
        for number, (_, price, _, _, fixed) in enumerate(rows)
        if fixed
    ]
    every = trades(*plain, *fixes)
    expected = {row[0]: row for row in made(bars(every, sales=SALES))}
    order = random.Random(seed).sample(range(len(every)), len(every))
    portions = [every[sorted(order[start::cuts])] for start in range(cuts)]
    state = Minutes()
    told: dict[float, tuple[float, ...]] = {}
    for number, portion in enumerate([*portions, portions[0], NONE]):
        state, due = state.take(portion, [], now_ns=NOW + (900 + number * 70) * NANOSECONDS)
        told |= {row[0]: row for row in made(state.told(due, NONE, sales=SALES))}

    assert {minute: told[minute] for minute in expected} == expected
