"""What a feed keeps of each symbol: numbers that go on by one, what is missing among them, and bounded memory."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from truetape.domain import tracks
from truetape.domain.ticks import Gap, Trade
from truetape.domain.tracks import MOST_MISSING, MOST_TRACKS, Track, Tracks

KEY = ("trade", "ACME")


def trade(number: int, at: int) -> Trade:
    return Trade(symbol="ACME", ts_event=at, price=1.0, size=1.0, trade_id=str(number), channel="trade")


def test_numbers_go_on_by_one() -> None:
    """The first number is where the sequence begins; a larger step is a gap, a known number a repeat."""
    track = Track()

    places = [track.place(number) for number in (7, 8, 11, 11, 8, 12)]

    assert ["next", "next", "gap", "repeat", "repeat", "next"] == places
    assert (12, [(9, 10)]) == (track.last, track.missing)


def test_a_missing_number_may_come_late_once() -> None:
    """What was missed and comes after all is late, and a repeat when it comes again."""
    track = Track()
    for number in (1, 6):
        track.place(number)

    assert ["late", "repeat", "late", "late", "late"] == [track.place(number) for number in (3, 3, 2, 5, 4)]
    assert [] == track.missing


def test_gaps_that_are_kept_are_bounded() -> None:
    """Of endless gaps the latest are remembered."""
    track = Track()
    for number in range(0, 4 * MOST_MISSING, 2):
        track.place(number)

    assert MOST_MISSING == len(track.missing)
    assert (4 * MOST_MISSING - 3, 4 * MOST_MISSING - 3) == track.missing[-1]
    for number in range(1000, 1000 + 10 * MOST_MISSING, 5):
        track.behind(number)
    assert MOST_MISSING == len(track.missing)


def test_what_the_server_counted_shows_what_did_not_come() -> None:
    """A server that names its last number tells of a loss at the end; before the first number nothing is known."""
    track = Track()
    assert not track.behind(5)
    track.place(5)

    assert [False, True, False] == [track.behind(number) for number in (5, 7, 7)]
    assert ["late", "next"] == [track.place(number) for number in (6, 8)]


def test_trades_are_told_with_their_gaps() -> None:
    """The gap stands before the trade that showed it, and says what was heard last; repeats are dropped."""
    kept = Tracks()

    ticks = [kept.trade(trade(number, at), number=number, ts_known=99) for number, at in ((1, 10), (4, 40), (4, 40))]

    gap = Gap(symbol="ACME", channel="trade", ts_event=99, since=10, words="trade 2 was expected and 4 came")
    assert [[trade(1, 10)], [gap, trade(4, 40)], []] == ticks
    assert (3, 1, 1) == (kept[KEY].messages, kept[KEY].stale, kept[KEY].gaps)


def test_a_late_trade_is_told() -> None:
    """It fills the gap, and the last thing heard stays the newest."""
    kept = Tracks()
    for number, at in ((1, 10), (3, 30)):
        kept.trade(trade(number, at), number=number, ts_known=99)

    assert [trade(2, 20)] == kept.trade(trade(2, 20), number=2, ts_known=99)
    assert (30, []) == (kept[KEY].since, kept[KEY].missing)


def test_tracks_are_bounded() -> None:
    """A server that invents symbols does not fill the memory: the last of them are not kept."""
    kept = Tracks()
    for number in range(MOST_TRACKS + 10):
        kept.of("trade", str(number)).messages += 1

    assert (MOST_TRACKS, 1, 0) == (len(kept), kept.of("trade", "0").messages, kept.of("trade", str(MOST_TRACKS)).stale)


def test_the_values_are_what_the_names_say() -> None:
    """Ticks are values: equal if their parts are, and never changed."""
    assert msgspec.structs.replace(trade(1, 10), price=2.0) != trade(1, 10)
    assert replace(Track(), stale=1) == tracks.Track(stale=1)
