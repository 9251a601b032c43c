"""Lists of listings become instruments, listings with dates, and identifiers; what cannot be decided is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from room_doubles import ListBus, rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.identity import instrument_id
from truetape.domain.messages import DeclaredListing, InstrumentChanged, InstrumentsDeclared, InstrumentsMerged
from truetape.ports.store import Selection
from truetape.services.reference.claimed import FEW
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.service import ReferenceService

FIRST = datetime(2024, 6, 10, 12, tzinfo=UTC)
APPLE_ISIN, APPLE_CUSIP, APPLE_FIGI, APPLE_CIK = "US0378331005", "037833100", "BBG000B9XRY4", "0000320193"
META_FIGI, META_ISIN = "BBG000MM2P62", "US30303M1027"
DAY = timedelta(days=1)


class Market:
    """A reference room on a store, and lists that it is given."""

    def __init__(self, store: DuckdbStore) -> None:
        self.store = store
        self.bus = ListBus()
        self.room = ReferenceService(bus=self.bus, store=store, config=ReferenceConfig())
        self.lists = 0

    async def told(self, *listings: Mapping[str, object], provider: str = "tiingo", days: int = 0) -> None:
        """Let `provider` list `listings`, `days` after the first list, and settle that."""
        self.lists += 1
        payload, known = f"{self.lists:064d}", FIRST + days * DAY
        names = {name for one in listings for name in one}
        columns = {name: [one.get(name) for one in listings] for name in names}
        claims = rows(
            "listing_claims",
            number=list(range(len(listings))),
            provider=provider,
            payload=payload,
            ts_known=known,
            **columns,
        )
        capture = rows("captures", payload=[payload], provider=provider, round_id="", page="", kind="listings",
                       instrument_id="", ts_known=known)  # fmt: skip
        await self.store.commit({"listing_claims": claims, "captures": capture})
        await self.room.settle()

    def changed(self) -> list[InstrumentChanged]:
        return [one for one in self.bus.told if isinstance(one, InstrumentChanged)]

    async def listed(self) -> list[tuple[object, ...]]:
        columns = ("symbol", "mic", "valid_from", "valid_to", "instrument_id")
        return (await self.store.read("listings", Selection(columns=columns))).sort(columns[:3]).rows()

    async def asked(self) -> list[str]:
        return sorted((await self.store.read("master_questions", Selection(columns=("kind",))))["kind"])

    async def of(self, table: str, *columns: str) -> list[tuple[object, ...]]:
        return (await self.store.read(table, Selection(columns=columns))).rows()


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    yield Market(store)
    await store.close()


def own_id(symbol: str, mic: str = "XNAS", since: date | None = None) -> str:
    return instrument_id(mic=mic, symbol=symbol, valid_from=since)


APPLE = {"symbol": "AAPL", "mic": "XNAS", "name": "Apple Inc", "currency": "USD", "exchange": "NASDAQ"}


async def test_a_list_makes_instruments_with_all_that_it_says(market: Market) -> None:
    """The segment of the exchange is its board; the number of the filer is the issuer's."""
    await market.told(
        {
            **APPLE,
            "mic": "XNGS",
            "first_date": date(1980, 12, 12),
            "isin": APPLE_ISIN,
            "cik": APPLE_CIK,
            "figi": APPLE_FIGI,
        }
    )

    one = own_id("AAPL", since=date(1980, 12, 12))
    assert [("AAPL", "XNAS", date(1980, 12, 12), None, one)] == await market.listed()
    assert [(one, "Apple Inc", "equity", "USD")] == await market.of(
        "instruments", "instrument_id", "name", "asset_class", "currency"
    )
    assert [("Apple Inc", "common", f"cik_{APPLE_CIK}", "tiingo")] == await market.of(
        "instrument_details", "name", "paper", "issuer_id", "source"
    )
    assert [("USD", "active", "NASDAQ")] == await market.of("listing_details", "currency", "status", "board")
    assert [("cik", APPLE_CIK), ("figi", APPLE_FIGI), ("isin", APPLE_ISIN)] == await market.of(
        "identifiers", "scheme", "value"
    )
    assert [(f"cik_{APPLE_CIK}", "Apple Inc", APPLE_CIK)] == await market.of("issuers", "issuer_id", "name", "cik")
    assert [(1, 1, 0)] == await market.of("settled_listings", "rows", "added", "questions")
    assert market.changed() == [
        InstrumentChanged(
            instrument_id=one,
            ts_known=int(FIRST.timestamp()) * 10**9,
            changes=("identifiers", "instrument_details", "instruments", "listing_details", "listings"),
        )
    ]


async def test_the_same_list_again_changes_nothing_and_others_say_more(market: Market) -> None:
    """A second source tells an ISIN; its other name and board count for nothing, since the first keeps telling them."""
    await market.told(APPLE)
    before = await market.listed()
    market.bus.told.clear()

    await market.told(APPLE, days=1)
    assert [] == market.changed()
    await market.told({**APPLE, "symbol": "AAPL.US", "name": "APPLE COMPUTER", "exchange": "NAS", "isin": APPLE_ISIN},
                      provider="eodhd", days=2)  # fmt: skip

    assert before == await market.listed()
    assert [("isin", APPLE_ISIN, "eodhd")] == await market.of("identifiers", "scheme", "value", "source")
    assert [("Apple Inc", "tiingo")] == await market.of("instrument_details", "name", "source")
    assert [("NASDAQ", "tiingo")] == await market.of("listing_details", "board", "source")
    assert [] == await market.asked()


async def test_a_declared_listing_is_the_same_instrument_as_that_of_a_list(market: Market) -> None:
    """By ticker, venue and day; the operator's words stay."""
    declared = DeclaredListing(symbol="AAPL", mic="XNAS", name="Apple")
    await market.room.on_instruments_declared(
        InstrumentsDeclared(listings=(declared,), start=date(2024, 6, 3), end=date(2024, 6, 7), ts_known=5)
    )

    await market.told({**APPLE, "isin": APPLE_ISIN})

    assert [("AAPL", "XNAS", None, None, own_id("AAPL"))] == await market.listed()
    assert [("Apple",)] == await market.of("instruments", "name")
    assert [(own_id("AAPL"), APPLE_ISIN)] == await market.of("identifiers", "instrument_id", "value")


async def test_an_identifier_finds_the_instrument_under_another_ticker(market: Market) -> None:
    """The FIGI stays while FB becomes META: one ticker ends and the other begins then, whatever first day is told."""
    await market.told(
        {"symbol": "FB", "mic": "XNAS", "currency": "USD", "figi": META_FIGI, "first_date": date(2012, 5, 18)}
    )
    await market.told(
        {"symbol": "META", "mic": "XNAS", "currency": "USD", "figi": META_FIGI, "first_date": date(2012, 5, 18)}, days=1
    )

    meta = own_id("FB", since=date(2012, 5, 18))
    assert [
        ("FB", "XNAS", date(2012, 5, 18), date(2024, 6, 11), meta),
        ("META", "XNAS", date(2024, 6, 11), None, meta),
    ] == await market.listed()


async def test_a_wrong_check_digit_is_asked_about_and_never_kept(market: Market) -> None:
    """The rest of the row counts."""
    await market.told({**APPLE, "isin": "US0378331006", "cusip": APPLE_CUSIP})

    assert [("cusip", APPLE_CUSIP)] == await market.of("identifiers", "scheme", "value")
    assert ["bad_identifier"] == await market.asked()
    words = await market.of("master_questions", "words", "symbol", "provider")
    assert [
        ("tiingo says that the ISIN is US0378331006, whose check digit or form is wrong", "AAPL", "tiingo")
    ] == words


async def test_a_ticker_with_another_isin_is_asked_about(market: Market) -> None:
    """Another security may use the ticker now; nothing is written."""
    await market.told({**APPLE, "isin": APPLE_ISIN})
    before = await market.listed()

    await market.told({**APPLE, "isin": META_ISIN}, provider="fmp", days=1)

    assert (before, ["identifier_differs"]) == (await market.listed(), await market.asked())
    assert [(own_id("AAPL"),)] == await market.of("master_questions", "instruments")


async def test_reused_tickers_are_instruments_of_their_own(market: Market) -> None:
    """A delisted use and the present one, told in one list."""
    await market.told(
        {
            "symbol": "FB",
            "mic": "XNAS",
            "status": "delisted",
            "first_date": date(1999, 9, 29),
            "last_date": date(2003, 3, 28),
        },
        {"symbol": "FB", "mic": "XNAS", "first_date": date(2012, 5, 18)},
    )

    old, new = own_id("FB", since=date(1999, 9, 29)), own_id("FB", since=date(2012, 5, 18))
    assert [
        ("FB", "XNAS", date(1999, 9, 29), date(2003, 3, 29), old),
        ("FB", "XNAS", date(2012, 5, 18), None, new),
    ] == await market.listed()
    assert ["active", "delisted"] == sorted(str(one[0]) for one in await market.of("listing_details", "status"))


async def test_a_list_that_ends_a_listing_ends_it_once_it_says_when(market: Market) -> None:
    """The instrument stays, with its last day; that nobody tells the day is asked."""
    twitter = {"symbol": "TWTR", "mic": "XNYS", "first_date": date(2013, 11, 7)}
    await market.told(twitter)
    await market.told({**twitter, "status": "delisted"}, days=1)
    assert ["no_end"] == await market.asked()

    await market.told({**twitter, "status": "delisted", "last_date": date(2022, 10, 27)}, days=2)

    twtr = own_id("TWTR", mic="XNYS", since=date(2013, 11, 7))
    assert [("TWTR", "XNYS", date(2013, 11, 7), date(2022, 10, 28), twtr)] == await market.listed()
    assert 2 == len(await market.store.read("listings", Selection(history=True)))


async def test_one_isin_in_two_currencies_is_two_instruments_and_in_one_it_is_one(market: Market) -> None:
    """Prices of an instrument are in one currency; its listings may be on several venues."""
    common = {"symbol": "ABC", "isin": APPLE_ISIN}
    await market.told(
        {**common, "mic": "XPAR", "currency": "EUR"},
        {**common, "mic": "XAMS", "currency": "EUR"},
        {**common, "mic": "XLON", "currency": "GBP"},
    )

    euros, pounds = own_id("ABC", mic="XPAR"), own_id("ABC", mic="XLON")
    assert [
        ("ABC", "XAMS", None, None, euros),
        ("ABC", "XLON", None, None, pounds),
        ("ABC", "XPAR", None, None, euros),
    ] == await market.listed()
    await market.told({**common, "mic": "XAMS", "currency": "EUR"}, provider="fmp", days=1)
    assert [] == await market.asked()


async def test_a_list_that_names_a_ticker_twice_is_asked_about(market: Market) -> None:
    """The same facts twice are once; other facts at one time are a question, and neither is written."""
    await market.told(
        APPLE, dict(APPLE), {"symbol": "X", "mic": "XNYS", "name": "A"}, {"symbol": "X", "mic": "XNYS", "name": "B"}
    )

    assert ["AAPL"] == [one[0] for one in await market.listed()]
    assert ["twice"] == await market.asked()


async def test_merged_records_are_read_as_one(market: Market) -> None:
    """What is told of the merged one's ticker goes to the record that stands for it, and its listing can end."""
    await market.told(
        {"symbol": "OLD", "mic": "XNYS", "first_date": date(2001, 2, 2)}, {"symbol": "NEW", "mic": "XNYS"}
    )
    old, new = own_id("OLD", mic="XNYS", since=date(2001, 2, 2)), own_id("NEW", mic="XNYS")
    await market.room.on_instruments_merged(
        InstrumentsMerged(
            decision_id="dec_1", instrument_id=old, into=new, stands=True, actor="ann", why="renamed",
            ts_known=int((FIRST + DAY).timestamp()) * 10**9,
        )
    )  # fmt: skip

    await market.told(
        {"symbol": "OLD", "mic": "XNYS", "first_date": date(2001, 2, 2), "isin": APPLE_ISIN, "status": "delisted",
         "last_date": date(2024, 6, 10)},
        days=2,
    )  # fmt: skip

    assert [
        ("NEW", "XNYS", None, None, new),
        ("OLD", "XNYS", date(2001, 2, 2), date(2024, 6, 11), old),
    ] == await market.listed()
    assert [(new, APPLE_ISIN)] == await market.of("identifiers", "instrument_id", "value")


async def test_a_venue_that_nobody_tells_may_be_any(market: Market) -> None:
    """A list without venues finds the only holder of a ticker; what is new stands on no market until one is told."""
    await market.told(APPLE)
    await market.told({"symbol": "AAPL", "cik": APPLE_CIK}, {"symbol": "IBM", "cik": "51143"}, provider="sec", days=1)
    await market.told({"symbol": "IBM", "mic": "XNYS"}, days=2)

    aapl, ibm = own_id("AAPL"), own_id("IBM", mic="XXXX")
    assert [
        ("AAPL", "XNAS", None, None, aapl),
        ("IBM", "XNYS", date(2024, 6, 12), None, ibm),
        ("IBM", "XXXX", None, None, ibm),
    ] == await market.listed()
    assert [] == await market.asked()


async def test_a_new_name_of_the_same_source_holds_from_its_day(market: Market) -> None:
    """Both names stay, with their days; the instrument is called by the new one."""
    await market.told({"symbol": "FB", "mic": "XNAS", "name": "Facebook Inc"})
    await market.told({"symbol": "FB", "mic": "XNAS", "name": "Meta Platforms"}, days=3)

    since = date(2024, 6, 13)
    assert [("Facebook Inc", None, since), ("Meta Platforms", since, None)] == sorted(
        await market.of("instrument_details", "name", "valid_from", "valid_to")
    )
    assert [("Meta Platforms",)] == await market.of("instruments", "name")


async def test_a_rename_between_two_lists_goes_on_with_the_instrument(market: Market) -> None:
    """One ticker of an issuer went and one came: the old one ends, and the new one is the same instrument's."""
    await market.told({"symbol": "SQ", "mic": "XNYS", "cik": "1512673", "first_date": date(2015, 11, 19)})
    await market.told({"symbol": "XYZ", "mic": "XNYS", "cik": "1512673", "first_date": date(2015, 11, 19)}, days=7)

    block, day = own_id("SQ", mic="XNYS", since=date(2015, 11, 19)), date(2024, 6, 17)
    assert [
        ("SQ", "XNYS", date(2015, 11, 19), day, block),
        ("XYZ", "XNYS", day, None, block),
    ] == await market.listed()
    assert [] == await market.asked()


async def test_a_doubtful_rename_is_asked_about_and_the_ticker_is_new(market: Market) -> None:
    """Nothing but the name is the same: whoever knows merges the two records."""
    await market.told({"symbol": "SQ", "mic": "XNYS", "name": "Block Inc"})
    await market.told({"symbol": "XYZ", "mic": "XNYS", "name": "Block, Inc."}, days=7)

    square, other = own_id("SQ", mic="XNYS"), own_id("XYZ", mic="XNYS")
    assert [("SQ", "XNYS", None, None, square), ("XYZ", "XNYS", None, None, other)] == await market.listed()
    assert ["maybe_renamed"] == await market.asked()
    assert [(square,)] == await market.of("master_questions", "instruments")


async def test_a_delisting_between_two_lists_ends_the_listing_and_frees_the_ticker(market: Market) -> None:
    """The last day is told, or it is the day of the list that lacks it; the next user is another instrument."""
    many = [{"symbol": f"T{number}", "mic": "XNYS"} for number in range(30)]
    await market.told({"symbol": "TWTR", "mic": "XNYS", "name": "Twitter"}, *many)
    gone = {"symbol": "TWTR", "mic": "XNYS", "name": "Twitter", "status": "delisted", "last_date": date(2024, 6, 14)}
    await market.told(gone, {"symbol": "TWTR", "mic": "XNYS", "name": "Tower", "first_date": date(2024, 6, 17)},
                      *many[1:], days=7)  # fmt: skip

    old, new = own_id("TWTR", mic="XNYS"), own_id("TWTR", mic="XNYS", since=date(2024, 6, 17))
    listed = await market.listed()
    assert [
        ("TWTR", "XNYS", None, date(2024, 6, 15), old),
        ("TWTR", "XNYS", date(2024, 6, 17), None, new),
    ] == listed[-2:]
    assert ("T0", "XNYS", None, date(2024, 6, 17), own_id("T0", mic="XNYS")) == listed[0]
    assert [] == await market.asked()


async def test_an_issuer_that_is_another_one_now_keeps_its_instrument(market: Market) -> None:
    """A reorganisation: the ticker and the name go on under another CIK, which takes the place of the first."""
    google = {"symbol": "GOOG", "mic": "XNAS", "name": "Alphabet Inc"}
    await market.told({**google, "cik": "1288776"})
    await market.told({**google, "cik": "1652044"}, days=7)

    day = date(2024, 6, 17)
    assert [("GOOG", "XNAS", None, None, own_id("GOOG"))] == await market.listed()
    assert [("0001288776", None, day), ("0001652044", day, None)] == await market.of(
        "identifiers", "value", "valid_from", "valid_to"
    )
    assert [] == await market.asked()


async def test_a_list_of_thousands_is_one_commit_and_is_told_at_once(market: Market) -> None:
    """The same again, from another provider and with a new ISIN for one, changes that one alone."""
    many = [{"symbol": f"T{number}", "mic": "XNYS", "currency": "USD"} for number in range(FEW + 1)]
    await market.told(*many)
    assert [("", FEW + 1)] == [(one.instrument_id, one.count) for one in market.changed()]
    before = market.store.version()

    await market.told({**many[0], "isin": APPLE_ISIN}, *many[1:], provider="fmp", days=1)

    assert [(own_id("T0", mic="XNYS"), ("identifiers",))] == [
        (one.instrument_id, one.changes) for one in market.changed()[1:]
    ]
    assert FEW + 1 == len(await market.listed())
    assert before < market.store.version()


async def test_a_list_that_nothing_is_left_of_is_settled_too(market: Market) -> None:
    """Rows without a ticker, and no rows at all."""
    await market.told({"symbol": " ", "mic": "XNYS"}, {"symbol": None, "name": "nameless"})

    assert [] == await market.listed()
    assert [(2, 0, 0)] == await market.of("settled_listings", "rows", "added", "questions")


async def test_a_ticker_that_several_have_is_asked_about(market: Market) -> None:
    """On no told venue it may be any of two; an identifier that two have says nothing, but with the ticker it does."""
    shop = {"symbol": "SHOP", "currency": "USD"}
    await market.told({**shop, "mic": "XNYS"}, {**shop, "mic": "XNAS"})
    await market.told({"symbol": "SHOP"}, provider="sec", days=1)

    assert [
        ("sec lists SHOP on no venue (no identifier), which may be any of several instruments",),
    ] == await market.of("master_questions", "words")
    ids = sorted([own_id("SHOP", mic="XNYS"), own_id("SHOP", mic="XNAS")])
    assert [(",".join(ids),)] == await market.of("master_questions", "instruments")

    isin = {"isin": APPLE_ISIN}
    await market.told({**shop, "mic": "XNYS", **isin}, provider="fmp", days=2)
    await market.told({**shop, "mic": "XNAS", "isin": APPLE_ISIN, "currency": None}, provider="eodhd", days=3)
    assert [(ids[0] if ids[0] == own_id("SHOP", mic="XNYS") else ids[1], APPLE_ISIN)] == await market.of(
        "identifiers", "instrument_id", "value"
    )
    assert ["overlap", "several"] == await market.asked()


async def test_dates_that_contradict_each_other_are_asked_about(market: Market) -> None:
    """A listing that ended before it began, and one that began while another instrument had the ticker."""
    await market.told(
        {
            "symbol": "A",
            "mic": "XNYS",
            "status": "delisted",
            "first_date": date(2020, 1, 2),
            "last_date": date(2019, 1, 2),
        },
        {
            "symbol": "B",
            "mic": "XNYS",
            "status": "delisted",
            "first_date": date(2000, 1, 3),
            "last_date": date(2010, 1, 4),
        },
    )
    await market.told({"symbol": "B", "mic": "XNYS", "first_date": date(2005, 1, 3)}, provider="fmp", days=1)

    assert ["dates", "overlap"] == await market.asked()
    assert ["B"] == [one[0] for one in await market.listed()]


async def test_a_listing_that_is_still_to_come_begins_when_it_begins(market: Market) -> None:
    """An announced first day lies after the list's."""
    await market.told({"symbol": "NEW", "mic": "XNYS", "first_date": date(2024, 7, 1)})
    await market.told({"symbol": "NEW", "mic": "XNYS", "first_date": date(2024, 7, 1)}, provider="fmp", days=1)

    since = date(2024, 7, 1)
    assert [("NEW", "XNYS", since, None, own_id("NEW", mic="XNYS", since=since))] == await market.listed()
    assert [] == await market.asked()
