"""LEAN's own sample, all of it: every line of factor files, every boundary of map files, and adjusted closes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import polars as pl
import pytest

import truetape as tt
from lean_folder import run
from lengths import usually
from truetape.app.lean_import import declared
from truetape.domain.adjust import Adjustment
from truetape.domain.naming import Unresolved, resolve
from truetape.providers.lean.folder import Folder
from truetape.services.api.directory import Directory
from truetape.services.reference.master import instruments, listings

FACTORS: Final = ("aaa.1", "aapl", "bac", "bno", "eem", "fb", "goog", "iwm", "spy", "uso")
MAPS: Final = (*FACTORS, "aaa", "fb.1", "gooav")
ADJUSTMENTS: Final[tuple[Adjustment, ...]] = ("raw", "split", "all")
END: Final = date(2050, 12, 31)
DAY: Final = timedelta(days=1)


@pytest.fixture(scope="module")
def usa(recordings: Path) -> Path:
    """The folder of US equities."""
    return recordings / "lean" / "equity" / "usa"


def lines(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()]


def day_of(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  a date has no zone


def bars_of(usa: Path, ticker: str) -> list[list[str]]:
    with zipfile.ZipFile(usa / "daily" / f"{ticker}.zip") as packed:
        return [line.split(",") for line in packed.read(f"{ticker}.csv").decode().splitlines()]


def write_bars(path: Path, cells: list[list[str]]) -> None:
    rows = [f"{one[0][:8]},{','.join(str(int(price) / 10_000) for price in one[1:5])},{one[5]}\n" for one in cells]
    text = "".join(f"{row[:4]}-{row[4:6]}-{row[6:]}" for row in rows)
    path.write_text(f"date,open,high,low,close,volume\n{text}")


def numbers(rows: list[list[str]]) -> list[list[float]]:
    return [[float(cell) for cell in row] for row in rows]


@pytest.mark.parametrize("name", FACTORS)
def test_every_line_of_every_factor_file_is_computed_again(usa: Path, tmp_path: Path, name: str) -> None:
    """Date, price factor, split factor and reference price, by truetape factors from raw bars, to the last digit.

    The bars are all of the ticker's file: those of bac.zip before October 1998 are of another bank, and of the file's
    own bank there are none until then.
    """
    write_bars(tmp_path / "bars.csv", bars_of(usa, name.partition(".")[0]))
    file = usa / "factor_files" / f"{name}.csv"

    done = run("factors", "--bars", tmp_path / "bars.csv", "--actions", file, "--as", "lean")

    assert (0, "") == (done.exit_code, done.stderr)
    assert numbers(lines(file)) == numbers([one.split(",") for one in done.stdout.splitlines()])


@pytest.mark.parametrize("name", FACTORS)
def test_every_line_follows_from_cash_and_ratios(usa: Path, tmp_path: Path, name: str) -> None:
    """Each step as a split or a dividend of a file of actions, worked out here, on the security's own bars."""
    rows = lines(usa / "factor_files" / f"{name}.csv")
    begins = "19981001" if name == "bac" else rows[0][0]
    cells = [one for one in bars_of(usa, name.partition(".")[0]) if one[0][:8] >= begins]
    write_bars(tmp_path / "bars.csv", cells)
    closes = {one[0][:8]: int(one[4]) / 10_000 for one in cells}
    actions = ["ex_date,type,value"]
    for (day, price, split, _), (_, later, shares, _) in pairwise(rows):
        if day in closes:
            ex_date = next(one for one in closes if one > day)
            if split != shares:
                actions.append(f"{day_of(ex_date)},split,{float(shares) / float(split)!r}")
            if price != later:
                actions.append(f"{day_of(ex_date)},dividend,{closes[day] * (1 - float(price) / float(later))!r}")
    (tmp_path / "actions.csv").write_text("\n".join(actions) + "\n")

    done = run("factors", "--bars", tmp_path / "bars.csv", "--actions", tmp_path / "actions.csv", "--as", "lean")

    found = {row[0]: row for row in (one.split(",") for one in done.stdout.splitlines())}
    own = [row for row in rows[1:] if row[0] in closes] + rows[-1:]
    for row in own:
        assert [pytest.approx(float(cell), rel=1e-7, abs=1e-12) for cell in row] == [*map(float, found[row[0]])], row
    assert len(own) >= len(rows) - (4 if name == "bac" else 1)


@pytest.fixture(scope="module")
def listed(usa: Path) -> pl.DataFrame:
    """The listings that truetape import lean declares, of all map files."""
    folder = Folder(usa)
    folder.look()
    told = [one for security in folder.securities.values() for one in declared(security)]
    about = instruments(told, ts_known=0, simulated=False).unique("instrument_id")
    return listings(told, ts_known=0, simulated=False).join(
        about.select("instrument_id", "name", "asset_class", "currency"), on="instrument_id"
    )


def beside(rows: list[list[str]]) -> Iterator[tuple[date, str | None]]:
    """Yield each date of a map file and the days beside it, with the ticker that it tells; None outside of it."""
    days = [day_of(row[0]) for row in rows]
    for one in sorted({min(day + step, END) for day in days for step in (-DAY, timedelta(0), DAY)}):
        told = next((row[1] for row, day in zip(rows, days, strict=True) if one <= day), None)
        yield one, told if days[0] <= one else None


@pytest.mark.parametrize("name", MAPS)
def test_every_boundary_of_every_map_file_is_resolved(usa: Path, listed: pl.DataFrame, name: str) -> None:
    """By the ticker of the day, by the newest one, and by what a range of bars means: one instrument, then and now."""
    rows = lines(usa / "map_files" / f"{name}.csv")
    newest, directory = rows[-1][1].upper(), Directory(listed)
    found = set()
    for day, told in beside(rows):
        if told is None:
            continue
        mine, after = resolve(listed, told, on=day), resolve(listed, newest, on=day)
        assert (told.upper(), newest) == (mine.ticker_then, mine.ticker_now), day
        assert (mine.instrument_id, told.upper()) == (after.instrument_id, after.ticker_then), day
        assert mine.instrument_id == directory.find(told.upper(), start=day, end=day).instrument_id, day
        found.add(mine.instrument_id)

    assert 1 == len(found)


@pytest.mark.parametrize("name", MAPS)
def test_beside_the_lines_of_a_map_file_its_tickers_mean_nothing(usa: Path, listed: pl.DataFrame, name: str) -> None:
    """Neither before the first nor after the last, unless another security has them then."""
    rows = lines(usa / "map_files" / f"{name}.csv")
    outside = [day for day, told in beside(rows) if told is None]

    assert outside
    for day in outside:
        with pytest.raises(Unresolved, match=r"listed then|No listing"):
            resolve(listed, rows[-1][1], on=day)


def test_every_adjusted_close_of_the_sample(usa: Path, tmp_path: Path) -> None:
    """Imported, each bar times the factors of the next line: raw, for splits, and for everything handed out."""
    symbols = usually(("goog", "eem", "fb.1"), long=MAPS)
    data = tmp_path / "data"
    run("import", "lean", usa, "--into", data, "--symbols", ",".join(symbols), "--json")
    with tt.open(data) as opened:
        for name in symbols:
            tickers = lines(usa / "map_files" / f"{name}.csv")
            instrument = opened.resolve(tickers[-1][1], on=min(day_of(tickers[-1][0]), date(2021, 3, 1))).instrument_id
            expected = dict(own_closes(usa, name))
            for place, adjustment in enumerate(ADJUSTMENTS):
                found = opened.bars(instrument, adjustment=adjustment).select(pl.col("ts_event").dt.date(), "close")
                assert list(expected) == found["ts_event"].to_list()
                closes = [one[place] for one in expected.values()]
                assert closes == pytest.approx(found["close"].to_list(), rel=1e-7), (name, adjustment)


def own_closes(usa: Path, name: str) -> Iterator[tuple[date, tuple[float, float, float]]]:
    """Yield the closes of a security as LEAN has them: raw, for splits, and for everything."""
    path = usa / "factor_files" / f"{name}.csv"
    factors = lines(path) if path.exists() else []
    before = date(1, 1, 1)
    for number, (until, ticker, *_) in enumerate(lines(usa / "map_files" / f"{name}.csv")):
        last = day_of(until)
        for cells in bars_of(usa, ticker) if (usa / "daily" / f"{ticker}.zip").exists() else ():
            day = day_of(cells[0][:8])
            if before < day <= last and (number or day == last):
                line = next((row for row in factors if row[0] >= cells[0][:8]), ["", "1", "1", "0"])
                close, price, split = int(cells[4]) / 10_000, float(line[1]), float(line[2])
                yield day, (close, close * split, close * price * split)
        before = last
