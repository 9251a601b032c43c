"""What a data folder keeps and what that costs, as it is and as other rules would have it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl

from truetape.adapters.file_archive import FileArchive
from truetape.app.tier_settings import Tiering, with_rule
from truetape.app.tiers import Lifecycle
from truetape.domain.errors import BadInput
from truetape.ports.store import Selection, Store
from truetape.services.storage.costs import after, costs

PAYLOADS: Final = "payloads"


async def costed(kept: Lifecycle, archive: FileArchive, rules: Sequence[str]) -> dict[str, Any]:
    """Return rows, bytes and money a month by tier, table and provider, and in all; with `rules`, also then.

    Raises:
        BadInput: A rule is none.
        StoreUnavailable: The store or the archive cannot be read now.
    """
    prices = kept.settings.prices
    held = pl.concat([await kept.tiers.holdings(), await _payloads(kept.store, archive)])
    now = costs(held, prices)
    found = {
        "rows": now.to_dicts(),
        "bytes": int(now["bytes"].sum()),
        "money": float(now["money"].sum()),
        "currency": prices.currency,
        "rules": list(rules),
    }
    if not rules:
        return found
    changed = replace(kept, settings=_with_rules(kept, rules))
    then = costs(after(held, await changed.due()), prices)
    return {**found, "bytes_then": int(then["bytes"].sum()), "money_then": float(then["money"].sum())}


def _with_rules(kept: Lifecycle, rules: Sequence[str]) -> Tiering:
    settings = kept.settings
    for rule in rules:
        try:
            settings = with_rule(settings, rule)
        except ValueError:
            fix = 'Write a table, an age and a time, such as "bars.hot=2y", "bars.warm=10y" or "quotes.keep=90d".'
            raise BadInput(parameter="--if", value=rule, fix=fix) from None
    return settings


async def _payloads(store: Store, archive: FileArchive) -> pl.DataFrame:
    """Return what the archive holds, by provider, in the columns of holdings."""
    captures = await store.read("captures", Selection(columns=("payload", "provider")))
    whose = dict(captures.iter_rows())
    summed: dict[str, tuple[int, int]] = {}
    for key, size in await asyncio.to_thread(lambda: list(archive.sizes())):
        provider = whose.get(key, "")
        count, total = summed.get(provider, (0, 0))
        summed[provider] = (count + 1, total + size)
    rows = [(PAYLOADS, PAYLOADS, None, None, name, count, size) for name, (count, size) in summed.items()]
    columns = {"tier": pl.String, "table": pl.String, "start": pl.Date, "end": pl.Date, "provider": pl.String}
    return pl.DataFrame(rows, schema={**columns, "rows": pl.Int64, "bytes": pl.Int64}, orient="row")
