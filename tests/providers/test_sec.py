"""The SEC's lists of tickers and pages of issuers, by value; its refusals; and who asks."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.providers.sec import decode, spell
from truetape.providers.sec.classify import classify
from truetape.providers.sec.client import request

ASK = Ask(kind="listings", symbol="")
SHORT = b'{"0": {"cik_str": 320193, "ticker": "AAPL", "title": "Apple Inc."}}'
LONG = (
    b'{"fields": ["cik", "name", "ticker", "exchange"], '
    b'"data": [[1750, "AAR CORP", "AIR", "NYSE"], [2, "N", "NA", null]]}'
)
TABLE = b'CIK,Ticker,Name,Exchange\n0000001750,AIR,"Aar, Corp",NYSE\n0000000002,NAN,N,None\n'
PAGE: dict[str, Any] = {
    "cik": "320193",
    "name": "Apple Inc.",
    "tickers": ["AAPL", "APLX", None],
    "exchanges": ["Nasdaq"],
    "sic": "3571",
    "sicDescription": "Electronic Computers",
    "lei": None,
    "category": "",
    "entityType": "operating",
    "fiscalYearEnd": "0926",
    "stateOfIncorporation": "CA",
    "formerNames": [
        {"name": "APPLE INC", "from": "2007-01-10T05:00:00.000Z", "to": "2019-08-05T04:00:00.000Z"},
        {"name": "APPLE COMPUTER INC", "from": "1994-01-26T05:00:00.000Z", "to": "2007-01-04T05:00:00.000Z"},
    ],
    "filings": {"recent": {"form": ["10-K"]}},
}


def page(**changed: Any) -> bytes:
    return json.dumps({**PAGE, **changed}).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (SHORT, [("AAPL", "Apple Inc.", None, None, "0000320193")]),
        (b'[{"cik_str": "1", "ticker": "A", "title": null}]', [("A", None, None, None, "0000000001")]),
        (LONG, [("AIR", "AAR CORP", "NYSE", "XNYS", "0000001750"), ("NA", "N", None, None, "0000000002")]),
        (
            b'{"fields": ["cik", "seriesId", "classId", "symbol"], "data": [[2110, "S1", "C1", "LACAX"]]}',
            [("LACAX", None, None, None, "0000002110")],
        ),
        (TABLE, [("AIR", "Aar, Corp", "NYSE", "XNYS", "0000001750"), ("NAN", "N", None, None, "0000000002")]),
        (b"cik_str,ticker\n1,A\n", [("A", None, None, None, "0000000001")]),
    ],
    ids=["short", "array", "long", "funds", "table", "without names"],
)
def test_lists_of_tickers(body: bytes, expected: list[object]) -> None:
    """NA and NAN are tickers, None is no exchange, and a CIK has ten digits."""
    frame = decode.listings(body, ASK)

    assert expected == frame.select("symbol", "name", "exchange", "mic", "cik").rows()
    assert {"active"} == set(frame["status"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "it named no ticker"),
        (b'{"0": {"cik_str": -1, "ticker": "A"}}', "a value of cik was '-1'"),
        (b'{"0": {"cik_str": 1, "ticker": ""}}', "a row had no ticker"),
        (b'{"fields": ["cik", "name"], "data": []}', "the field symbol was missing"),
        (b'{"fields": ["cik", "name", "ticker", "exchange"], "data": [[1]]}', "another number of cells"),
        (TABLE[:-9], "its last line was cut"),
        (b"CIK,Name\n1,A\n", "the column symbol was missing"),
        (b'{"0": {"cik_str": 1}}', "ticker"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_is_no_list(body: bytes, words: str) -> None:
    """The defect is stated."""
    with pytest.raises(UndecodablePayload, match=words):
        decode.listings(body, ASK)


def test_names_of_an_issuer() -> None:
    """The present one begins where the last one of before ended; a page tells the rest of all."""
    frame = decode.issuers(page(), ASK)

    assert frame.select("name", "valid_from", "valid_to").rows() == [
        ("Apple Inc.", date(2019, 8, 5), None),
        ("APPLE INC", date(2007, 1, 10), date(2019, 8, 5)),
        ("APPLE COMPUTER INC", date(1994, 1, 26), date(2007, 1, 4)),
    ]
    told = frame.select("cik", "lei", "sic", "industry", "category", "country", "fiscal_year_end").unique().rows()
    assert told == [("0000320193", None, "3571", "Electronic Computers", "operating", "CA", "0926")]


def test_an_issuer_without_former_names() -> None:
    """Since when it is called so is not told."""
    frame = decode.issuers(page(formerNames=[], lei="HWUPKR0MPOU8FGXBT394"), ASK)

    assert [("Apple Inc.", None, None, "HWUPKR0MPOU8FGXBT394")] == frame.select(
        "name", "valid_from", "valid_to", "lei"
    ).rows()


def test_tickers_of_an_issuer() -> None:
    """Each has its exchange where the page tells one."""
    rows = decode.identifiers(page(), ASK).select("asked_type", "asked", "symbol", "exchange", "cik", "name").rows()

    told = ("cik", "0000320193")
    assert rows == [
        (*told, "AAPL", "Nasdaq", "0000320193", "Apple Inc."),
        (*told, "APLX", None, "0000320193", "Apple Inc."),
    ]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, SHORT, None),
        (200, TABLE, None),
        (200, SHORT[:-2], FailureClass.TRANSIENT),
        (403, b"<h1>Your Request Originates from an Undeclared Automated Tool</h1>", FailureClass.AUTH),
        (429, b"<h1>Request Rate Threshold Exceeded</h1>", FailureClass.THROTTLED),
        (404, b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", FailureClass.PERMANENT),
        (403, b"<h1>Access Denied</h1>", FailureClass.BLOCKED),
    ],
)
def test_refusals(status: int, body: bytes, expected: FailureClass | None) -> None:
    """The SEC says in pages what it does not like."""
    found = classify(Answer(url="", status=status, content_type="", headers={}, body=body))

    assert expected == (found.failure_class if found else None)


def test_a_refusal_is_no_list() -> None:
    """It ends in what it means."""
    with pytest.raises(ProviderRefused):
        decode.listings(b"<h1>Request Rate Threshold Exceeded</h1>", ASK)


def test_an_issuer_is_asked_for_by_its_cik_and_by_somebody() -> None:
    """Ten digits, whatever was written; who asks stands in a header."""
    asked = [request(Ask(kind="issuers", symbol=one), key="Acme a@b.example") for one in ("320193", "CIK320193", "A/B")]

    assert [one.url.rpartition("/")[2] for one in asked] == ["CIK0000320193.json"] * 2 + ["CIKA%2FB.json"]
    assert {"User-Agent": "Acme a@b.example"} == asked[0].secret_headers
    assert {} == request(ASK).secret_headers
    assert "BRK-B" == spell("BRK.B")


def test_the_recorded_lists(recordings: Path) -> None:
    """9,145 tickers in the shorter list, 9,713 in the longer one, of which 168 are on no exchange."""
    short = decode.listings(gzip.decompress((recordings / "sec" / "company_tickers.json.gz").read_bytes()), ASK)
    long = decode.listings(gzip.decompress((recordings / "sec" / "stocks_mappings.csv.gz").read_bytes()), ASK)

    assert (9145, 9713, 168) == (len(short), len(long), long["exchange"].null_count())
    assert short.select("symbol", "cik").row(0) == ("AAPL", "0000320193")
