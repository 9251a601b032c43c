"""Answers that are no provider's: noise, pages, bombs and circles, in place of what was asked for."""

from __future__ import annotations

import random
import zlib
from functools import lru_cache
from typing import Final

from truetape.app.sandbox.desk import Reply

NONSENSE: Final = frozenset({"garbage", "wrong_type", "bomb", "redirect_loop"})
CIRCLE: Final = "/circle"  # leads to itself
BOMB_BYTES: Final = 256 << 20  # unfolded
_NOISE: Final = 2048
_PAGE: Final = b"<!doctype html><html><head><title>Welcome</title></head><body><p>Hello there.</p></body></html>\n"
_GZIP: Final = 16 + zlib.MAX_WBITS


def nonsense(kind: str, whole: Reply, *, seed: int) -> Reply:
    """Return what comes in place of `whole`.

    Args:
        kind: Of NONSENSE.
        whole: What the provider would have answered.
        seed: Chooses the noise.
    """
    if kind == "garbage":
        noise = random.Random(f"{seed}:garbage").randbytes(_NOISE)  # noqa: S311 - a rehearsal, no secret
        return Reply(200, noise, whole.content_type, whole.headers)
    if kind == "wrong_type":
        return Reply(200, _PAGE, whole.content_type, whole.headers)
    if kind == "bomb":
        return Reply(200, _bomb(), whole.content_type, {**whole.headers, "Content-Encoding": "gzip"})
    return Reply(302, b"", whole.content_type, {"Location": CIRCLE})


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """Return a gzip member of zeros, a thousandth of what it unfolds to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    piece = bytes(1 << 20)
    packed = b"".join(packer.compress(piece) for _ in range(BOMB_BYTES // len(piece)))
    return packed + packer.flush()
