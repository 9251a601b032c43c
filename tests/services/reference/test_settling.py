"""Lists of listings become instruments, listings with dates, and identifiers; what cannot be decided is asked."""

from __future__ import annotations

from datetime import date

import pytest

from listed_market import (
    APPLE_CIK,
    APPLE_CUSIP,
    APPLE_FIGI,
    APPLE_ISIN,
    DAY,
    FIRST,
    META_FIGI,
    META_ISIN,
    Market,
    own_id,
)
from truetape.domain.messages import DeclaredListing, InstrumentChanged, InstrumentsDeclared, InstrumentsMerged
from truetape.services.reference.claimed import FEW


@pytest.fixture
def market() -> Market:
    return Market()


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
    assert [1, 2] == market.store.rows["listings"]["version"].to_list()


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
