"""The bench on which a provider is examined: its questions, the desk's answers and the rows in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.app.conformance.folder import folder
from truetape.app.conformance.market import CLASS_SHARE, COIN, CURRENCY, INDEX, LAST, STOCK, market, truth
from truetape.app.conformance.subject import Subject
from truetape.app.plans import known_zone
from truetape.app.sandbox.dataset import Series
from truetape.app.sandbox.desk import Desk, Reply
from truetape.app.sandbox.faults import Script
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp, Tampering, untouched
from truetape.app.sandbox.truth import View
from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.schema import DECODED, empty
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.ports.http import Http
from truetape.ports.provider import Provider

KEY: Final = "kit-key/with+signs=and%length"
MOST_PAGES: Final = 60
DATED: Final = "Fri, 29 Mar 2024 00:00:00 GMT"  # of every answer: the midnight after the market's last day
LONG: Final = (*DERIVED_TIMEFRAMES, "1d")
_BY_KIND: Final = {"fx_rates": CURRENCY, "index_levels": INDEX, "listings": "", "actions": STOCK}
_BY_ASSET: Final = {
    "equity": STOCK,
    "etf": STOCK,
    "fund": STOCK,
    "crypto": COIN,
    "fx": CURRENCY,
    "index": INDEX,
}


class Broken(Exception):
    """The provider does not keep what a check demands; the text says how."""


class Unshown(Exception):
    """The check cannot be made: the sandbox's desk does not show it; the text says why."""


@dataclass(frozen=True)
class Page:
    """One answer to one ask, and the rows in it."""

    ask: Ask
    answer: Answer
    failure: Failure | None
    frame: pl.DataFrame


class Bench:
    """A provider, its desk and the market, wired in memory.

    Args:
        subject: Who is examined.
        tamper: Changes replies on their way.
        script: Faults of the sandbox.
        http: What it is asked over instead of the desk.
    """

    def __init__(
        self, subject: Subject, *, tamper: Tampering = untouched, script: Script = (), http: Http | None = None
    ) -> None:
        self.subject = subject
        self.declaration = subject.declaration
        self.http = InMemoryHttp(market(), script=script, desks=self._find, views=_view, tamper=tamper)
        self.base_url = str(folder(subject.name)) if subject.local else f"{ROOT}/{subject.name}"
        self.provider: Provider = subject.build(http or self.http, self.base_url, KEY)

    def _find(self, name: str) -> Desk:
        if self.subject.desk is None or name != self.subject.name:
            raise ModuleNotFoundError(name)
        return self.subject.desk

    @property
    def desk(self) -> Desk:
        """The provider's desk.

        Raises:
            Unshown: The sandbox does not speak this provider.
        """
        if self.subject.desk is None:
            raise Unshown("the sandbox has no desk for it")
        return self.subject.desk

    def ours(self, kind: str = "bars") -> str:
        """Return our symbol that `kind` is asked of; "" where the kind has none."""
        assets = self.declaration.assets
        usual = next((_BY_ASSET[asset] for asset in assets if asset in _BY_ASSET), STOCK)
        return _BY_KIND.get(kind, usual)

    def other(self) -> str:
        """Return a second symbol of the market that the provider may know."""
        return "ETH/USD" if self.ours() == COIN else CLASS_SHARE

    def ask(
        self,
        kind: str,
        *,
        timeframe: str = "1d",
        start: date | None = None,
        end: date | None = None,
        symbol: str | None = None,
    ) -> Ask:
        """Return a question about our `symbol`, in the provider's spelling."""
        ours = self.ours(kind) if symbol is None else symbol
        offer = self.declaration.offer(kind)
        asked = "bars" if offer is not None and offer.with_bars else kind
        spelled = self.provider.spell(ours) if ours else ""
        return Ask(kind=asked, symbol=spelled, timeframe=timeframe, start=start, end=end)

    async def page(self, ask: Ask, *, kind: str = "") -> Page:
        """Return the answer to `ask` with its rows of `kind`, which is the ask's if not named.

        Raises:
            Broken: What was classified as data could not be read.
        """
        answer = await self.provider.client.fetch(ask)
        failure = self.provider.classify(answer)
        wanted = kind or ask.kind
        if failure is not None:
            return Page(ask, answer, failure, empty(DECODED[wanted]))
        try:
            return Page(ask, answer, None, self.provider.decode[wanted](answer.body, ask))
        except (ProviderRefused, UndecodablePayload) as error:
            raise Broken(f"{wanted} of {ask.symbol!r} were classified as data, but: {error}") from None

    async def pages(self, kind: str, *, start: date, end: date, timeframe: str = "1d", symbol: str = "") -> list[Page]:
        """Return every page about the days from `start` to `end`, both inclusive.

        Raises:
            Unshown: The desk refuses the question.
            Broken: The pages do not end, or one could not be read.
        """
        ask: Ask | None = self.ask(kind, timeframe=timeframe, start=start, end=end, symbol=symbol or None)
        found: list[Page] = []
        while ask is not None:
            if len(found) == MOST_PAGES:
                raise Broken(f"the pages did not end after {MOST_PAGES} of them")
            page = await self.page(ask, kind=kind)
            shown(page, f"{kind} {timeframe}" if kind == "bars" else kind)
            found.append(page)
            ask = self.provider.follow(page.answer, page.ask)
        return found

    async def rows(
        self, kind: str, *, start: date | None = None, end: date | None = None, timeframe: str = "1d", symbol: str = ""
    ) -> pl.DataFrame:
        """Return the rows of all pages, as they came, without those outside the days asked for.

        Raises:
            Unshown: The desk refuses the question.
            Broken: The pages do not end, or one could not be read.
        """
        first, last = start or date(2024, 2, 20), end or LAST
        pages = await self.pages(kind, start=first, end=last, timeframe=timeframe, symbol=symbol)
        frame = pl.concat([page.frame for page in pages])
        if "ex_date" in frame.columns:
            return frame.filter(pl.col("ex_date").is_between(first, last))
        if "ts_event" in frame.columns and kind != "quotes":
            return frame.filter(self.local_days(frame, timeframe).is_between(first, last))
        return frame

    def local_days(self, frame: pl.DataFrame, timeframe: str = "1d") -> pl.Series:
        """Return the date of each row: of daily ones and fixings the label, of others that in the provider's zone."""
        stamps = frame["ts_event"]
        timed = timeframe not in LONG if "timeframe" in frame.columns else "price" in frame.columns
        if not timed:
            return stamps.dt.date()
        zone = self.declaration.zone
        return stamps.dt.convert_time_zone(zone if known_zone(zone) else "UTC").dt.date()

    def basis(self, timeframe: str = "1d") -> str:
        """Return the basis that the provider declares for bars of `timeframe`."""
        offer = self.declaration.offer("bars")
        declared = offer.basis or self.declaration.basis if offer else self.declaration.basis
        return declared if timeframe in LONG or offer is None else offer.basis_intraday or declared

    def truth(self, start: date, end: date, *, symbol: str = "") -> pl.DataFrame:
        """Return the true daily bars from `start` to `end`, both inclusive, in the declared basis."""
        view = truth(symbol or self.ours()).between(start, end)
        return {"raw": view.raw, "split": view.split}.get(self.basis(), view.full)

    def answered(self, reply: Reply, **headers: str) -> Answer:
        """Return `reply` as an answer that the provider's client could bring; underscores in names become hyphens."""
        given = {"Date": DATED, "Content-Type": reply.content_type, **reply.headers}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lower = {name.lower(): value for name, value in given.items()}
        return Answer(
            url=self.base_url,
            status=reply.status,
            content_type=lower["content-type"],
            headers=lower,
            body=reply.body,
        )

    def end_of(self, kind: str, body: bytes, ask: Ask | None = None) -> pl.DataFrame | None:
        """Return what decoding `body` as `kind` gives; None where it ends in a stated defect.

        Raises:
            Broken: It ends in another exception, or in a frame with another schema.
        """
        try:
            frame = self.provider.decode[kind](body, ask or self.ask(kind))
        except (ProviderRefused, UndecodablePayload):
            return None
        except Exception as error:
            raise Broken(f"decoding {kind} raised {type(error).__name__}: {str(error)[:200]}") from error
        insist(dict(frame.schema) == DECODED[kind], f"decoding {kind} gave other columns than its schema")
        return frame


def _view(series: Series) -> View:
    return truth(series.symbol)


def shown(page: Page, what: str) -> None:
    """Check that the desk did not refuse the question.

    Raises:
        Unshown: It did.
    """
    if page.failure is not None and page.failure.failure_class is not FailureClass.EMPTY:
        raise Unshown(f"the desk refused {what} ({page.failure.failure_class.value}: {page.failure.words[:160]})")


def insist(holds: object, words: str) -> None:
    """Check what a provider must keep.

    Raises:
        Broken: It does not hold; `words` say what was found instead.
    """
    if not holds:
        raise Broken(words)


def some(values: object, most: int = 3) -> str:
    """Return the first of `values` for a sentence."""
    items = list(values) if isinstance(values, (list, tuple, set, frozenset, pl.Series)) else [values]
    shown_ones = ", ".join(str(item) for item in items[:most])
    return f"{shown_ones} and {len(items) - most} more" if len(items) > most else shown_ones or "none"
