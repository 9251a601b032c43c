"""Finnhub's desk: candles and quotes."""

from __future__ import annotations

from datetime import time
from typing import Final

import polars as pl

from truetape.app.sandbox.desk import Desk, Query, Reply, first_day, last_day_before, whole_number
from truetape.app.sandbox.truth import View, last_quote
from truetape.domain.schema import DECODED
from truetape.services.api.dialects import finnhub

_MIDNIGHT: Final = time(0)


class FinnhubDesk(Desk):
    """Candles and quotes: split-adjusted prices."""

    routes = ("/{version:(?:api/v1/)?}stock/{endpoint:candle}", "/{version:(?:api/v1/)?}{endpoint:quote}")
    key_parameter = "token"
    key_header = "X-Finnhub-Token"
    soft = Reply(200, finnhub.failure("API limit reached. Please try again later. Remaining Limit: 0"))
    spent = soft
    throttled = Reply(429, soft.body, headers={"X-Ratelimit-Limit": "60", "X-Ratelimit-Remaining": "0"})
    reset_header = "X-Ratelimit-Reset"
    drifting = "c"

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, resolutions other than D, and candles without from and to."""
        if not query.keyed:
            return Reply(401, finnhub.failure("Please use an API key."))
        if query.parts["endpoint"] == "quote":
            return None
        if query.params.get("resolution") != "D":
            return Reply(422, finnhub.failure("Wrong resolution: this rehearsal has daily bars (D) only."))
        wrong = [name for name in ("from", "to") if whole_number(query.params.get(name)) is None]
        return Reply(422, finnhub.failure(f"Wrong value for {wrong[0]}.")) if wrong else None

    def unknown(self, query: Query) -> Reply:
        """Answer no data, or a quote of zeros."""
        nothing = pl.DataFrame(schema=DECODED["quotes"])
        return Reply(200, finnhub.quote(nothing) if query.parts["endpoint"] == "quote" else b'{"s":"no_data"}')

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the bars labelled from `from` to `to`, both inclusive, or the last day's close as the quote."""
        if query.parts["endpoint"] == "quote":
            return Reply(200, finnhub.quote(last_quote(truth)))
        begin, end = whole_number(query.params["from"]), whole_number(query.params["to"])
        assert begin is not None
        assert end is not None
        first = first_day(begin, label=_MIDNIGHT, zone="UTC")
        last = last_day_before(end + 1, label=_MIDNIGHT, zone="UTC")
        return Reply(200, finnhub.candle(truth.between(first, last).split))


DESK: Final = FinnhubDesk()
