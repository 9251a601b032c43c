"""What was known of one announcement, and since when: every version of it, from claims and statements alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec
import polars as pl

from truetape.domain.action_fields import Announcement
from truetape.domain.action_matching import REMOVED_DAYS, Group
from truetape.domain.announced import spoken, statements, with_sources
from truetape.domain.kinds import INSTANT

_AROUND: Final = timedelta(days=2 * REMOVED_DAYS)  # of an action's days, within which claims may be about it


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One version: since when it was known, UTC nanoseconds, and what."""

    since: int
    announcement: Announcement


def history(claims: pl.DataFrame, details: pl.DataFrame, stated: pl.DataFrame, *, target: str) -> list[Known]:
    """Return the versions of the announcement that one source calls `target`, the first known first.

    The rows may have come in any order. Nothing if no source calls one so.

    Args:
        claims: What providers claimed about its instrument, schema action_claims.
        details: What they told beside, schema action_details.
        stated: What operators stated, schema action_statements.
        target: The id.
    """
    group = _group(with_sources(claims, details, stated), {target}, first=target)
    if group is None:
        return []
    ids = {one.announcement_id for one in group[1]}
    near = _near(claims, [day for one in group[1] for day in one.days])
    found: list[Known] = []
    for since in sorted({one.ts_known for one in (*spoken(near, details), *statements(stated))}):
        then = pl.col("ts_known") <= pl.lit(since).cast(INSTANT)
        known = _group(with_sources(near.filter(then), details.filter(then), stated.filter(then)), ids, first=target)
        if known is not None and (not found or found[-1].announcement != known[0]):
            found.append(Known(since=since, announcement=known[0]))
    return found


def _group(pairs: list[tuple[Announcement, Group]], ids: set[str], *, first: str) -> tuple[Announcement, Group] | None:
    """Return what a source calls `first`, else by one of `ids`; of several, the one that was known first."""
    named = [(pair, {one.announcement_id for one in pair[1]}) for pair in pairs]
    found = [(first not in names, pair[1][0].first_known, pair) for pair, names in named if ids & names]
    return min(found, key=lambda one: (*one[:2], one[2][0].announcement_id))[2] if found else None


def _near(claims: pl.DataFrame, days: list[date]) -> pl.DataFrame:
    """Return the claims around `days`, and all of splits: amounts are told per share of the count of a later day."""
    if not days:
        return claims.clear()
    around = pl.col("ex_date").is_between(min(days) - _AROUND, max(days) + _AROUND)
    return claims.filter(around | (pl.col("type") == "split"))
