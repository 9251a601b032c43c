"""A folder of LEAN's, looked through: which files answer a question, and that nothing leads out of it."""

from __future__ import annotations

import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from lean_folder import LeanFolder, weekdays
from truetape.domain.asks import Answer, Ask
from truetape.domain.failures import FailureClass
from truetape.ports.http import Unreachable
from truetape.providers import lean, vendor
from truetape.providers.lean.classify import classify
from truetape.providers.lean.client import Client
from truetape.providers.lean.folder import MOST_TEXT, Folder

DAYS = dict.fromkeys(weekdays(date(2024, 1, 2), date(2024, 1, 31)), 10.0)


@pytest.fixture
def made(tmp_path: Path) -> LeanFolder:
    """Two securities called fb one after another, a rename, one without a map file, and a secret beside the folder."""
    folder = LeanFolder(tmp_path / "Data")
    folder.map("fb.1", "20000103,fb", "20030328,fb")
    folder.map("fb", "20120518,fb,Q", "20220608,fb,Q", "20501231,meta,Q")
    folder.map("broken", "20120518,broken", "nonsense")
    folder.factors("fb", "20120518,1,1,1", "20501231,1,1,0")
    for ticker in ("fb", "meta", "alone", "broken"):
        folder.daily(ticker, DAYS)
    folder.hours("meta", ("20240105 09:00", 10.0))
    for day in ("20240102", "20240103", "20240201"):
        folder.minutes("meta", day, (34_200_000, 10.0))
    folder.minutes("only", "20240102", (34_200_000, 10.0))
    (tmp_path / "secret.zip").write_bytes(b"secret")
    (folder.base / "daily" / "linked.zip").symlink_to(tmp_path / "secret.zip")
    return folder


def looked(made: LeanFolder) -> Folder:
    folder = Folder(made.root)
    folder.look()
    return folder


async def fetched(root: Path, symbol: str, *, timeframe: str = "1d", kind: str = "bars", **days: Any) -> Answer:
    made = lean.provider(None, base_url=root.as_uri())  # type: ignore[arg-type]
    return await made.client.fetch(Ask(kind=kind, symbol=symbol, timeframe=timeframe, **days))


def names(answer: Answer) -> list[str]:
    with zipfile.ZipFile(BytesIO(answer.body)) as archive:
        return archive.namelist()


def test_every_security_is_found(made: LeanFolder) -> None:
    """Those of map files that can be read, and those of prices that no map file speaks of."""
    found = looked(made)

    assert ["alone", "fb", "fb.1", "only"] == sorted(found.securities)
    assert {"map_files/broken.csv": "line 2 was 'nonsense', not yyyymmdd,ticker,exchange"} == found.broken
    assert ("meta", date(2012, 5, 18)) == (found.securities["fb"].ticker, found.securities["fb"].first)
    assert date(2003, 3, 28) == found.securities["fb.1"].last
    assert (date(2000, 1, 3), date(2199, 12, 31)) == (found.first_claim("fb"), found.first_claim("nobody"))


@pytest.mark.parametrize(
    ("ticker", "day", "expected"),
    [
        ("FB", date(2000, 1, 3), "fb.1"),
        ("fb", date(2003, 3, 28), "fb.1"),
        ("FB", date(2012, 5, 18), "fb"),
        ("META", date(2024, 1, 2), "fb"),
        ("alone", date(1990, 1, 2), "alone"),
    ],
)
def test_a_ticker_means_who_had_it_on_the_day(made: LeanFolder, ticker: str, day: date, expected: str) -> None:
    """In any case of letters."""
    found = looked(made).find(ticker, day)

    assert found is not None
    assert expected == found.name


@pytest.mark.parametrize("below", ["", "equity", "equity/usa"])
async def test_daily_bars_bring_all_files_of_the_security(made: LeanFolder, below: str) -> None:
    """Its map and factor file, and the prices of each of its tickers with the days that count."""
    answer = await fetched(made.root / below, "META", end=date(2024, 1, 31))

    assert [
        "daily/20120518-20220608/fb.zip",
        "daily/20220609-21991231/meta.zip",
        "factor_files/fb.csv",
        "map_files/fb.csv",
    ] == names(answer)
    assert (200, None) == (answer.status, classify(answer))
    assert answer.elapsed_s > 0


async def test_the_same_files_are_the_same_body(made: LeanFolder) -> None:
    """Whatever range is asked for, so that the archive keeps them once."""
    whole = await fetched(made.root, "META", end=date(2024, 1, 31))
    part = await fetched(made.root, "FB", start=date(2013, 1, 2), end=date(2013, 2, 1))

    assert whole.body == part.body


async def test_hours_and_minutes_bring_those_that_were_asked_for(made: LeanFolder) -> None:
    """Minutes of the range and the evening before, whose end is of the next day in UTC; no factor file."""
    hours = await fetched(made.root, "META", timeframe="1h")
    minutes = await fetched(made.root, "META", timeframe="1m", start=date(2024, 1, 4), end=date(2024, 2, 1))

    assert ["hour/20220609-21991231/meta.zip", "map_files/fb.csv"] == names(hours)
    assert [
        "map_files/fb.csv",
        "minute/meta/20240103_trade.zip",
        "minute/meta/20240201_trade.zip",
    ] == names(minutes)


async def test_the_list_has_every_map_file_that_can_be_read(made: LeanFolder) -> None:
    """And the names of prices that have none."""
    answer = await fetched(made.root, "", kind="listings")

    assert ["daily/alone.zip", "daily/only.zip", "map_files/fb.1.csv", "map_files/fb.csv"] == names(answer)
    found = lean.provider(None).decode["listings"](answer.body, Ask(kind="listings", symbol=""))  # type: ignore[arg-type]
    assert ["ALONE", "FB", "FB", "META", "ONLY"] == found["symbol"].to_list()


@pytest.mark.parametrize(
    ("symbol", "timeframe"),
    [
        ("NOPE", "1d"),
        ("../secret", "1d"),
        ("linked", "1d"),
        ("secret", "1d"),
        ("", "1d"),
        ("\0", "1d"),
        ("x" * 5000, "1d"),
        ("broken", "1d"),
        ("FB.1", "1d"),
        ("alone", "1h"),
        ("alone", "1m"),
        ("META", "5m"),
    ],
)
async def test_what_is_not_there_has_no_rows(made: LeanFolder, symbol: str, timeframe: str) -> None:
    """A symbol is looked up and never followed as a path, a link is not followed; the answer says that it is empty."""
    answer = await fetched(made.root, symbol, timeframe=timeframe, end=date(2024, 1, 31))
    failure = classify(answer)

    assert not answer.body.startswith(b"secret")
    assert (404, FailureClass.EMPTY) == (answer.status, failure.failure_class if failure else None)


async def test_a_file_that_comes_later_is_found(made: LeanFolder) -> None:
    """The folder is looked through again for a ticker that was not there."""
    client = Client(str(made.root))
    ask = Ask(kind="bars", symbol="LATE")
    before = await client.fetch(ask)
    made.daily("late", DAYS)

    assert (404, 200) == (before.status, (await client.fetch(ask)).status)


async def test_files_that_are_too_large_are_not_read(made: LeanFolder) -> None:
    """The answer says so, and classifies as permanent."""
    answer = await Client(str(made.root), max_bytes=64 * 1024 + 100).fetch(Ask(kind="bars", symbol="META"))
    failure = classify(answer)

    assert (413, FailureClass.PERMANENT) == (answer.status, failure.failure_class if failure else None)


async def test_a_file_that_goes_away_is_told(made: LeanFolder) -> None:
    """Others are read all the same; the failure is permanent for this question."""
    client = Client(str(made.root))
    await client.fetch(Ask(kind="bars", symbol="META"))
    (made.base / "daily" / "meta.zip").unlink()

    answer = await client.fetch(Ask(kind="bars", symbol="META"))
    failure = classify(answer)

    assert (410, FailureClass.PERMANENT) == (answer.status, failure.failure_class if failure else None)
    assert b"meta.zip could not be read: no such file or directory" in answer.body
    assert 200 == (await client.fetch(Ask(kind="bars", symbol="alone"))).status


@pytest.mark.parametrize("url", ["", "file:///no/such/folder"])
async def test_without_a_folder_nothing_is_reached(url: str) -> None:
    """No folder named, or none there."""
    with pytest.raises(Unreachable):
        await Client(url).fetch(Ask(kind="bars", symbol="META"))


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """With what should be in it."""
    with pytest.raises(OSError, match="none of the folders map_files, factor_files, daily"):
        Folder(tmp_path).look()


@pytest.mark.parametrize("place", ["crypto/coinbase", "Forex/oanda", "equity/india"])
def test_a_folder_of_other_securities_is_refused(tmp_path: Path, place: str) -> None:
    """What it holds is written in another way."""
    (tmp_path / place / "daily").mkdir(parents=True)

    with pytest.raises(OSError, match=f"it is LEAN's folder of {place.lower()}; only equities of the USA are read"):
        Folder(tmp_path / place).look()


def test_map_files_that_are_too_long_or_no_text_are_named(made: LeanFolder) -> None:
    """The others are read all the same."""
    (made.base / "map_files" / "long.csv").write_bytes(b" " * (MOST_TEXT + 1))
    (made.base / "map_files" / "latin.csv").write_bytes(b"20000103,\xe4")

    found = looked(made)

    assert f"it has more than {MOST_TEXT} bytes" == found.broken["map_files/long.csv"]
    assert "it is no UTF-8" == found.broken["map_files/latin.csv"]
    assert "fb" in found.securities


def test_folders_that_are_links_are_not_followed(made: LeanFolder, tmp_path: Path) -> None:
    """Nor are those within."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.csv").write_text("20000103,x")
    (made.base / "minute" / "x").symlink_to(tmp_path / "elsewhere")
    for part in ("hour", "minute"):
        for path in sorted((made.base / part).rglob("*"), reverse=True):
            path.unlink() if path.is_file() or path.is_symlink() else path.rmdir()
        (made.base / part).rmdir()
        (made.base / part).symlink_to(tmp_path / "elsewhere")

    found = looked(made)

    assert {} == found.prices["hour"]
    assert "only" not in found.securities
    assert {} == found.minutes("meta", date(2024, 1, 1), date(2024, 2, 1))


def test_a_security_whose_days_all_belong_to_others_has_no_ticker(made: LeanFolder) -> None:
    """It is there, without a claim."""
    made.map("twin", "20120518,fb,Q", "20220608,fb,Q")

    found = looked(made)

    assert () == found.securities["twin"].claims
    assert "fb" == found.securities["fb"].name


async def test_a_symbol_that_is_known_without_files_is_empty(made: LeanFolder) -> None:
    """A map file alone has no bars."""
    made.map("bare", "20120518,bare,Q", "20501231,bare,Q")

    assert 404 == (await fetched(made.root, "BARE")).status


async def test_a_factor_file_alone_still_tells_of_actions(made: LeanFolder) -> None:
    """Measured against its own reference prices: 10 of 50."""
    made.map("bare", "20120518,bare,Q", "20501231,bare,Q")
    made.factors("bare", "20120518,0.8,1,1", "20130104,0.8,1,50", "20501231,1,1,0")
    answer = await fetched(made.root, "BARE")

    found = lean.provider(None).decode["actions"](answer.body, Ask(kind="bars", symbol="BARE"))  # type: ignore[arg-type]

    assert ["factor_files/bare.csv", "map_files/bare.csv"] == names(answer)
    assert [(date(2013, 1, 7), "dividend", 10.0)] == found.select("ex_date", "type", "value").rows()


def test_the_catalogue_builds_it_from_a_folder() -> None:
    """Symbols are spelled in capitals."""
    found = vendor("lean").provider(None, base_url="/data")

    assert ("lean", "BRK.B") == (found.declaration.name, found.spell("brk.b"))
