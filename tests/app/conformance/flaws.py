"""Ways in which a provider can be broken: each takes a sound subject and gives one with a single flaw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import polars as pl
from model_feed import ModelFeed

from truetape.app.conformance import Subject
from truetape.app.conformance.bench import KEY
from truetape.app.sandbox.desk import Desk
from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.capability import Offer
from truetape.domain.failures import Failure, FailureClass
from truetape.ports.http import Http
from truetape.ports.provider import Provider

Flaw = Callable[[Subject], Subject]
DAY = timedelta(days=1)


def declared(**changes: Any) -> Flaw:
    """Another declaration."""
    return lambda one: replace(one, declaration=msgspec.structs.replace(one.declaration, **changes))


def offered(kind: str, **changes: Any) -> Flaw:
    """Another offer of `kind`."""

    def flaw(one: Subject) -> Subject:
        offers = tuple(
            msgspec.structs.replace(offer, **changes) if offer.kind == kind else offer
            for offer in one.declaration.offers
        )
        return declared(offers=offers)(one)

    return flaw


def more(*offers: Offer) -> Flaw:
    """Further offers."""
    return lambda one: declared(offers=(*one.declaration.offers, *offers))(one)


def without(kind: str) -> Flaw:
    """No offer of `kind`."""
    return lambda one: declared(offers=tuple(o for o in one.declaration.offers if o.kind != kind))(one)


def made(change: Callable[[Provider], Provider]) -> Flaw:
    """A provider that is changed after it was made."""

    def flaw(one: Subject) -> Subject:
        return replace(one, build=lambda http, base, key: change(one.build(http, base, key)))

    return flaw


def decoding(kind: str, change: Callable[[Callable[[bytes, Ask], pl.DataFrame], bytes, Ask], pl.DataFrame]) -> Flaw:
    """Another decoder of `kind`, which is given the sound one."""

    def flaw(provider: Provider) -> Provider:
        sound = provider.decode[kind]
        return replace(provider, decode={**provider.decode, kind: lambda body, ask: change(sound, body, ask)})

    return made(flaw)


def rows(
    change: Callable[[pl.DataFrame], pl.DataFrame],
    *,
    kind: str = "bars",
    start: date = date(2000, 1, 1),
    end: date = date(2100, 1, 1),
    timeframe: str = "1d",
) -> Flaw:
    """Other rows of `kind` between two days, both inclusive; the rest stays as it is."""

    def changed(sound: Callable[[bytes, Ask], pl.DataFrame], body: bytes, ask: Ask) -> pl.DataFrame:
        frame = sound(body, ask)
        if (kind == "bars" and ask.timeframe != timeframe) or frame.is_empty():
            return frame
        if "ts_event" not in frame.columns:
            return change(frame)
        inside = pl.col("ts_event").dt.date().is_between(start, end)
        parts = [frame.filter(pl.col("ts_event").dt.date() < start), change(frame.filter(inside))]
        return pl.concat([*parts, frame.filter(pl.col("ts_event").dt.date() > end)])

    return decoding(kind, changed)


def column(expression: pl.Expr, *, kind: str = "bars", **where: Any) -> Flaw:
    """Another column of rows; see `rows`."""
    return rows(lambda frame: frame.with_columns(expression), kind=kind, **where)


def dropped(day: date) -> Flaw:
    """A daily bar that is missing."""
    return rows(lambda frame: frame.clear(), start=day, end=day)


def classed(change: Callable[[Failure | None, Answer], Failure | None]) -> Flaw:
    """Another classification."""

    def flaw(provider: Provider) -> Provider:
        return replace(provider, classify=lambda answer: change(provider.classify(answer), answer))

    return made(flaw)


def called(failure_class: FailureClass, when: Callable[[Answer], bool]) -> Flaw:
    """Answers that are called by a wrong class."""
    wrong = Failure(failure_class=failure_class, words="so it was called")
    return classed(lambda sound, answer: wrong if when(answer) else sound)


def taken(when: Callable[[Answer], bool]) -> Flaw:
    """Answers that are taken for data."""
    return classed(lambda sound, answer: None if when(answer) else sound)


def following(change: Callable[[Ask | None, Answer, Ask], Ask | None]) -> Flaw:
    """Other pages that follow."""

    def flaw(provider: Provider) -> Provider:
        return replace(provider, follow=lambda answer, ask: change(provider.follow(answer, ask), answer, ask))

    return made(flaw)


def desk(**changes: Any) -> Flaw:
    """A desk that differs."""

    def flaw(one: Subject) -> Subject:
        assert one.desk is not None
        altered: Desk = type("Altered", (type(one.desk),), changes)()
        return replace(one, desk=altered)

    return flaw


def sending(change: Callable[[Request, str], Request]) -> Flaw:
    """Other requests; `change` is given the key too."""

    class Changing:
        def __init__(self, http: Http, key: str) -> None:
            self._http, self._key = http, key

        async def send(self, request: Request) -> Answer:
            return await self._http.send(change(request, self._key))

    return lambda one: replace(one, build=lambda http, base, key: one.build(Changing(http, key), base, key))


def feeding(**changes: Any) -> Flaw:
    """A feed that differs, made anew for each conversation."""
    altered = type("Altered", (ModelFeed,), changes)
    return made(lambda provider: replace(provider, feed=lambda: altered(KEY)))


def client(kind: Callable[[Any], Any]) -> Flaw:
    """Another client, which is given the sound one."""
    return made(lambda provider: replace(provider, client=kind(provider.client)))
