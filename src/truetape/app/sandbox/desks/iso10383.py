"""The desk of the register of markets: a register of the venues that the dataset has."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import HTML, Desk, Query, Reply
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

HEADING: Final = (
    "MIC,OPERATING MIC,OPRT/SGMT,MARKET NAME-INSTITUTION DESCRIPTION,LEGAL ENTITY NAME,LEI,MARKET CATEGORY CODE,"
    "ACRONYM,ISO COUNTRY CODE (ISO 3166),CITY,WEBSITE,STATUS,CREATION DATE,LAST UPDATE DATE,LAST VALIDATION DATE,"
    "EXPIRY DATE,COMMENTS"
)
_NONE: Final = Reply(404, b"<html>Page not found</html>\n", HTML)


class Iso10383Desk(Desk):
    """The whole register, whatever is asked."""

    routes = ("/sites/default/files/ISO10383_MIC/ISO10383_MIC.csv",)
    throttled = Reply(429, b"<html>Too Many Requests</html>\n", HTML)
    soft = Reply(200, b"<html><h1>Service Unavailable</h1></html>\n", HTML)
    spent = throttled
    drifting = "OPERATING MIC"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.PERMANENT: _NONE,
            FailureClass.TRANSIENT: soft,
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def refusal(self, query: Query) -> Reply | None:  # noqa: ARG002 - there is one question
        """Refuse nothing."""
        return None

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - there is one question
        """Answer 404."""
        return _NONE

    def data(self, truth: View, query: Query) -> Reply:  # noqa: ARG002 - the register is about no symbol
        """Answer 404: the register is about no symbol."""
        return _NONE

    def catalogue(self, dataset: Dataset, query: Query) -> Reply:  # noqa: ARG002 - it is always the same
        """Answer the register, in Windows-1252, as it was for long."""
        mics = sorted({one.mic for one in dataset.series.values()})
        lines = [
            f'{mic},{mic},OPRT,"MARKET {mic}, THE BÖRSE",OWNER OF {mic},,RMKT,,US,NEW YORK,,ACTIVE,'
            "20050627,20200101,20200101,,"
            for mic in mics
        ]
        lines += ["XOLD,XOLD,OPRT,OLD MARKET,,,NSPD,,DE,BERLIN,,EXPIRED,20050627,20200101,20200101,20200630,"]
        return Reply(200, "\r\n".join([HEADING, *lines, ""]).encode("cp1252"), "text/csv")


DESK: Final = Iso10383Desk()
