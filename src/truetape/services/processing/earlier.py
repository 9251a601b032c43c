"""What was claimed before a round closed: the claims that its own are judged among."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from truetape.domain.messages import RoundClosed
from truetape.domain.schema import TABLES, empty
from truetape.ports.store import Selection, Store
from truetape.services.processing.rates import RATES, pair_of

CONTEXT_DAYS: Final = 200  # calendar days of daily bars before a round's, that it is judged by


async def claims_before(store: Store, message: RoundClosed) -> dict[str, pl.DataFrame]:
    """Return the claims by table that were known when the round closed, of this round only if the message comes again.

    Daily bars are judged by those before them. A round about exchange rates has neither bars nor actions.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    if message.kind == RATES:
        wanted = Selection(
            equal=pair_of(message.instrument_id), start=message.start, end=message.end, as_of=message.ts_known
        )
        nothing = {name: empty(TABLES[name].columns) for name in ("action_claims", "bar_claims")}
        return {**nothing, "rate_claims": await store.read("rate_claims", wanted)}
    before = timedelta(days=CONTEXT_DAYS if message.timeframe == "1d" else 0)
    one = {"instrument_id": (message.instrument_id,)}
    bars = Selection(
        equal={**one, "timeframe": (message.timeframe,)},
        start=message.start - before,
        end=message.end,
        as_of=message.ts_known,
    )
    return {
        "action_claims": await store.read("action_claims", Selection(equal=one, as_of=message.ts_known)),
        "bar_claims": await store.read("bar_claims", bars),
    }
