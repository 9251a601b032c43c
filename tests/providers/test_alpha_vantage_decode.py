"""Alpha Vantage's series, read by value: the recorded ones, and small ones of our own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.alpha_vantage import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "alpha_vantage"
ASK = Ask(kind="bars", symbol="ACME")
VALUES = ("open", "high", "low", "close", "volume", "adj_close")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def series(rows: dict[str, Any], *, key: str = "Time Series (Daily)", meta: object = None) -> bytes:
    """A body of `rows`, dates to fields."""
    return json.dumps({"Meta Data": {"2. Symbol": "ACME"} if meta is None else meta, key: rows}).encode()


def row(**changes: Any) -> dict[str, Any]:
    """One row of a daily series; a field set to Ellipsis is left out."""
    fields: dict[str, Any] = {"1. open": "1.5", "2. high": "2", "3. low": "1", "4. close": "1.75", "5. volume": "10"}
    fields |= {name.replace("_", " "): value for name, value in changes.items()}
    return {name: value for name, value in fields.items() if value is not ...}


RECORDED = [
    # file, row, ts_event, open, high, low, close, volume, adj_close
    ("TIME_SERIES_DAILY_ADJUSTED_IBM_partial", 0, at(2020, 12, 31),
     124.22, 126.03, 123.99, 125.88, 3574696, 122.836743878),
    ("TIME_SERIES_DAILY_ADJUSTED_IBM_partial", 1, at(2021, 1, 4),
     125.85, 125.9174, 123.04, 123.94, 5179161, 120.943645029),
    ("TIME_SERIES_DAILY_ADJUSTED_IBM_partial", 2, at(2021, 1, 5),
     125.01, 126.68, 124.61, 126.14, 6114619, 123.090458157),
    ("TIME_SERIES_DAILY_ADJUSTED_IBM_partial", 3, at(2021, 1, 6),
     126.9, 131.88, 126.72, 129.29, 7956740, 126.164304226),
    ("TIME_SERIES_DAILY_ADJUSTED_IBM_partial", -1, at(2021, 1, 11),
     127.95, 129.675, 127.66, 128.58, 5602466, 125.471469081),
    ("TIME_SERIES_DAILY_IBM_partial", -1, at(2021, 1, 11), 127.95, 129.675, 127.66, 128.58, None, None),
    ("TIME_SERIES_INTRADAY_AAPL_15min", -1, at(2021, 8, 19, 0), 146.46, 146.47, 146.295, 146.36, 40196, None),
    ("TIME_SERIES_INTRADAY_AAPL_15min", -2, at(2021, 8, 18, 23, 45), 146.45, 146.5, 146.44, 146.45, 19669, None),
    ("FX_DAILY_CHFUSD_full", -1, at(2022, 3, 21), 1.07189, 1.07556, 1.069, 1.0737, None, None),
    ("FX_DAILY_CHFUSD_full", -2, at(2022, 3, 18), 1.06629, 1.07343, 1.0654, 1.0728, None, None),
    ("FX_DAILY_CHFUSD_full", -3, at(2022, 3, 17), 1.06267, 1.07088, 1.06, 1.0666, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "index", "expected"), [(row[0], row[1], row[2:]) for row in RECORDED])
def test_recorded_bars_by_value(recordings: Path, name: str, index: int, expected: tuple[object, ...]) -> None:
    """Each recorded row has its date, or its New York time in UTC, and its strings as numbers."""
    body = (recordings / "alpha_vantage" / f"{name}.json").read_bytes()
    found = check(decode.bars(body, ASK), DECODED["bars"], kind="bars").row(index, named=True)
    assert (found["ts_event"], *(found[value] for value in VALUES)) == expected


@pytest.mark.parametrize(
    ("name", "count", "symbol", "currency", "timeframe", "basis", "running"),
    [
        ("TIME_SERIES_DAILY_ADJUSTED_IBM_partial", 7, "IBM", "USD", "1d", "raw", False),
        ("TIME_SERIES_INTRADAY_MSFT_1min_2017", 100, "MSFT", "USD", "1m", "all", False),
        ("FX_DAILY_CHFUSD_full", 1911, "CHFUSD", "USD", "1d", "raw", True),
        ("FX_DAILY_EURAUD_partial", 8, "EURAUD", "AUD", "1d", "raw", False),
    ],
)
def test_recorded_series(
    recordings: Path,
    name: str,
    count: int,
    symbol: str,
    currency: str | None,
    timeframe: str,
    basis: str,
    running: bool,
) -> None:
    """What holds for the whole series is read from the meta data."""
    frame = decode.bars((recordings / "alpha_vantage" / f"{name}.json").read_bytes(), ASK)
    last = frame.row(-1, named=True)
    assert len(frame) == count
    assert [last[key] for key in ("symbol", "currency", "timeframe", "basis", "running")] == [
        symbol, currency, timeframe, basis, running,
    ]  # fmt: skip
    assert frame["ts_event"].is_sorted()


@pytest.mark.parametrize("name", ["GLOBAL_QUOTE_MSFT", "SMA_MSFT_15min", "OVERVIEW_TSLA", "SYMBOL_SEARCH_ibm"])
def test_other_recorded_answers_are_no_series(recordings: Path, name: str) -> None:
    """Answers of other functions are not taken for bars."""
    with pytest.raises(UndecodablePayload, match="no time series"):
        decode.bars((recordings / "alpha_vantage" / f"{name}.json").read_bytes(), ASK)


def test_daily_adjusted() -> None:
    """Rows come ascending, words for missing are null, an empty row is no bar, and an unfinished session runs."""
    frame = decode.bars((GOLDEN / "daily_adjusted.json").read_bytes(), Ask(kind="bars", symbol=""))
    assert frame.select("symbol", "ts_event", *VALUES, "currency", "basis", "running").rows() == [
        ("ACME", at(2024, 3, 11), 188.5, None, None, 188.25, 5678.0, 94.125, "USD", "raw", False),
        ("ACME", at(2024, 3, 12), 94.25, 95.0, 93.5, 94.0, 1234.0, 94.0, "USD", "raw", True),
    ]


@pytest.mark.parametrize("name", ["daily_adjusted.json", "daily_adjusted.csv"])
def test_actions_of_a_daily_adjusted_series(name: str) -> None:
    """A dividend of 0 and a split of 1 mean none."""
    frame = decode.actions((GOLDEN / name).read_bytes(), ASK)
    assert check(frame, DECODED["actions"], kind="actions").rows() == [
        ("ACME", date(2024, 3, 11), "dividend", 0.24, "USD", "raw", None, None, None, None),
        ("ACME", date(2024, 3, 12), "split", 2.0, "USD", "raw", None, None, None, None),
    ]


def test_csv() -> None:
    """A CSV body names neither symbol nor timeframe: the ask does."""
    body = (GOLDEN / "daily_adjusted.csv").read_bytes()
    frame = decode.bars(body, Ask(kind="bars", symbol="TSCO.LON", timeframe="1d"))
    assert frame.select("symbol", "timeframe", "ts_event", *VALUES, "currency").rows() == [
        ("TSCO.LON", "1d", at(2024, 3, 11), 188.5, 190.1, 187.25, 188.25, 5678.0, 94.125, None),
        ("TSCO.LON", "1d", at(2024, 3, 12), 94.25, 95.0, 93.5, 94.0, 1234.0, 94.0, None),
    ]


def test_an_unknown_timeframe_of_the_ask_is_a_day() -> None:
    """Files come without an ask: days are the rule."""
    body = (GOLDEN / "daily_adjusted.csv").read_bytes()
    assert set(decode.bars(body, Ask(kind="bars", symbol="", timeframe=""))["timeframe"]) == {"1d"}


def test_csv_without_rows_is_empty() -> None:
    """A header alone is no bars."""
    assert decode.bars(b"timestamp,open,high,low,close,volume\r\n", ASK).is_empty()


def test_weeks_and_months_begin_with_their_first_day() -> None:
    """A week labelled with its Friday is labelled with its Monday, and has no actions: their dates are not told."""
    weekly = (GOLDEN / "weekly_adjusted.json").read_bytes()
    found = decode.bars(weekly, ASK).select("symbol", "timeframe", "ts_event", "adj_close", "currency", "basis")
    assert found.rows() == [("ACME.LON", "1w", at(2024, 3, 4), 187.25, None, "raw")]
    assert decode.actions(weekly, ASK).is_empty()
    monthly = decode.bars(series({"2024-03-28": row()}, key="Monthly Time Series"), ASK)
    assert monthly.select("timeframe", "ts_event").rows() == [("1mo", at(2024, 3, 1))]


def test_intraday_stamps_are_new_york_time() -> None:
    """10:00 in New York is 15:00 UTC in winter and 14:00 in summer; the hour that does not exist is a defect."""
    frame = decode.bars((GOLDEN / "intraday_60min.json").read_bytes(), ASK)
    assert frame.select("timeframe", "ts_event", "close", "basis").rows() == [
        ("1h", at(2024, 3, 8, 15), 1.5, "all"),
        ("1h", at(2024, 3, 11, 14), 1.75, "all"),
    ]


@pytest.mark.parametrize("reader", [decode.bars, decode.actions])
@pytest.mark.parametrize("body", [b"{}", series({})])
def test_nothing_is_an_empty_frame(reader: Decode, body: bytes) -> None:
    """An empty object, and a series without rows, are answers without rows."""
    assert reader(body, ASK).is_empty()


def test_a_series_of_plain_bars_has_no_actions() -> None:
    """Without the fields of actions there are none."""
    assert decode.actions(series({"2024-03-08": row()}), ASK).is_empty()


def test_new_fields_beside_all_known_ones_are_ignored() -> None:
    """A field that the provider adds does no harm while nothing is missing."""
    adjusted = {"5. adjusted close": "1", "6. volume": "1", "7. dividend amount": "0", "8. split coefficient": "1"}
    assert len(decode.bars(series({"2024-03-08": row(**adjusted, note="new")}), ASK)) == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (series({"2024-03-08": row(**{"1. open": ...})}), "open was missing"),
        (series({"2024-03-08": row(**{"5. volume": ..., "5. vol": "1"})}), "field vol is not known"),
        (series({"2024-03-08": row(), "2024-03-07": row(**{"3. low": ...})}), "3. low was missing in a row"),
        (series({"2024-03-08": row(**{"4. close": "Infinity"})}), "close was 'Infinity'"),
        (series({"2024-03-08": row(**{"4. close": 1.75})}), "close"),
        (series({"2024-13-08": row()}), "stamp was '2024-13-08'"),
        (series({"2024-03-08": "n/a"}), "Time Series (Daily)"),
        (series({"2024-03-08": row()}, meta=[]), "Meta Data"),
        (series({"2024-03-08": row()}, key="Time Series (7min)"), "Time Series (7min)"),
        (series({"2024-03-08": row()}, key="Hourly Time Series"), "Hourly Time Series"),
        (series({"2024-03-08": row()}, key="Time Series (5min)"), "no time of day"),
        (series({"2024-03-10 02:30:00": row()}, key="Time Series (5min)"), "no time of day"),
        (series({"9999-03-10 02:30:00": row()}, key="Time Series (5min)"), "no date"),
        (series({"2024-03-08 10:00:00": row()}, key="Time Series (5min)", meta={"6. Time Zone": "X/Y"}), "'X/Y'"),
        (b'{"Time Series (Daily)": {}}', "Meta Data was missing"),
        (b'{"Series": {}}', "among the fields Series"),
        (b'{"Meta Data": {"2. Symb', "truncated"),
        (b"[1]", "Expected `object`"),
        (b"<html>hello</html>", "malformed"),
        (b"timestamp,open\r\n2024-03-08\r\n", "another number of fields"),
        (b'timestamp,open\r\n"2024', "no CSV"),
        (b"timestamp,open,high,low,close\r\n2024-03-08,1,1,1,x\r\n", "close was 'x'"),
        (b"timestamp,open,high,low\r\n2024-03-08,1,1,1\r\n", "close was missing"),
    ],
)
def test_drift_is_named(body: bytes, named: str) -> None:
    """A body of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        decode.bars(body, ASK)
    assert named in caught.value.reason


def test_a_split_must_be_positive() -> None:
    """A split coefficient of 0 cannot be meant."""
    fields = {"8. split coefficient": "0.0", "7. dividend amount": "0.0"}
    with pytest.raises(UndecodablePayload, match="not positive"):
        decode.actions(series({"2024-03-08": row(**fields)}), ASK)


def test_a_refusal_with_status_200_is_no_series() -> None:
    """The words of a Note come back as a refusal."""
    with pytest.raises(ProviderRefused, match="5 calls per minute"):
        decode.bars(b'{"Note": "Our standard API call frequency is 5 calls per minute."}', ASK)
