"""The part of the library that answers questions about trades and quotes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import polars as pl

from truetape.app.library_source import Source, given_as, written_as


class TickAnswers:
    """Answer questions about trades and quotes from a source."""

    _source: Source

    def trades(
        self,
        symbols: str | Iterable[str],
        *,
        start: datetime | date | str,
        end: datetime | date | str,
        provider: str | None = None,
        as_of: datetime | date | str | None = None,
    ) -> pl.DataFrame:
        """Return trades as they were told, to the nanosecond, symbol by symbol, each in the order of time.

        Args:
            symbols: One symbol or several; instrument ids count too.
            start: From this instant, inclusive; a date means its 00:00 UTC, a datetime must be aware.
            end: Until this instant, exclusive; a date includes its day. Text may tell nanoseconds.
            provider: Who told them; None: anybody.
            as_of: Answer as known then.

        Returns:
            `symbol`, `ts_event` (Datetime ns, UTC), price, size, trade_id, conditions, side, venue, `correction`
            ("" for a trade; cancel and correct are about that of the same id), currency, provider, ts_known, simulated.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        return self._source.table("trades", _given(symbols, start, end, provider=provider, as_of=as_of))

    def quotes(
        self,
        symbols: str | Iterable[str],
        *,
        start: datetime | date | str,
        end: datetime | date | str,
        provider: str | None = None,
        as_of: datetime | date | str | None = None,
    ) -> pl.DataFrame:
        """Return quotes as they were told; arguments, order and errors are those of `trades`.

        Returns:
            `symbol`, `ts_event`, price (the last trade), bid, bid_size, ask, ask_size, open to volume of the session,
            currency, provider, ts_known, simulated.
        """
        return self._source.table("quotes", _given(symbols, start, end, provider=provider, as_of=as_of))


def _given(symbols: object, start: object, end: object, *, provider: str | None, as_of: object) -> dict[str, str]:
    """Return a question as it stands in a URL; unlike those of bars, its start and end are instants."""
    instants = {"start": written_as("from", start), "end": written_as("until", end)}
    return given_as(symbols=symbols, **instants, provider=provider, as_of=as_of)
