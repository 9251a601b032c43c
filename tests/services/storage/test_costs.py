"""What keeping history costs: hand arithmetic on gigabytes of 10**9 bytes."""

from __future__ import annotations

from datetime import date

import polars as pl

from truetape.services.storage.costs import Prices, after, costs
from truetape.services.storage.lifecycle import Step

YEAR = (date(2020, 1, 1), date(2020, 12, 31))
GB = 10**9
COLUMNS = ["tier", "table", "start", "end", "provider", "rows", "bytes"]


def held(*rows: tuple[str, str, str, int, int]) -> pl.DataFrame:
    """Tier, table, provider, rows and bytes, all of one year."""
    told = [(tier, table, *YEAR, provider, count, size) for tier, table, provider, count, size in rows]
    return pl.DataFrame(told, schema=COLUMNS, orient="row")


def test_money_is_bytes_times_the_price_of_the_tier() -> None:
    """Two hot gigabytes at 0.10 cost 0.20, four of the archive at 0.01 cost 0.04; the dearest stand first."""
    holdings = held(("archive", "bars", "x", 5, 4 * GB), ("hot", "bars", "x", 1, GB), ("hot", "bars", "x", 1, GB))
    found = costs(holdings, Prices(hot=0.1, archive=0.01))
    assert found.rows() == [("hot", "bars", "x", 2, 2 * GB, 0.2), ("archive", "bars", "x", 5, 4 * GB, 0.04)]


def test_what_another_rule_would_make_of_it() -> None:
    """Moved rows take what cold ones of the table take, or 16 bytes; deleted ones nothing."""
    holdings = held(
        ("hot", "bars", "x", 100, 7000),
        ("warm", "bars", "x", 10, 130),
        ("hot", "quotes", "y", 10, 900),
        ("hot", "trades", "y", 1, 90),
    )
    steps = [
        Step("bars", *YEAR, "warm", 100, 7000, ""),
        Step("quotes", *YEAR, "archive", 10, 900, ""),
        Step("trades", *YEAR, "delete", 1, 90, ""),
        Step("bars", date.min, date.max, "delete", 1, 0, "", provider="x"),
    ]
    found = after(holdings, steps).sort("table", "rows").select("tier", "table", "rows", "bytes")
    assert found.rows() == [
        ("warm", "bars", 10, 130),
        ("warm", "bars", 100, 1300),
        ("archive", "quotes", 10, 160),
    ]
