"""Every row of every recorded series, compared with a plain reading of the same JSON by the standard library."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from truetape.domain.asks import Ask
from truetape.providers.alpha_vantage import decode as alpha_vantage
from truetape.providers.iex_cloud import decode as iex_cloud
from truetape.providers.yahoo import decode as yahoo

ASK = Ask(kind="bars", symbol="ACME")
PRICES = ("open", "high", "low", "close")
Row = tuple[Any, ...]


def single(value: float | None) -> float | None:
    """The shortest decimal of a 32-bit float that was widened to 64; any other number as it is."""
    narrow = np.float32(value) if value is not None else None
    return float(str(narrow)) if narrow is not None and float(narrow) == value else value


def yahoo_rows(result: dict[str, Any]) -> list[Row]:
    """Day or instant, prices, volume and adjusted close of each row that has a price."""
    zone = ZoneInfo(result["meta"]["exchangeTimezoneName"])
    intraday = result["meta"]["dataGranularity"].endswith(("m", "h"))
    quote = result["indicators"]["quote"][0]
    adjusted = result["indicators"].get("adjclose", [{}])[0].get("adjclose")
    rows = []
    for place, stamp in enumerate(result.get("timestamp", [])):
        prices = [single(quote[name][place]) if name in quote else None for name in PRICES]
        if any(price is not None for price in prices):
            moment = datetime.fromtimestamp(stamp, UTC)
            when = moment if intraday else moment.astimezone(zone).date()
            volume = quote["volume"][place] if "volume" in quote else None
            rows.append((when, *prices, volume, single(adjusted[place]) if adjusted else None))
    return rows


def live(result: dict[str, Any]) -> bool:
    """Whether the last row is the running session's, stamped with its last trade."""
    stamps = result.get("timestamp") or [0]
    return bool(stamps[-1] == result["meta"].get("regularMarketTime"))


def test_every_row_of_yahoos_charts(recordings: Path) -> None:
    """Days are the exchange's own, prices the decimals that 32 bits stand for; a live row ends up in its day."""
    files = sorted((recordings / "yahoo" / "chart_v8").glob("*.json"))
    compared = 0
    for file in files:
        result = json.loads(file.read_bytes())["chart"]["result"][0]
        frame = yahoo.bars(file.read_bytes(), ASK)
        starts = frame["ts_event"].to_list()
        intraday = result["meta"]["dataGranularity"].endswith(("m", "h"))
        labels = [start if intraday else start.date() for start in starts]
        found = dict(zip(labels, frame.select(*PRICES, "volume", "adj_close").rows(), strict=True))
        expected = {row[0]: row[1:] for row in yahoo_rows(result)}
        whole = result["meta"]["dataGranularity"] == "1d" or not live(result)
        joined = {label: values for label, values in expected.items() if whole or label in found}
        if not whole:
            joined.popitem()
        assert {label: found[label] for label in joined} == joined, file.name
        assert len(found) == len(joined) + (0 if whole else 1), file.name
        compared += len(joined)
    assert len(files) >= 35
    assert compared > 15_900


@pytest.mark.parametrize(
    ("name", "key", "zone"),
    [
        ("FX_DAILY_CHFUSD_full", "Time Series FX (Daily)", "UTC"),
        ("FX_DAILY_EURAUD_partial", "Time Series FX (Daily)", "UTC"),
        ("TIME_SERIES_DAILY_ADJUSTED_IBM_partial", "Time Series (Daily)", "UTC"),
        ("TIME_SERIES_DAILY_IBM_partial", "Time Series (Daily)", "UTC"),
        ("TIME_SERIES_INTRADAY_AAPL_15min", "Time Series (15min)", "America/New_York"),
        ("TIME_SERIES_INTRADAY_MSFT_1min_2017", "Time Series (1min)", "America/New_York"),
    ],
)
def test_every_row_of_alpha_vantages_series(recordings: Path, name: str, key: str, zone: str) -> None:
    """Each text becomes the float that Python makes of it, at its moment in UTC."""
    body = (recordings / "alpha_vantage" / f"{name}.json").read_bytes()
    expected = {}
    for stamp, row in json.loads(body)[key].items():
        fields = {name.partition(" ")[2]: float(value) for name, value in row.items()}
        moment = datetime.fromisoformat(stamp).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        expected[moment] = tuple(fields.get(field) for field in (*PRICES, "volume", "adjusted close"))
    frame = alpha_vantage.bars(body, ASK)
    found = dict(zip(frame["ts_event"], frame.select(*PRICES, "volume", "adj_close").rows(), strict=True))
    assert found == expected


def test_every_row_of_iex_clouds_chart(recordings: Path) -> None:
    """Raw prices and volumes, and the fully adjusted close beside them."""
    body = (recordings / "iex_cloud" / "stock_GME_chart_ytd.json").read_bytes()
    expected = {
        date.fromisoformat(row["date"]): (
            *(row[f"u{name.title()}"] for name in (*PRICES, "volume")),
            row["fClose"],
        )
        for row in json.loads(body)
    }
    frame = iex_cloud.bars(body, ASK)
    found = dict(zip(frame["ts_event"].dt.date(), frame.select(*PRICES, "volume", "adj_close").rows(), strict=True))
    assert found == expected
