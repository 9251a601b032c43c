"""The reference room: what it writes and tells."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from structlog.testing import capture_logs

from room_doubles import FrameStore, ListBus
from truetape.domain.errors import BadInput
from truetape.domain.messages import (
    DeclaredListing,
    InstrumentChanged,
    InstrumentsChanged,
    InstrumentsDeclared,
    InstrumentsMerged,
)
from truetape.ports.store import Selection
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.master import identify
from truetape.services.reference.service import ReferenceService

AAPL = DeclaredListing(symbol="AAPL", mic="XNAS", name="Apple")
IBM = DeclaredListing(symbol="IBM", mic="XNYS")


def declared(
    *listings: DeclaredListing, end: date = date(2024, 6, 14), ts_known: int = 5, start: date = date(2024, 6, 10)
) -> InstrumentsDeclared:
    return InstrumentsDeclared(listings=listings, start=start, end=end, ts_known=ts_known, simulated=True)


def room(store: FrameStore, bus: ListBus, **borrowed: str) -> ReferenceService:
    return ReferenceService(bus=bus, store=store, config=ReferenceConfig(borrowed=borrowed))


async def test_declared_listings_are_written_once_and_told_each_time() -> None:
    """Two instruments, two listings and five sessions of each venue; the second time nothing is written."""
    store, bus = FrameStore(), ListBus()
    service = room(store, bus)

    service.subscribe()
    await service.on_instruments_declared(declared(AAPL, IBM))
    await service.on_instruments_declared(declared(AAPL, IBM, ts_known=6))

    heard = ("InstrumentsDeclared", "InstrumentsMerged", "CalendarsCorrected", "ClassesTold")
    assert bus.heard == [(name, "reference") for name in heard]
    assert store.commits == [{"calendars": 2, "instruments": 2, "listings": 2, "sessions": 10}]
    assert store.rows["sessions"]["simulated"].all()
    ids = tuple(sorted([identify(AAPL), identify(IBM)]))
    written = ("instruments", "listings")
    assert bus.told == [
        *(InstrumentChanged(instrument_id=one, ts_known=5, changes=written) for one in ids),
        *(InstrumentsChanged(instrument_ids=ids, ts_known=known, end=date(2024, 6, 14)) for known in (5, 6)),
    ]


async def test_lunch_breaks_stand_beside_the_sessions() -> None:
    """Five sessions in Tokyo have five breaks; they are written with them, and once."""
    store = FrameStore()
    service = room(store, ListBus())
    toyota = DeclaredListing(symbol="7203", mic="XTKS")

    for ts_known in (5, 6):
        await service.on_instruments_declared(declared(toyota, ts_known=ts_known))

    assert store.commits == [{"calendars": 1, "instruments": 1, "listings": 1, "sessions": 5, "session_breaks": 5}]
    assert ["XTKS"] == store.rows["session_breaks"]["mic"].unique().to_list()


async def test_a_later_end_adds_sessions_only() -> None:
    """What is known already is not written again."""
    store = FrameStore()
    service = room(store, ListBus())
    await service.on_instruments_declared(declared(AAPL))

    await service.on_instruments_declared(declared(AAPL, end=date(2024, 6, 18)))

    assert store.commits[1] == {"calendars": 1, "sessions": 2}


async def test_another_name_is_a_second_version() -> None:
    """A correction keeps the first version beside it."""
    store = FrameStore()
    service = room(store, ListBus())
    await service.on_instruments_declared(declared(AAPL))

    renamed = DeclaredListing(symbol="AAPL", mic="XNAS", name="Apple Inc.")
    await service.on_instruments_declared(declared(renamed, ts_known=9))

    assert store.commits[1] == {"instruments": 1}
    assert store.rows["instruments"].select("name", "version").rows() == [("Apple", 1), ("Apple Inc.", 2)]


async def test_a_ticker_that_a_stored_listing_holds_is_refused_until_that_one_ends() -> None:
    """The stored claim counts although it is declared no more; declared again with an end, both are accepted."""
    store, bus = FrameStore(), ListBus()
    service = room(store, bus)
    await service.on_instruments_declared(declared(IBM))
    heir = DeclaredListing(symbol="IBM", mic="XNYS", valid_from=date(2030, 1, 1))

    with pytest.raises(BadInput, match="IBM on XNYS"):
        await service.on_instruments_declared(declared(heir))
    ended = DeclaredListing(symbol="IBM", mic="XNYS", valid_to=date(2030, 1, 1))
    await service.on_instruments_declared(declared(ended, heir, ts_known=8))

    current = await store.read("listings", Selection(columns=("valid_from", "valid_to", "version")))
    assert set(current.rows()) == {(None, date(2030, 1, 1), 2), (date(2030, 1, 1), None, 1)}
    assert 2 == sum(isinstance(told, InstrumentsChanged) for told in bus.told)


async def test_a_venue_without_a_calendar_is_refused_and_nothing_is_written() -> None:
    """The whole declaration is refused, so that no instrument is acquired without its sessions."""
    store, bus = FrameStore(), ListBus()

    with pytest.raises(BadInput, match=r"'XXXX'.*XNYS"):
        await room(store, bus).on_instruments_declared(declared(AAPL, DeclaredListing(symbol="B", mic="XXXX")))

    assert (store.commits, bus.told) == ([], [])


async def test_a_venue_may_borrow_a_calendar() -> None:
    """Sessions are kept under the venue's own MIC."""
    store = FrameStore()

    await room(store, ListBus(), XNCM="XNYS").on_instruments_declared(declared(DeclaredListing(symbol="C", mic="XNCM")))

    assert store.rows["sessions"]["mic"].to_list() == ["XNCM"] * 5


@pytest.mark.parametrize("mic", ["XXXX", "OTCM", "IEXG"])
async def test_venues_of_the_united_states_keep_the_new_york_calendar(mic: str) -> None:
    """As does a security whose venue nobody tells."""
    store = FrameStore()
    service = ReferenceService(bus=ListBus(), store=store, config=ReferenceConfig())

    await service.on_instruments_declared(declared(DeclaredListing(symbol="C", mic=mic)))

    assert store.rows["sessions"]["mic"].to_list() == [mic] * 5


async def test_an_instrument_goes_on_under_other_tickers_and_may_have_one_back() -> None:
    """A, B and A again are three listings of one instrument, which is called by the last of them."""
    store, bus = FrameStore(), ListBus()
    first = DeclaredListing(symbol="A", mic="XNYS", valid_from=date(2020, 1, 2), valid_to=date(2021, 1, 4))
    own = identify(first)
    second = DeclaredListing(
        symbol="B", mic="XNYS", valid_from=date(2021, 1, 4), valid_to=date(2022, 1, 3), instrument_id=own
    )
    third = DeclaredListing(symbol="A", mic="XNYS", name="New", valid_from=date(2022, 1, 3), instrument_id=own)

    await room(store, bus).on_instruments_declared(declared(first, second, third))

    listings = await store.read("listings", Selection(columns=("instrument_id", "symbol", "valid_from", "version")))
    assert [
        (own, "A", date(2020, 1, 2), 1),
        (own, "A", date(2022, 1, 3), 1),
        (own, "B", date(2021, 1, 4), 1),
    ] == sorted(listings.rows())
    assert [(own, "New")] == (await store.read("instruments", Selection(columns=("instrument_id", "name")))).rows()
    assert [(own,)] == [told.instrument_ids for told in bus.told if isinstance(told, InstrumentsChanged)]


async def test_a_calendar_that_ends_early_is_logged() -> None:
    """Sessions before the calendar begins are not invented."""
    store = FrameStore()
    with capture_logs() as logs:
        await room(store, ListBus()).on_instruments_declared(
            declared(DeclaredListing(symbol="7203", mic="XTKS"), start=date(1996, 12, 1), end=date(1997, 1, 7))
        )

    assert store.rows["sessions"]["session"].to_list() == [date(1997, 1, 6), date(1997, 1, 7)]
    assert [(log["event"], log["known_from"]) for log in logs] == [("reference.calendar_ends", "1997-01-01")]


async def test_nothing_declared_is_nothing_told() -> None:
    """An empty declaration changes nothing."""
    store, bus = FrameStore(), ListBus()

    await room(store, bus).on_instruments_declared(declared())

    assert (store.commits, bus.told) == ([], [])


def merged(*, stands: bool = True, into: str = "ins_b", ts_known: int = 7) -> InstrumentsMerged:
    return InstrumentsMerged(
        decision_id="dec_1",
        instrument_id="ins_a",
        into=into,
        stands=stands,
        actor="ann",
        why="one share",
        evidence="the same ISIN",
        ts_known=ts_known,
    )


async def test_a_merge_is_a_row_that_can_be_taken_back_and_both_records_are_told() -> None:
    """The same again changes nothing; taken back it is a second version, and nothing is gone."""
    store, bus = FrameStore(), ListBus()
    service = room(store, bus)

    for message in (merged(), merged(ts_known=8), merged(stands=False, ts_known=9)):
        await service.on_instruments_merged(message)

    assert [("ins_a", "ins_b", True, 1), ("ins_a", "ins_b", False, 2)] == store.rows["merges"].select(
        "instrument_id", "into", "stands", "version"
    ).rows()
    assert [("ann", "one share", "the same ISIN")] * 2 == store.rows["merges"].select("actor", "why", "evidence").rows()
    assert bus.told == [
        InstrumentChanged(instrument_id=one, ts_known=known, changes=("merges",))
        for known in (7, 9)
        for one in ("ins_a", "ins_b")
    ]


async def test_declared_identifiers_lots_and_increments_stand_in_the_master() -> None:
    """As they are written by the standard; another one takes the place of the first from its day on."""
    store = FrameStore()
    service = room(store, ListBus())
    apple = msgspec.structs.replace(AAPL, isin="us 0378331005", cik="320193", lot=100.0, increment=0.01)
    day_ns = 1_718_020_800_000_000_000  # 2024-06-10 12:00 UTC

    await service.on_instruments_declared(declared(apple))
    await service.on_instruments_declared(declared(apple, ts_known=6))
    other = msgspec.structs.replace(apple, isin="US30303M1027")
    await service.on_instruments_declared(declared(other, ts_known=day_ns))

    told = await store.read("identifiers")
    assert [
        ("cik", "0000320193", None, 1),
        ("isin", "US0378331005", date(2024, 6, 10), 2),
        ("isin", "US30303M1027", None, 1),
    ] == told.select("scheme", "value", "valid_to", "version").sort("scheme", "value").rows()
    details = await store.read("listing_details")
    assert [("AAPL", "XNAS", 100.0, 0.01, "settings", 1)] == details.select(
        "symbol", "mic", "lot", "increment", "source", "version"
    ).rows()


async def test_a_declared_identifier_with_a_wrong_check_digit_is_refused() -> None:
    """Nothing of the declaration is written."""
    store, bus = FrameStore(), ListBus()

    with pytest.raises(BadInput, match=r"isin of AAPL on XNAS was 'US0378331006'.*the last had to be 5"):
        await room(store, bus).on_instruments_declared(declared(msgspec.structs.replace(AAPL, isin="US0378331006")))

    assert ([], []) == (store.commits, bus.told)
