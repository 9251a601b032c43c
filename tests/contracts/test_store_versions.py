"""What every store promises about its versions: each state stays readable, and rows can be withdrawn."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from store_rows import bar, closes, frame, withdrawal, withdrawals, withdrawn
from stores import STORES, Open, OpenStore, opened

from truetape.domain.errors import BadInput, SchemaMismatch
from truetape.domain.schema import TABLES
from truetape.ports.store import Selection

build = pytest.fixture(params=list(STORES))(opened)


async def corrected(store: OpenStore) -> OpenStore:
    """Return `store` after two bars (1), a correction of the first (2) and a third bar of somebody else (3)."""
    await store.commit({"bars": frame("bars", bar(1, 10.0, known=100), bar(2, 20.0, known=100))})
    await store.commit({"bars": frame("bars", bar(1, 11.0, version=2, known=200))})
    await store.commit({"bars": frame("bars", bar(3, 30.0, known=50, who="ins_b"))})
    return store


async def test_every_state_stays_readable(build: Open) -> None:
    """After each of three commits the store held so much; it says so later too, and after a restart."""
    states = {0: [], 1: [(1, 10.0), (2, 20.0)], 2: [(1, 11.0), (2, 20.0)], 3: [(1, 11.0), (2, 20.0), (3, 30.0)]}
    store = await corrected(build())
    assert {version: await closes(store, at_version=version) for version in states} == states
    await store.close()
    again = build()
    assert {version: await closes(again, at_version=version) for version in states} == states
    assert await closes(again, at_version=3) == await closes(again)


async def test_a_state_is_narrowed_like_the_present(build: Open) -> None:
    """By values, days, limit and columns; history gives the versions that there were then."""
    store = await corrected(build())
    second = date(1970, 1, 3)
    assert await closes(store, at_version=1, limit=1) == [(1, 10.0)]
    assert await closes(store, at_version=1, start=second) == [(2, 20.0)]
    assert await closes(store, at_version=1, end=date(1970, 1, 2)) == [(1, 10.0)]
    assert await closes(store, at_version=2, equal={"instrument_id": ("ins_b",)}) == []
    assert await closes(store, at_version=1, history=True) == [(1, 10.0), (2, 20.0)]
    assert await closes(store, at_version=2, history=True) == [(1, 10.0), (1, 11.0), (2, 20.0)]
    assert await closes(store, at_version=2, history=True, as_of=199) == [(1, 10.0), (2, 20.0)]
    versions = Selection(at_version=2, columns=("version", "close"), limit=1)
    assert (await store.read("bars", versions)).rows() == [(2, 11.0)]


async def test_what_is_written_later_changes_no_state(build: Open) -> None:
    """Versions 3, 1 and 2 of a bar come in that order: a state and a time see what was written and known then."""
    store = build()
    for version, known in ((3, 30), (1, 10), (2, 20)):
        await store.commit({"bars": frame("bars", bar(1, float(version), version=version, known=known))})
    seen = {
        1: {9: [], 10: [], 20: [], 30: [3.0]},
        2: {9: [], 10: [1.0], 20: [1.0], 30: [3.0]},
        3: {9: [], 10: [1.0], 20: [2.0], 30: [3.0]},
    }
    assert {
        at: {as_of: [close for _, close in await closes(store, at_version=at, as_of=as_of)] for as_of in times}
        for at, times in seen.items()
    } == seen
    assert [await closes(store, at_version=at) for at in (1, 2, 3)] == [[(1, 3.0)]] * 3
    assert [len(await closes(store, at_version=at, history=True)) for at in (1, 2, 3)] == [1, 2, 3]


async def test_a_later_version_may_have_been_known_earlier(build: Open) -> None:
    """Version 2 is known at 5, before version 1 at 10: once it is written, version 1 was never what was known."""
    store = build()
    await store.commit({"bars": frame("bars", bar(1, 1.0, version=1, known=10))})
    await store.commit({"bars": frame("bars", bar(1, 2.0, version=2, known=5))})
    assert await closes(store, at_version=1, as_of=10) == [(1, 1.0)]
    assert await closes(store, at_version=2, as_of=10) == [(1, 2.0)]
    assert await closes(store, at_version=1, as_of=5) == []
    assert await closes(store, as_of=5) == [(1, 2.0)]


@pytest.mark.parametrize("version", [-1, 4, 2**62])
async def test_a_state_that_has_not_been_cannot_be_asked_for(build: Open, version: int) -> None:
    """It would change when it comes to be."""
    store = await corrected(build())
    with pytest.raises(BadInput, match="at_version was"):
        await closes(store, at_version=version)


async def test_what_was_written_since(build: Open) -> None:
    """Current rows that came after a commit; with history also those replaced; with as_of those known then."""
    store = await corrected(build())
    since = {0: 3, 1: 2, 2: 1, 3: 0, 9: 0}
    assert {version: len(await closes(store, since_version=version)) for version in since} == since
    assert await closes(store, since_version=1) == [(1, 11.0), (3, 30.0)]
    assert await closes(store, since_version=0, history=True) == [(1, 10.0), (1, 11.0), (2, 20.0), (3, 30.0)]
    assert await closes(store, since_version=0, as_of=100) == [(1, 10.0), (2, 20.0), (3, 30.0)]
    assert await closes(store, since_version=1, at_version=2) == [(1, 11.0)]
    assert await closes(store, since_version=1, limit=1) == [(1, 11.0)]


async def test_states_of_tables_without_versions(build: Open) -> None:
    """They only grow: a state has the rows that were there, as known at a time if that is asked too."""
    store = build()
    for number, known in ((1, 30), (2, 10)):
        row = {"payload": f"p{number}", "kind": "bars", "reason": "", "ts_known": known}
        await store.commit({"rejected_payloads": frame("rejected_payloads", row)})

    async def payloads(**selection: int | bool) -> list[str]:
        return (await store.read("rejected_payloads", Selection(**selection)))["payload"].to_list()  # type: ignore[arg-type]

    assert await payloads(at_version=1) == ["p1"]
    assert await payloads(at_version=2, as_of=29) == ["p2"]
    assert await payloads(since_version=1) == ["p2"]
    assert await payloads(withdrawn=True) == []


async def test_a_withdrawn_row_no_longer_stands(build: Open) -> None:
    """Now it is gone, as of before it is there, history keeps it, and a later version brings it back."""
    store = build()
    await store.commit({"bars": frame("bars", bar(1, 10.0, known=100), bar(2, 20.0, known=100))})
    assert await store.commit({}, withdrawals=withdrawals(withdrawal(1, version=2, known=200))) == 2
    assert await closes(store) == [(2, 20.0)]
    assert await closes(store, as_of=199) == [(1, 10.0), (2, 20.0)]
    assert await closes(store, as_of=200) == [(2, 20.0)]
    assert await closes(store, history=True) == [(1, 10.0), (2, 20.0)]
    assert await store.commit({"bars": frame("bars", bar(1, 12.0, version=3, known=300))}) == 3
    assert await closes(store) == [(1, 12.0), (2, 20.0)]
    assert await closes(store, as_of=299) == [(2, 20.0)]
    assert await closes(store, as_of=100) == [(1, 10.0), (2, 20.0)]
    assert await closes(store, history=True) == [(1, 10.0), (1, 12.0), (2, 20.0)]
    assert [await closes(store, at_version=at) for at in (1, 2)] == [[(1, 10.0), (2, 20.0)], [(2, 20.0)]]
    assert await closes(store, at_version=2, as_of=200) == [(2, 20.0)]


async def test_withdrawals_can_be_read(build: Open) -> None:
    """Those in force, those that were in force at a time or in a state, and with history all of them."""
    store = build()
    await store.commit({"bars": frame("bars", bar(1), bar(2), bar(3, who="ins_b"))})
    gone = [withdrawal(1, version=2, known=200), withdrawal(3, version=2, known=300, who="ins_b")]
    await store.commit({}, withdrawals=withdrawals(*gone))
    await store.commit({"bars": frame("bars", bar(1, version=3, known=400))})
    await store.commit({}, withdrawals=withdrawals(withdrawal(1, version=4, known=500)))
    assert await withdrawn(store) == [(1, 4), (3, 2)]
    assert await withdrawn(store, history=True) == [(1, 2), (1, 4), (3, 2)]
    assert {at: await withdrawn(store, at_version=at) for at in (1, 2, 3, 4)} == {
        1: [],
        2: [(1, 2), (3, 2)],
        3: [(3, 2)],
        4: [(1, 4), (3, 2)],
    }
    times = {199: [], 200: [(1, 2)], 300: [(1, 2), (3, 2)], 400: [(3, 2)], 500: [(1, 4), (3, 2)]}
    assert {as_of: await withdrawn(store, as_of=as_of) for as_of in times} == times
    assert await withdrawn(store, as_of=400, at_version=2) == [(1, 2), (3, 2)]
    assert await withdrawn(store, since_version=2) == [(1, 4)]
    assert await withdrawn(store, since_version=1, history=True, as_of=250) == [(1, 2)]
    assert await withdrawn(store, equal={"instrument_id": ("ins_b",)}) == [(3, 2)]
    assert await withdrawn(store, start=date(1970, 1, 4)) == [(3, 2)]
    assert await withdrawn(store, limit=1) == [(1, 4)]
    assert await withdrawn(store, equal={"currency": ("USD",)}) == []


async def test_a_withdrawal_says_who_when_and_nothing_else(build: Open) -> None:
    """It has the table's columns: key, knowledge time, version and simulated; all others are null."""
    store = build()
    told = withdrawals(withdrawal(1, version=7, known=200))
    await store.commit({}, withdrawals=told)
    rows = await store.read("bars", Selection(withdrawn=True))
    assert dict(rows.schema) == TABLES["bars"].columns
    assert rows.select(told["bars"].columns).rows() == told["bars"].rows()
    assert rows.drop(told["bars"].columns).null_count().row(0) == (1,) * (len(rows.columns) - len(told["bars"].columns))
    await store.close()
    assert await withdrawn(build()) == [(1, 7)]  # and outlives the process


async def test_versions_are_taken_once_by_row_or_withdrawal(build: Open) -> None:
    """What comes first under a number stays; repeats change nothing; of one commit the rows count first."""
    store = build()
    both = frame("bars", bar(1, 10.0), bar(2, 20.0, version=2))
    assert await store.commit({"bars": both}, withdrawals=withdrawals(withdrawal(1, version=1))) == 1
    assert await closes(store) == [(1, 10.0), (2, 20.0)]
    gone = withdrawals(withdrawal(1, version=2), withdrawal(1, version=2, known=999), withdrawal(2, version=2))
    assert await store.commit({}, withdrawals=gone) == 2
    assert await store.commit({"bars": both}, withdrawals=gone) == 2
    assert await store.commit({"bars": frame("bars", bar(1, 12.0, version=2))}) == 2
    assert await closes(store) == [(2, 20.0)]
    assert await withdrawn(store) == [(1, 2)]
    assert await withdrawn(store, as_of=99) == []


async def test_a_withdrawal_may_come_late(build: Open) -> None:
    """An older one than the current row changes what was known between; one of a key never heard of keeps its place."""
    store = build()
    await store.commit({"bars": frame("bars", bar(1, 1.0, version=1, known=10), bar(1, 3.0, version=3, known=30))})
    gone = withdrawals(withdrawal(1, version=2, known=20), withdrawal(5, version=4, known=20))
    assert await store.commit({}, withdrawals=gone) == 2
    assert await closes(store) == [(1, 3.0)]
    times = {10: [(1, 1.0)], 19: [(1, 1.0)], 20: [], 29: [], 30: [(1, 3.0)]}
    assert {as_of: await closes(store, as_of=as_of) for as_of in times} == times
    assert await closes(store, as_of=20, at_version=1) == [(1, 1.0)]
    assert await store.commit({"bars": frame("bars", bar(5, 5.0, version=3))}) == 3
    assert await closes(store) == [(1, 3.0)]
    assert await withdrawn(store) == [(5, 4)]


async def test_what_is_withdrawn_whole_is_not_new_when_it_is_told_again(build: Open) -> None:
    """Where all rows of an instrument are withdrawn, its old rows are repeats and stay withdrawn."""
    store = build()
    rows = frame("bars", bar(1), bar(2))
    await store.commit({"bars": rows})
    gone = withdrawals(withdrawal(1, version=2), withdrawal(2, version=2))
    assert await store.commit({}, withdrawals=gone) == 2
    assert await store.commit({"bars": rows}) == 2
    assert await closes(store) == []
    await store.close()
    again = build()
    assert await again.commit({"bars": rows}) == 2
    assert await closes(again) == []


async def test_the_first_rows_are_found_where_others_were_withdrawn(build: Open) -> None:
    """What a database notes about a block of rows, some of which are gone, must not hide rows of a later block."""
    store = build()
    await store.commit({"bars": frame("bars", bar(1), bar(2, who="ins_b"))})
    await store.close()
    store = build()
    await store.commit({"bars": frame("bars", bar(1, who="ins_b"))})
    assert await closes(store, limit=1, equal={"instrument_id": ("ins_a", "ins_b")}) == [(1, 1.0)]
    await store.commit({}, withdrawals=withdrawals(withdrawal(1, version=2)))
    for selection in ({}, {"history": True, "since_version": 1}, {"as_of": 200}):
        assert await closes(store, limit=1, **selection) == [(1, 1.0)]


async def test_what_cannot_be_withdrawn(build: Open) -> None:
    """A table without versions, a table that is not there, and other columns are refused, and nothing is written."""
    store = build()
    told = withdrawals(withdrawal(1, version=1))["bars"]
    rows = {"bars": frame("bars", bar(1))}
    with pytest.raises(BadInput, match="withdrawals was 'findings'"):
        await store.commit(rows, withdrawals={"findings": told})
    with pytest.raises(BadInput, match="prices"):
        await store.commit(rows, withdrawals={"prices": told})
    with pytest.raises(SchemaMismatch, match="withdrawals of bars"):
        await store.commit(rows, withdrawals={"bars": told.with_columns(close=pl.lit(1.0))})
    assert store.version() == 0
    assert await closes(store) == []
