"""Yahoo's charts, read by value: the recorded ones, and small ones of our own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.yahoo import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "yahoo"
ASK = Ask(kind="bars", symbol="")
VALUES = ("open", "high", "low", "close", "volume", "adj_close")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def chart(**changes: Any) -> dict[str, Any]:
    """A chart of two days with parts of its one result replaced; a part set to None is left out."""
    meta = {
        "currency": "USD",
        "symbol": "ACME",
        "exchangeTimezoneName": "America/New_York",
        "dataGranularity": "1d",
        **changes.pop("meta", {}),
    }
    quote = {name: [1.5, 2.5] for name in ("open", "high", "low", "close", "volume")} | changes.pop("quote", {})
    result = {
        "meta": meta,
        "timestamp": [1709908200, 1710163800],
        "indicators": {"quote": [{name: values for name, values in quote.items() if values != "absent"}]},
        **changes,
    }
    return {"chart": {"result": [result], "error": None}}


def read(body: object) -> pl.DataFrame:
    return decode.bars(json.dumps(body).encode(), ASK)


RECORDED = [
    # file, row, ts_event, open, high, low, close, volume, adj_close
    ("AAPL_1d_max_1980-2022_div_splits", 0, at(1980, 12, 12),
     0.128348, 0.128906, 0.128348, 0.128348, 469033600, 0.10032563),
    ("AAPL_1d_max_1980-2022_div_splits", 5000, at(2000, 9, 25),
     0.941964, 0.991071, 0.929688, 0.955357, 435551200, 0.8180475),
    ("AAPL_1d_max_1980-2022_div_splits", 10154, at(2021, 3, 23),
     123.33, 124.24, 122.14, 122.54, 95467100, 121.81599),
    ("AAPL_1d_max_1980-2022_div_splits", -2, at(2022, 3, 3), 168.47, 168.91, 165.55, 166.23, 76335600, 166.23),
    ("AAPL_1d_max_1980-2022_div_splits", -1, at(2022, 3, 4), 164.49, 165.55, 162.11, 163.17, 83819592, 163.17),
    ("ALL.AX_1d_2022", 0, at(2021, 10, 13), 44.422, 45.08933, 43.674995, 44.700882, 771128, 44.437397),
    ("ALL.AX_1d_2022", -2, at(2022, 1, 12), 44.58, 44.64, 43.9, 44.15, 1032183, 44.15),
    ("ALL.AX_1d_2022", -1, at(2022, 1, 13), 44.38, 44.38, 43.72, 44.05, 848539, 44.05),
    ("AAPL_1mo_with_div_rows", 0, at(2019, 12, 1), 66.8175, 73.4925, 64.0725, 73.4125, 2388794800, 72.24593),
    ("AAPL_1mo_with_div_rows", 1, at(2020, 1, 1), 74.06, 81.9625, 73.1875, 77.3775, 2934370400, 76.14794),
    ("AAPL_1mo_with_div_rows", -1, at(2021, 12, 1), 167.48, 182.13, 157.8, 177.57, 2444507300, 177.34406),
    ("IBM_1d_long_partial_1962-2021", 0, at(1962, 1, 2), 7.374124, 7.374124, 7.291268, 7.291268, 407940, 1.5133212),
    ("IBM_1d_long_partial_1962-2021", 1, at(1962, 1, 3), 7.291268, 7.355003, 7.291268, 7.355003, 305955, 1.5265485),
    ("IBM_1d_long_partial_1962-2021", -1, at(2021, 1, 8),
     122.91587, 123.63289, 121.39579, 122.87763, 4891305, 103.29237),
    ("INRX_with_null_row", 0, at(2017, 7, 10), 64.6155, 64.6155, 64.41, 64.6117, 0, 64.6117),
    ("INRX_with_null_row", 1, at(2017, 7, 12), 64.5555, 64.57, 64.35, 64.5256, 0, 64.5256),
    ("IXIC_1wk_2020-06", 0, at(2020, 6, 1), 9703.54, 9845.69, 9685.35, 9814.08, 6572850000, 9814.08),
    ("IXIC_1wk_2020-06", -1, at(2020, 7, 6), 10360.38, 10462.05, 10354.98, 10433.65, 4529480000, 10433.65),
    ("GSPC_1m_2022-03-18", 0, at(2022, 3, 18, 13, 30), 4407.34, 4407.34, 4397.26, 4397.99, 0, None),
    ("GSPC_1m_2022-03-18", -1, at(2022, 3, 18, 19, 59), 4459.68, 4464.99, 4459.37, 4462.85, 98193000, None),
    ("GME_60m_2022", -2, at(2022, 3, 16, 13, 30), 85.11, 89.99, 83.285, 89.31, 778678, None),
    ("GME_60m_2022", -1, at(2022, 3, 16, 14, 30), 89.47, 89.47, 86.58, 88.5, 262067, None),
    ("chart-OCDO.L-2020-01-01-to-2020-01-03", 0, at(2020, 1, 2), 1279.5, 1286.57, 1258, 1259.5, 728520, 1259.5),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "expected"), [(row[0], row[1], row[2:]) for row in RECORDED])
def test_recorded_bars_by_value(recordings: Path, name: str, row: int, expected: tuple[object, ...]) -> None:
    """Each recorded row has the exchange's own date and the decimals that its 32-bit prices stand for."""
    body = (recordings / "yahoo" / "chart_v8" / f"{name}.json").read_bytes()
    found = check(decode.bars(body, ASK), DECODED["bars"], kind="bars").row(row, named=True)
    assert (found["ts_event"], *(found[value] for value in VALUES)) == expected


@pytest.mark.parametrize(
    ("name", "count", "symbol", "currency", "timeframe", "running"),
    [
        ("AAPL_1d_max_1980-2022_div_splits", 10_395, "AAPL", "USD", "1d", False),
        ("ALL.AX_1d_2022", 64, "ALL.AX", "AUD", "1d", True),
        ("GME_60m_2022", 506, "GME", "USD", "1h", True),
        ("INRX_with_null_row", 3, "INR=X", "INR", "1d", False),
        ("chart-OCDO.L-2020-01-01-to-2020-01-03", 1, "OCDO.L", "GBp", "1d", False),
        ("IXIC_1wk_2020-06", 6, "^IXIC", "USD", "1w", False),
        ("AAPL_1mo_with_div_rows", 25, "AAPL", "USD", "1mo", False),
    ],
)
def test_recorded_series(
    recordings: Path, name: str, count: int, symbol: str, currency: str | None, timeframe: str, running: bool
) -> None:
    """Symbol, currency and timeframe are as sent, null rows are gone, and only the last row may be running."""
    frame = decode.bars((recordings / "yahoo" / "chart_v8" / f"{name}.json").read_bytes(), ASK)
    last = frame.row(-1, named=True)
    assert len(frame) == count
    assert [last[key] for key in ("symbol", "currency", "timeframe", "basis", "running")] == [
        symbol, currency, timeframe, "split", running,
    ]  # fmt: skip
    assert frame["ts_event"].is_sorted()
    assert frame["running"].sum() == running


@pytest.mark.parametrize(
    ("name", "count", "rows"),
    [
        (
            "AAPL_1d_max_1980-2022_div_splits",
            79,
            [
                (date(1987, 5, 11), "dividend", 0.000536),
                (date(1987, 6, 16), "split", 2.0),
                (date(2014, 6, 9), "split", 7.0),
                (date(2020, 8, 31), "split", 4.0),
                (date(2022, 2, 4), "dividend", 0.22),
            ],
        ),
        (
            "AAPL_1mo_with_div_rows",
            9,
            [
                (date(2020, 2, 7), "dividend", 0.1925),
                (date(2020, 8, 7), "dividend", 0.205),
                (date(2020, 8, 31), "split", 4.0),
            ],
        ),
        (
            "IBM_1d_long_partial_1962-2021",
            17,
            [
                (date(1962, 2, 6), "dividend", 0.000956),
                (date(1964, 5, 18), "split", 1.25),
                (date(1966, 5, 18), "split", 1.5),
                (date(1979, 6, 1), "split", 4.0),
                (date(2020, 11, 9), "dividend", 1.558317),
            ],
        ),
    ],
)
def test_recorded_actions_by_value(recordings: Path, name: str, count: int, rows: list[tuple[object, ...]]) -> None:
    """Dividends and splits carry their own dates, also where they are listed with a monthly bar."""
    frame = decode.actions((recordings / "yahoo" / "chart_v8" / f"{name}.json").read_bytes(), ASK)
    found = check(frame, DECODED["actions"], kind="actions").select("ex_date", "type", "value").rows()
    assert len(found) == count
    assert [row for row in found if row in rows] == rows


def test_recorded_close_only_chart(recordings: Path) -> None:
    """A chart cut down to closes gives bars of closes."""
    frame = decode.bars((recordings / "yahoo" / "chart_v8" / "MUV2.DE_1d_2020.json").read_bytes(), ASK)
    assert len(frame) == 123
    assert frame["open"].null_count() == 123
    assert frame["close"].null_count() == 0


def test_null_rows_and_the_live_row() -> None:
    """A null row is no bar, the live row replaces its day's bar, and it is running until the session ends."""
    frame = decode.bars((GOLDEN / "chart_null_and_live.json").read_bytes(), ASK)
    assert frame.select("ts_event", *VALUES, "running").rows() == [
        (at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, 1000.0, 187.25, False),
        (at(2024, 3, 12), 188.5, 190.1, 187.25, None, 900.0, 189.75, True),
    ]


def test_actions_with_their_own_currency() -> None:
    """A dividend may have another currency than the listing."""
    frame = decode.actions((GOLDEN / "chart_null_and_live.json").read_bytes(), ASK)
    assert frame.rows() == [
        ("ACME", date(2024, 3, 8), "split", 1.5, "USD", "split", *[None] * 4),
        ("ACME", date(2024, 3, 11), "dividend", 0.25, "CAD", "split", *[None] * 4),
    ]


@pytest.mark.parametrize("reader", [decode.bars, decode.actions])
@pytest.mark.parametrize(
    "body",
    [
        (GOLDEN / "chart_without_stamps.json").read_bytes(),
        b'{"chart":{"result":[],"error":null}}',
    ],
)
def test_nothing_is_an_empty_frame(reader: Decode, body: bytes) -> None:
    """No stamps, or no result, is an answer without rows."""
    assert reader(body, ASK).is_empty()


def test_a_chart_of_closes() -> None:
    """Where nothing but closes is sent, the other prices are null."""
    frame = read(chart(quote=dict.fromkeys(("open", "high", "low", "volume"), "absent")))
    assert frame.select("open", "close", "volume").rows() == [(None, 1.5, None), (None, 2.5, None)]


def test_a_chart_of_null_rows_has_no_bars() -> None:
    """A series with nothing but null rows is empty."""
    quote = {name: [None, None] for name in ("open", "high", "low", "close")}
    assert read(chart(quote=quote, meta={"regularMarketTime": 1710163800})).is_empty()


def test_rows_out_of_order_and_twice() -> None:
    """Rows are sorted, and of rows with one stamp the last wins."""
    body = chart(timestamp=[1710163800, 1709908200, 1710163800], quote={name: [1, 2, 3] for name in VALUES[:5]})
    assert read(body).select("ts_event", "close").rows() == [(at(2024, 3, 8), 2.0), (at(2024, 3, 11), 3.0)]


def period(start: int, end: int) -> dict[str, Any]:
    return {"regular": {"start": start, "end": end}}


# Sessions of New York, Unix seconds: Friday 2024-03-08 from 1709908200 to 1709931600,
# Monday 2024-03-11 from 1710163800 to 1710187200, Tuesday 2024-03-12 from 1710250200 to 1710273600.
MONDAY = period(1710163800, 1710187200)
FRIDAY = period(1709908200, 1709931600)


@pytest.mark.parametrize(
    ("granularity", "stamps", "traded", "session", "labels", "running"),
    [
        ("1d", [1709908200, 1710170000], 1710170000, MONDAY, [at(2024, 3, 8), at(2024, 3, 11)], True),
        ("1d", [1709908200, 1710187201], 1710187201, MONDAY, [at(2024, 3, 8), at(2024, 3, 11)], False),
        ("1d", [1709908200, 1710163800], 1710187201, period(1710250200, 1710273600),
         [at(2024, 3, 8), at(2024, 3, 11)], False),
        # a week from Monday the 4th, and the live row of its Friday: merged, finished by Friday's close
        ("1wk", [1709528400, 1709931601], 1709931601, FRIDAY, [at(2024, 3, 4)], False),
        ("1wk", [1709528400, 1709910000], 1709910000, FRIDAY, [at(2024, 3, 4)], True),
        # the live row opens a new week or month
        ("1wk", [1709528400, 1710250300], 1710250300, period(1710250200, 1710273600),
         [at(2024, 3, 4), at(2024, 3, 11)], True),
        ("1mo", [1706763600, 1709910000], 1709910000, FRIDAY, [at(2024, 2, 1), at(2024, 3, 1)], True),
        ("1mo", [1709269200, 1709931601], 1709931601, FRIDAY, [at(2024, 3, 1)], True),
        ("3mo", [1704085200, 1709910000], 1709910000, FRIDAY, [at(2024, 1, 1)], True),
        ("5d", [1709528400, 1709931601], 1709931601, FRIDAY, [at(2024, 3, 4)], False),
        ("90m", [1710163800, 1710168000], 1710168000, MONDAY, [at(2024, 3, 11, 13, 30)], True),
        ("2m", [1710163800, 1710163999], 1710163999, MONDAY,
         [at(2024, 3, 11, 13, 30), at(2024, 3, 11, 13, 32)], True),
        ("5m", [1710163800, 1710163999], 1710163999, MONDAY, [at(2024, 3, 11, 13, 30)], True),
        ("5m", [1710163800, 1710164199], 1710164199, MONDAY,
         [at(2024, 3, 11, 13, 30), at(2024, 3, 11, 13, 35)], True),
        ("60m", [1710163800, 1710187201], 1710187201, MONDAY,
         [at(2024, 3, 11, 13, 30), at(2024, 3, 11, 19, 30)], False),
    ],
)  # fmt: skip
def test_the_live_row_belongs_to_a_bar(
    granularity: str, stamps: list[int], traded: int, session: dict[str, Any], labels: list[datetime], running: bool
) -> None:
    """The live row joins the bar of its day, week, month or minutes, which runs while more sessions may follow."""
    meta = {"dataGranularity": granularity, "regularMarketTime": traded, "currentTradingPeriod": session}
    frame = read(chart(meta=meta, timestamp=stamps))
    assert frame["ts_event"].to_list() == labels
    assert frame["running"].to_list() == [False] * (len(labels) - 1) + [running]


@pytest.mark.parametrize(
    ("granularity", "label"),
    [
        ("1wk", at(2024, 3, 11)),
        ("1mo", at(2024, 3, 1)),
        ("1d", at(2024, 3, 12)),
        ("1m", at(2024, 3, 12, 13, 31)),
    ],
)
def test_a_live_row_alone(granularity: str, label: datetime) -> None:
    """A live row without a bar before it is labelled with its own day, week, month or instant."""
    meta = {"dataGranularity": granularity, "regularMarketTime": 1710250260}
    body = chart(meta=meta, timestamp=[1710250260], quote={name: [1] for name in VALUES[:5]})
    assert read(body)["ts_event"].to_list() == [label]


def test_a_live_row_is_merged_into_its_week() -> None:
    """Open of the first, highest high, lowest low, close of the last, volumes added."""
    quote = {"open": [10, 12], "high": [15, 13], "low": [9, 8], "close": [11, 12.5], "volume": [100, 50]}
    meta = {"dataGranularity": "1wk", "regularMarketTime": 1709931601}
    frame = read(chart(meta=meta, timestamp=[1709528400, 1709931601], quote=quote))
    assert frame.select("ts_event", *VALUES).rows() == [(at(2024, 3, 4), 10.0, 15.0, 8.0, 12.5, 150.0, None)]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (chart(quote={"low": "absent"}), "low was missing"),
        (chart(quote={"close": "absent"}), "close was missing"),
        (chart(quote={"high": [1.5]}), "high had 1 values, the stamps had 2"),
        (chart(quote={"open": ["1.5", 2.5]}), "open"),
        (chart(indicators={"quote": []}), "indicators.quote"),
        (chart(indicators={"quotes": []}), "`quote`"),
        (chart(meta={"exchangeTimezoneName": "Mars/Olympus"}), "'Mars/Olympus', no IANA zone"),
        (chart(meta={"dataGranularity": "7mo"}), "dataGranularity was '7mo'"),
        (chart(meta={"symbol": None}), "meta.symbol"),
        (chart(timestamp=[1, 2**70]), "timestamp"),
        (chart(timestamp="now"), "timestamp"),
        ({"chart": {"result": None, "error": None}}, "result was null"),
        ({"chart": {}}, "`result`"),
        ({"chort": {}}, "`chart`"),
        ([], "Expected `object`"),
    ],
)
def test_drift_is_named(body: object, named: str) -> None:
    """A chart of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        read(body)
    assert named in caught.value.reason


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"chart":{"result":[{"meta"', "truncated"),
        (b'{"chart":NaN}', "malformed"),
        (b"<html><body>Hello</body></html>", "malformed"),
        (b"", "truncated"),
        (b"\xff\xfe\x00", "malformed"),
        (b'{"chart":{"result":[{"meta":{"symbol":"\xff"', "utf-8"),
        (b'{"chart":' + b"[" * 100_000, "Expected"),
        (b'{"x":' + b"[" * 100_000, "deep"),
    ],
)
def test_garbled_bytes_are_undecodable(body: bytes, named: str) -> None:
    """Cut, malformed and over-deep bodies are stated as such."""
    with pytest.raises(UndecodablePayload) as caught:
        decode.bars(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (4, 0)])
def test_a_split_of_nothing_is_undecodable(numerator: int, denominator: int) -> None:
    """A split needs both of its numbers."""
    split = {"date": 1709908200, "numerator": numerator, "denominator": denominator}
    with pytest.raises(UndecodablePayload):
        decode.actions(json.dumps(chart(events={"splits": {"1": split}})).encode(), ASK)


def test_an_error_body_is_refused_with_yahoos_words() -> None:
    """An error in the envelope of the chart, or of finance, is a refusal by either reader."""
    error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
    for envelope in ("chart", "finance"):
        body = msgspec.json.encode({envelope: {"result": None, "error": error}})
        for reader in (decode.bars, decode.actions):
            with pytest.raises(ProviderRefused) as caught:
                reader(body, ASK)
            assert caught.value.failure.failure_class is FailureClass.PERMANENT
            assert caught.value.failure.words == "Not Found: No data found, symbol may be delisted"
