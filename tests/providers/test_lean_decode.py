"""LEAN's files, read: bars over renames, actions out of factor files, listings, and every way a file can be broken."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import UndecodablePayload
from truetape.domain.schema import DECODED
from truetape.providers.lean.bundle import packed, series_name
from truetape.providers.lean.decode import actions, bars, listings

ASK = Ask(kind="bars", symbol="NEW", timeframe="1d")
HOURS = Ask(kind="bars", symbol="NEW", timeframe="1h")
MINUTES = Ask(kind="bars", symbol="NEW", timeframe="1m")
OLD_DAYS, NEW_DAYS = (date(2024, 1, 2), date(2024, 1, 3)), (date(2024, 1, 4), date(2199, 12, 31))


def zipped(text: str | bytes, name: str = "x.csv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def line(day: str, close: int, volume: int = 100) -> str:
    return f"{day},{close - 1},{close + 2},{close - 3},{close},{volume}\n"


OLD = line("20240101 00:00", 80_000) + line("20240102 00:00", 90_000) + line("20240103 00:00", 100_001)
NEW = line("20240103 00:00", 770_000) + line("20240104 00:00", 50_000) + line("20240108 00:00", 40_000)
FILES = {
    series_name("daily", "old", *OLD_DAYS): zipped(OLD),
    series_name("daily", "new", *NEW_DAYS): zipped(NEW),
    "map_files/new.csv": b"20240102,old,N\n20240103,old,N\n20501231,new,N",
    "factor_files/new.csv": b"20240102,0.72,0.5,1\n20240103,0.72,0.5,10.0001\n20240104,0.8,1,5\n20501231,1,1,0",
}


def test_bars_go_on_over_a_rename() -> None:
    """Of each file the days on which the security had its ticker; prices in dollars, labelled with their dates."""
    frame = bars(packed(FILES), ASK)

    stamps = [datetime(2024, 1, day, tzinfo=UTC) for day in (2, 3, 4, 8)]
    assert DECODED["bars"] == dict(frame.schema)
    assert stamps == frame["ts_event"].to_list()
    assert [9.0, 10.0001, 5.0, 4.0] == frame["close"].to_list()
    assert [8.9999, 10.0, 4.9999, 3.9999] == frame["open"].to_list()
    assert [9.0002, 10.0003, 5.0002, 4.0002] == frame["high"].to_list()
    assert [8.9997, 9.9998, 4.9997, 3.9997] == frame["low"].to_list()
    assert {("NEW", "1d", "USD", "raw", False, 100.0)} == set(
        frame.select("symbol", "timeframe", "currency", "basis", "running", "volume").rows()
    )


def test_actions_are_the_steps_of_the_factor_file() -> None:
    """On the next bar after each line; cash is measured against the close, per share after a split of that day."""
    frame = actions(packed(FILES), ASK)

    rows = frame.select("symbol", "ex_date", "type", "value", "currency", "basis").rows()
    assert DECODED["actions"] == dict(frame.schema)
    assert [
        ("NEW", date(2024, 1, 4), "dividend", pytest.approx(0.1 * 10.0001 / 2), "USD", "raw"),
        ("NEW", date(2024, 1, 4), "split", 2.0, "USD", "raw"),
        ("NEW", date(2024, 1, 8), "dividend", pytest.approx(0.2 * 5), "USD", "raw"),
    ] == rows


def test_without_a_factor_file_there_are_no_actions() -> None:
    """And a security of hours has none either, since nothing could be measured."""
    alone = {name: body for name, body in FILES.items() if not name.startswith("factor")}

    assert actions(packed(alone), ASK).is_empty()
    assert bars(packed(alone), HOURS).is_empty()


def test_hours_begin_in_new_york() -> None:
    """Nine in winter is 14:00 UTC, in summer 13:00."""
    text = line("20240105 09:00", 10_000) + line("20240705 09:00", 20_000) + line("20250105 09:00", 30_000)
    name = series_name("hour", "new", date(2024, 1, 1), date(2024, 12, 31))

    frame = bars(packed({name: zipped(text)}), HOURS)

    assert [datetime(2024, 1, 5, 14, tzinfo=UTC), datetime(2024, 7, 5, 13, tzinfo=UTC)] == frame["ts_event"].to_list()
    assert {"1h"} == set(frame["timeframe"])


def test_minutes_count_from_midnight_in_new_york() -> None:
    """34,200,000 ms are half past nine; days come in order whatever the order of the files."""
    files = {
        f"minute/new/2024010{day}_trade.zip": zipped(f"34200000,1,1,1,{day},5\n34260000,1,1,1,{day + 1},5\n")
        for day in (5, 4)
    }

    frame = bars(packed(files), MINUTES)

    assert [(4, 14, 30), (4, 14, 31), (5, 14, 30), (5, 14, 31)] == [
        (one.day, one.hour, one.minute) for one in frame["ts_event"]
    ]
    assert [0.0004, 0.0005, 0.0005, 0.0006] == frame["close"].to_list()


def test_blank_lines_mean_nothing() -> None:
    """Before, between and after the others, with carriage returns; errors still name the line of the file."""
    text = "\r\n" + line("20240104 00:00", 50_000).replace("\n", "\r\n\r\n") + "  \n" + line("20240105 00:00", 40_000)
    name = series_name("daily", "new", *NEW_DAYS)

    assert [5.0, 4.0] == bars(packed({name: zipped(text + "\n")}), ASK)["close"].to_list()
    with pytest.raises(UndecodablePayload, match="line 7: its open was missing"):
        bars(packed({name: zipped(text + "\n20240108 00:00\n")}), ASK)


def test_an_empty_file_has_no_bars() -> None:
    """Nor has one whose days belong to another security."""
    files = {series_name("daily", "old", *OLD_DAYS): zipped(""), series_name("daily", "new", *NEW_DAYS): zipped(OLD)}

    assert bars(packed(files), ASK).is_empty()


def test_listings_are_dated_tickers() -> None:
    """By ticker and date, with the venue and whether the security is still traded."""
    files = {
        "map_files/fb.1.csv": b"19990929,fb\n20030328,fb",
        "map_files/fb.csv": b"20120518,fb,Q\n20220608,fb,Q\n20501231,meta,Q",
        "daily/alone.zip": b"",
    }

    frame = listings(packed(files), Ask(kind="listings", symbol=""))

    assert DECODED["listings"] == dict(frame.schema)
    assert [
        ("ALONE", None, "XXXX", "active", None, None),
        ("FB", None, "XXXX", "delisted", date(1999, 9, 29), date(2003, 3, 28)),
        ("FB", "Q", "XNAS", "active", date(2012, 5, 18), date(2022, 6, 8)),
        ("META", "Q", "XNAS", "active", date(2022, 6, 9), None),
    ] == frame.select("symbol", "exchange", "mic", "status", "first_date", "last_date").rows()


DAILY = series_name("daily", "new", *NEW_DAYS)
HOURLY = series_name("hour", "new", *NEW_DAYS)
GOOD = line("20240104 00:00", 50_000)


@pytest.mark.parametrize(
    ("files", "ask", "said"),
    [
        ({DAILY: zipped(GOOD + "20240105 00:00,1,1,1,abc,5\n")}, ASK, "new.zip, line 2: its close was 'abc'"),
        ({DAILY: zipped(GOOD + "20240105 00:00,1,1,1,inf,5\n")}, ASK, "line 2: its close was 'inf'"),
        ({DAILY: zipped(GOOD + "20240105 00:00,1,1,1,1,\n")}, ASK, "line 2: its volume was missing"),
        ({DAILY: zipped(GOOD + "2024-01-05,1,1,1,1,5\n")}, ASK, "line 2: its time was '2024-01-05'"),
        ({DAILY: zipped("00010105 00:00,1,1,1,1,5\n")}, ASK, "line 1: its time was '00010105 00:00'"),
        ({DAILY: zipped(GOOD + "20240105 00:00,1,1\n")}, ASK, "line 2: its low was missing"),
        ({DAILY: zipped("20240105 00:00,1,1\n")}, ASK, "it had 3 columns, not six"),
        ({DAILY: zipped(GOOD + "a,b,c,d,e,f,g,h\n")}, ASK, "it was no CSV of six columns"),
        ({DAILY: zipped(b"\xff\xfe\x00")}, ASK, "new.zip"),
        ({DAILY: zipped(GOOD)[:-30]}, ASK, "its zip data was damaged"),
        ({DAILY: b""}, ASK, "new.zip: it has no bytes"),
        ({HOURLY: zipped("20240310 02:30,1,1,1,1,5\n")}, HOURS, "line 1: its time was '20240310 02:30'"),
        ({"minute/new/20240104_trade.zip": zipped("86400000,1,1,1,1,5\n")}, MINUTES, "its time was '86400000'"),
        ({"minute/new/20240104_trade.zip": zipped("-1,1,1,1,1,5\n")}, MINUTES, "its time was '-1'"),
        ({"minute/new/20241304_trade.zip": zipped("1,1,1,1,1,5\n")}, MINUTES, "had the date 20241304"),
        ({"daily/new.csv": b""}, ASK, "'daily/new.csv', which is no file of LEAN's"),
        ({"map_files/x.csv": b"\xff"}, ASK, "map_files/x.csv was no UTF-8"),
    ],
)
def test_a_broken_file_is_named_with_its_line(files: dict[str, bytes], ask: Ask, said: str) -> None:
    """So that whoever made it can mend it."""
    with pytest.raises(UndecodablePayload) as refused:
        bars(packed(files), ask)

    assert said in str(refused.value)


def test_broken_factor_and_map_files_are_named_too() -> None:
    """With the line."""
    with pytest.raises(UndecodablePayload, match=r"factor_files/new\.csv: line 2 was 'x,1,1,1'"):
        actions(packed({**FILES, "factor_files/new.csv": b"20240102,1,1,1\nx,1,1,1\n"}), ASK)
    with pytest.raises(UndecodablePayload, match=r"map_files/a\.csv: line 1 was 'x,a'"):
        listings(packed({"map_files/a.csv": b"x,a"}), Ask(kind="listings", symbol=""))


@pytest.mark.parametrize("body", [b"", b"PK", b"{}", gzip.compress(b"a", mtime=0), zipped("a")])
def test_what_is_no_bundle_is_refused(body: bytes) -> None:
    """In every kind."""
    for decode in (bars, actions, listings):
        with pytest.raises(UndecodablePayload):
            decode(body, ASK)


def test_what_files_hold_together_is_bounded() -> None:
    """Few packed bytes may promise many: 84 files of a mebibyte each are too much."""
    long = zipped(b"34200000,1,1,1,1,5," + b"x" * (1 << 20))
    files = {f"minute/new/20240{month}{day:02}_trade.zip": long for month in (1, 3, 5) for day in range(1, 29)}

    with pytest.raises(UndecodablePayload, match="bytes when unpacked"):
        bars(packed(files), MINUTES)


def test_equal_files_make_equal_bodies() -> None:
    """Whatever order they come in."""
    assert packed(FILES) == packed(dict(reversed(FILES.items())))


def test_the_samples_minutes_are_the_days_own(recordings: Path) -> None:
    """AAPL on 2014-06-06, the day before its split: the first and last bars, and their times in UTC."""
    folder = recordings / "lean" / "equity" / "usa" / "minute" / "aapl"
    files = {f"minute/aapl/{day}_trade.zip": (folder / f"{day}_trade.zip").read_bytes() for day in ("20140606",)}

    frame = bars(packed(files), MINUTES)

    first, last = frame.row(0, named=True), frame.row(-1, named=True)
    regular = frame.filter(pl.col("ts_event") == datetime(2014, 6, 6, 13, 30, tzinfo=UTC))
    assert (datetime(2014, 6, 6, 8, 0, tzinfo=UTC), 648.8, 649.1, 648.8, 649.1, 300.0) == tuple(
        first[name] for name in ("ts_event", "open", "high", "low", "close", "volume")
    )
    assert date(2014, 6, 6) == last["ts_event"].date()
    assert 650.0 == pytest.approx(regular["open"][0], abs=1.0)
