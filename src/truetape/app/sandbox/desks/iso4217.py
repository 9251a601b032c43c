"""The desk of the lists of currencies: those of the dataset in use, and one withdrawn."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import HTML, Desk, Query, Reply
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

LISTS: Final = ("list-one", "list-three")
_NONE: Final = Reply(404, b"<html>Page not found</html>\n", HTML)
_WITHDRAWN: Final = (
    "<HstrcCcyNtry><CtryNm>GERMANY</CtryNm><CcyNm>Deutsche Mark</CcyNm><Ccy>DEM</Ccy><CcyNbr>276</CcyNbr>"
    "<WthdrwlDt>2002-03</WthdrwlDt></HstrcCcyNtry>"
)


class Iso4217Desk(Desk):
    """The lists, whatever is asked."""

    routes = ("/dam/download/financial-information/data-center/iso-currrency/lists/{list}.xml",)
    throttled = Reply(429, b"<html>Too Many Requests</html>\n", HTML)
    soft = Reply(200, b"<html><h1>Service Unavailable</h1></html>\n", HTML)
    spent = throttled
    drifting = "Ccy"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.PERMANENT: _NONE,
            FailureClass.TRANSIENT: soft,
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def refusal(self, query: Query) -> Reply | None:
        """Refuse lists that there are not."""
        return None if query.parts["list"] in LISTS else _NONE

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - the answer is always the same
        """Answer 404."""
        return _NONE

    def data(self, truth: View, query: Query) -> Reply:  # noqa: ARG002 - no list is about one symbol
        """Answer 404: no list is about one symbol."""
        return _NONE

    def catalogue(self, dataset: Dataset, query: Query) -> Reply:
        """Answer the list of currencies in use, with one that has no decimals, or of those withdrawn."""
        codes = sorted({one.currency for one in dataset.series.values() if one.currency})
        rows = "".join(
            f"<CcyNtry><CtryNm>LAND OF {code}</CtryNm><CcyNm>Money {code}</CcyNm><Ccy>{code}</Ccy>"
            f"<CcyNbr>{number:03}</CcyNbr><CcyMnrUnts>2</CcyMnrUnts></CcyNtry>"
            for number, code in enumerate(codes, start=1)
        )
        rows += "<CcyNtry><CtryNm>ANTARCTICA</CtryNm><CcyNm>No universal currency</CcyNm></CcyNtry>"
        rows += "<CcyNtry><CtryNm>ZZ</CtryNm><CcyNm>Gold</CcyNm><Ccy>XAU</Ccy><CcyMnrUnts>N.A.</CcyMnrUnts></CcyNtry>"
        rows = rows if query.parts["list"] == LISTS[0] else _WITHDRAWN
        body = f'<?xml version="1.0"?>\n<ISO_4217 Pblshd="{query.today}"><CcyTbl>{rows}</CcyTbl></ISO_4217>\n'
        return Reply(200, body.encode(), "text/xml")


DESK: Final = Iso4217Desk()
