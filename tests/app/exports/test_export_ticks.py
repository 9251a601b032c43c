"""Trades and quotes for other programs: all that was told in tables, what stands for engines."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import databento_dbn as dbn
import polars as pl
import pytest
from test_export_dbn import decoded
from test_export_engines import told

import truetape as tt
from exported_market import DAY_NS, OPEN_NS
from truetape.domain.errors import BadInput

KNOWN_NS = int(datetime(2024, 1, 10, tzinfo=UTC).timestamp()) * 1_000_000_000
RANGE: dict[str, Any] = {"start": "2005-02-25", "end": "2005-02-26"}


def test_a_table_holds_all_that_was_told(exported: tt.Session, tmp_path: Path) -> None:
    """Corrections are rows of their own, and every provider's trades are there, to the nanosecond."""
    done = exported.export("AAPL", tmp_path / "trades.parquet", kind="trades", **RANGE)

    frame = pl.read_parquet(tmp_path / "trades.parquet")
    assert exported.trades("AAPL", **RANGE).equals(frame.drop("instrument_id"))
    assert pl.Datetime("ns", "UTC") == frame.schema["ts_event"]
    assert (7, "trades", None) == (done.rows, done.origin.kind, done.origin.timeframe)
    assert ("2005-02-25T14:30Z", "2005-02-26T14:30Z") == (done.instruments[0].first, done.instruments[0].last)


def test_databento_reads_the_trades_that_stand(exported: tt.Session, tmp_path: Path) -> None:
    """What was cancelled is gone, what was corrected is as corrected; sides are those of the aggressors."""
    done = exported.export("AAPL", tmp_path / "trades.dbn", kind="trades", provider="alpaca", **RANGE)

    head, records = decoded(tmp_path / "trades.dbn")
    assert ("trades", "TRUETAPE.RAW") == (str(head.schema), head.dataset)
    found = [(one.ts_event - OPEN_NS, one.price, one.size, str(one.side), one.ts_recv) for one in records]
    assert [
        (0, 89_010_000_000, 100, "B", KNOWN_NS),
        (2, 89_040_000_000, 7, "A", KNOWN_NS),
        (DAY_NS, 44_250_000_000, 1, "N", KNOWN_NS),
    ] == found
    assert [dbn.RType.MBP_0] * 3 == [one.rtype for one in records]
    assert 3 == done.rows


def test_nautilus_reads_trades_and_quotes(exported: tt.Session, tmp_path: Path) -> None:
    """Each with its instrument; a quote of one side alone is none, a size that is not known is 0."""
    for kind in ("trades", "quotes"):
        exported.export("AAPL", tmp_path / kind, kind=kind, format="nautilus", provider="alpaca", **RANGE)

    trades, quotes = told("read_nautilus.py", tmp_path / "trades", tmp_path / "quotes", root=tmp_path)
    assert [
        f"AAPL.XNAS,89.01,100,BUYER,1,{OPEN_NS}",
        f"AAPL.XNAS,89.04,7,SELLER,3,{OPEN_NS + 2}",
        f"AAPL.XNAS,44.25,1,NO_AGGRESSOR,4,{OPEN_NS + DAY_NS}",
    ] == trades["trades"]
    assert [["Equity", "AAPL.XNAS", "AAPL", 2, 0]] == trades["instruments"]
    assert [f"AAPL.XNAS,89.00,89.05,200,0,{OPEN_NS + 3}"] == quotes["quotes"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"format": "dbn"}, "The providers of AAPL was 'alpaca, tiingo'. Each told the same market: choose one with"),
        ({"format": "lean"}, "--format was 'lean'. Choose one of parquet, arrow, csv, dbn, nautilus for trades."),
        ({"kind": "quotes", "format": "dbn"}, "Choose one of parquet, arrow, csv, nautilus for quotes."),
        ({"start": None}, "--start was ''. Say from when until when trades are wanted"),
        ({"end": "2005-02-25T14:30:00"}, "The zone is missing."),
    ],
)
def test_what_is_refused(exported: tt.Session, tmp_path: Path, given: dict[str, Any], words: str) -> None:
    """Nothing is written."""
    with pytest.raises(BadInput, match=re.escape(words)):
        exported.export("AAPL", tmp_path / "out", **{"kind": "trades", "format": "csv", **RANGE, **given})
    assert [] == list(tmp_path.iterdir())
