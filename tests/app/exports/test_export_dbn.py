"""DBN: what Databento's own decoder reads."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import databento_dbn as dbn
import pytest

import truetape as tt
from truetape.domain.errors import BadInput

SECOND = 1_000_000_000
FRIDAY = 1_109_289_600 * SECOND  # 2005-02-25, 00:00 UTC


def decoded(path: Path) -> tuple[Any, list[Any]]:
    """The metadata and the records of a file."""
    packed: Any = dbn.Compression.ZSTD if path.suffix == ".zst" else dbn.Compression.NONE
    decoder = dbn.DBNDecoder(compression=packed)
    decoder.write(path.read_bytes())
    head, *records = decoder.decode()
    return head, records


@pytest.mark.parametrize("name", ["bars.dbn", "bars.dbn.zst"])
def test_daily_bars_in_the_order_of_time(exported: tt.Session, tmp_path: Path, name: str) -> None:
    """Prices are whole billionths, a missing volume is 0, and the records of all instruments are ordered by time."""
    path = tmp_path / name
    done = exported.export(["META", "AAPL", "BTC/USD"], path, start="2005-02-25", end="2024-12-31")

    head, records = decoded(path)
    assert ("TRUETAPE.RAW", "ohlcv-1d", "raw_symbol", "instrument_id") == (
        head.dataset,
        str(head.schema),
        str(head.stype_in),
        str(head.stype_out),
    )
    assert (FRIDAY, records[-1].ts_event + 1) == (head.start, head.end)
    assert [2, 2, 2, 2, 2, 1, 1, 3] == [one.instrument_id for one in records]
    first = records[0]
    assert (dbn.RType.OHLCV_1D, FRIDAY, 110) == (first.rtype, first.ts_event, first.volume)
    assert [89, 91, 88, 90] == [one / SECOND for one in (first.open, first.high, first.low, first.close)]
    assert (44_000_001_250_000, 1) == (records[-1].close, records[-1].volume)
    assert [one.ts_event for one in records] == sorted(one.ts_event for one in records)
    assert (
        "Volumes that are not known and stand as 0: 1.",
        "Volumes that are no whole numbers and stand rounded: 1.",
    ) == done.notes
    assert [path.name, f"{path.name}.json"] == sorted(one.name for one in tmp_path.iterdir())


def test_symbols_are_mapped_by_date(exported: tt.Session, tmp_path: Path) -> None:
    """META is number 2 until 2010, FB and then META number 1; the end of a span is the first day that it lacks."""
    ids = ["ins_meta", "ins_old"]
    exported.export(ids, tmp_path / "bars.dbn", start="2009-12-31", end="2022-06-09")

    head, _ = decoded(tmp_path / "bars.dbn")
    found = {
        symbol: [(one["start_date"], one["end_date"], one["symbol"]) for one in spans]
        for symbol, spans in head.mappings.items()
    }
    assert {
        "FB": [(date(2012, 5, 18), date(2022, 6, 9), "1")],
        "META": [(date(2009, 12, 31), date(2010, 1, 1), "2"), (date(2022, 6, 9), date(2022, 6, 10), "1")],
    } == found


def test_minutes_and_hours(exported: tt.Session, tmp_path: Path) -> None:
    """Each length has its own records; they are labelled with their beginning."""
    for timeframe, rtype, count in (("1m", dbn.RType.OHLCV_1M, 4), ("1h", dbn.RType.OHLCV_1H, 2)):
        path = tmp_path / f"{timeframe}.dbn"
        exported.export("AAPL", path, timeframe=timeframe)
        _, records = decoded(path)
        assert [rtype] * count == [one.rtype for one in records]
        assert FRIDAY + (14 * 60 + (29 if timeframe == "1m" else 30)) * 60 * SECOND == records[0].ts_event


def test_nothing_found_is_a_file_too(exported: tt.Session, tmp_path: Path) -> None:
    """A file without records is readable."""
    exported.export("AAPL", tmp_path / "bars.dbn", start="2030-01-01")

    head, records = decoded(tmp_path / "bars.dbn")
    assert ([], []) == (records, list(head.mappings))


def test_a_length_that_it_has_not(exported: tt.Session, tmp_path: Path) -> None:
    """DBN has no weeks; the words say which it has."""
    with pytest.raises(BadInput, match=r"--timeframe was '1w'. A file of dbn holds bars of 1m, 1h, 1d."):
        exported.export("AAPL", tmp_path / "bars.dbn", timeframe="1w")
    assert [] == [one.name for one in tmp_path.iterdir()]
