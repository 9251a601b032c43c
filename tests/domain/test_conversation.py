"""What all feeds share: a frame can be unreadable and never breaks anything, and a wish is said once."""

from __future__ import annotations

import pytest

from truetape.domain.asks import Request
from truetape.domain.conversation import Conversation, portions, refused
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.fields import listed
from truetape.domain.ticks import Tick, Told


class Echo(Conversation):
    """A feed that reads numbers and wants one more of each."""

    def hear(self, frame: str | bytes, ts_known: int) -> list[Tick]:
        number = int(frame)
        self._replies.append(str(number + 1))
        self._wanted.append(Request(url=f"https://example.com/{number}"))
        return [Told(what="heartbeat", words=str(number))]

    def answered(self, url: str, body: bytes, ts_known: int) -> list[Tick]:
        return self.hear(body, ts_known)

    def place(self, symbol: str) -> str:
        return "coins" if "/" in symbol else "stocks"


def test_what_a_feed_wants_is_said_once() -> None:
    """Replies and requests are handed over and forgotten."""
    feed = Echo()

    assert [Told(what="heartbeat", words="7")] == feed.receive("7", 0)
    assert (["8"], [Request(url="https://example.com/7")]) == (feed.replies(), feed.wanted())
    assert ([], []) == (feed.replies(), feed.wanted())


@pytest.mark.parametrize("frame", ["seven", b"\xff\xfe", "", "<script>alert(1)</script>"])
def test_a_frame_that_cannot_be_read_is_told(frame: str | bytes) -> None:
    """It says what was wrong and how the frame began, without control characters."""
    feed = Echo()

    (told,) = feed.receive(frame, 0)

    assert isinstance(told, Told)
    assert ("unreadable", True) == (told.what, told.words.startswith("ValueError: invalid literal"))
    assert told.words.isprintable()


def test_an_answer_that_cannot_be_read_is_told() -> None:
    """An answer over HTTP breaks nothing either, however long it is."""
    feed = Echo()

    (told,) = feed.fetched("https://example.com", b"x" * 100_000, 0)

    assert isinstance(told, Told)
    assert ("unreadable", True) == (told.what, len(told.words) < 1_000)
    assert [Told(what="heartbeat", words="1")] == feed.fetched("https://example.com", b"1", 0)


def test_a_conversation_that_says_nothing_is_silent() -> None:
    """Without a greeting and without requests there is nothing to say; a frame has no meaning of itself."""
    feed = Conversation()

    assert ([], [], [], {}, False) == (feed.greet(), feed.replies(), feed.fetched("", b"", 0), feed.tracks, feed.ready)
    with pytest.raises(NotImplementedError):
        feed.hear("", 0)


def test_symbols_are_parted_by_place_and_number() -> None:
    """Symbols of one place share a connection, up to the number that one may have."""
    symbols = ["A", "B/C", "D", "E"]

    assert [["A", "D"], ["E"], ["B/C"]] == Echo(symbols=2).part(symbols)
    assert [["A", "D", "E"], ["B/C"]] == Echo().part(symbols)
    assert [symbols] == Conversation().part(symbols)
    assert [] == Conversation().part([])


def test_a_refusal_has_the_providers_words() -> None:
    """One clean line, with the class and the wait that it asks for."""
    told = refused(FailureClass.THROTTLED, "slow\ndown\x00", retry_after_s=2.0)

    failure = Failure(failure_class=FailureClass.THROTTLED, words="slow down", retry_after_s=2.0)
    assert Told(what="refused", words="slow down", failure=failure) == told


def test_lists_are_cut_into_portions() -> None:
    """In order, none larger than allowed, none empty."""
    assert [["a", "b"], ["c"]] == portions(["a", "b", "c"], 2)
    assert [] == portions([], 2)


def test_codes_are_listed() -> None:
    """Numbers and letters, in their order."""
    assert ("12,37", "@,I", "") == (listed((12, 37)), listed(("@", "I")), listed(()))
