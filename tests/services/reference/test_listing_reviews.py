"""Each list of listings is compared with the last one of its series that was believed."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from room_doubles import FrameStore, ListBus, rows
from truetape.domain.register_messages import ListingsReviewed
from truetape.services.reference.reviews import ListingReviews


class Lists:
    """A store of lists, and who compares them."""

    def __init__(self, *, most_gone: float = 0.2) -> None:
        self.store, self.bus = FrameStore(), ListBus()
        self.reviews = ListingReviews(bus=self.bus, store=self.store, most_gone=most_gone)

    async def heard(self, payload: str, *symbols: str, known: int, **changed: Any) -> None:
        """Let a list be claimed, and be reviewed."""
        origin = {"payload": payload, "provider": "sec", "ts_known": date(2024, 1, known), **changed}
        series = {"page": "", "instrument_id": "", "round_id": "", "kind": "listings"}
        numbers = list(range(len(symbols)))
        writes = {
            "captures": rows("captures", **{**series, **origin, "payload": [payload]}),
            "listing_claims": rows("listing_claims", **origin, symbol=list(symbols), number=numbers),
        }
        for name, frame in writes.items():
            self.store.rows[name] = pl.concat([self.store.rows[name], frame])
        self.store.commits.append({})
        await self.reviews.review()

    @property
    def events(self) -> list[tuple[str, ...]]:
        return [*self.store.rows["listing_events"].select("payload", "kind", "symbol").iter_rows()]

    @property
    def told(self) -> list[tuple[str, dict[str, int], int]]:
        return [(one.payload, one.counts, one.held) for one in self.bus.told if isinstance(one, ListingsReviewed)]


TEN = tuple(f"A{number}" for number in range(10))


async def test_a_first_list_tells_nothing_and_the_next_tells_what_changed() -> None:
    """Each is looked at once, whenever it is asked for."""
    lists = Lists()

    await lists.heard("one", *TEN, known=1)
    await lists.heard("two", *TEN[1:], "NEW", known=2)
    await lists.reviews.review()

    assert [("two", "listing", "NEW"), ("two", "delisting", "A0")] == lists.events
    assert [("one", {}, 0), ("two", {"listing": 1, "delisting": 1}, 0)] == lists.told
    seen = lists.store.rows["listing_reviews"].select("payload", "old_payload", "live", "events", "held", "words")
    assert [("one", "", 10, 0, 0, ""), ("two", "one", 10, 2, 0, "")] == seen.rows()


async def test_a_list_that_is_not_whole_is_compared_with_no_other() -> None:
    """Half of it is missing: nothing of that is told, and the next list is compared with the one before."""
    lists = Lists()

    await lists.heard("one", *TEN, known=1)
    await lists.heard("cut", *TEN[:5], known=2)
    await lists.heard("two", *TEN[:9], known=3)

    held = lists.store.rows["listing_events"].filter(pl.col("held") != "")
    assert [("cut", {}, 5), ("two", {"delisting": 1}, 0)] == lists.told[1:]
    assert {"cut"} == set(held["payload"])
    assert "5 of 10 tickers are missing" in held["held"][0]
    assert {"cut": "one", "two": "one", "one": ""} == dict(
        lists.store.rows["listing_reviews"].select("payload", "old_payload").rows()
    )


async def test_a_list_after_one_that_was_cut_is_believed() -> None:
    """The first list was cut: what comes behind its end in the second was listed before, and the third is compared."""
    lists = Lists()

    await lists.heard("cut", *(f"A{number:02}" for number in range(30)), known=1)
    await lists.heard("two", *(f"A{number:02}" for number in range(60)), known=2)
    await lists.heard("three", *(f"A{number:02}" for number in range(59)), known=3)

    assert [("two", {}, 30), ("three", {"delisting": 1}, 0)] == lists.told[1:]


async def test_lists_of_other_series_are_apart() -> None:
    """A page, a provider and what a list is about tell lists apart; a list without claims is passed over."""
    lists = Lists()

    await lists.heard("one", *TEN, known=1)
    await lists.heard("page", "X", known=2, page="delisted")
    await lists.heard("other", "Y", known=3, provider="tiingo")
    await lists.heard("single", "Z", known=4, instrument_id="list of Z")
    await lists.heard("empty", known=5)

    assert [] == lists.events
    assert ["one", "page", "other", "single"] == [payload for payload, _, _ in lists.told]
