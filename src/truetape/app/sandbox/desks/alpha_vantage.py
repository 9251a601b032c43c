"""Alpha Vantage's desk: daily and daily adjusted series; errors come with status 200."""

from __future__ import annotations

from typing import Final

from truetape.app.sandbox.desk import Desk, Query, Reply
from truetape.app.sandbox.truth import View
from truetape.services.api.dialects import alpha_vantage

_COMPACT: Final = 100  # points in the short answer


class AlphaVantageDesk(Desk):
    """Daily and daily adjusted series: raw prices; errors come with status 200."""

    key_parameter = "apikey"
    routes = ("/query",)
    soft = Reply(200, alpha_vantage.note("Rehearsal: the call frequency is limited to 5 calls per minute."))
    spent = Reply(200, alpha_vantage.information("Rehearsal: the rate limit of 25 requests per day is reached."))
    throttled = Reply(429, soft.body)
    drifting = "4. close"
    functions = ("TIME_SERIES_DAILY", "TIME_SERIES_DAILY_ADJUSTED")

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and functions and sizes that are unknown here."""
        params = query.params
        if not query.keyed:
            return Reply(200, alpha_vantage.error_message("the parameter apikey is invalid or missing."))
        known = params.get("function") in self.functions and params.get("datatype", "json") == "json"
        if not known or params.get("outputsize", "full") not in {"compact", "full"}:
            return self.unknown(query)
        return None

    def unknown(self, query: Query) -> Reply:
        """Answer an error message, as for every call that is not understood."""
        function = query.params.get("function", "")[:40] or "a function"
        return Reply(
            200, alpha_vantage.error_message(f"Invalid API call. Please retry or see the manual for {function}.")
        )

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the whole series, or its last 100 bars."""
        part = truth if query.params.get("outputsize") == "full" else truth.latest(_COMPACT)
        if query.params["function"] == "TIME_SERIES_DAILY":
            return Reply(200, alpha_vantage.daily(part.raw))
        return Reply(200, alpha_vantage.daily_adjusted(part.raw, part.actions))


DESK: Final = AlphaVantageDesk()
