"""How Stooq is asked: its site by parameters, and a folder of its bulk files by name."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.failures import FailureClass
from truetape.ports.http import Unreachable
from truetape.ports.provider import Provider
from truetape.providers import stooq, vendor
from truetape.providers.stooq.bulk import BulkClient

BARS = b"<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"


class Wire:
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.sent.append(request)
        return Answer(url=request.url, status=200, content_type="", headers={}, body=b"")


async def asked(ask: Ask, **given: str) -> Request:
    wire = Wire()
    await stooq.provider(wire, **given).client.fetch(ask)
    return wire.sent[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Bulk files as they are unpacked, and a secret beside the folder."""
    root = tmp_path / "data"
    for path in (
        "daily/us/nasdaq stocks/1/acme.us.txt",
        "5 min/us/nasdaq stocks/acme.us.txt",
        "daily/world/eurusd.txt",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(BARS + path.encode())
    (root / "daily" / "readme.md").write_text("no prices")
    (tmp_path / "secret.txt").write_text("secret")
    return root


def bulk(folder: Path) -> Provider:
    return stooq.provider(Wire(), base_url=folder.as_uri())


async def test_bars_are_asked_by_range() -> None:
    """Dates are written without dashes; there is no key by default."""
    ask = Ask(kind="bars", symbol="aapl.us", start=date(2024, 1, 2), end=date(2024, 3, 8))
    assert await asked(ask) == Request(
        url="https://stooq.com/q/d/l/", params={"s": "aapl.us", "i": "d", "d1": "20240102", "d2": "20240308"}
    )


@pytest.mark.parametrize(("timeframe", "interval"), [("5m", "5"), ("1h", "60"), ("1w", "w"), ("1mo", "m"), ("7d", "d")])
async def test_intervals(timeframe: str, interval: str) -> None:
    """Minutes by their number, longer bars by a letter; the key travels as a secret."""
    request = await asked(Ask(kind="bars", symbol="x", timeframe=timeframe), key="k", base_url="http://localhost:1/")
    assert request == Request(
        url="http://localhost:1/q/d/l/", params={"s": "x", "i": interval}, secrets={"apikey": "k"}
    )


async def test_quotes_are_asked_by_their_fields() -> None:
    """A table with a header."""
    request = await asked(Ask(kind="quotes", symbol="aapl.us"))
    assert request == Request(
        url="https://stooq.com/q/l/", params={"s": "aapl.us", "f": "sd2t2ohlcv", "h": "", "e": "csv"}
    )


async def test_a_bulk_file_is_found_by_name_and_timeframe(folder: Path) -> None:
    """The folder above tells the timeframe; the case of the name does not matter."""
    client = bulk(folder).client
    daily = await client.fetch(Ask(kind="bars", symbol="ACME.US"))
    minutes = await client.fetch(Ask(kind="bars", symbol="acme.us", timeframe="5m"))
    assert (daily.status, daily.body) == (200, BARS + b"daily/us/nasdaq stocks/1/acme.us.txt")
    assert (minutes.status, minutes.body) == (200, BARS + b"5 min/us/nasdaq stocks/acme.us.txt")
    assert daily.url == (folder / "daily/us/nasdaq stocks/1/acme.us.txt").as_uri()
    assert daily.elapsed_s > 0


async def test_a_path_is_as_good_as_an_address(folder: Path) -> None:
    """The folder may be named without file://."""
    answer = await stooq.provider(Wire(), base_url=str(folder)).client.fetch(Ask(kind="fx_rates", symbol="eurusd"))
    assert answer.status == 200


@pytest.mark.parametrize(
    ("symbol", "timeframe"),
    [("nope.us", "1d"), ("acme.us", "1h"), ("../secret", "1d"), ("daily/world/eurusd", "1d"), ("readme.md", "1d"),
     ("", "1d"), ("/etc/passwd", "1d"), ("\0", "1d"), ("x" * 5000, "1d")],
)  # fmt: skip
async def test_what_is_not_among_the_files_is_not_there(folder: Path, symbol: str, timeframe: str) -> None:
    """A name is looked up and never followed as a path: the answer is a permanent failure of our own making."""
    provider = bulk(folder)
    answer = await provider.client.fetch(Ask(kind="bars", symbol=symbol, timeframe=timeframe))
    failure = provider.classify(answer)
    assert answer.status == 404
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT


async def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    """Neither a file nor a folder outside can be reached by a link inside."""
    (folder / "daily" / "leak.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "daily" / "out").symlink_to(tmp_path)
    client = bulk(folder).client
    assert [(await client.fetch(Ask(kind="bars", symbol=name))).status for name in ("leak", "secret")] == [404, 404]


async def test_files_that_come_and_go_are_noticed(folder: Path) -> None:
    """A name that was not there is looked for again, one that is gone is not there."""
    client = bulk(folder).client
    late = folder / "daily" / "late.us.txt"
    assert (await client.fetch(Ask(kind="bars", symbol="late.us"))).status == 404
    late.write_bytes(BARS)
    assert (await client.fetch(Ask(kind="bars", symbol="late.us"))).status == 200
    late.unlink()
    assert (await client.fetch(Ask(kind="bars", symbol="late.us"))).status == 404


async def test_a_file_that_is_too_large_is_refused(folder: Path) -> None:
    """The bound is inclusive, and a larger file will not become smaller by asking again."""
    size = len(BARS) + len("daily/world/eurusd.txt")
    ask = Ask(kind="bars", symbol="eurusd")
    assert (await BulkClient(str(folder), max_bytes=size).fetch(ask)).status == 200
    answer = await BulkClient(str(folder), max_bytes=size - 1).fetch(ask)
    assert (answer.status, b"more than" in answer.body) == (413, True)


async def test_a_missing_folder_is_unreachable(tmp_path: Path) -> None:
    """A folder that is not there now, as of a disk that is not mounted, may be there later."""
    with pytest.raises(Unreachable, match="no such file"):
        await bulk(tmp_path / "none").client.fetch(Ask(kind="bars", symbol="x"))


async def test_the_names_of_a_folder(folder: Path) -> None:
    """Each name once, with the folder that names its market."""
    provider = bulk(folder)
    answer = await provider.client.fetch(Ask(kind="listings", symbol=""))
    assert json.loads(answer.body) == {
        "listings": [{"symbol": "acme.us", "market": "nasdaq stocks"}, {"symbol": "eurusd", "market": "world"}]
    }
    assert provider.classify(answer) is None
    frame = provider.decode["listings"](answer.body, Ask(kind="listings", symbol=""))
    assert frame["symbol"].to_list() == ["acme.us", "eurusd"]


async def test_a_folder_is_read_up_to_a_number_of_files(folder: Path) -> None:
    """A folder without end does not take memory without end."""
    client = BulkClient(str(folder), max_files=0)
    assert json.loads((await client.fetch(Ask(kind="listings", symbol=""))).body) == {"listings": []}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("AAPL", "aapl.us"),
        ("BRK.B", "brk-b.us"),
        ("VOD.L", "vod.uk"),
        ("CDR.WA", "cdr"),
        ("^GSPC", "^spx"),
        ("^WIG", "^wig"),
        ("EUR/USD", "eurusd"),
        ("BTC/USD", "btc.v"),
        ("BTC/EUR", "btceur"),
    ],
)
def test_spelling(ours: str, theirs: str) -> None:
    """Markets are suffixes; classes of shares have a dash."""
    assert stooq.provider(Wire()).spell(ours) == theirs


@pytest.mark.parametrize("base_url", ["", "file:///data"])
def test_the_provider_is_whole(base_url: str) -> None:
    """What is offered can be decoded, on the site and in a folder."""
    provider = vendor("stooq").provider(Wire(), base_url=base_url)
    assert set(provider.decode) == set(provider.declaration.kinds)
    assert provider.declaration.basis == "all"
