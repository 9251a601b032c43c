"""The SEC's desk: the dataset's shares as the list of tickers, and a page for the issuer of each."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import msgspec

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import HTML, Desk, Query, Reply
from truetape.app.sandbox.listed import listed
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

EXCHANGES: Final = {"XNAS": "Nasdaq", "XNYS": "NYSE", "BATS": "CBOE"}
FIRST_CIK: Final = 1_000_001  # of the first share in alphabetical order
_NONE: Final = Reply(404, b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>\n", "application/xml")
_UNDECLARED: Final = Reply(
    403, b"<html><h1>Your Request Originates from an Undeclared Automated Tool</h1></html>\n", HTML
)


class SecDesk(Desk):
    """Lists and issuers for those who say who they are."""

    routes = ("/files/company_tickers_exchange.json", "/submissions/CIK{symbol}.json")
    key_header = "User-Agent"
    throttled = Reply(429, b"<html><h1>Request Rate Threshold Exceeded</h1></html>\n", HTML)
    soft = Reply(200, b"<html><h1>Request Rate Threshold Exceeded</h1></html>\n", HTML)
    spent = throttled
    drifting = "name"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.AUTH: _UNDECLARED,
            FailureClass.PERMANENT: _NONE,
            FailureClass.TRANSIENT: Reply(503, b"<html>Service Unavailable</html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: the SEC writes a class after a dash."""
        return symbol.replace("-", ".")

    def refusal(self, query: Query) -> Reply | None:
        """Refuse those who do not say who they are."""
        return None if query.keyed else _UNDECLARED

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - the answer is always the same
        """Answer 404 in XML."""
        return _NONE

    def data(self, truth: View, query: Query) -> Reply:  # noqa: ARG002 - an issuer has no prices
        """Answer the page of an issuer, whose CIK stands for its ticker here."""
        spelled = query.symbol.replace(".", "-")
        body: dict[str, Any] = {
            "cik": f"{FIRST_CIK:010}",
            "entityType": "operating",
            "sic": "3571",
            "sicDescription": "Electronic Computers",
            "name": f"{query.symbol} Corp",
            "tickers": [spelled],
            "exchanges": ["Nasdaq"],
            "lei": None,
            "category": "Large accelerated filer",
            "fiscalYearEnd": "1231",
            "stateOfIncorporation": "DE",
            "formerNames": [
                {"name": "Former Corp", "from": "2001-02-03T05:00:00.000Z", "to": "2012-03-04T05:00:00.000Z"}
            ],
        }
        return Reply(200, msgspec.json.encode(body))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the list of all tickers."""
        if "symbol" in query.parts:
            return None
        shares = listed(dataset, spell=lambda symbol: symbol.replace(".", "-"), exchanges=EXCHANGES)
        rows = shares.select("name", "symbol", "exchange").rows()
        data = [[FIRST_CIK + number, *row] for number, row in enumerate(rows)]
        return Reply(200, msgspec.json.encode({"fields": ["cik", "name", "ticker", "exchange"], "data": data}))


DESK: Final = SecDesk()
