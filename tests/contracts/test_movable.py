"""What a store promises whose rows can be carried away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from store_rows import bar, closes, frame

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import BadInput, SchemaMismatch, StoreUnavailable
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection
from truetape.ports.tiering import CENSUS, STORED, WITHDRAWN, Span

ALL = Span("bars", date.min, date.max)
JANUARY = Span("bars", date(1970, 1, 2), date(1970, 1, 31))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DuckdbStore]:
    """A store whose bar of day 1 was corrected and withdrawn again, in commits 1 to 3."""
    store = DuckdbStore(tmp_path / "truetape.duckdb")
    await store.commit({"bars": frame("bars", bar(1, 1.0), bar(2, 2.0), bar(40, 40.0))})
    await store.commit({"bars": frame("bars", bar(1, 1.5, version=2, known=200))})
    gone = frame("bars", bar(1, version=3, known=300)).select(list(TABLES["bars"].withdrawal))
    await store.commit({}, withdrawals={"bars": gone})
    yield store
    await store.close()


async def states(store: DuckdbStore, span: Span, *, upto: int) -> list[tuple[object, ...]]:
    """Day, version, close, commit and whether it is a withdrawal, of everything that can be carried away."""
    frames = [one async for one in store.extract(span, upto=upto)]
    days = pl.col("ts_event").cast(pl.Int64) // DAY_NS
    return [row for one in frames for row in one.select(days, "version", "close", STORED, WITHDRAWN).rows()]


async def test_every_state_is_given_with_the_commit_that_wrote_it(store: DuckdbStore) -> None:
    """Current, superseded and withdrawn rows come in the order of the key; later ones than asked for do not."""
    everything = [(1, 1, 1.0, 1, False), (1, 2, 1.5, 2, False), (1, 3, None, 3, True)]
    assert await states(store, JANUARY, upto=9) == [*everything, (2, 1, 2.0, 1, False)]
    assert await states(store, JANUARY, upto=2) == [*everything[:2], (2, 1, 2.0, 1, False)]
    assert await states(store, ALL, upto=0) == []


async def test_what_is_removed_is_gone_and_the_rest_is_as_it_was(store: DuckdbStore) -> None:
    """The rows of the span leave in the commit that brings the writes; other rows keep all of their states."""
    written = frame("bars", bar(50, 50.0))
    assert await store.remove(JANUARY, upto=3, writes={"bars": written}) == 4
    assert store.version() == 4
    assert await closes(store, history=True) == [(40, 40.0), (50, 50.0)]
    assert await closes(store, at_version=1) == [(40, 40.0)]
    assert (await store.read("bars", Selection(withdrawn=True, history=True))).is_empty()


async def test_what_was_written_meanwhile_stays(store: DuckdbStore) -> None:
    """A version that came after the rows were extracted is not removed with them."""
    await store.commit({"bars": frame("bars", bar(2, 2.5, version=2, known=400))})
    assert await store.remove(JANUARY, upto=3, writes={}) == 4
    assert await states(store, JANUARY, upto=9) == [(2, 2, 2.5, 4, False)]
    assert await closes(store, end=date(1970, 1, 31)) == [(2, 2.5)]


async def test_a_span_may_be_of_one_provider_and_of_what_was_known_early(store: DuckdbStore) -> None:
    """Only its claims go, and only those that were heard before."""
    rows = [
        {"payload": name, "provider": provider, "ts_event": 0, "ts_known": known}
        for name, provider, known in (("p", "tiingo", 10), ("q", "tiingo", 20), ("r", "yahoo", 10))
    ]
    await store.commit({"bar_claims": frame("bar_claims", *rows)})
    span = Span("bar_claims", date.min, date.max, provider="tiingo", known_before=20)
    assert await store.remove(span, upto=9, writes={}) == 1
    assert (await store.read("bar_claims"))["payload"].to_list() == ["q", "r"]
    bars = Span("bars", date.min, date.max, provider="tiingo")
    assert await store.remove(bars, upto=9, writes={}) == 0
    assert len(await store.read("bars", Selection(withdrawn=True))) == 1


async def test_a_census_counts_all_states_by_month_and_provider(store: DuckdbStore) -> None:
    """Five states of bars, in two months; tables without dates are not counted."""
    found = await store.census()
    assert dict(found.schema) == CENSUS
    january, february = (date(1970, 1, 1), date(1970, 1, 31)), (date(1970, 2, 1), date(1970, 2, 28))
    assert found.filter(pl.col("table") == "bars").select("start", "end", "provider", "rows").rows() == [
        (*january, "", 4),
        (*february, "", 1),
    ]
    assert "listings" not in found["table"].to_list()


async def test_what_cannot_be_carried_is_refused(store: DuckdbStore) -> None:
    """A table without dates, one that does not exist, writes of a wrong form, and a store that was closed."""
    with pytest.raises(BadInput, match=r"table was 'listings'.*no event time"):
        await states(store, Span("listings", date.min, date.max), upto=9)
    with pytest.raises(BadInput, match="table was 'prices'"):
        await store.remove(Span("prices", date.min, date.max), upto=9, writes={})
    with pytest.raises(SchemaMismatch):
        await store.remove(ALL, upto=9, writes={"moves": frame("bars", bar(1))})
    assert len(await states(store, ALL, upto=9)) == 5
    await store.close()
    with pytest.raises(StoreUnavailable, match="it was closed"):
        await store.remove(ALL, upto=9, writes={})
