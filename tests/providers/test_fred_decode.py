"""FRED's observations, read by value: the recorded ones with their vintages, and small ones of our own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.fred import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fred"
GDP = Ask(kind="observations", symbol="GDP")
EURO = Ask(kind="fx_rates", symbol="DEXUSEU")


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def series(*rows: dict[str, Any], **changes: Any) -> bytes:
    """A body with observations, a header as of 2024-03-08 and changes of it."""
    own = {"realtime_start": "2024-03-08", "realtime_end": "2024-03-08", "date": "2024-03-01", "value": "1.5"}
    body = {"realtime_end": "2024-03-08", "observations": [{**own, **row} for row in rows], **changes}
    return json.dumps(body).encode()


def test_every_vintage_of_the_recorded_gdp(recordings: Path) -> None:
    """3,199 published values: the first quarter of 1946 was known, withdrawn, known anew and withdrawn for good."""
    body = (recordings / "fred" / "observations_GDP_all_vintages.json").read_bytes()
    frame = check(decode.observations(body, GDP), DECODED["observations"], kind="observations")
    assert frame.height == 3199
    assert frame.head(4).rows() == [
        ("GDP", date(1946, 1, 1), 199.7, date(1992, 12, 22), date(1996, 1, 18)),
        ("GDP", date(1946, 1, 1), None, date(1996, 1, 19), date(1997, 5, 6)),
        ("GDP", date(1946, 1, 1), 210.4, date(1997, 5, 7), date(1999, 10, 27)),
        ("GDP", date(1946, 1, 1), None, date(1999, 10, 28), None),
    ]


def test_vintages_of_a_recorded_series_do_not_overlap(recordings: Path) -> None:
    """On any day at most one value of a period stands, and the last one still does."""
    body = (recordings / "fred" / "observations_GDP_all_vintages.json").read_bytes()
    for (_period,), rows in decode.observations(body, GDP).group_by("period"):
        ends, starts = rows["known_to"].to_list(), rows["known_from"].to_list()
        assert ends[-1] is None
        assert all(end < start for end, start in zip(ends[:-1], starts[1:], strict=True))


def test_what_a_recorded_series_says_today_is_its_last_vintage(recordings: Path) -> None:
    """Two recordings of one day agree: the value that still stands is the one that is asked without vintages."""
    folder = recordings / "fred"
    every = decode.observations((folder / "observations_GDP_all_vintages.json").read_bytes(), GDP)
    today = decode.observations((folder / "observations_GDP.json").read_bytes(), GDP)
    standing = every.filter(every["known_to"].is_null()).select("period", "value").rows()
    assert today.select("period", "value").rows() == standing
    assert today["known_from"].unique().to_list() == [date(2024, 10, 30)]
    assert today.row(-1) == ("GDP", date(2024, 7, 1), 29349.924, date(2024, 10, 30), None)


def test_recorded_first_prints(recordings: Path) -> None:
    """The first value of each quarter stood until the next release."""
    body = (recordings / "fred" / "observations_GDP_initial_release_output_type4.json").read_bytes()
    frame = decode.observations(body, GDP)
    assert frame.height == 132
    assert frame.head(2).rows() == [
        ("GDP", date(1991, 10, 1), 5736.6, date(1992, 1, 29), date(1992, 2, 27)),
        ("GDP", date(1992, 1, 1), 5809.3, date(1992, 4, 28), date(1992, 5, 28)),
    ]


def test_recorded_xml(recordings: Path) -> None:
    """XML says the same as JSON would; a holiday's dot is a missing value."""
    body = (recordings / "fred" / "observations_DGS10_2020.xml").read_bytes()
    frame = decode.observations(body, Ask(kind="observations", symbol="DGS10"))
    assert frame.height == 577
    assert frame.head(3).select("period", "value", "known_from", "known_to").rows() == [
        (date(2020, 1, 1), None, date(2022, 3, 21), None),
        (date(2020, 1, 2), 1.88, date(2022, 3, 21), None),
        (date(2020, 1, 3), 1.8, date(2022, 3, 21), None),
    ]
    levels = decode.index_levels(body, Ask(kind="index_levels", symbol="DGS10"))
    assert levels.row(0) == ("DGS10", day("2020-01-02"), 1.88, None)
    assert levels["level"].null_count() == 0


def test_vintages() -> None:
    """A dot is null; a value of the open end stands until further notice."""
    frame = decode.observations((GOLDEN / "vintages.json").read_bytes(), GDP)
    assert frame.rows() == [
        ("GDP", date(2024, 1, 1), 100.5, date(2024, 4, 25), date(2024, 5, 29)),
        ("GDP", date(2024, 1, 1), 101.25, date(2024, 5, 30), None),
        ("GDP", date(2024, 4, 1), None, date(2024, 7, 25), date(2024, 8, 28)),
        ("GDP", date(2024, 4, 1), 102.0, date(2024, 8, 29), None),
    ]


def test_levels_are_the_last_vintages() -> None:
    """Of several vintages the newest counts, wherever it stands in the body."""
    body = json.loads((GOLDEN / "vintages.json").read_bytes())
    body["observations"].reverse()
    frame = decode.index_levels(json.dumps(body).encode(), Ask(kind="index_levels", symbol="SP500"))
    assert check(frame, DECODED["index_levels"], kind="index_levels").rows() == [
        ("SP500", day("2024-01-01"), 101.25, None),
        ("SP500", day("2024-04-01"), 102.0, None),
    ]


@pytest.mark.parametrize(("symbol", "base", "quote"), [("DEXUSEU", "EUR", "USD"), ("DEXJPUS", "USD", "JPY")])
def test_rates(symbol: str, base: str, quote: str) -> None:
    """The series' name says what costs what; a day without a rate has no row."""
    frame = decode.fx_rates((GOLDEN / "levels.xml").read_bytes(), Ask(kind="fx_rates", symbol=symbol))
    assert check(frame, DECODED["fx_rates"], kind="fx_rates").rows() == [
        (base, quote, day("2024-03-06"), 1.0942, None, None),
        (base, quote, day("2024-03-08"), 1.096, None, None),
    ]


@pytest.mark.parametrize("symbol", ["DGS10", "DEXUSXX", "DEXXXUS", "DEXUSEUR", ""])
def test_what_is_no_rate_is_said(symbol: str) -> None:
    """Another series has no currencies."""
    with pytest.raises(UndecodablePayload, match="no exchange rate"):
        decode.fx_rates((GOLDEN / "levels.xml").read_bytes(), Ask(kind="fx_rates", symbol=symbol))


def test_a_value_since_ever_has_no_first_day() -> None:
    """Series without vintages begin on the first day that FRED knows, which says nothing."""
    frame = decode.observations(series({"realtime_start": "1776-07-04"}, {"value": "2"}), GDP)
    assert frame.select("value", "known_from").rows() == [(1.5, None), (2.0, date(2024, 3, 8))]


@pytest.mark.parametrize("body", [series(), b'<observations realtime_end="2024-03-08"/>'])
@pytest.mark.parametrize("reader", [decode.observations, decode.index_levels, decode.fx_rates])
def test_no_observations_are_an_empty_frame(reader: Decode, body: bytes) -> None:
    """A valid question without rows."""
    assert reader(body, EURO).is_empty()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (series({"date": "2024-3-1"}), "date was '2024-3-1'"),
        (series({"value": "n/a"}), "value was 'n/a'"),
        (series({"value": 5}), "value"),
        (series({"realtime_start": "soon"}), "realtime_start was 'soon'"),
        (series({"realtime_end": "2024-02"}), "realtime_end was '2024-02'"),
        (series({}, realtime_end=7), "realtime_end"),
        (b'{"observations":[]}', "realtime_end"),
        (b'{"seriess":[]}', "realtime_end"),
        (b'{"realtime_end":"2024', "truncated"),
        (b"<observation/>", "observations was missing"),
        (b"<seriess><series id='GDP'/></seriess>", "observations was missing"),
        (b"<observations><observation/></observations>", "the attribute realtime_end was missing"),
        (b"<observations realtime_end='9'><observation value='1'/></observations>", "the attribute date was missing"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><observations/>", "document type"),
        (b"<observations", "no XML"),
    ],
)
def test_drift_is_named(body: bytes, named: str) -> None:
    """Bodies of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        decode.observations(body, GDP)
    assert named in caught.value.reason


@pytest.mark.parametrize(
    "body",
    [
        b'{"error_code":400,"error_message":"Bad Request.  The series does not exist."}',
        b'<?xml version="1.0"?>\n<error code="400" message="Bad Request.  The series does not exist."/>',
    ],
)
@pytest.mark.parametrize("reader", [decode.observations, decode.index_levels, decode.fx_rates])
def test_an_error_is_refused(reader: Decode, body: bytes) -> None:
    """FRED's own words come back."""
    with pytest.raises(ProviderRefused, match="The series does not exist") as caught:
        reader(body, EURO)
    assert caught.value.failure.failure_class is FailureClass.PERMANENT
