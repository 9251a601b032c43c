"""The library's answers about announced corporate actions: of symbols, coming up, one with its history, proposals."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from truetape.app.library_source import Source, given_as
from truetape.services.api.announced import ActionCase


class ActionAnswers:
    """Questions about corporate actions; a part of a session."""

    _source: Source

    def announcements(
        self,
        symbols: str | list[str] | tuple[str, ...],
        *,
        start: str | date | None = None,
        end: str | date | None = None,
        as_of: str | date | datetime | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return the corporate actions of symbols as all sources together tell them, from announcement on.

        Args:
            symbols: As for `bars`.
            start: First day on which one takes effect, inclusive; those without a day are told too.
            end: Last day, inclusive.
            as_of: As this platform knew them then; None: now.
            snapshot: From the state of the store that has this name.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        given = given_as(symbols=symbols, start=start, end=end, as_of=as_of, snapshot=snapshot)
        return self._source.table("announcements", given)

    def upcoming_actions(
        self,
        *,
        start: str | date | None = None,
        end: str | date | None = None,
        by: str | None = None,
        as_of: str | date | datetime | None = None,
    ) -> pl.DataFrame:
        """Return announced actions of all instruments, from today or `start` on, by one of their dates.

        Args:
            start: First day, inclusive.
            end: Last day, inclusive.
            by: effective_date (the ex-date), pay_date, record_date or deadline.
            as_of: As this platform knew them then; None: now.

        Raises:
            BadInput: A parameter is not usable.
        """
        return self._source.table("upcoming_actions", given_as(start=start, end=end, by=by, as_of=as_of))

    def action(self, target: str, *, as_of: str | date | datetime | None = None) -> ActionCase:
        """Return one announced action: what each field is made of, its versions, and what operators said.

        Raises:
            UnknownTarget: Nothing has this id.
        """
        return self._source.action(target, given_as(as_of=as_of))

    def action_proposals(self, symbols: str | list[str] | tuple[str, ...] | None = None) -> pl.DataFrame:
        """Return the actions that prices speak of and nobody tells, or that prices deny, and what was decided.

        Raises:
            UnknownSymbol: A symbol is not listed.
        """
        return self._source.table("action_proposals", given_as(symbols=symbols))
