"""The bank's rates, read by value: the recorded files, and small ones of our own in each of its formats."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.ecb import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "ecb"
ASK = Ask(kind="fx_rates", symbol="EUR/USD")
WIDE = b"Date,USD,JPY,\n2024-03-08,1.5,160,\n"


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def zipped(body: bytes, name: str = "eurofxref.csv") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return packed.getvalue()


def cubes(inside: str) -> bytes:
    return f"<gesmes:Envelope xmlns:gesmes='u'><Cube>{inside}</Cube></gesmes:Envelope>".encode()


def portal(*periods: str, value: str = "1.5") -> bytes:
    lines = [f"EST.B.EU000A2X2A25.WT,{period},{value}" for period in periods]
    return "\r\n".join(["KEY,TIME_PERIOD,OBS_VALUE", *lines, ""]).encode()


def test_the_recorded_day(recordings: Path) -> None:
    """Thirty currencies on one day, in alphabetical order, each as units for one euro."""
    body = (recordings / "ecb" / "eurofxref-daily_2025-05-09.xml").read_bytes()
    frame = check(decode.fx_rates(body, ASK), DECODED["fx_rates"], kind="fx_rates")
    rates = {quote: rate for _base, quote, _at, rate, *_ in frame.rows()}
    assert frame.height == 30
    assert frame.row(0) == ("EUR", "AUD", day("2025-05-09"), 1.7572, None, None)
    assert frame["quote"].to_list() == sorted(frame["quote"])
    assert {name: rates[name] for name in ("USD", "JPY", "GBP", "IDR")} == {
        "USD": 1.1252,
        "JPY": 163.36,
        "GBP": 0.8477,
        "IDR": 18606.59,
    }


def test_the_recorded_history(recordings: Path) -> None:
    """Newest first in the file, oldest first here: from the euro's first day on."""
    body = (recordings / "ecb" / "eurofxref-hist-partial.xml").read_bytes()
    frame = decode.fx_rates(body, ASK)
    dollars = frame.filter(frame["quote"] == "USD")
    assert frame["ts_event"].is_sorted()
    assert (dollars.row(0)[2:4], dollars.row(-1)[2:4]) == ((day("1999-01-04"), 1.1789), (day("2021-06-25"), 1.195))
    assert "RUB" in frame["quote"].to_list()


def test_a_recorded_file_without_days(recordings: Path) -> None:
    """No days are no rates, and no defect."""
    body = (recordings / "ecb" / "eurofxref-hist-empty.xml").read_bytes()
    assert decode.fx_rates(body, ASK).is_empty()


def test_xml() -> None:
    """A currency that a day does not have is absent on that day."""
    frame = decode.fx_rates((GOLDEN / "hist.xml").read_bytes(), ASK)
    assert frame.rows() == [
        ("EUR", "USD", day("2024-03-07"), 1.0895, None, None),
        ("EUR", "JPY", day("2024-03-08"), 160.99, None, None),
        ("EUR", "USD", day("2024-03-08"), 1.0932, None, None),
    ]


@pytest.mark.parametrize("pack", [bytes, zipped])
def test_csv(pack: type[bytes]) -> None:
    """The CSV file of all days, packed or not: N/A and an empty cell are no rate."""
    frame = decode.fx_rates(pack((GOLDEN / "eurofxref-hist.csv").read_bytes()), ASK)
    assert frame.select("quote", "ts_event", "rate").rows() == [
        ("CYP", day("2024-03-07"), 0.5842),
        ("USD", day("2024-03-07"), 1.0895),
        ("JPY", day("2024-03-08"), 160.99),
        ("USD", day("2024-03-08"), 1.0932),
    ]


def test_csv_of_one_day() -> None:
    """The file of one day writes blanks after commas and its date in words."""
    body = b"Date, USD, JPY, \n21 November 2026, 1.0543, 160.1, \n"
    assert decode.fx_rates(zipped(body), ASK).select("quote", "ts_event", "rate").rows() == [
        ("JPY", day("2026-11-21"), 160.1),
        ("USD", day("2026-11-21"), 1.0543),
    ]


def test_the_data_portal() -> None:
    """Holidays have no value and are left out."""
    frame = decode.fx_rates((GOLDEN / "portal.csv").read_bytes(), ASK)
    assert frame.rows() == [("EUR", "USD", day("2024-03-28"), 1.0811, None, None)]


def test_series_of_the_data_portal() -> None:
    """Whatever the frequency, a period is named by its first day; of two rows of one period the last counts."""
    periods = ("2024-03-08", "2024-02", "2024-Q3", "2024-S2", "2023-H1", "2023", "2024-W05", "2024-12", "2024-Q4")
    body = portal("2022", value="9") + portal("2022", *periods).partition(b"\r\n")[2]
    frame = check(decode.observations(body, ASK), DECODED["observations"], kind="observations")
    assert frame["symbol"].unique().to_list() == ["EST/B.EU000A2X2A25.WT"]
    assert frame.select("period", "value", "known_from", "known_to").rows() == [
        (date(2022, 1, 1), 1.5, None, None),
        (date(2023, 1, 1), 1.5, None, None),
        (date(2024, 1, 29), 1.5, None, None),
        (date(2024, 2, 1), 1.5, None, None),
        (date(2024, 3, 8), 1.5, None, None),
        (date(2024, 7, 1), 1.5, None, None),
        (date(2024, 10, 1), 1.5, None, None),
        (date(2024, 12, 1), 1.5, None, None),
    ]


def test_a_holiday_of_a_series_is_a_missing_value() -> None:
    """An observation without a value says that there is none."""
    assert decode.observations(portal("2024-03-29", value=""), ASK)["value"].to_list() == [None]


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.fx_rates, b"<html>hello</html>", "no list of reference rates"),
        (decode.fx_rates, b"<p>", "no XML"),
        (decode.fx_rates, b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope/>', "document type"),
        (decode.fx_rates, b"{}", "no XML"),
        (decode.fx_rates, cubes("<Cube time='soon'><Cube currency='USD' rate='1'/></Cube>"), "time was 'soon'"),
        (decode.fx_rates, cubes("<Cube currency='USD' rate='1'/>"), "time was ''"),
        (decode.fx_rates, cubes("<Cube time='2024-03-08'><Cube currency='USD' rate='x'/></Cube>"), "rate was 'x'"),
        (decode.fx_rates, cubes("<Cube time='2024-03-08'><Cube currency='USD'/></Cube>"), "rate was ''"),
        (decode.fx_rates, cubes("<Cube time='2024-03-08'><Cube currency='usd' rate='1'/></Cube>"), "'EUR/usd'"),
        (decode.fx_rates, WIDE.replace(b"160", b"many"), "a currency was 'many'"),
        (decode.fx_rates, WIDE.replace(b"2024-03-08", b"8 Marz 2024"), "Date was '8 Marz 2024'"),
        (decode.fx_rates, WIDE.replace(b"2024-03-08", b""), "Date was 'None'"),
        (decode.fx_rates, WIDE.replace(b"USD", b"JPY"), "its header was"),
        (decode.fx_rates, b"KEY,TIME_PERIOD\nA,2024\n", "the column CURRENCY was missing"),
        (decode.fx_rates, (GOLDEN / "portal.csv").read_bytes().replace(b",EUR,", b",,"), "CURRENCY_DENOM had an empty"),
        (decode.fx_rates, WIDE[:-3], "last line was cut"),
        (decode.observations, portal("2024")[:-6], "last line was cut"),
        (decode.fx_rates, zipped(WIDE)[:-30], "zip data was damaged"),
        (decode.observations, b"KEY,TIME_PERIOD\nA,2024\n", "the column OBS_VALUE was missing"),
        (decode.observations, portal("2024-Q5"), "TIME_PERIOD was '2024-Q5'"),
        (decode.observations, portal("2024-13"), "TIME_PERIOD was '2024-13'"),
        (decode.observations, portal(""), "TIME_PERIOD had an empty cell"),
        (decode.observations, portal("2024", value="x"), "OBS_VALUE was 'x'"),
    ],
)
def test_drift_is_named(reader: Decode, body: bytes, named: str) -> None:
    """Bodies of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize("reader", [decode.fx_rates, decode.observations])
def test_no_results_are_refused_as_empty(reader: Decode) -> None:
    """The data portal's own words come back."""
    with pytest.raises(ProviderRefused, match="No results found") as caught:
        reader(b"No results found.", ASK)
    assert caught.value.failure.failure_class is FailureClass.EMPTY
