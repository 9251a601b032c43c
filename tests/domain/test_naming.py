"""What a ticker meant on a date: renames, re-used tickers, venues, and what is said where nothing fits."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from truetape.domain.naming import Named, Unresolved, latest_day, resolve

SCHEMA = {"instrument_id": pl.String, "symbol": pl.String, "mic": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
ROWS = [
    ("ins_bank", "NB", "XNYS", date(1998, 1, 2), date(1998, 10, 1)),
    ("ins_bank", "BAC", "XNYS", date(1998, 10, 1), None),
    ("ins_old", "FB", "XXXX", date(1999, 9, 29), date(2003, 3, 29)),
    ("ins_face", "FB", "XNAS", date(2012, 5, 18), date(2022, 6, 9)),
    ("ins_face", "META", "XNAS", date(2022, 6, 9), None),
    ("ins_back", "AAA", "XNYS", date(2000, 1, 3), date(2001, 1, 2)),  # AAA, BBB and AAA again
    ("ins_back", "BBB", "XNYS", date(2001, 1, 2), date(2002, 1, 2)),
    ("ins_back", "AAA", "XNYS", date(2002, 1, 2), None),
    ("ins_london", "VOD", "XLON", None, None),
    ("ins_york", "VOD", "XNAS", None, None),
    ("ins_one", "X", "XNYS", date(2000, 1, 3), date(2001, 1, 2)),  # two that once were X live on as Y and Z
    ("ins_one", "Y", "XNYS", date(2001, 1, 2), None),
    ("ins_two", "X", "XNYS", date(2001, 1, 2), date(2002, 1, 2)),
    ("ins_two", "Z", "XNYS", date(2002, 1, 2), None),
    ("ins_b", "BRK.B", "XNYS", date(2000, 1, 3), None),
]
LISTINGS = pl.DataFrame(ROWS, schema=SCHEMA, orient="row").with_columns(
    name=pl.lit("Name"), asset_class=pl.lit("equity"), currency=pl.lit("USD")
)


@pytest.mark.parametrize(
    ("ticker", "day", "instrument", "then", "now", "matched"),
    [
        ("NB", (1998, 1, 2), "ins_bank", "NB", "BAC", "then"),
        ("NB", (1998, 9, 30), "ins_bank", "NB", "BAC", "then"),
        ("NB", (1998, 10, 1), "ins_bank", "BAC", "BAC", "at another time"),
        ("BAC", (1998, 9, 30), "ins_bank", "NB", "BAC", "at another time"),
        ("BAC", (1998, 10, 1), "ins_bank", "BAC", "BAC", "then"),
        ("bac", (2024, 1, 1), "ins_bank", "BAC", "BAC", "then"),
        ("FB", (1999, 9, 29), "ins_old", "FB", "FB", "then"),
        ("FB", (2003, 3, 28), "ins_old", "FB", "FB", "then"),
        ("FB", (2012, 5, 18), "ins_face", "FB", "META", "then"),
        ("FB", (2022, 6, 8), "ins_face", "FB", "META", "then"),
        ("FB", (2022, 6, 9), "ins_face", "META", "META", "at another time"),
        ("META", (2012, 5, 18), "ins_face", "FB", "META", "at another time"),
        ("AAA", (2001, 1, 1), "ins_back", "AAA", "AAA", "then"),
        ("AAA", (2001, 1, 2), "ins_back", "BBB", "AAA", "at another time"),
        ("AAA", (2002, 1, 2), "ins_back", "AAA", "AAA", "then"),
        ("BBB", (2010, 1, 2), "ins_back", "AAA", "AAA", "at another time"),
        ("INS_FACE", (2013, 1, 2), "ins_face", "FB", "META", "then"),
        ("X", (2000, 6, 1), "ins_one", "X", "Y", "then"),
        ("X", (2001, 6, 1), "ins_two", "X", "Z", "then"),
        ("brk.b", (2001, 6, 1), "ins_b", "BRK.B", "BRK.B", "then"),
        ("BRK-B", (2001, 6, 1), "ins_b", "BRK.B", "BRK.B", "then"),
    ],
)
def test_a_ticker_and_a_date_name_one_instrument(
    ticker: str, day: tuple[int, int, int], instrument: str, then: str, now: str, matched: str
) -> None:
    """On the first and last days of each ticker, and on the days beside them."""
    found = resolve(LISTINGS, ticker, on=date(*day))

    assert (instrument, then, now, matched) == (
        found.instrument_id,
        found.ticker_then,
        found.ticker_now,
        found.matched,
    )


def test_everything_that_is_known_is_told() -> None:
    """Dates inclusive, its tickers in order, and what it is."""
    found = resolve(LISTINGS, " fb ", on=date(2013, 1, 2))

    assert ("fb", "XNAS", "XNAS", "Name", "equity", "USD") == (
        found.asked,
        found.mic_then,
        found.mic_now,
        found.name,
        found.asset_class,
        found.currency,
    )
    assert (date(2012, 5, 18), None) == (found.listed_from, found.listed_until)
    assert (
        Named("ins_face", "FB", "XNAS", date(2012, 5, 18), date(2022, 6, 8)),
        Named("ins_face", "META", "XNAS", date(2022, 6, 9), None),
    ) == found.listings


def test_what_is_gone_has_a_last_day() -> None:
    """And what was always listed has no first one."""
    assert date(2003, 3, 28) == resolve(LISTINGS, "FB", on=date(2000, 1, 3)).listed_until
    assert None is resolve(LISTINGS, "VOD", on=date(2000, 1, 3), mic="xlon").listed_from


@pytest.mark.parametrize(
    ("ticker", "day", "mic", "said", "candidates"),
    [
        ("FB", date(2003, 3, 29), None, "ins_old had it from 1999-09-29 to 2003-03-28 on XXXX; ins_face had it", 2),
        ("FB", date(2012, 5, 17), None, "Choose a date within one of these", 2),
        ("META", date(2003, 1, 2), None, "ins_face had it from 2022-06-09 to today on XNAS", 1),
        ("VOD", date(2024, 1, 2), None, "Name the venue with --mic, or the id instead of the ticker: ins_london", 2),
        ("VOD", date(2024, 1, 2), "XPAR", "No listing of it is on XPAR; those that are known are on XLON, XNAS.", 2),
        ("X", date(2003, 1, 2), None, "Several instruments may be meant. Name the id instead", 2),
        ("BACC", date(2003, 1, 2), None, "No listing has this ticker. Known are BAC", 0),
        ("Q", date(2003, 1, 2), None, "No listing has this ticker. Known are AAA, BAC, BBB", 0),
    ],
)
def test_what_means_nothing_or_too_much_is_said_with_candidates(
    ticker: str, day: date, mic: str | None, said: str, candidates: int
) -> None:
    """With the days on which each of them had it, and the way out."""
    with pytest.raises(Unresolved) as refused:
        resolve(LISTINGS, ticker, on=day, mic=mic)

    assert said in str(refused.value)
    assert str(refused.value).startswith(f"The ticker was '{ticker} on {day}'.")
    assert candidates == len(refused.value.candidates)


def test_without_listings_nothing_is_known() -> None:
    """The words say so."""
    with pytest.raises(Unresolved, match="Known are none yet"):
        resolve(LISTINGS.clear(), "A", on=date(2024, 1, 2))


@pytest.mark.parametrize(
    ("ticker", "expected"),
    [
        ("META", date(2024, 1, 2)),
        ("FB", date(2022, 6, 8)),
        ("ins_old", date(2003, 3, 28)),
        ("VOD", date(2024, 1, 2)),
        ("ZZZ", date(2024, 1, 2)),
    ],
)
def test_without_a_date_today_or_the_last_day_is_meant(ticker: str, expected: date) -> None:
    """What is listed no more is found where it was last."""
    assert expected == latest_day(LISTINGS, ticker, today=date(2024, 1, 2))
