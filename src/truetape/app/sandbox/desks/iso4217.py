"""The desk of the lists of currencies: those of the dataset in use, and one withdrawn."""

from __future__ import annotations

from typing import Final

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query, Reply
from truetape.app.sandbox.register_desk import NOT_FOUND, RegisterDesk

LISTS: Final = ("list-one", "list-three")
_WITHDRAWN: Final = (
    "<HstrcCcyNtry><CtryNm>GERMANY</CtryNm><CcyNm>Deutsche Mark</CcyNm><Ccy>DEM</Ccy><CcyNbr>276</CcyNbr>"
    "<WthdrwlDt>2002-03</WthdrwlDt></HstrcCcyNtry>"
)


class Iso4217Desk(RegisterDesk):
    """The lists, whatever is asked."""

    routes = ("/dam/download/financial-information/data-center/iso-currrency/lists/{list}.xml",)
    drifting = "Ccy"

    def refusal(self, query: Query) -> Reply | None:
        """Refuse lists that there are not."""
        return None if query.parts["list"] in LISTS else NOT_FOUND

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
