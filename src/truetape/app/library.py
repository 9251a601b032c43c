"""The Python library: the same answers as over HTTP, as Polars frames.

Data are found in this order: a URL asks a running server; a data folder that is served now is asked over HTTP too; any
other data folder is opened for reading. Without an argument the folder is the one in TRUETAPE_DATA, or else ./data.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl

from truetape.adapters.data_folder import read_server
from truetape.app.library_actions import ActionAnswers
from truetape.app.library_calendars import CalendarAnswers
from truetape.app.library_classes import ClassAnswers, RateAnswers
from truetape.app.library_exports import ExportAnswers
from truetape.app.library_factors import FactorAnswers
from truetape.app.library_local import LocalSource
from truetape.app.library_master import MasterAnswers
from truetape.app.library_plans import PlanAnswers
from truetape.app.library_remote import RemoteSource
from truetape.app.library_source import Source, given_as, written_as
from truetape.app.library_ticks import TickAnswers
from truetape.domain.adjustments import AnyAdjustment
from truetape.domain.naming import Resolved, latest_day
from truetape.domain.naming import resolve as resolve_ticker
from truetape.domain.time import parse_day
from truetape.services.api.cases import ClaimCase, RepairCase
from truetape.services.api.explain import Explanation
from truetape.services.api.render import Receipt
from truetape.services.api.snapshots import Snapshot

DATA: Final = "TRUETAPE_DATA"
DEFAULT_DATA: Final = "data"

Day = date | str
Moment = datetime | date | str
Symbols = str | Iterable[str]


class Session(
    MasterAnswers,
    ClassAnswers,
    RateAnswers,
    ActionAnswers,
    TickAnswers,
    PlanAnswers,
    ExportAnswers,
    CalendarAnswers,
    FactorAnswers,
):
    """Data, opened once for many questions. Use it in `with`, or call `close`.

    While a session reads a data folder itself, no other process can write to it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def bars(  # noqa: PLR0913  one argument for each part of the question
        self,
        symbols: Symbols,
        *,
        start: Day | None = None,
        end: Day | None = None,
        timeframe: str = "1d",
        adjustment: AnyAdjustment = "raw",
        anchor: Day | None = None,
        as_of: Moment | None = None,
        snapshot: str | None = None,
        currency: str | None = None,
        fixing: str | None = None,
    ) -> pl.DataFrame:
        """Return golden bars, symbol by symbol in the order given, each ascending.

        Args:
            symbols: One symbol or several; instrument ids count too.
            start: First session date, inclusive.
            end: Last session date, inclusive.
            timeframe: "1m" to "1mo". A day is labelled with its session's date, a week with its Monday and a month with
                the first, at 00:00 UTC; a shorter bar with the instant at which it begins. Where the timeframe was not
                acquired, bars are made of finer ones, which `derived_from` names.
            adjustment: "raw" as traded; "split" for splits; "all" (or "total_return") for splits and everything handed
                out; "forward_split" and "forward_total_return" the same from the first bar on; "scaled_raw" as "all",
                the last bar as traded; "lean_total_return"; "difference" and "forward_difference" (Panama).
            anchor: The day whose prices stay as traded; None: the one that the adjustment names.
            as_of: Answer as known then: a date means its 00:00 UTC, a datetime must be aware.
            snapshot: Answer from the state of the store that has this name, whatever was written since.
            currency: Prices in this currency, or a part of one such as GBp, each bar by the newest fixing that was out
                when it ended.
            fixing: By whose rates: "ecb", "boc", "fed_noon", "wmr" or "close"; None: the first that has some.

        Returns:
            `symbol`, `ts_event` (Datetime ns, UTC), `open` to `volume` (float64, null where missing), `currency`,
            `basis`, whose numbers they are and how the vote went, `version`, `ts_known`, `simulated`, `derived_from`.
            In another currency also `fx_fixing`, `fx_rate`, `fx_path`, `fx_fixed` (the date) and `fx_age_days`.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        about = {"symbols": symbols, "timeframe": timeframe, "start": start, "end": end, "adjustment": adjustment}
        told = {"currency": currency, "fixing": fixing}
        return self._source.table("bars", given_as(**about, **told, anchor=anchor, as_of=as_of, snapshot=snapshot))

    def stream(self, symbols: Symbols, **given: object) -> Generator[pl.DataFrame, None, None]:
        """Yield what `bars` returns, which takes the same, in frames of some 65,000 rows; `close` gives up the rest.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        return self._source.frames(given_as(symbols=symbols, **given))

    def instruments(
        self,
        symbols: Symbols | None = None,
        *,
        q: str | None = None,
        within: str | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return listings with their instruments: those of `symbols`, or with `q` in symbol or name, or all.

        `within` leaves those that are in a class today: a taxonomy, a colon, its code or name, such as "gics:45".

        Raises:
            UnknownSymbol: A symbol is not listed.
        """
        return self._source.table("instruments", given_as(symbols=symbols, q=q, within=within, snapshot=snapshot))

    def corporate_actions(
        self,
        symbols: Symbols,
        *,
        start: Day | None = None,
        end: Day | None = None,
        as_of: Moment | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return splits (new shares for one old) and dividends (cash per share as paid then) by ex-date, inclusive.

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        given = given_as(symbols=symbols, start=start, end=end, as_of=as_of, snapshot=snapshot)
        return self._source.table("actions", given)

    def index_levels(
        self,
        index: str,
        *,
        start: Day | None = None,
        end: Day | None = None,
        as_of: Moment | None = None,
        snapshot: str | None = None,
    ) -> pl.DataFrame:
        """Return the levels of `index`, ascending; both dates inclusive.

        Raises:
            BadInput: There is no such index, or a parameter is not usable.
        """
        given = given_as(index=index, start=start, end=end, as_of=as_of, snapshot=snapshot)
        return self._source.table("levels", given)

    def explain(
        self, symbol: str, ts: Moment, *, as_of: Moment | None = None, snapshot: str | None = None
    ) -> Explanation:
        """Return why the daily bar of `symbol` on `ts` is what it is; printing it shows it in words.

        Raises:
            UnknownSymbol: The symbol is not listed.
            BadInput: A parameter is not usable.
        """
        day = ts if isinstance(ts, str) else f"{ts:%Y-%m-%d}"
        return self._source.explain(symbol, day, given_as(as_of=as_of, snapshot=snapshot))

    def quarantine(
        self,
        symbols: Symbols | None = None,
        *,
        provider: str | None = None,
        reason: str | None = None,
        state: str | None = None,
        start: Day | None = None,
        end: Day | None = None,
    ) -> pl.DataFrame:
        """Return claims that were kept out, the newest first, each with why and its state (open, accepted, ...).

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        given = given_as(symbols=symbols, provider=provider, reason=reason, state=state, start=start, end=end)
        return self._source.table("quarantine", given)

    def repairs(
        self,
        symbols: Symbols | None = None,
        *,
        provider: str | None = None,
        reason: str | None = None,
        state: str | None = None,
        start: Day | None = None,
        end: Day | None = None,
    ) -> pl.DataFrame:
        """Return repairs of providers' series, the newest first, with their state (proposed, applied, ...).

        Raises:
            UnknownSymbol: A symbol is not listed.
            BadInput: A parameter is not usable.
        """
        given = given_as(symbols=symbols, provider=provider, reason=reason, state=state, start=start, end=end)
        return self._source.table("repairs", given)

    def case(self, target: str) -> ClaimCase | RepairCase:
        """Return the evidence about the quarantined claim or the repair whose id is `target`.

        Raises:
            UnknownTarget: There is none.
        """
        return self._source.case(target)

    def resolve(self, ticker: str, *, on: Day | None = None, mic: str | None = None) -> Resolved:
        """Return which instrument a ticker of any time, or an id, meant on a day, and what it was and is called.

        Args:
            ticker: In any case.
            on: The day; None means today, or the last day on which what is gone was listed.
            mic: The venue, where several list the ticker at once.

        Raises:
            Unresolved: Nothing had it and was listed then, or several instruments did; it names the candidates.
            BadInput: The date is none.
        """
        listings, ticker = self.instruments(), self.standing_for(ticker)
        if on is None:
            day = latest_day(listings, ticker, today=datetime.now(UTC).date())
        else:
            day = parse_day(written_as("on", on)[:10], parameter="on")
        return resolve_ticker(listings, ticker, on=day, mic=mic)

    def snapshots(self) -> pl.DataFrame:
        """Return every snapshot that was named, the newest first: what its name stands for, by whom, and when."""
        return self._source.table("snapshots", {})

    def snapshot(self, name: str) -> Snapshot:
        """Return what `name` stands for.

        Raises:
            UnknownTarget: No snapshot has this name; the nearest are told.
        """
        return self._source.snapshot(name)

    def answer_of(self, receipt: str) -> bytes:
        """Return the body of the answer of the API that has this receipt, byte for byte.

        Raises:
            BadInput: It is no receipt, or the store was rebuilt or set back since.
        """
        return self._source.answer_of(receipt)

    def receipt(self) -> Receipt:
        """Return which version of the store would answer now, and as known when."""
        return self._source.receipt()

    def close(self) -> None:
        """Give the data folder or the connection back."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open(data: str | Path | None = None) -> Session:  # noqa: A001  read as tt.open
    """Return a session on `data`: a URL, a data folder, or None for the usual one.

    Raises:
        WrongFolder: There is no store in the folder.
        FolderInUse: A process that does not serve it has it open for writing.
    """
    where = data if data is not None else os.environ.get(DATA, DEFAULT_DATA)
    if isinstance(where, str) and where.startswith(("http://", "https://")):
        return Session(RemoteSource(where))
    folder = Path(where)
    server = read_server(folder)
    return Session(RemoteSource(server.address) if server is not None else LocalSource(folder))


def bars(  # noqa: PLR0913  as many as those of a session, and where the data are
    symbols: Symbols,
    *,
    start: Day | None = None,
    end: Day | None = None,
    timeframe: str = "1d",
    adjustment: AnyAdjustment = "raw",
    anchor: Day | None = None,
    as_of: Moment | None = None,
    snapshot: str | None = None,
    currency: str | None = None,
    fixing: str | None = None,
    data: str | Path | None = None,
) -> pl.DataFrame:
    """Return golden bars; see `Session.bars`. `data` is what `open` takes."""
    with open(data) as session:
        return session.bars(
            symbols,
            start=start,
            end=end,
            timeframe=timeframe,
            adjustment=adjustment,
            anchor=anchor,
            as_of=as_of,
            snapshot=snapshot,
            currency=currency,
            fixing=fixing,
        )


def instruments(
    symbols: Symbols | None = None, *, q: str | None = None, data: str | Path | None = None
) -> pl.DataFrame:
    """Return listings with their instruments; see `Session.instruments`."""
    with open(data) as session:
        return session.instruments(symbols, q=q)


def corporate_actions(
    symbols: Symbols,
    *,
    start: Day | None = None,
    end: Day | None = None,
    as_of: Moment | None = None,
    snapshot: str | None = None,
    data: str | Path | None = None,
) -> pl.DataFrame:
    """Return splits and dividends; see `Session.corporate_actions`."""
    with open(data) as session:
        return session.corporate_actions(symbols, start=start, end=end, as_of=as_of, snapshot=snapshot)


def factors(
    symbols: Symbols,
    *,
    start: Day | None = None,
    end: Day | None = None,
    as_of: Moment | None = None,
    snapshot: str | None = None,
    data: str | Path | None = None,
) -> pl.DataFrame:
    """Return what adjusts the bars before each ex-date; see `Session.factors`."""
    with open(data) as session:
        return session.factors(symbols, start=start, end=end, as_of=as_of, snapshot=snapshot)


def index_levels(
    index: str,
    *,
    start: Day | None = None,
    end: Day | None = None,
    as_of: Moment | None = None,
    snapshot: str | None = None,
    data: str | Path | None = None,
) -> pl.DataFrame:
    """Return the levels of an index; see `Session.index_levels`."""
    with open(data) as session:
        return session.index_levels(index, start=start, end=end, as_of=as_of, snapshot=snapshot)


def resolve(ticker: str, *, on: Day | None = None, mic: str | None = None, data: str | Path | None = None) -> Resolved:
    """Return which instrument a ticker meant on a day; see `Session.resolve`."""
    with open(data) as session:
        return session.resolve(ticker, on=on, mic=mic)


def explain(
    symbol: str,
    ts: Moment,
    *,
    as_of: Moment | None = None,
    snapshot: str | None = None,
    data: str | Path | None = None,
) -> Explanation:
    """Return why a daily bar is what it is; see `Session.explain`."""
    with open(data) as session:
        return session.explain(symbol, ts, as_of=as_of, snapshot=snapshot)
