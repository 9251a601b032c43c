"""What a stream takes: connections within the plan, waits after an end, and whose symbols are whose."""

from __future__ import annotations

import pytest

from truetape.domain.failures import Failure, FailureClass
from truetape.domain.ticks import Told
from truetape.services.ingestion.streams import Share, StreamsConfig, pause_s, refusal, shares, spelled, spoken_of

CONFIG = StreamsConfig(backoff_s=1.0, backoff_max_s=60.0, conflict_s=300.0)
PARTS = [Share("stocks", ("A", "B", "C")), Share("coins", ("X",))]


@pytest.mark.parametrize(
    ("streams", "stream_symbols", "kept", "left"),
    [
        (None, 0, [("stocks", "ABC"), ("coins", "X")], {}),
        (1, 0, [("stocks", "ABC"), ("coins", "X")], {}),
        (2, 2, [("stocks", "AB"), ("stocks", "C"), ("coins", "X")], {}),
        (1, 2, [("stocks", "AB"), ("coins", "X")], {"the plan allows 1 connection with 2 symbols each": ("C",)}),
        (
            2,
            1,
            [("stocks", "A"), ("stocks", "B"), ("coins", "X")],
            {"the plan allows 2 connections with 1 symbols each": ("C",)},
        ),
        (0, 0, [], {"the plan has no stream": ("A", "B", "C", "X")}),
    ],
)
def test_connections_stay_within_the_plan(
    streams: int | None, stream_symbols: int, kept: list[tuple[str, str]], left: dict[str, tuple[str, ...]]
) -> None:
    """At each place as many as allowed, each with as many symbols as allowed; the rest is named with the reason."""
    expected = [Share(place, tuple(symbols)) for place, symbols in kept]

    assert (expected, left) == shares(PARTS, streams=streams, stream_symbols=stream_symbols)


def failure(name: str, retry_after_s: float | None = None) -> Failure:
    return Failure(failure_class=FailureClass(name), words="no", retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("said", "attempt", "draw", "expected"),
    [
        (None, 1, 0.0, 0.5),
        (None, 1, 0.5, 0.75),
        (None, 3, 0.0, 2.0),
        (None, 7, 0.0, 30.0),
        (None, 5000, 0.0, 30.0),
        (failure("transient"), 2, 0.0, 1.0),
        (failure("throttled", 20.0), 1, 0.0, 20.0),
        (failure("conflict"), 1, 0.0, 150.0),
        (failure("quota", 3600.0), 1, 0.0, 3600.0),
        (failure("permanent"), 1, 0.0, 150.0),
        (failure("auth"), 1, 0.0, None),
        (failure("entitlement"), 1, 0.0, None),
        (failure("blocked"), 1, 0.0, None),
    ],
)
def test_a_pause_grows_is_spread_and_follows_the_provider(
    said: Failure | None, attempt: int, draw: float, expected: float | None
) -> None:
    """Doubling, from half of it to all of it; long after a conflict; never again after a refusal that lasts."""
    assert expected == pause_s(said, attempt=attempt, draw=draw, config=CONFIG)


@pytest.mark.parametrize(
    ("name", "ends"), [("auth", True), ("throttled", True), ("permanent", False), ("empty", False)]
)
def test_a_refusal_of_one_symbol_does_not_end_the_talk(name: str, ends: bool) -> None:
    """Other refusals do, and plain words never."""
    told = Told(what="refused", words="no", failure=failure(name))

    assert (failure(name) if ends else None) == refusal(told)
    assert refusal(Told(what="heartbeat")) is None


def test_symbols_are_known_in_capitals_too() -> None:
    """A server that answers in capitals, or in small letters, speaks of the same instruments; others are nobody's."""
    known = spelled([("ins_a", "aapl"), ("ins_b", "BTC-USD")])

    assert {"AAPL": "ins_a", "aapl": "ins_a", "BTC-USD": "ins_b", "btc-usd": "ins_b"} == spoken_of(
        {"AAPL", "aapl", "BTC-USD", "btc-usd", "MSFT"}, known
    )
