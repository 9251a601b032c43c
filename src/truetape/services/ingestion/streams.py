"""How live streams are heard: which, over how many connections, and what happens when one ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from truetape.domain.conversation import portions
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.ticks import Told


class StreamsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which providers' streams are heard, and how patiently."""

    channels: dict[str, tuple[str, ...]] = {}  # record kinds by provider; none: nothing is heard
    segment_s: float = 1.0  # what was heard is archived after so long at the latest
    segment_bytes: int = 4 << 20  # or when it is so much
    segments_waiting: int = 16  # for the archive and the other rooms; more hold the connection back
    patience_s: float = 10.0  # a connection that is held back for longer is given up
    quiet_s: float = 15.0  # a connection that hears nothing says so in an empty segment
    ready_s: float = 15.0  # for a provider to let us in
    steady_s: float = 30.0  # a connection that lasted so long was a good one: back-off begins anew
    backoff_s: float = 1.0  # first wait before connecting again; doubles with each failure
    backoff_max_s: float = 60.0
    seed: int | None = None  # of the chance that spreads waits; None: another one each time
    conflict_s: float = 300.0  # wait where another connection holds the place
    heal_after_s: float = 90.0  # after a gap's last minute: until then the provider may not have its bars
    heal_days: int = 7  # gaps that reach further back are healed from there on


class Share(NamedTuple):
    """What one connection listens to."""

    place: str  # the server, without what is asked of it
    symbols: tuple[str, ...]  # in the provider's spelling


LASTING: Final = frozenset({FailureClass.AUTH, FailureClass.ENTITLEMENT, FailureClass.BLOCKED})
LONG: Final = frozenset({FailureClass.CONFLICT, FailureClass.QUOTA, FailureClass.PERMANENT})
HARMLESS: Final = frozenset({FailureClass.PERMANENT, FailureClass.EMPTY})  # of one symbol: the others go on


def shares(
    parts: Iterable[Share], *, streams: int | None, stream_symbols: int
) -> tuple[list[Share], dict[str, tuple[str, ...]]]:
    """Return what each connection listens to, and which symbols are left out, by the reason.

    Args:
        parts: What the provider hears together, by place.
        streams: Most connections to one place; None for any number.
        stream_symbols: Most symbols of a connection; 0 for any number.
    """
    kept: list[Share] = []
    left: list[str] = []
    at_place: dict[str, int] = {}
    for part in parts:
        for symbols in portions(part.symbols, stream_symbols or max(1, len(part.symbols))):
            if streams is not None and at_place.get(part.place, 0) >= streams:
                left += symbols
                continue
            at_place[part.place] = at_place.get(part.place, 0) + 1
            kept.append(Share(part.place, tuple(symbols)))
    return kept, {_limit(streams or 0, stream_symbols): tuple(left)} if left else {}


def _limit(streams: int, stream_symbols: int) -> str:
    if not streams:
        return "the plan has no stream"
    most = f" with {stream_symbols} symbols each" if stream_symbols else ""
    return f"the plan allows {streams} connection{'s' if streams > 1 else ''}{most}"


def pause_s(failure: Failure | None, *, attempt: int, draw: float, config: StreamsConfig) -> float | None:
    """Return the seconds to wait before connecting again; None if that cannot help.

    The wait doubles with each attempt and is spread over its upper half, so that many who lost their connections
    together do not come back together. What the provider asks for is kept where it is longer.

    Args:
        failure: What the provider said; None for a connection that just ended.
        attempt: Connections that failed one after the other, from 1.
        draw: A random number of [0, 1).
        config: The limits.
    """
    if failure is not None and failure.failure_class in LASTING:
        return None
    longest = float(config.backoff_max_s)
    wait = min(longest, config.backoff_s * 2.0 ** min(attempt - 1, 32))
    if failure is not None and failure.failure_class in LONG:
        wait = config.conflict_s
    asked = failure.retry_after_s if failure is not None and failure.retry_after_s is not None else 0.0
    return max(asked, wait / 2 + wait / 2 * draw)


def refusal(told: Told) -> Failure | None:
    """Return why the provider ends the talk, if it does; None where it only speaks, or refuses a single symbol."""
    if told.failure is None or told.failure.failure_class in HARMLESS:
        return None
    return told.failure


def spelled(symbols: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return instrument ids by the provider's symbols, also in capitals: some servers answer in them.

    Args:
        symbols: Instrument ids with the provider's spelling.
    """
    known = {spelling: instrument for instrument, spelling in symbols}
    return {**{spelling.upper(): instrument for spelling, instrument in known.items()}, **known}


def spoken_of(heard: Sequence[str] | set[str], known: dict[str, str]) -> dict[str, str]:
    """Return the instruments behind the symbols `heard`, by symbol; others are nobody's."""
    found = {symbol: known.get(symbol) or known.get(symbol.upper(), "") for symbol in sorted(heard)}
    return {symbol: instrument for symbol, instrument in found.items() if instrument}
