"""How an answer about bars is made, as a part of a session of the library."""

from __future__ import annotations

from truetape.app.library_source import Source, given_as
from truetape.services.api.hints import Plan


class PlanAnswers:
    """Tell what an answer takes."""

    _source: Source

    def plan(self, symbols: object, **given: object) -> Plan:
        """Answer what `bars` would, which takes the same, and return where its rows came from, with hints in words.

        Of a long answer only the first page is made, of as many rows as a page may have at most.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        return self._source.plan(given_as(symbols=symbols, **given))
