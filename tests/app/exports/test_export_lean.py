"""A folder of LEAN's: its files to the letter, and what our own importer reads back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import truetape as tt
from lean_folder import closes, run
from truetape.domain.errors import BadInput


def text(path: Path) -> tuple[str, list[str]]:
    """The name of the one file in a zip, and its lines."""
    with zipfile.ZipFile(path) as packed:
        (name,) = packed.namelist()
        return name, packed.read(name).decode().splitlines()


def test_daily_bars_are_ten_thousandths_in_a_zip_of_each_ticker(exported: tt.Session, tmp_path: Path) -> None:
    """Days until 2022-06-08 belong to fb.zip, later ones to meta.zip; another security's days of META are there too."""
    done = exported.export(["META", "AAPL", "ins_old"], tmp_path / "Data", format="lean")

    base = tmp_path / "Data" / "equity" / "usa"
    name, lines = text(base / "daily" / "aapl.zip")
    assert ("aapl.csv", "20050224 00:00,870000,890000,860000,880000,100") == (name, lines[0])
    assert ("fb.csv", ["20220608 00:00,1950000,1970000,1940000,1960000,10"]) == text(base / "daily" / "fb.zip")
    assert [
        "20091231 00:00,113456,133456,103456,123456,7",
        "20220609 00:00,1830000,1850000,1820000,1840000,11",
    ] == text(base / "daily" / "meta.zip")[1]
    assert {
        "Bars that were left out because one of their prices is missing: 1.",
        "Volumes that are not known and stand as 0: 1.",
        "Securities whose newest ticker a newer one has, so that their map files end in .1 and on: 1.",
    } == set(done.notes)


def test_map_and_factor_files(exported: tt.Session, tmp_path: Path) -> None:
    """A line of a map file tells the last day of a ticker; factors are those of all later ex-dates, by hand."""
    exported.export(["META", "AAPL", "ins_old"], tmp_path / "Data", format="lean")

    base = tmp_path / "Data" / "equity" / "usa"
    maps = {one.name: one.read_text().split() for one in (base / "map_files").iterdir()}
    assert {
        "aapl.csv": ["20050224,aapl,Q", "20501231,aapl,Q"],
        "meta.csv": ["20220608,fb,Q", "20501231,meta,Q"],
        "meta.1.csv": ["20091231,meta,N", "20091231,meta,N"],
    } == maps
    factors = (base / "factor_files" / "aapl.csv").read_text().split()
    assert ["20050224,0.99,0.5,1", "20050225,0.99,0.5,90", "20050302,0.99,1,50", "20501231,1,1,0"] == factors


def test_minutes_count_milliseconds_of_new_york(exported: tt.Session, tmp_path: Path) -> None:
    """14:29 UTC of a winter's day is 9:29 in New York; the hours are written by the clock there."""
    exported.export("AAPL", tmp_path / "minutes", format="lean", timeframe="1m")
    exported.export("AAPL", tmp_path / "hours", format="lean", timeframe="1h")

    name, lines = text(tmp_path / "minutes" / "equity" / "usa" / "minute" / "aapl" / "20050225_trade.zip")
    assert "20050225_aapl_minute_trade.csv" == name
    assert "34140000,885000,905000,875000,895000,10" == lines[0]
    assert ["34140000", "34200000", "34260000", "57540000"] == [line.partition(",")[0] for line in lines]
    _, hours = text(tmp_path / "hours" / "equity" / "usa" / "hour" / "aapl.zip")
    assert ["20050225 09:30", "20050225 10:30"] == [line.partition(",")[0] for line in hours]


def test_the_importer_reads_it_back(exported: tt.Session, tmp_path: Path) -> None:
    """Bars, tickers and adjusted prices come back as they were."""
    exported.export(["META", "AAPL"], tmp_path / "Data", format="lean")

    done = run("import", "lean", tmp_path / "Data", "--into", tmp_path / "data", "--json")

    assert {"bars": 8, "actions": 2, "broken": {}}.items() <= json.loads(done.stdout).items()
    with tt.open(tmp_path / "data") as back:
        for symbol in ("AAPL", "META"):
            assert closes(exported, symbol, "all") == closes(back, symbol, "all")
        assert [(2005, 2, 28), (2005, 3, 3)] == [
            (one.year, one.month, one.day) for one in back.corporate_actions("AAPL")["ex_date"]
        ]
        assert back.resolve("FB", on="2022-06-08").instrument_id == back.resolve("META").instrument_id


def test_what_it_cannot_hold(exported: tt.Session, tmp_path: Path) -> None:
    """Adjusted prices, and tickers that no file can be called, are refused before anything is written."""
    with pytest.raises(BadInput, match=r"--adjustment was 'all'. Leave it out: lean takes prices as traded"):
        exported.export("AAPL", tmp_path / "Data", format="lean", adjustment="all")
    with pytest.raises(BadInput, match=r"The ticker was 'BTC/USD'. A file cannot be called so"):
        exported.export("BTC/USD", tmp_path / "Data", format="lean")
    with pytest.raises(BadInput, match=r"The currency of SHOP was 'CAD'. LEAN's folder of US equities holds dollars"):
        exported.export("ins_shop_ca", tmp_path / "Data", format="lean")
    assert [] == list(tmp_path.iterdir())
