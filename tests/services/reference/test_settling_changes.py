"""What happened between two lists of one source, in the master: renames, delistings, re-used tickers."""

from __future__ import annotations

from datetime import date

import pytest

from listed_market import Market, own_id


@pytest.fixture
def market() -> Market:
    return Market()


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


async def test_a_ticker_that_is_used_again_and_that_nobody_dates_begins_when_it_was_said(market: Market) -> None:
    """It is another instrument: its id is of that day, and not that of the first user."""
    await market.told({"symbol": "X", "mic": "XNYS", "status": "delisted", "last_date": date(2010, 1, 4)})
    await market.told({"symbol": "X", "mic": "XNYS"}, provider="fmp", days=1)

    day = date(2024, 6, 11)
    assert [
        ("X", "XNYS", None, date(2010, 1, 5), own_id("X", mic="XNYS")),
        ("X", "XNYS", day, None, own_id("X", mic="XNYS", since=day)),
    ] == await market.listed()
    assert [] == await market.asked()


async def test_two_numbers_of_one_instrument_in_one_list_are_asked_about(market: Market) -> None:
    """One security on two venues with two CIKs: neither is kept."""
    one = {"symbol": "X", "isin": "US0378331005", "currency": "EUR"}
    await market.told({**one, "mic": "XPAR", "cik": "320193"}, {**one, "mic": "XAMS", "cik": "789019"})

    assert [("isin", "US0378331005")] == await market.of("identifiers", "scheme", "value")
    assert [
        ("identifier_differs", "tiingo tells several CIKs of one instrument, 0000320193 and 0000789019"),
    ] == await market.of("master_questions", "kind", "words")
