"""How files are found: by symbol and timeframe in a folder that a symbol cannot leave."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.failures import FailureClass
from truetape.ports.http import Unreachable
from truetape.ports.provider import Provider
from truetape.providers import files, vendor
from truetape.providers.files.classify import classify
from truetape.providers.files.client import Client

OWN = "date,open,high,low,close\n"
SEVERAL = "symbol,date,open,high,low,close\nACME,2024-03-08,1,1,1,1\nBETA,2024-03-08,2,2,2,2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of two symbols, and a secret beside the folder. The body of each is its header and its own path."""
    root = tmp_path / "prices"
    for path in (
        "ACME.csv",
        "acme_1m.csv",
        "ACME_actions.csv",
        "5m/ACME.csv",
        "BRK.B.txt",
        "BTC-USD_1d.csv",
        "other/X.csv",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(OWN + path)
    (root / "notes.md").write_text("no prices")
    (tmp_path / "SECRET.csv").write_text("secret")
    return root


def provider(folder: Path) -> Provider:
    return files.provider(None, base_url=folder.as_uri())  # type: ignore[arg-type]


async def fetched(folder: Path, symbol: str, timeframe: str = "1d", kind: str = "bars") -> Answer:
    return await provider(folder).client.fetch(Ask(kind=kind, symbol=symbol, timeframe=timeframe))


@pytest.mark.parametrize(
    ("symbol", "timeframe", "kind", "path"),
    [
        ("ACME", "1d", "bars", "ACME.csv"),
        ("acme", "1d", "bars", "ACME.csv"),
        ("ACME", "1m", "bars", "acme_1m.csv"),
        ("ACME", "5m", "bars", "5m/ACME.csv"),
        ("ACME", "15m", "bars", "ACME.csv"),
        ("ACME", "1d", "actions", "ACME_actions.csv"),
        ("BRK.B", "1d", "bars", "BRK.B.txt"),
        ("BRK.B", "1d", "actions", "BRK.B.txt"),
        ("BTC-USD", "1d", "bars", "BTC-USD_1d.csv"),
    ],
)
async def test_a_file_is_found_by_its_name(folder: Path, symbol: str, timeframe: str, kind: str, path: str) -> None:
    """The name or the folder may tell the timeframe; the case of a symbol does not matter."""
    answer = await fetched(folder, symbol, timeframe, kind)
    assert (answer.status, answer.body.decode()) == (200, OWN + path)
    assert answer.url == (folder / path).as_uri()
    assert answer.elapsed_s > 0


@pytest.mark.parametrize(
    "symbol",
    ["NOPE", "../SECRET", "/etc/passwd", "5m/ACME", "other/X", "X", "notes.md", "", "..", "\0", "x" * 5000, "BTC/USD"],
)
async def test_what_is_not_among_the_files_is_not_there(folder: Path, symbol: str) -> None:
    """A symbol is looked up and never followed as a path: the answer is a permanent failure of our own making."""
    answer = await fetched(folder, symbol)
    failure = classify(answer)
    assert answer.status == 404
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT


async def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    """Neither a file nor a folder outside can be reached by a link inside."""
    (folder / "LEAK.csv").symlink_to(tmp_path / "SECRET.csv")
    (folder / "1h").symlink_to(tmp_path)
    assert [(await fetched(folder, "LEAK")).status, (await fetched(folder, "SECRET", "1h")).status] == [404, 404]


async def test_files_that_come_and_go_are_noticed(folder: Path) -> None:
    """A symbol that was not there is looked for again, one that is gone is not there."""
    client, ask = provider(folder).client, Ask(kind="bars", symbol="LATE")
    statuses = [(await client.fetch(ask)).status]
    (folder / "LATE.csv").write_text(OWN)
    statuses += [(await client.fetch(ask)).status for _ in range(2)]
    (folder / "LATE.csv").unlink()
    statuses.append((await client.fetch(ask)).status)
    assert statuses == [404, 200, 200, 404]


@pytest.mark.parametrize("name", ["prices.csv", "Bars.csv", "all_1d.csv"])
async def test_a_file_of_several_symbols_has_a_known_name(folder: Path, name: str) -> None:
    """It answers for symbols that have no file of their own."""
    (folder / name).write_text(SEVERAL)
    found = provider(folder)
    answer = await found.client.fetch(Ask(kind="bars", symbol="BETA"))
    assert found.decode["bars"](answer.body, Ask(kind="bars", symbol="BETA"))["close"].to_list() == [2.0]
    assert (await fetched(folder, "ACME")).body.decode() == OWN + "ACME.csv"


@pytest.mark.parametrize(("body", "status"), [(SEVERAL, 200), (OWN, 404), ("\xff", 404)])
async def test_the_only_file_may_have_several_symbols(tmp_path: Path, body: str, status: int) -> None:
    """Whatever its name; but prices without symbols are not those of any symbol."""
    (tmp_path / "mine.csv").write_bytes(body.encode("latin-1"))
    assert (await fetched(tmp_path, "BETA")).status == status


async def test_a_file_can_be_named_itself(tmp_path: Path) -> None:
    """The address of one file stands for all symbols in it, as a path too."""
    path = tmp_path / "us equities.parquet"
    pl.read_csv(SEVERAL.encode()).write_parquet(path)
    for address in (path.as_uri(), str(path)):
        found = files.provider(None, base_url=address)  # type: ignore[arg-type]
        answer = await found.client.fetch(Ask(kind="bars", symbol="ACME"))
        assert found.decode["bars"](answer.body, Ask(kind="bars", symbol="ACME"))["close"].to_list() == [1.0]
        listed = await found.client.fetch(Ask(kind="listings", symbol=""))
        assert found.decode["listings"](listed.body, Ask(kind="listings", symbol=""))["symbol"].to_list() == [
            "ACME",
            "BETA",
        ]


async def test_symbols_of_a_folder(folder: Path) -> None:
    """Each symbol that has a file, once, and not those of files of several."""
    (folder / "prices.csv").write_text(SEVERAL)
    found = provider(folder)
    answer = await found.client.fetch(Ask(kind="listings", symbol=""))
    assert json.loads(answer.body) == {"files": ["ACME", "BRK.B", "BTC-USD"]}
    assert classify(answer) is None


async def test_a_folder_without_files_lists_nothing(tmp_path: Path) -> None:
    """No files are no symbols, which is no failure."""
    assert json.loads((await fetched(tmp_path, "", kind="listings")).body) == {"files": []}


async def test_bounds(folder: Path) -> None:
    """A file that is too large is refused for good, and a folder without end is read up to a number of files."""
    size, ask = len(OWN) + len("ACME.csv"), Ask(kind="bars", symbol="ACME")
    assert (await Client(str(folder), max_bytes=size).fetch(ask)).status == 200
    answer = await Client(str(folder), max_bytes=size - 1).fetch(ask)
    failure = classify(answer)
    assert (answer.status, answer.body) == (413, f"ACME.csv has more than {size - 1} bytes".encode())
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT
    assert (await Client(str(folder), max_files=0).fetch(ask)).status == 404


async def test_a_shared_file_that_is_too_large_says_so(tmp_path: Path) -> None:
    """It is not said that the symbol is absent."""
    (tmp_path / "prices.csv").write_text(SEVERAL)
    client = Client(str(tmp_path), max_bytes=9)
    assert (await client.fetch(Ask(kind="bars", symbol="ACME"))).status == 413
    assert (await client.fetch(Ask(kind="listings", symbol=""))).status == 413


@pytest.mark.parametrize(("address", "said"), [("", "no folder is named"), ("file:///nowhere/at/all", "no such file")])
async def test_a_missing_folder_is_unreachable(address: str, said: str) -> None:
    """A folder that is not there now, as of a disk that is not mounted, may be there later."""
    with pytest.raises(Unreachable, match=said):
        await Client(address).fetch(Ask(kind="bars", symbol="ACME"))


def test_an_empty_file_is_being_written() -> None:
    """It may have rows the next time."""
    failure = classify(Answer(url="", status=200, content_type="", headers={}, body=b""))
    assert failure is not None
    assert failure.failure_class is FailureClass.TRANSIENT


def test_the_provider_is_whole() -> None:
    """What is offered can be decoded; a pair is spelled as a file can be named."""
    found = vendor("files").provider(None, base_url="")
    assert set(found.decode) == set(found.declaration.kinds)
    assert [found.spell(symbol) for symbol in ("BRK.B", "BTC/USD")] == ["BRK.B", "BTC-USD"]
