"""IEX Cloud's charts, read by value: the recorded ones, and small ones of our own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.providers.iex_cloud import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "iex_cloud"
ASK = Ask(kind="bars", symbol="ACME")
VALUES = ("open", "high", "low", "close", "volume", "adj_close")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((GOLDEN / name).read_bytes())
    return rows


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (0, (at(2022, 1, 3), 149.23, 159.38, 149.21, 152.84, 1417001, 152.84)),
        (1, (at(2022, 1, 4), 152.17, 152.99, 143.05, 148.91, 1834894, 148.91)),
        (-5, (at(2022, 3, 9), 106.98, 108.86, 103.5, 105.21, 1399597, 105.21)),
        (-4, (at(2022, 3, 10), 103.92, 104.0572, 98.2512, 100.56, 1395467, 100.56)),
        (-3, (at(2022, 3, 11), 102.66, 102.9, 92.69, 92.69, 2205538, 92.69)),
        (-2, (at(2022, 3, 14), 93.43, 94.32, 77.58, 78.11, 4533614, 78.11)),
        (-1, (at(2022, 3, 15), 82.1, 87.56, 78.68, 82.64, 3528798, 82.64)),
    ],
)
def test_recorded_bars_by_value(recordings: Path, row: int, expected: tuple[object, ...]) -> None:
    """The recorded chart, sent newest first, is read ascending and raw."""
    body = (recordings / "iex_cloud" / "stock_GME_chart_ytd.json").read_bytes()
    frame = check(decode.bars(body, ASK), DECODED["bars"], kind="bars")
    found = frame.row(row, named=True)
    assert len(frame) == 50
    assert (found["symbol"], found["basis"], found["currency"]) == ("GME", "raw", "USD")
    assert (found["ts_event"], *(found[name] for name in VALUES)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ChartOneMonthResponse", ("1d", at(2018, 2, 1), 167.165, 168.62, 166.76, 167.78, 47230787.0, "split")),
        ("ChartThreeMonthResponse", ("1d", at(2017, 12, 1), 169.95, 171.67, 168.5, 171.05, 39759288.0, "split")),
        ("ChartSixMonthResponse", ("1d", at(2017, 9, 1), 164.8, 164.94, 163.63, 164.05, 16591051.0, "split")),
        ("ChartOneDayResponse", ("1m", at(2018, 3, 1, 14, 30), 162.145, 178.72, 178.39, 162.32, 6216.0, "raw")),
        ("ChartDateResponse", ("1m", at(2018, 1, 29, 14, 30), None, 169.9, 168.74, None, 34492.0, "raw")),
    ],
)
def test_recorded_charts_of_the_first_api(recordings: Path, name: str, expected: tuple[object, ...]) -> None:
    """Charts without raw columns are split-adjusted; minutes are in New York time, compact dates included."""
    path = recordings / "iex_cloud" / "iextrading4j" / "rest" / "stock" / f"{name}.json"
    frame = decode.bars(path.read_bytes(), ASK)
    assert frame.select("timeframe", "ts_event", *VALUES[:5], "basis").rows() == [expected]
    assert frame["symbol"].to_list() == ["ACME"]


def test_raw_prices_are_taken_of_the_three() -> None:
    """Rows carry raw, split-adjusted and fully adjusted prices: raw is read, fClose goes beside it."""
    frame = decode.bars((GOLDEN / "chart_three_bases.json").read_bytes(), Ask(kind="bars", symbol=""))
    assert frame.rows() == [
        ("ACME", "1d", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, 1000.0, 93.7, "USD", "raw", False),
        ("ACME", "1d", at(2024, 3, 11), 188.5, 190.1, 187.25, 188.25, 900.0, 94.1, "USD", "raw", False),
    ]


def test_without_raw_prices_the_basis_is_split() -> None:
    """The volume is the adjusted one too, and there is no adjusted close; an unknown symbol is null."""
    frame = decode.bars((GOLDEN / "chart_api_1_0.json").read_bytes(), Ask(kind="bars", symbol=""))
    assert frame.rows() == [
        (None, "1d", at(2018, 2, 1), 167.165, 168.62, 166.76, 167.78, 4000.0, None, "USD", "split", False)
    ]


def test_raw_prices_without_adjusted_ones() -> None:
    """Charts of before the f columns have raw prices and no adjusted close."""
    rows = [{name: value for name, value in row.items() if name[0] != "f"} for row in golden("chart_three_bases.json")]
    assert decode.bars(json.dumps(rows).encode(), ASK).select("basis", "adj_close").unique().rows() == [("raw", None)]


def test_minutes() -> None:
    """Minutes without a trade on IEX are no bars; New York is five hours behind in winter, four in summer."""
    frame = decode.bars((GOLDEN / "chart_minutes.json").read_bytes(), ASK)
    assert frame.select("timeframe", "ts_event", *VALUES, "basis").rows() == [
        ("1m", at(2024, 3, 8, 20, 59), None, 168.0, 167.5, None, 50.0, None, "raw"),
        ("1m", at(2024, 3, 11, 13, 30), 169.75, 170.0, 169.5, 169.9, 100.0, None, "raw"),
    ]


def test_an_empty_list_is_an_empty_frame() -> None:
    """No rows are no error."""
    assert decode.bars(b"[]", ASK).is_empty()


def changed(name: str, **changes: object) -> bytes:
    """A golden chart with fields of its first row replaced; one set to Ellipsis is left out."""
    first, *others = golden(name)
    first = {key: value for key, value in {**first, **changes}.items() if value is not ...}
    return json.dumps([first, *others]).encode()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (changed("chart_three_bases.json", uClose=...), "`uClose`"),
        (changed("chart_three_bases.json", uVolume="many"), "uVolume"),
        (changed("chart_three_bases.json", date="11 March"), "date was '11 March'"),
        (changed("chart_api_1_0.json", close=...), "`close`"),
        (changed("chart_minutes.json", minute="25:00"), "minute was '25:00'"),
        (changed("chart_minutes.json", minute=930), "minute"),
        (changed("chart_minutes.json", date="2024031"), "date"),
        (b'[{"date":"2024-03-11","open"', "truncated"),
        (b'{"chart":[]}', "Expected `array`"),
        (b"something else", "malformed"),
        (b"<html>hello</html>", "malformed"),
    ],
)
def test_drift_is_named(body: bytes, named: str) -> None:
    """A chart of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        decode.bars(body, ASK)
    assert named in caught.value.reason


def test_plain_words_are_a_refusal() -> None:
    """Errors are one line of plain text."""
    with pytest.raises(ProviderRefused, match="Unknown symbol") as caught:
        decode.bars(b"Unknown symbol", ASK)
    assert caught.value.failure.failure_class is FailureClass.PERMANENT
