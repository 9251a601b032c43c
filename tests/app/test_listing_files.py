"""Lists in plain files: whose they are shows in their content, packed or not, and others are refused in words."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from truetape.app.listing_files import read_list, snapshots
from truetape.domain.errors import BadInput
from truetape.domain.listing_changes import changes

ALPHA_VANTAGE = (
    b"symbol,name,exchange,assetType,ipoDate,delistingDate,status\n"
    b'FB,"Facebook, Inc. - A",NASDAQ,Stock,2012-05-18,null,Active\n'
    b"ZZK,null,NYSE ARCA,Stock,2020-07-22,null,Active\n"
    b"NA,Nano,NASDAQ,Stock,null,null,Active\n"
)
TIINGO = (
    b"ticker,exchange,assetType,priceCurrency,startDate,endDate\n"
    b"FB,NASDAQ,Stock,USD,2012-05-18,2022-06-08\n"
    b"GONE,,Stock,USD,2001-01-02,2019-05-06\n"
    b"ALC(EXP20190322),NYSE,Stock,USD,,\n"
    b"TRUE,NASDAQ,Stock,USD,2014-05-16,2022-06-08\n"
)
NASDAQ = (
    b"Symbol|Security Name|Market Category|Test Issue|Financial Status|Round Lot Size|ETF|NextShares\n"
    b"FB|Facebook|Q|N|N|100|N|N\n"
    b"BRK.B|Berkshire|G|N|D|100|N|N\n"
)
END = b"File Creation Time: 0603202221:30|||||||\n"
SEC = b'{"0":{"cik_str":1326801,"ticker":"FB","title":"Facebook"},"1":{"cik_str":1067983,"ticker":"BRK-B","title":"B"}}'
PLAIN = b"Ticker,Company,Venue,listed,status,CIK\nFB,Facebook,NASDAQ,2012-05-18T00:00:00,Active,1326801\nX,,-,,,\n"
OBJECTS = b'[{"symbol": "FB", "name": "Facebook", "cik": 1326801}, {"symbol": "NA", "name": null}]'


def zipped(body: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", body)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped], ids=["plain", "gzip", "zip"])
@pytest.mark.parametrize(
    ("body", "source", "symbols"),
    [
        (ALPHA_VANTAGE, "alpha_vantage", ["FB", "ZZK", "NA"]),
        (ALPHA_VANTAGE[:-1], "alpha_vantage", ["FB", "ZZK", "NA"]),
        (TIINGO, "tiingo", ["FB", "GONE", "ALC(EXP20190322)", "TRUE"]),
        (b"\xef\xbb\xbf" + NASDAQ + END, "nasdaq_trader", ["FB", "BRK.B"]),
        (SEC, "sec", ["FB", "BRK-B"]),
        (PLAIN, "plain", ["FB", "X"]),
        (OBJECTS, "plain", ["FB", "NA"]),
        (b",ticker,cik_str,title\n0,FB,1326801,Facebook\n1,NA,2,N\n", "sec", ["FB", "NA"]),
        (b'"","symbol","name"\n"0","FB","Facebook"\n', "plain", ["FB"]),
        (b"aapl\t320193\nbrk-b\t1067983\n", "sec", ["AAPL", "BRK-B"]),
        (b"Symbol,Security Name,Test Issue\nFB,F,N\nZVZZT,T,Y\nFile Creation Time: 1,,\n", "plain", ["FB"]),
    ],
)
def test_whose_a_list_is_shows_in_its_content(
    tmp_path: Path, pack: object, body: bytes, source: str, symbols: list[str]
) -> None:
    """It does so whatever the file is called."""
    file = tmp_path / "list"
    file.write_bytes(pack(body))  # type: ignore[operator]
    found = read_list(str(file))

    assert (source, symbols, True) == (found.source, found.frame["symbol"].to_list(), found.whole)


def written(folder: Path, name: str, body: bytes) -> str:
    (folder / name).write_bytes(body)
    return str(folder / name)


def test_null_is_nothing_but_never_a_ticker(tmp_path: Path) -> None:
    """Names and days may be null; a share that lost its ticker to another is delisted on that day."""
    listed = read_list(written(tmp_path, "a", ALPHA_VANTAGE)).frame
    universe = read_list(written(tmp_path, "t", TIINGO)).frame
    plain = read_list(written(tmp_path, "p", PLAIN)).frame

    assert ["Facebook, Inc. - A", None, "Nano"] == listed["name"].to_list()
    assert ["active", "delisted", "delisted", "active"] == universe["status"].to_list()
    assert ["2019-05-06", "2019-03-22"] == [str(day) for day in universe["last_date"].drop_nulls()]
    assert ("0001326801", None) == tuple(plain["cik"])
    assert ("2012-05-18", None) == tuple(day and str(day) for day in plain["first_date"])


def test_a_directory_without_its_last_line_does_not_say_that_it_is_whole(tmp_path: Path) -> None:
    """It can be compared all the same."""
    assert read_list(written(tmp_path, "n", NASDAQ)).whole is False


def test_files_of_one_directory_may_cover_other_exchanges(tmp_path: Path) -> None:
    """Of the file with all exchanges only what the one of Nasdaq covers counts, and a transfer from there is seen."""
    head = b"Nasdaq Traded|Symbol|Security Name|Listing Exchange|Market Category|ETF|Round Lot Size|Test Issue\n"
    rows = b"Y|FB|Facebook|N| |N|100|N\nY|BRK.B|Berkshire|Q|G|N|100|N\nY|IBM|IBM|N| |N|100|N\n"
    old = read_list(written(tmp_path, "n", NASDAQ + END))
    new = read_list(written(tmp_path, "t", head + rows + END))

    found = changes(*snapshots(old, new))

    assert [("transfer", "FB")] == found.events.select("kind", "symbol").rows()


def test_lists_of_two_sources_are_compared_where_both_look(tmp_path: Path) -> None:
    """By tickers in one spelling, on the exchanges of both, and not by names."""
    old = read_list(written(tmp_path, "n", NASDAQ + END))
    body = b"CIK,Ticker,Name,Exchange\n1,FB,Meta,Nasdaq\n2,BRK-B,Berk,Nasdaq\n3,IBM,IBM,NYSE\n4,ODD,Odd,None\n"
    new = read_list(written(tmp_path, "s", body))

    found = changes(*snapshots(old, new))
    back = changes(*snapshots(new, old))

    assert [("listing", "ODD")] == found.events.select("kind", "symbol").rows()
    assert [("delisting", "ODD")] == back.events.select("kind", "symbol").rows()


@pytest.mark.parametrize(
    ("body", "source", "words"),
    [
        (b"a,b\n1,2\n", "", "it has no column symbol or ticker, but a, b"),
        (b"[1]", "", "is no readable list"),
        (b"symbol\n", "", "It lists nothing"),
        (ALPHA_VANTAGE.replace(b"Active", b"Asleep"), "", "a status other than Active and Delisted"),
        (TIINGO + b",NYSE,Stock,USD,,\n", "", "a line had no ticker"),
        (SEC, "tiingo", "is no readable list"),
        (SEC, "nobody", "Choose one of sec, nasdaq_trader, alpha_vantage, tiingo, plain."),
    ],
)
def test_what_is_no_list_is_told(tmp_path: Path, body: bytes, source: str, words: str) -> None:
    """In a sentence, and never by a traceback."""
    with pytest.raises(BadInput, match=words):
        read_list(written(tmp_path, "x", body), source=source)
