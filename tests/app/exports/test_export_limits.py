"""Numbers and instruments that a format has no place for are refused or told, never written wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from exported_market import MEMBER, series
from truetape.app.exports.dbn import SCHEMAS, DbnSink
from truetape.app.exports.nautilus import NautilusSink
from truetape.app.exports.series import Era, Series
from truetape.app.exports.ticks import TRADE, DbnTradeSink
from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES

DAY = date(2024, 1, 5)


def trades(size: float) -> Series:
    """One trade of BRK.A."""
    told = {"price": 10.0, "size": size, "trade_id": "1", "provider": "p", "correction": "", "venue": "V"}
    columns = TABLES["trades"].columns
    stamp = series([DAY], []).bars["ts_event"]
    missing = [pl.lit(None, columns[name]).alias(name) for name in ("conditions", "side", "currency", "simulated")]
    frame = pl.DataFrame({"ts_event": stamp, "ts_known": stamp}).with_columns(
        [pl.lit(value).alias(name) for name, value in told.items()] + missing
    )
    return replace(series([DAY], []), bars=frame)


def test_a_price_that_billionths_cannot_hold(tmp_path: Path) -> None:
    """64 bits end at 9.2 billion."""
    one = series([DAY], [])
    dear = replace(one, bars=one.bars.with_columns(high=pl.lit(9.3e9)))
    sink = DbnSink(tmp_path / "bars.dbn", members=[MEMBER], schema=SCHEMAS["1d"], basis="raw", packed=False)

    with pytest.raises(BadInput, match=r"A price of BRK.A was 9300000000.0. DBN holds prices below 9223372037."):
        sink.add(dear)
    sink.close()
    assert [] == list(tmp_path.iterdir())


def test_a_size_that_32_bits_cannot_hold(tmp_path: Path) -> None:
    """A part of a unit is rounded and told; more than four billion are refused."""
    sink = DbnTradeSink(tmp_path / "trades.dbn", members=[MEMBER], schema=SCHEMAS["trades"], basis="raw", packed=False)

    assert 48 == TRADE.itemsize
    assert 1 == sink.add(trades(1.5))
    assert ["Volumes that are no whole numbers and stand rounded: 1."] == sink.notes
    with pytest.raises(BadInput, match=r"A size of BRK.A was 5000000000"):
        sink.add(trades(5e9))
    sink.close()


def test_an_instrument_that_is_neither_share_nor_pair(tmp_path: Path) -> None:
    """An index has bars in the catalog, and no instrument; that is told. Without bars there is no file."""
    sink = NautilusSink(tmp_path / "catalog")
    index = replace(MEMBER, asset_class="index")

    assert 1 == sink.add(replace(series([DAY], []), member=index))
    assert 0 == sink.add(series([], []))

    assert ["bar", "equity"] == sorted(one.name for one in (tmp_path / "catalog" / "data").iterdir())
    assert ["Instruments that are neither shares nor pairs, of which there are bars alone: 1."] == sink.notes


def test_a_ticker_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    """No name that a listing has makes a file elsewhere."""
    era = Era(symbol=".", mic="", first=date.min, last=date.max)
    sink = NautilusSink(tmp_path / "catalog")

    with pytest.raises(BadInput, match="A folder cannot be called so"):
        sink.add(replace(series([DAY], []), member=replace(MEMBER, eras=(era,))))
