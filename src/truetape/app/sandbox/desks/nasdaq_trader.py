"""Nasdaq Trader's desk: the dataset's shares as the three files of the symbol directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import TEXT, Query, Reply
from truetape.app.sandbox.listed import listed
from truetape.app.sandbox.register_desk import NOT_FOUND, RegisterDesk

LETTERS: Final = {"XNAS": "Q", "XNYS": "N", "XASE": "A", "ARCX": "P", "BATS": "Z", "IEXG": "V"}
HEADINGS: Final = {
    "nasdaqtraded": "Nasdaq Traded|Symbol|Security Name|Listing Exchange|Market Category|ETF|Round Lot Size|"
    "Test Issue|Financial Status|CQS Symbol|NASDAQ Symbol|NextShares",
    "nasdaqlisted": "Symbol|Security Name|Market Category|Test Issue|Financial Status|Round Lot Size|ETF|NextShares",
    "otherlisted": "ACT Symbol|Security Name|Exchange|CQS Symbol|ETF|Round Lot Size|Test Issue|NASDAQ Symbol",
}
_TEST: Final = ("ZVZZT", "NASDAQ TEST STOCK", "Q", "Y")


class NasdaqTraderDesk(RegisterDesk):
    """The list of what is listed, whatever is asked."""

    routes = ("/dynamic/SymDir/{file}.txt",)
    drifting = "Security Name"

    def refusal(self, query: Query) -> Reply | None:
        """Refuse files that there are not."""
        return None if query.parts["file"] in HEADINGS else NOT_FOUND

    def catalogue(self, dataset: Dataset, query: Query) -> Reply:
        """Answer the file, with a test issue, and with the line that ends it."""
        rows = listed(dataset, spell=str, exchanges=LETTERS).select("symbol", "name", "exchange").rows()
        lines = [_line(query.parts["file"], cells) for cells in [*((*row, "N") for row in rows), _TEST]]
        heading = HEADINGS[query.parts["file"]]
        made = f"File Creation Time: {query.today:%m%d%Y}21:31{'|' * heading.count('|')}"
        return Reply(200, "\r\n".join([heading, *(one for one in lines if one), made, ""]).encode(), TEXT)


def _line(file: str, cells: Sequence[str]) -> str:
    """Return one line of a file; "" of the files of other exchanges."""
    symbol, name, exchange, test = cells
    if file == "nasdaqtraded":
        tier = "Q" if exchange == "Q" else " "
        return f"Y|{symbol}|{name}|{exchange}|{tier}|N|100|{test}||{symbol}|{symbol}|N"
    if file == "nasdaqlisted":
        return f"{symbol}|{name}|Q|{test}|N|100|N|N" if exchange == "Q" else ""
    return f"{symbol}|{name}|{exchange}|{symbol}|N|100|{test}|{symbol}" if exchange != "Q" else ""


DESK: Final = NasdaqTraderDesk()
