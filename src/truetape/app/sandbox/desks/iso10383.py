"""The desk of the register of markets: a register of the venues that the dataset has."""

from __future__ import annotations

from typing import Final

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query, Reply
from truetape.app.sandbox.register_desk import RegisterDesk

HEADING: Final = (
    "MIC,OPERATING MIC,OPRT/SGMT,MARKET NAME-INSTITUTION DESCRIPTION,LEGAL ENTITY NAME,LEI,MARKET CATEGORY CODE,"
    "ACRONYM,ISO COUNTRY CODE (ISO 3166),CITY,WEBSITE,STATUS,CREATION DATE,LAST UPDATE DATE,LAST VALIDATION DATE,"
    "EXPIRY DATE,COMMENTS"
)


class Iso10383Desk(RegisterDesk):
    """The whole register, whatever is asked."""

    routes = ("/sites/default/files/ISO10383_MIC/ISO10383_MIC.csv",)
    drifting = "OPERATING MIC"

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
