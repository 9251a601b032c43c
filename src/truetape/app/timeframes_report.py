"""Which timeframes of an instrument were acquired, which are derived, and how far the acquired ones agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from truetape.app.plain_files.resampling import spans_of
from truetape.domain.adjust import PRICES
from truetape.domain.resampling import resample
from truetape.domain.time import TIMEFRAMES
from truetape.services.api.timeframes import finer
from truetape.services.reference.calendars import has_calendar

if TYPE_CHECKING:
    from truetape.app.library import Session

AGREE: Final = 1e-9  # share of a price by which two may differ and still say the same
_LABEL: Final = "%Y-%m-%dT%H:%MZ"


@dataclass(frozen=True)
class Held:
    """One timeframe of an instrument: its bars, and of acquired ones, how many finer bars tell otherwise."""

    timeframe: str
    bars: int
    first: str  # label of the first bar; "" if there is none
    last: str
    derived_from: str | None  # the timeframe whose bars make it up; None: it was acquired, or there is none
    compared_with: str | None = None  # the acquired timeframe whose bars make up the same bars; None: there is none
    compared: int = 0  # bars that both have
    different: int = 0  # of those, bars of which a price differs


def timeframes_of(session: Session, symbol: str, *, start: str | None = None, end: str | None = None) -> list[Held]:
    """Return what there is of each of time.TIMEFRAMES, the shortest first.

    Args:
        session: Where the bars are.
        symbol: A symbol, or the id of an instrument.
        start: First session date, inclusive.
        end: Last session date, inclusive.

    Raises:
        UnknownSymbol: It is not listed.
        BadInput: A date is none.
    """
    listings = session.instruments(symbol).sort("valid_from", nulls_last=False)
    mic = str(listings["mic"][-1])
    venue = mic if has_calendar(mic) else None
    frames = {one: session.bars(symbol, timeframe=one, start=start, end=end) for one in TIMEFRAMES}
    acquired = {one: frame for one, frame in frames.items() if len(frame) and frame["derived_from"][0] is None}
    return [_held(one, frame, acquired, venue) for one, frame in frames.items()]


def _held(timeframe: str, frame: pl.DataFrame, acquired: dict[str, pl.DataFrame], venue: str | None) -> Held:
    labels = frame["ts_event"].dt.strftime(_LABEL)
    source = next((one for one in finer(timeframe) if one in acquired), None) if timeframe in acquired else None
    compared, different = _compared(frame, acquired[source], source, timeframe, venue) if source else (0, 0)
    return Held(
        timeframe=timeframe,
        bars=len(frame),
        first=labels[0] if len(labels) else "",
        last=labels[-1] if len(labels) else "",
        derived_from=frame["derived_from"][0] if len(frame) else None,
        compared_with=source,
        compared=compared,
        different=different,
    )


def _compared(
    frame: pl.DataFrame, parts: pl.DataFrame, source: str, timeframe: str, venue: str | None
) -> tuple[int, int]:
    """Return how many bars both have, and of how many of them a price differs."""
    bars = parts.select("ts_event", *PRICES, "volume")
    made = resample(bars, source=source, target=timeframe, spans=spans_of(bars["ts_event"], venue), by=())
    both = frame.select("ts_event", *PRICES).join(made.select("ts_event", *PRICES), on="ts_event", suffix="_made")
    apart = [(pl.col(one) - pl.col(f"{one}_made")).abs() > pl.col(one).abs() * AGREE for one in PRICES]
    return len(both), both.filter(pl.any_horizontal(apart).fill_null(value=False)).height
