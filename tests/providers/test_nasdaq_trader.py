"""The symbol directory: its three files by value, its last line, test issues, and what is no list."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.ports.http import Unreachable
from truetape.providers.nasdaq_trader import decode, spell
from truetape.providers.nasdaq_trader.classify import classify
from truetape.providers.nasdaq_trader.client import Client, request

ASK = Ask(kind="listings", symbol="")
TRAILER = b"File Creation Time: 1125202621:31|||||||\r\n"
LISTED = (
    b"Symbol|Security Name|Market Category|Test Issue|Financial Status|Round Lot Size|ETF|NextShares\r\n"
    b"NA|Nano Labs Ltd - ADS|S|N|D|100|N|N\r\n"
    b"AAXJ|A fund|G|N| |100|Y|N\r\n"
    b"ODD|Odd tier|?|N|N|100|N|N\r\n"
    b"ZVZZT|NASDAQ TEST STOCK|G|Y|N|100||N\r\n"
)
OTHER = (
    b"ACT Symbol|Security Name|Exchange|CQS Symbol|ETF|Round Lot Size|Test Issue|NASDAQ Symbol\r\n"
    b"BRK.B|Berkshire Hathaway Inc.|N|BRK.B|N|100|N|BRK.B\r\n"
    b"ABR$D|Arbor preferred|N|ABRpD|N|100|N|ABR-D\r\n"
    b"NEW|New venue|?|NEW|N|100|N|NEW\r\n"
)
TRADED = (
    b"Nasdaq Traded|Symbol|Security Name|Listing Exchange|Market Category|ETF|Round Lot Size|Test Issue|"
    b"Financial Status|CQS Symbol|NASDAQ Symbol|NextShares\r\n"
    b"Y|A|Agilent|N| |N|100|N||A|A|N\r\n"
    b"Y|AAPL|Apple|Q|Q|N|100|N|N||AAPL|N\r\n"
)


class OneAnswer:
    """Send the same body, whatever is asked."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def send(self, request: Request) -> Answer:
        """Answer with status 200."""
        return Answer(url=request.url, status=200, content_type="text/plain", headers={}, body=self._body)


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(url="", status=status, content_type="text/plain", headers={}, body=body)


def test_those_of_nasdaq() -> None:
    """NA is a ticker, a test issue is none, the market category is the market, and the last line is no symbol."""
    rows = decode.directory(LISTED + TRAILER).select("symbol", "exchange", "mic", "asset_class", "status", "condition")

    assert rows.rows() == [
        ("NA", "Q", "XNCM", "equity", "active", "D"),
        ("AAXJ", "Q", "XNMS", "etf", "active", None),
        ("ODD", "Q", "XNAS", "equity", "active", "N"),
    ]


def test_those_of_other_exchanges() -> None:
    """Exchanges are in the directory's letters; one that is not known has no MIC."""
    rows = decode.listings(OTHER + TRAILER, ASK).select("symbol", "exchange", "mic", "currency").rows()

    assert rows == [("BRK.B", "N", "XNYS", "USD"), ("ABR$D", "N", "XNYS", "USD"), ("NEW", "?", None, "USD")]


def test_all_that_is_traded() -> None:
    """One file has them all."""
    rows = decode.listings(b"\xef\xbb\xbf" + TRADED + TRAILER, ASK).select("symbol", "exchange", "mic").rows()

    assert rows == [("A", "N", "XNYS"), ("AAPL", "Q", "XNGS")]


def test_a_file_without_its_last_line_can_be_read() -> None:
    """Others keep it so; only its lines must be whole."""
    assert 3 == len(decode.listings(LISTED, ASK))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (LISTED[:-3], "its last line was cut"),
        (LISTED + b"AB|C\n" + TRAILER, "the line of 'AB' was cut"),
        (LISTED + b"|No symbol|S|N|D|100|N|N\r\n" + TRAILER, "a line had no symbol"),
        (LISTED + TRAILER + b"MORE|x|S|N|D|100|N|N\r\n", "lines came after the one that ends it"),
        (LISTED + b"A|b|S|N|D|100|N|N|too|many\r\n" + TRAILER, "it was no table"),
        (LISTED.replace(b"Test Issue", b"Tested"), "its first line was"),
        (b"Symbol|Symbol|Security Name|Test Issue|ETF\nA|B|C|N|N\n", "its first line was"),
        (b"\xff\xfe|Symbol\n", "its first line was no text"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_what_is_no_directory(body: bytes, words: str) -> None:
    """The defect is stated."""
    with pytest.raises(UndecodablePayload, match=words):
        decode.listings(body, ASK)


def test_a_page_is_refused() -> None:
    """It is classified as its words say, when it is asked for and when it is read."""
    page = b"<html><h1>Access Denied</h1></html>"

    with pytest.raises(ProviderRefused):
        decode.listings(page, ASK)
    found = [classify(answer(*one)) for one in ((page,), (b"",), (b"Symbol|", 500), (LISTED,))]
    expected = [FailureClass.BLOCKED, FailureClass.TRANSIENT, FailureClass.TRANSIENT, None]
    assert expected == [one and one.failure_class for one in found]


async def test_a_list_without_its_end_never_came() -> None:
    """The client takes no list that lacks its last line; a page is handed on."""
    whole, page = LISTED + TRAILER, b"<html></html>"
    assert [whole, page] == [(await Client(OneAnswer(body)).fetch(ASK)).body for body in (whole, page)]
    with pytest.raises(Unreachable, match="ended before its last line"):
        await Client(OneAnswer(LISTED)).fetch(ASK)


def test_the_file_is_named_by_the_symbol() -> None:
    """Without one it is the file with all symbols; ours are spelled as theirs."""
    urls = [request(Ask(kind="listings", symbol=name)).url.rpartition("/")[2] for name in ("", "otherlisted", "../x")]

    assert ["nasdaqtraded.txt", "otherlisted.txt", "nasdaqtraded.txt"] == urls
    assert "BRK.B" == spell("brk.b")


def test_the_recorded_directory(recordings: Path) -> None:
    """3,551 lines, of which nine are tests; the first and the last are real."""
    body = gzip.decompress((recordings / "reference" / "nasdaqlisted_2020-06.txt.gz").read_bytes())
    frame = decode.directory(body)

    assert (3542, "AACG", "ZYXI") == (len(frame), frame["symbol"][0], frame["symbol"][-1])
    assert body.count(b"|Y|", body.index(b"\n")) >= 9
    assert {"N": 3272, "D": 252, "E": 12, "H": 6} == dict(frame["condition"].value_counts().iter_rows())
