"""A script in which every stream meets everything that can go wrong on it, once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from truetape.app.sandbox.faults import STREAM, Fault, Script, StreamKind
from truetape.app.sandbox.streams import NAMES, speaker_of
from truetape.app.sandbox.streams.speaker import Speaker

APART: Final = 25  # ticks between two faults
LASTS_S: Final = 2.0  # a delay or a silence


def every_stream_fault(providers: Sequence[str] = NAMES, *, seed: int) -> Script:
    """Return a script of each kind of fault that each provider can say, in an order that `seed` chooses.

    The faults of a provider are met by whichever symbol comes so far, 25 ticks apart.
    """
    script: list[Fault] = []
    for name in providers:
        kinds = [kind for kind in STREAM if _can(speaker_of(name), kind)]
        random.Random(f"{seed}:{name}").shuffle(kinds)  # noqa: S311 - a rehearsal, no secret
        script += [
            Fault(provider=name, kind=kind, first=APART * place, seconds=LASTS_S) for place, kind in enumerate(kinds, 1)
        ]
    return tuple(script)


def _can(speaker: type[Speaker], kind: StreamKind) -> bool:
    """Return whether `speaker` has words for such a fault."""
    needed = {"wrong_checksum": "spoilt", "correction": "corrected", "cancel": "cancelled", "late_trade": "trade"}
    return kind not in needed or getattr(speaker, needed[kind]) is not getattr(Speaker, needed[kind])
