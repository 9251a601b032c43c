"""What one payload says: its claims by table, and what in it is doubtful."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.messages import RawCaptured
from truetape.domain.schema import TABLES, empty
from truetape.domain.symbology import Symbology
from truetape.services.processing.claim import CLAIM_TABLES, claim, details, origin_of
from truetape.services.processing.doubts import conflicts
from truetape.services.processing.identify import identified


@dataclass(frozen=True)
class Reading:
    """The claims of a payload, by table, and findings about it."""

    claims: dict[str, pl.DataFrame] = field(default_factory=dict)
    doubts: pl.DataFrame = field(default_factory=lambda: empty(TABLES["findings"].columns))


def read(
    body: bytes,
    capture: RawCaptured,
    *,
    decode: Mapping[str, Callable[[bytes, Ask], pl.DataFrame]],
    kinds: Sequence[str],
    feed: str,
    symbology: Symbology | None = None,
) -> Reading:
    """Return what `body` says.

    Args:
        body: The payload.
        capture: Where it came from, and what had been asked.
        decode: The provider's decoders by record kind.
        kinds: What the payload may hold; those without a decoder are passed over.
        feed: Which venues its prices are of.
        symbology: Who bears which ticker, where the payload is about many instruments.

    Raises:
        UndecodablePayload: It is not what a decoder expects.
        ProviderRefused: It is an error.
        SchemaMismatch: A decoder made no frame of its record kind.
    """
    ask = Ask(
        kind=capture.kind,
        symbol=capture.symbol,
        timeframe=capture.timeframe,
        start=capture.start,
        end=capture.end,
        page=capture.page,
    )
    decoded = {kind: decode[kind](body, ask) for kind in kinds if kind in decode}
    doubts = []
    if symbology is not None:
        known = {kind: identified(rows, capture, symbology) for kind, rows in decoded.items()}
        decoded = {kind: rows for kind, (rows, _) in known.items()}
        doubts = [unknown for _, unknown in known.values()]
    claims = {CLAIM_TABLES[kind]: claim(rows, capture, kind=kind, feed=feed) for kind, rows in decoded.items()}
    if "actions" in decoded and len(beside := details(decoded["actions"], capture)):
        claims["action_details"] = beside
    doubts += [conflicts(rows, capture, kind=kind) for kind, rows in decoded.items()]
    if not claims:
        return Reading()
    return Reading({**claims, "captures": origin_of(capture)}, pl.concat(doubts))
