"""Checks 59 to 64: answers in pages reach their end, whole and without a page twice."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec
import polars as pl

from truetape.app.conformance.bench import LONG, Bench, Page, Unshown, insist
from truetape.app.conformance.market import FIRST, LAST, days
from truetape.app.conformance.registry import demand, desk
from truetape.app.conformance.subject import Subject
from truetape.app.sandbox.desk import Reply
from truetape.domain.asks import Ask
from truetape.domain.schema import DECODED
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.ports.provider import last_page

_MOST_DAYS: Final = 40
_SIGNS: Final = {"bars": 390, "trades": 1_560}  # rows of one day of the market


def paged(subject: Subject) -> str:
    """Select the providers whose answers come in pages."""
    return desk(subject) or ("" if _follows(subject) else "its answers come whole")


def _follows(subject: Subject) -> bool:
    return Bench(subject).provider.follow is not last_page


@demand(59, "pages end", "Following from page to page reaches an end.", paged)
async def pages_end(bench: Bench) -> None:
    """Follow the longest answer that the desk splits into pages."""
    await _several(bench)


@demand(60, "no page twice", "No page is asked for twice, and no two pages hold the same row.", paged)
async def no_page_twice(bench: Bench) -> None:
    """Compare the marks and the rows of all pages."""
    pages = await _several(bench)
    marks = [page.ask.page for page in pages]
    insist(len(set(marks)) == len(marks), f"pages were asked for by the marks {marks}")
    frame = pl.concat([page.frame for page in pages])
    twice = int(frame.is_duplicated().sum())
    insist(not twice, f"{twice} rows were on two pages")


@demand(61, "pages are whole", "The pages together are the whole range.", paged)
async def pages_whole(bench: Bench) -> None:
    """Compare the days on all pages with those asked for."""
    pages = await _several(bench)
    kind = pages[0].ask.kind
    frame = pl.concat([page.frame for page in pages])
    if "ts_event" not in frame.columns:
        raise Unshown(f"{kind} have no days to compare")
    found = set(bench.local_days(frame, pages[0].ask.timeframe))
    start, end = pages[0].ask.start or FIRST, pages[0].ask.end or LAST
    missing = sorted(set(days(bench.ours(kind), start, end)) - found)
    insist(not missing, f"the days {missing[:5]} were on no page")


@demand(62, "resumed", "The question for a later page alone brings that page and those after it.", paged)
async def resumed(bench: Bench) -> None:
    """Ask a provider made anew for the second page, and follow from there."""
    pages = await _several(bench)
    fresh = Bench(bench.subject)
    ask: Ask | None = pages[1].ask
    rest: list[pl.DataFrame] = []
    while ask is not None and len(rest) <= len(pages):
        page = await fresh.page(ask)
        rest.append(page.frame)
        ask = fresh.provider.follow(page.answer, ask)
    insist(pl.concat(rest).equals(pl.concat([page.frame for page in pages[1:]])), "resumed pages had other rows")


@demand(63, "page by page", "A following question differs from the one before it in its page alone.", paged)
async def only_the_page(bench: Bench) -> None:
    """Compare the questions of all pages."""
    pages = await _several(bench)
    for page in pages[1:]:
        same = msgspec.structs.replace(page.ask, page="") == msgspec.structs.replace(pages[0].ask, page="")
        insist(same, f"the first question was {pages[0].ask}, a later one {page.ask}")
        insist(page.ask.page, "a later question names no page")


@demand(64, "nothing follows nonsense", "After a mark that repeats, an error or garbage no page follows.", paged)
async def nothing_follows(bench: Bench) -> None:
    """Follow answers that have no next page."""
    pages = await _several(bench)
    first, second = pages[0], pages[1]
    again = bench.provider.follow(first.answer, second.ask)
    insist(again is None or again.page != second.ask.page, f"the mark {second.ask.page!r} led to itself")
    for reply in (Reply(200, b""), Reply(200, b"{"), Reply(200, b"{}"), Reply(500, b"<html>")):
        following = bench.provider.follow(bench.answered(reply), first.ask)
        insist(following is None, f"a page followed on {reply.body!r}")


async def _several(bench: Bench) -> list[Page]:
    """Return the pages of a question that takes at least two."""
    for offer in sorted(bench.subject.asked, key=lambda offer: "ts_event" not in DECODED[offer.kind]):
        for timeframe in [one for one in offer.timeframes if one not in DERIVED_TIMEFRAMES] or ["1d"]:
            for start in _starts(offer.rows, offer.kind, timeframe):
                try:
                    pages = await bench.pages(offer.kind, start=start, end=LAST, timeframe=timeframe)
                except Unshown:
                    break
                if len(pages) > 1:
                    return pages
    raise Unshown("the desk answers everything of the market in one page")


def _starts(rows: int, kind: str, timeframe: str) -> list[date]:
    """Return first days of ranges to try, from about two pages to all there is."""
    every = days("AAA", FIRST, LAST)
    if kind not in _SIGNS or (kind == "bars" and timeframe in LONG):
        return [FIRST]
    wanted = 2 * rows // _SIGNS[kind] + 2 if rows else 3
    return [every[-min(wanted, _MOST_DAYS)]]
