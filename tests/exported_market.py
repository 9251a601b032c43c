"""The small market with bars below a day, and two more instruments: what exports are made of.

AAPL has four minutes of 2005-02-25, of which the first lies before the session, and two hours. BTC/USD trades on a
venue without a calendar, in eighths of a cent and thousandths of a coin; OLD had the ticker META before 2010.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from room_doubles import rows
from small_market import APPLE, ORIGIN, filled_folder, golden
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.exports.series import Era, Member, Series

COIN, OLD = "ins_coin", "ins_old"
FRIDAY = date(2005, 2, 25)
MINUTES = [datetime(2005, 2, 25, *clock, tzinfo=UTC) for clock in ((14, 29), (14, 30), (14, 31), (20, 59))]
HOURS = [datetime(2005, 2, 25, hour, 30, tzinfo=UTC) for hour in (14, 15)]
DAWN = date(2024, 1, 6)  # a Saturday
OPEN_NS = 1_109_341_800_000_000_000  # 2005-02-25T14:30:00Z
DAY_NS = 86_400_000_000_000


async def market(path: Path) -> Path:
    """Make a data folder of the market and return its path."""
    await filled_folder(path)
    folder = DataFolder.open(path, simulated=True)
    store = DuckdbStore(folder.store)
    tables = {"bars": _bars(), "instruments": _instruments(), "listings": _listings()}
    await store.commit({**tables, "trades": _trades(), "quotes": _quotes()})
    await store.close()
    folder.close()
    return path


def _bars() -> pl.DataFrame:
    below = [
        golden(
            APPLE, [FRIDAY] * 4, [89.5, 89.75, 89.8, 90.0], [10.0, 20.0, 30.0, 40.0], timeframe="1m", ts_event=MINUTES
        ),
        golden(APPLE, [FRIDAY] * 2, [89.5, 90.0], [50.0, 60.0], timeframe="1h", ts_event=HOURS),
    ]
    coin = golden(COIN, [DAWN], [44_000.00125], [1.125])
    old = golden(OLD, [date(2009, 12, 31)], [12.3456], [7.0])
    unpriced = golden(OLD, [date(2009, 12, 30)], [12.0], [7.0]).with_columns(pl.lit(None, pl.Float64).alias("open"))
    return pl.concat([*below, coin, old, unpriced])


def _instruments() -> pl.DataFrame:
    return rows(
        "instruments",
        instrument_id=[COIN, OLD],
        name=["Bitcoin", "Metals of Old"],
        asset_class=["crypto", "equity"],
        currency="USD",
        **ORIGIN,
    )


def _listings() -> pl.DataFrame:
    return rows(
        "listings",
        instrument_id=[COIN, OLD],
        symbol=["BTC/USD", "META"],
        mic=["XCBE", "XNYS"],
        valid_from=[None, date(2001, 1, 2)],
        valid_to=[None, date(2010, 1, 1)],
        **ORIGIN,
    )


MEMBER = Member(
    instrument_id="ins_a",
    asked="A",
    name="A",
    asset_class="equity",
    currency="USD",
    eras=(Era(symbol="BRK.A", mic="XNYS", first=date.min, last=date.max),),
    begins=None,
    ends=None,
)


def _trades() -> pl.DataFrame:
    """Four trades of AAPL on two days; the second was cancelled, the third corrected, and another provider told one."""
    at = [OPEN_NS, OPEN_NS + 1, OPEN_NS + 2, OPEN_NS + DAY_NS, OPEN_NS + 1, OPEN_NS + 2, OPEN_NS]
    return rows(
        "trades",
        instrument_id=APPLE,
        ts_event=at,
        provider=["alpaca"] * 6 + ["tiingo"],
        price=[89.01, 89.02, 89.03, 44.25, 89.02, 89.04, 89.01],
        size=[100.0, 5.0, 7.0, 1.0, 5.0, 7.0, 100.0],
        trade_id=["1", "2", "3", "4", "2", "3", "z"],
        side=["buy", None, "sell", None, None, None, None],
        venue="V",
        correction=["", "", "", "", "cancel", "correct", ""],
        currency="USD",
        place=[0, 1, 2, 3, 4, 5, 0],
        payload="p" * 64,
        **ORIGIN,
    )


def _quotes() -> pl.DataFrame:
    return rows(
        "quotes",
        instrument_id=APPLE,
        ts_event=[OPEN_NS + 3, OPEN_NS + 4],
        provider="alpaca",
        bid=[89.0, 89.01],
        bid_size=[200.0, 300.0],
        ask=[89.05, None],
        ask_size=[None, None],
        currency="USD",
        payload="q" * 64,
        **ORIGIN,
    )


def series(days: list[date], actions: list[tuple[date, str, float]]) -> Series:
    """Daily bars of BRK.A that stand at 10, with its actions: what a sink takes."""
    stamps = pl.Series("ts_event", days, dtype=pl.Date).cast(pl.Datetime("ns", "UTC"))
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), [10.0] * len(days))
    return Series(
        member=MEMBER,
        timeframe="1d",
        basis="raw",
        bars=pl.DataFrame({"ts_event": stamps, **prices}),
        actions=pl.DataFrame(
            actions, schema={"ex_date": pl.Date, "type": pl.String, "value": pl.Float64}, orient="row"
        ),
        closes=pl.DataFrame(),
    )
