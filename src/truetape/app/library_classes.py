"""The parts of the library that answer questions about classifications and about exchange rates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import polars as pl

from truetape.app.library_source import Source, given_as

Day = date | str
Moment = datetime | date | str


class ClassAnswers:
    """Answer questions about classifications from a source."""

    _source: Source

    def classifications(
        self,
        taxonomy: str,
        *,
        symbols: str | Iterable[str] | None = None,
        within: str | None = None,
        state: str | None = None,
        source: str | None = None,
        on: Day | None = None,
        as_of: Moment | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return what instruments are in `taxonomy` on a day, by instrument.

        Args:
            taxonomy: gics, sic, naics, or one of your own.
            symbols: Of these; None: of all.
            within: Only members of this class: its code, or a name that only one class has.
            state: Only those assigned, mapped, derived or unmapped.
            source: Only as this source says; None: the operator's word first, then the newest.
            on: The day; None: today, or the day of `as_of`.
            as_of: Answer as known then.
            snapshot: Answer from the state of the store that has this name.

        Returns:
            `symbol`, `mic`, `instrument_id`, `taxonomy`, `code`, `name`, `level`, `codes` and `names` from the top
            down, `status`, `confidence`, `assigned` and `assigned_in`, `source`, `valid_from`, `revision`.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        about = {"taxonomy": taxonomy, "symbols": symbols, "within": within, "state": state, "source": source}
        return self._source.table("classifications", given_as(**about, on=on, as_of=as_of, snapshot=snapshot))

    def taxonomy(self, taxonomy: str | None = None, *, on: Day | None = None) -> pl.DataFrame:
        """Return the classes of `taxonomy` on a day (None: today), or without a name the revisions of all.

        Raises:
            BadInput: There is no such taxonomy.
        """
        name = "taxonomies" if taxonomy is None else "taxonomy"
        return self._source.table(name, given_as(taxonomy=taxonomy, on=on if taxonomy else None))

    def taxonomy_changes(self, taxonomy: str, *, on: Day | None = None, before: Day | None = None) -> pl.DataFrame:
        """Return what the revision of the day `on` changed in that of `before`, or in the one before it.

        Raises:
            BadInput: There are no two such revisions.
        """
        return self._source.table("taxonomy_changes", given_as(taxonomy=taxonomy, on=on, before=before))


class RateAnswers:
    """Answer questions about exchange rates from a source."""

    _source: Source

    def fx_rates(
        self,
        pair: str,
        *,
        start: Day | None = None,
        end: Day | None = None,
        fixing: str | None = None,
        as_of: Moment | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return what one unit of the first of `pair` ("EUR/USD") costs in the second, on each day of a fixing.

        Args:
            pair: Two currencies of ISO 4217; parts such as GBp will do.
            start: First date, inclusive.
            end: Last date, inclusive.
            fixing: By whose rates: "ecb", "boc", "fed_noon", "wmr" or "close"; None: the first that has some.
            as_of: Answer as known then.
            snapshot: Answer from the state of the store that has this name.

        Returns:
            `pair`, `date`, `rate`, `fixing`, `path`, `fixed` (the date of the older of two rates that it is made of),
            and how a quoted rate was decided: `provider`, `score`, `method`, `agreed`, `dissented`, `version`,
            `ts_known`.

        Raises:
            BadInput: A parameter is not usable, or nothing is known of the rates between the two.
        """
        about = {"pair": pair, "start": start, "end": end, "fixing": fixing, "as_of": as_of, "snapshot": snapshot}
        return self._source.table("rates", given_as(**about))
