"""Order books: levels by hand, checksums over digits written out, and chains of updates on a snapshot."""

from __future__ import annotations

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.book import MOST_BUFFERED, MOST_BUFFERED_LEVELS, Book, Chain, Side, Update, levels, number

BIDS = [("99.5", "1.0"), ("99.0", "2.0"), ("98.0", "3.0")]
ASKS = [("100.0", "4.0"), ("100.5", "5.0"), ("102.0", "6.0")]


def book(depth: int = 100) -> Book:
    made = Book(depth=depth)
    made.replace(BIDS, ASKS)
    return made


def update(first: int, last: int, *, bids: list[tuple[str, str]] | None = None) -> Update:
    return Update(first=first, last=last, ts_event=last, bids=bids or [], asks=[])


@pytest.mark.parametrize(
    ("text", "value"), [("0.00000637", 6.37e-06), ("56218.30000", 56218.3), ("-1.5", -1.5), ("0", 0.0), ("1e-7", 1e-07)]
)
def test_numbers_are_read_from_text(text: str, value: float) -> None:
    """Decimal text becomes the nearest float."""
    assert value == number(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1_000", "", "one", "0x10", "9" * 65, "1" + "0" * 400])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    """Not-a-number, infinities, separators and endless digits are no numbers."""
    with pytest.raises(ValueError, match=r"."):
        number(text)


def test_levels_are_pairs_of_numbers() -> None:
    """Text becomes numbers, in order."""
    assert ((99.5, 1.0), (99.0, 2.0)) == levels(BIDS[:2])


def test_best_levels_come_first() -> None:
    """The highest bid and the lowest ask are best, and keep the exchange's text."""
    found = book()

    assert [("99.5", "1.0"), ("99.0", "2.0")] == found.bids.best(2)
    assert [("100.0", "4.0"), ("100.5", "5.0")] == found.asks.best(2)
    assert (3, 3) == (len(found.bids), len(found.asks))
    assert ASKS == found.asks.best(50)


def test_an_update_sets_adds_and_takes_away() -> None:
    """A known price gets a new quantity, an unknown one a place, and a quantity of 0 takes a level away."""
    found = book()

    found.change([("99.0", "7.5"), ("99.25", "1.5")], [("100.0", "0.000"), ("101.0", "0.00")])

    assert [("99.5", "1.0"), ("99.25", "1.5"), ("99.0", "7.5"), ("98.0", "3.0")] == found.bids.best(9)
    assert [("100.5", "5.0"), ("102.0", "6.0")] == found.asks.best(9)


def test_a_book_keeps_its_depth() -> None:
    """Levels beyond the depth are dropped from the far end, in snapshots and in updates."""
    found = book(depth=2)
    assert BIDS[:2] == found.bids.best(9)

    found.change([("99.75", "1.0")], [("103.0", "1.0")])

    assert [("99.75", "1.0"), ("99.5", "1.0")] == found.bids.best(9)
    assert ASKS[:2] == found.asks.best(9)


def test_a_snapshot_replaces_everything() -> None:
    """What a snapshot does not name is gone; levels of quantity 0 are none."""
    found = book()

    found.replace([("1", "1"), ("2", "0")], [])

    assert ([("1", "1")], []) == (found.bids.best(9), found.asks.best(9))
    assert found.whole


def test_a_dropped_book_is_empty_and_not_whole() -> None:
    """Nothing of a wrong book is kept."""
    found = book()

    found.drop()

    assert (0, 0, False) == (len(found.bids), len(found.asks), found.whole)


def test_a_snapshot_that_cannot_be_read_changes_nothing() -> None:
    """A side is replaced whole or not at all."""
    side = Side(1)
    side.fill(BIDS, 10)

    with pytest.raises(ValueError, match="nan"):
        side.fill([("1", "1"), ("nan", "1")], 10)

    assert BIDS == side.best(9)


def test_the_checksum_covers_ten_levels_of_each_side() -> None:
    """Asks from the lowest, then bids from the highest; price and quantity without point and leading zeros."""
    found = Book()
    prices = ("2.2", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "2.0", "2.1")
    found.replace([("0.05", "0.010"), ("0.9", "10.0")], [(price, "0.50") for price in prices])

    asks = "1150 1250 1350 1450 1550 1650 1750 1850 1950 2050"
    assert crc32(f"{asks} 9100 510".replace(" ", "").encode()) == found.checksum()


def test_the_checksum_of_an_empty_book_is_that_of_no_digits() -> None:
    """Without levels there is nothing to sum."""
    assert Book().checksum() == 0


def test_waiting_updates_go_on_top_of_the_snapshot() -> None:
    """Updates that the snapshot holds are dropped as stale; the first kept one must span its end."""
    chain = Chain(Book())
    for one in (update(5, 8), update(9, 12, bids=[("99.5", "0")]), update(13, 13, bids=[("97", "1")])):
        assert chain.follow(one)

    joined = chain.join(10, BIDS, ASKS)

    assert [9, 13] == [one.first for one in joined or []]
    assert (1, 13) == (chain.stale, chain.last)
    assert [("99.0", "2.0"), ("98.0", "3.0"), ("97", "1")] == chain.book.bids.best(9)


def test_a_snapshot_without_updates_is_the_book() -> None:
    """Nothing waits: the snapshot stands, and the next update must go on from it."""
    chain = Chain(Book())

    assert chain.join(10, BIDS, ASKS) == []
    assert chain.follow(update(11, 11))
    assert 11 == chain.last


@pytest.mark.parametrize("waiting", [[(13, 14)], [(9, 12), (14, 15)]])
def test_a_snapshot_that_ends_too_early_does_not_join(waiting: list[tuple[int, int]]) -> None:
    """Where numbers are missing between it and the updates, or among them, a newer snapshot is needed."""
    chain = Chain(Book())
    for first, last in waiting:
        chain.follow(update(first, last))

    assert chain.join(10, BIDS, ASKS) is None
    assert (-1, False) == (chain.last, chain.book.whole)
    assert chain.join(waiting[-1][1], BIDS, ASKS) == []


def test_an_older_update_is_stale() -> None:
    """What the book holds already is dropped and counted."""
    chain = Chain(Book())
    chain.join(10, BIDS, ASKS)

    assert chain.follow(update(9, 10, bids=[("99.5", "0")]))

    assert (1, 10) == (chain.stale, chain.last)
    assert BIDS == chain.book.bids.best(9)


def test_a_missing_number_makes_the_book_worthless() -> None:
    """The book is dropped, and the update waits for the next snapshot."""
    chain = Chain(Book())
    chain.join(10, BIDS, ASKS)

    assert not chain.follow(update(12, 12))

    assert (-1, 0, [12]) == (chain.last, len(chain.book.bids), [one.first for one in chain.waiting])
    assert [12] == [one.first for one in chain.join(11, BIDS, ASKS) or []]


def test_the_waiting_are_bounded() -> None:
    """A snapshot that never comes does not fill the memory: the oldest updates are forgotten."""
    chain = Chain(Book())
    for at in range(MOST_BUFFERED + 5):
        chain.follow(update(at, at))

    assert (MOST_BUFFERED, 5) == (len(chain.waiting), chain.waiting[0].first)


def test_the_levels_of_the_waiting_are_bounded() -> None:
    """Few large updates are as harmful as many small ones; what is left joins as before."""
    chain = Chain(Book())
    large = [(str(price), "1") for price in range(1, MOST_BUFFERED_LEVELS // 2 + 1)]
    for at in range(3):
        chain.follow(update(at, at, bids=large))

    assert ([1, 2], MOST_BUFFERED_LEVELS) == ([one.first for one in chain.waiting], chain.waiting_levels)
    assert [2] == [one.first for one in chain.join(1, BIDS, ASKS) or []]
    assert 0 == chain.waiting_levels


PRICES = st.integers(1, 40).map(lambda tick: f"{tick / 8:.3f}")
CHANGES = st.lists(st.tuples(PRICES, st.integers(0, 3).map(str)), max_size=60)


@given(CHANGES)
def test_a_side_is_a_dictionary_in_order(changes: list[tuple[str, str]]) -> None:
    """Whatever comes, a side holds the last quantity of each price that is not 0, in order of price."""
    side, truth = Side(-1), dict[float, tuple[str, str]]()
    for price, quantity in changes:
        side.put((price, quantity), 1_000)
        truth.pop(float(price), None)
        if quantity != "0":
            truth[float(price)] = (price, quantity)

    assert [truth[price] for price in sorted(truth)] == side.best(1_000)
