"""IEX Cloud's desk: charts; errors are plain text."""

from __future__ import annotations

from typing import Final

from truetape.app.sandbox.desk import TEXT, Desk, Query, Reply, since
from truetape.app.sandbox.truth import View
from truetape.services.api.dialects import iex_cloud

_CREDITS: Final = 10  # message credits of one row of the daily chart
_MONTHS: Final = {"1m": 1, "3m": 3, "6m": 6, "1y": 12, "2y": 24, "5y": 60, "max": 180}
_DAYS: Final = {"5d": 5}


class IexCloudDesk(Desk):
    """Charts with raw, split-adjusted and fully adjusted prices; errors are plain text."""

    routes = ("/{version:(?:(?:v1|stable|latest)/)?}stock/{symbol}/chart/{range}",)
    key_parameter = "token"
    throttled = Reply(429, b"Too many requests", TEXT)
    drifting = "date"
    soft = Reply(200, b"Too many requests", TEXT)
    spent = soft

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and unknown ranges."""
        if not query.keyed:
            return Reply(401, b"An API key is required to access this data and no key was provided", TEXT)
        if query.parts["range"] not in {*_MONTHS, "ytd", "5d"}:
            return Reply(400, b"Invalid values were supplied for the API request", TEXT)
        return None

    def unknown(self, _query: Query) -> Reply:
        """Answer 404."""
        return Reply(404, b"Unknown symbol", TEXT)

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the range that ends today, both ends inclusive; "max" is fifteen years."""
        if query.parts["range"] in _DAYS:
            part = truth.latest(_DAYS[query.parts["range"]])
        else:
            part = truth.between(since(query.parts["range"], query.today, _MONTHS), query.today)
        headers = {"iexcloud-messages-used": str(_CREDITS * len(part.raw))}
        return Reply(200, iex_cloud.chart(part.raw, split=part.split, full=part.full), headers=headers)


DESK: Final = IexCloudDesk()
