"""The part of the library that writes bars, trades and quotes for other programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from truetape.app.library_source import given_as
from truetape.domain.adjustments import AnyAdjustment

if TYPE_CHECKING:
    from truetape.app.exports import Exported
    from truetape.app.library import Session


class ExportAnswers:
    """Write answers of a session to files."""

    def export(  # noqa: PLR0913  as many as bars and a file have
        self,
        symbols: str | Iterable[str],
        output: str | Path,
        *,
        format: str | None = None,  # noqa: A002  as everybody calls it
        start: date | str | None = None,
        end: date | str | None = None,
        timeframe: str = "1d",
        adjustment: AnyAdjustment = "raw",
        anchor: date | str | None = None,
        as_of: datetime | date | str | None = None,
        kind: str = "bars",
        provider: str | None = None,
        force: bool = False,
    ) -> Exported:
        """Write bars for another program, one instrument at a time, and return what was written.

        Args:
            symbols: As for `bars`; none of them means every instrument.
            output: A file, or a new folder for LEAN, Nautilus and zipline. It is there in full or not at all.
            format: parquet, arrow, csv, dbn, lean, nautilus or zipline; None: as the name of the file tells.
            start: First session date, inclusive.
            end: Last session date, inclusive.
            timeframe: "1m" to "1mo", as far as the format has it.
            adjustment: As for `bars`; LEAN and zipline take prices as traded and adjust by themselves.
            anchor: As for `bars`.
            as_of: Everything as known then; None: as known when it begins.
            kind: "bars", "trades" or "quotes"; of the latter two, `start` and `end` are instants as for `trades`.
            provider: Who told trades or quotes; None: anybody.
            force: Replace what stands at `output`.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: The place is taken, the format cannot hold what is asked for, or a parameter is not usable.
        """
        from truetape.app import exports

        given = given_as(start=start, end=end, as_of=as_of, anchor=anchor)
        order = exports.Order(
            symbols=tuple(symbols.split(",")) if isinstance(symbols, str) else tuple(symbols),
            form=format or exports.form_of(Path(output)),
            output=Path(output),
            timeframe=timeframe,
            adjustment=adjustment,
            anchor=given.get("anchor"),
            kind=kind,
            provider=provider,
            force=force,
            start=given.get("start"),
            end=given.get("end"),
            as_of=given.get("as_of"),
        )
        return exports.export(cast("Session", self), order)
