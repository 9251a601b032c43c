"""One question cut into requests: as long as the provider answers at once, and no further back than it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import msgspec

from truetape.domain.capability import Declaration, Offer
from truetape.domain.messages import RawCaptured
from truetape.domain.plans import Plan
from truetape.services.ingestion.intervals import ONE_DAY, Span
from truetape.services.ingestion.pairs import RATES


def limited(offer: Offer, plan: Plan | None, *, timeframe: str) -> Offer:
    """Return `offer` with no more history than `plan` is entitled to."""
    if plan is None or not plan.depth_days:
        return offer
    key = timeframe if offer.kind == "bars" else ""
    entitled = plan.depth_days.get(f"{offer.kind}/{timeframe}", plan.depth_days.get(offer.kind))
    if entitled is None or entitled >= offer.depth_days.get(key, entitled + 1):
        return offer
    return msgspec.structs.replace(offer, depth_days={**offer.depth_days, key: entitled})


def spans(offer: Offer | None, *, timeframe: str, start: date, end: date, today: date) -> list[Span]:
    """Return the ranges, each for one request (or its pages), that together are [`start`, `end`], oldest first.

    What lies further back than the provider keeps is left out; the last range is then never empty, since a provider
    that keeps nothing of it is not asked.
    """
    key = timeframe if offer is not None and offer.kind == "bars" else ""
    depth = offer.depth_days.get(key) if offer is not None else None
    first = start if depth is None else max(start, min(end, today - timedelta(days=depth)))
    most = offer.span_days.get(key) if offer is not None else None
    return [(first, end)] if not most else list(_cut(first, end, most))


def _cut(first: date, end: date, most: int) -> Iterator[Span]:
    while first <= end:
        last = min(end, first + timedelta(days=most - 1))
        yield first, last
        first = last + ONE_DAY


def page_of(pages: Sequence[RawCaptured], span: Span, mark: str) -> RawCaptured | None:
    """Return the page of `span` with that mark if it was captured before; None if it must be asked for."""
    return next((one for one in pages if (one.start, one.end) == span and one.page == mark), None)


def basis_of(declaration: Declaration, *, kind: str, timeframe: str) -> str:
    """Return what a provider's rows of that kind and timeframe are adjusted for: raw, split or all.

    Exchange rates are adjusted for nothing, whoever tells them.
    """
    if kind == RATES:
        return "raw"
    offer = declaration.offer(kind)
    return (offer.basis_of(timeframe) if offer is not None else "") or declaration.basis
