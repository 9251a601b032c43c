"""What two lists differ in: each kind of event by hand, lists that were cut, and the SEC's own two lists."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from truetape.app.listing_files import read_list, snapshots
from truetape.domain.decoding import decoded
from truetape.domain.listed import Snapshot, snapshot
from truetape.domain.listing_changes import EVENT_COLUMNS, Changes, changes
from truetape.domain.schema import DECODED

A, B = "0000000001", "0000000002"
OLD_DAY, NEW_DAY = date(2001, 2, 3), date(2024, 5, 6)


def listed(*rows: dict[str, Any], whole: bool = True) -> Snapshot:
    names = [*DECODED["listings"], "condition"]
    columns = {name: [row.get(name) for row in rows] for name in names}
    frame = pl.DataFrame(columns, schema={**DECODED["listings"], "condition": pl.String()})
    return snapshot(frame, whole=whole)


def told(found: Changes) -> list[tuple[str, str | None, str]]:
    """Kind, old symbol and symbol of each event."""
    return found.events.select("kind", "old_symbol", "symbol").rows()


def many(prefix: str, number: int, **facts: Any) -> list[dict[str, Any]]:
    return [{"symbol": f"{prefix}{place:03}", **facts} for place in range(number)]


def test_equal_lists_differ_in_nothing() -> None:
    """Nothing is told of what stays, and the table of events has its columns all the same."""
    one = listed({"symbol": "AAA", "name": "Aaa Inc"})

    found = changes(one, one)

    assert (found.counts, found.findings, dict(found.events.schema)) == ({}, (), EVENT_COLUMNS)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"symbol": "X", "name": "X Inc."}, {"symbol": "X", "name": "X INC"}, []),
        ({"symbol": "X", "name": "X Inc"}, {"symbol": "X", "name": "Y Inc"}, [("name_change", None, "X")]),
        ({"symbol": "X", "name": None}, {"symbol": "X", "name": "X Inc"}, []),
        ({"symbol": "X", "exchange": "NYSE"}, {"symbol": "X", "exchange": "NASDAQ"}, [("transfer", None, "X")]),
        ({"symbol": "X", "exchange": None}, {"symbol": "X", "exchange": "NASDAQ"}, []),
        (
            {"symbol": "X", "exchange": "Q", "mic": "XNCM"},
            {"symbol": "X", "exchange": "Q", "mic": "XNMS"},
            [("tier_change", None, "X")],
        ),
        ({"symbol": "X", "condition": "N"}, {"symbol": "X", "condition": "D"}, [("status_change", None, "X")]),
        ({"symbol": "X", "condition": None}, {"symbol": "X", "condition": None}, []),
        (
            {"symbol": "X", "name": "X Ltd", "cik": A},
            {"symbol": "X", "name": "X Plc", "cik": B},
            [("issuer_change", None, "X")],
        ),
        (
            {"symbol": "X", "name": "One Inc", "cik": A},
            {"symbol": "X", "name": "Two Inc", "cik": B},
            [("listing", None, "X"), ("delisting", None, "X")],
        ),
        (
            {"symbol": "X", "name": "One Inc", "first_date": OLD_DAY},
            {"symbol": "X", "name": "Two Inc", "first_date": NEW_DAY},
            [("listing", None, "X"), ("delisting", None, "X")],
        ),
        ({"symbol": "X", "first_date": OLD_DAY}, {"symbol": "X", "first_date": NEW_DAY}, []),
        ({"symbol": "X", "first_date": OLD_DAY}, {"symbol": "X", "first_date": OLD_DAY}, []),
    ],
    ids=str,
)
def test_a_ticker_in_both_lists(old: dict[str, Any], new: dict[str, Any], expected: list[object]) -> None:
    """What is told of it is what differs, and only where both lists say something."""
    assert expected == told(changes(listed(old), listed(new)))


def test_the_second_part_of_a_reorganisation_may_be_a_rename() -> None:
    """Physicians' DOC goes with its issuer, and Healthpeak takes the ticker instead of PEAK."""
    old = listed({"symbol": "DOC", "name": "Physicians", "cik": A}, {"symbol": "PEAK", "name": "Healthpeak", "cik": B})
    new = listed({"symbol": "DOC", "name": "Healthpeak", "cik": B})

    assert [("delisting", None, "DOC"), ("rename", "PEAK", "DOC")] == told(changes(old, new))


def test_a_reused_ticker_that_left_is_only_listed_anew() -> None:
    """LAC became LAR; another issuer is LAC since."""
    old = listed({"symbol": "LAC", "name": "Lithium", "cik": A})
    new = listed({"symbol": "LAR", "name": "Lithium", "cik": A}, {"symbol": "LAC", "name": "Other", "cik": B})

    found = changes(old, new)

    assert [("listing", None, "LAC"), ("rename", "LAC", "LAR")] == told(found)
    assert "the ticker was that of Lithium (CIK 0000000001) before" == found.events["evidence"][0]


def test_a_ticker_whose_first_use_ended_in_the_new_list_was_reused() -> None:
    """Tiingo tells no names: the older use has its end in the new list, and the newer its begin."""
    old = listed({"symbol": "ALC", "first_date": OLD_DAY})
    ended = {"symbol": "ALC", "first_date": OLD_DAY, "last_date": date(2020, 1, 2), "status": "delisted"}
    found = changes(old, listed(ended, {"symbol": "ALC", "first_date": NEW_DAY, "status": "active"}))

    assert [("listing", NEW_DAY), ("delisting", date(2020, 1, 2))] == found.events.select("kind", "date").rows()


def test_a_rename_carries_its_transfer() -> None:
    """Yellow went from the NYSE to the OTC markets as YELLQ when it was bankrupt."""
    old = listed({"symbol": "YELL", "name": "Yellow", "cik": A, "exchange": "NYSE"})
    new = listed({"symbol": "YELLQ", "name": "Yellow", "cik": A, "exchange": "OTC"})

    found = changes(old, new)

    assert [("rename", "YELL", "YELLQ"), ("transfer", "YELL", "YELLQ")] == told(found)
    assert ("NYSE", "OTC") == found.events.filter(kind="transfer").select("old_exchange", "exchange").row(0)


@pytest.mark.parametrize(
    ("whole", "past", "confidence", "on"),
    [(True, False, 0.9, None), (False, False, 0.6, None), (True, True, 1.0, NEW_DAY)],
    ids=["whole", "without an end", "told"],
)
def test_a_delisting_is_as_sure_as_its_list(whole: bool, past: bool, confidence: float, on: date | None) -> None:
    """It is surest where the new list says when it ended, least sure where the list does not say that it is whole."""
    ended = [{"symbol": "X", "status": "delisted", "last_date": NEW_DAY}] if past else []
    keeping = many("K", 9)

    found = changes(listed({"symbol": "X"}, *keeping), listed(*ended, *keeping, whole=whole))

    assert [("delisting", "X", confidence, on)] == found.events.select("kind", "symbol", "confidence", "date").rows()


def test_a_past_use_without_a_day_still_ended() -> None:
    """A list may say that it is gone, and not since when."""
    found = changes(listed({"symbol": "X"}), listed({"symbol": "X", "status": "delisted"}))

    assert [("X", "the new list says that it was delisted")] == found.events.select("symbol", "evidence").rows()


def test_mass_disappearance_is_held_back() -> None:
    """Six of ten are missing, half may be: none counts as delisted, and a listing beside them is told."""
    found = changes(listed(*many("A", 10)), listed(*many("A", 4), {"symbol": "NEW"}), most_gone=0.5)

    assert [("listing", None, "NEW")] == told(found)
    assert [("mass_disappearance", 6)] == [(one.reason, one.events) for one in found.findings]
    assert {"delisting"} == set(found.held["kind"])


def test_what_the_new_list_itself_says_is_no_disappearance() -> None:
    """A list that tells the end of everything is believed."""
    ended = [{**row, "status": "delisted", "last_date": NEW_DAY} for row in many("A", 10)]

    assert {"delisting": 10} == changes(listed(*many("A", 10)), listed(*ended), most_gone=0.1).counts


def test_a_list_that_was_cut_tells_no_delisting_behind_its_end() -> None:
    """Of 60 tickers in order the last 12 are missing: they are held back, one that went before them is told."""
    rows = many("A", 60)

    found = changes(listed(*rows), listed(*rows[:5], *rows[6:48]))

    assert [("delisting", None, "A005")] == told(found)
    assert [("cut_short", 12)] == [(one.reason, one.events) for one in found.findings]


def test_an_old_list_that_was_cut_makes_no_listings() -> None:
    """What the older list lacks behind its end was listed all the time."""
    rows = many("A", 60)

    found = changes(listed(*rows[:40]), listed(*rows, {"symbol": "A0001"}))

    assert [("listing", None, "A0001")] == told(found)
    assert [("old_cut_short", 20)] == [(one.reason, one.events) for one in found.findings]


def test_the_end_of_a_list_without_order_shows_nothing() -> None:
    """A list by size ends with the smallest, and those do vanish."""
    rows = many("A", 60)
    by_size = [*rows[::2], *rows[1::2]]

    found = changes(listed(*by_size), listed(*by_size[:48]))

    assert {"delisting": 12} == found.counts


def test_an_exchange_that_is_missing_as_a_whole_is_held_back() -> None:
    """All of 25 listings of one exchange are missing, and so is its name; of a small exchange they are told."""
    small, large = many("S", 3, exchange="SMALL"), many("L", 25, exchange="LARGE")
    rest = many("R", 60, exchange="REST")

    found = changes(listed(*small, *large, *rest), listed(*rest))

    assert {"delisting": 3} == found.counts
    assert [("venue_vanished", 25)] == [(one.reason, one.events) for one in found.findings]


def test_an_exchange_whose_listings_went_elsewhere_did_not_vanish_with_them() -> None:
    """Its 25 listings are on another exchange now, but for one that is delisted."""
    before = many("L", 25, exchange="LARGE")
    after = [{**row, "exchange": "OTHER"} for row in before[1:]]

    found = changes(listed(*before), listed(*after))

    assert ({"delisting": 1, "transfer": 24}, ()) == (found.counts, found.findings)


def test_a_list_without_exchanges_lacks_none() -> None:
    """The SEC's shorter list tells no exchanges."""
    rows = many("L", 25, exchange="LARGE")

    assert {"delisting": 1} == changes(listed(*rows), listed(*many("L", 24))).counts


def test_rows_without_a_ticker_are_no_listings() -> None:
    """They are left out of a list, and two uses of a ticker that goes on count as the newer one."""
    one = snapshot(
        decoded("listings", {"symbol": [None, "", "X", "X", "X"], "first_date": [None, None, OLD_DAY, NEW_DAY, None]})
    )

    assert (["X"], NEW_DAY) == (list(one.live), one.live["X"].first_date)
    assert "" == snapshot(decoded("listings", {"symbol": []})).last_symbol


def test_the_two_lists_of_the_sec(recordings: Path) -> None:
    """Renames that the world knows are found, by CIK; a ticker in both lists is never listed or delisted as a whole."""
    old = read_list(str(recordings / "sec" / "company_tickers.json.gz"))
    new = read_list(str(recordings / "sec" / "stocks_mappings.csv.gz"))
    found = changes(*snapshots(old, new))
    renames = set(found.events.filter(kind="rename").select("old_symbol", "symbol").rows())
    known = {("SQ", "XYZ"), ("CHK", "EXE"), ("CHKEW", "EXEEW"), ("GPS", "GAP"), ("NYCB", "FLG"), ("PEAK", "DOC")}
    gone = set(old.frame["symbol"]) - set(new.frame["symbol"])
    come = set(new.frame["symbol"]) - set(old.frame["symbol"])
    delisted = set(found.events.filter(kind="delisting")["symbol"])
    listings = set(found.events.filter(kind="listing")["symbol"])

    assert () == found.findings
    assert known <= renames
    assert not {("CFG-PD", "CFG-PH"), ("GLOP", "GLOP-PA")} & renames
    assert gone == {one for one, _ in renames if one in gone} | (delisted & gone)
    assert come == {one for _, one in renames if one in come} | (listings & come)
    assert (2257, 2825) == (len(gone), len(come))
