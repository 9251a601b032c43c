"""The Python library: the same frames from a folder, from a server, and from a folder that is being served."""

from __future__ import annotations

import asyncio
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

import truetape as tt
from small_market import BODY, filled_folder, serving
from truetape.app.library_remote import RemoteSource
from truetape.domain.errors import BadInput, StoreUnavailable, UnknownSymbol, UnknownTarget, WrongFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(filled_folder(tmp_path_factory.mktemp("library") / "data"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the same data, whose server runs on another thread."""
    path = asyncio.run(filled_folder(tmp_path_factory.mktemp("served") / "data"))
    with serving(path) as address:
        yield path, address


@pytest.fixture(params=["folder", "url", "served folder"])
def data(request: pytest.FixtureRequest) -> str | Path:
    if request.param == "folder":
        return Path(request.getfixturevalue("folder"))
    path, url = request.getfixturevalue("served")
    return str(url) if request.param == "url" else Path(path)


def test_bars(data: str | Path) -> None:
    """Wherever the data are, the frame is the same: columns, types and values."""
    frame = tt.bars("AAPL", start="2005-02-25", end=date(2005, 2, 28), adjustment="split", data=data)

    assert [45.0, 44.0] == frame["close"].to_list()
    assert [220.0, 240.0] == frame["volume"].to_list()
    assert frame.schema["ts_event"] == pl.Datetime("ns", "UTC")
    assert frame.schema["version"] == pl.UInt32
    assert frame.columns[:3] == ["symbol", "ts_event", "open"]


def test_every_way_of_asking_gives_one_frame(folder: Path, served: tuple[Path, str]) -> None:
    """The folder and its twin behind a server agree on everything."""
    for asked in ("bars", "corporate_actions", "factors"):
        frames = [getattr(tt, asked)(["AAPL", "META"], data=data) for data in (folder, served[1], served[0])]
        assert frames[0].equals(frames[1])
        assert frames[0].equals(frames[2])
    assert tt.instruments(data=folder).equals(tt.instruments(data=served[1]))
    assert tt.index_levels("EW5", data=folder).equals(tt.index_levels("EW5", data=served[1]))


def test_pages_are_put_together(served: tuple[Path, str]) -> None:
    """A server that answers in pages of two rows gives one whole frame."""
    with tt.Session(RemoteSource(served[1], page_rows=2)) as session:
        frame = session.bars("AAPL,META")

    assert frame["symbol"].to_list() == ["AAPL"] * 6 + ["META"] * 2


@pytest.mark.parametrize(
    ("as_of", "close"),
    [
        ("2024-01-10", 46.0),
        (date(2024, 1, 11), 46.5),
        (datetime(2024, 1, 10, 12, tzinfo=UTC), 46.0),
        (None, 46.5),
    ],
)
def test_as_of(data: str | Path, as_of: str | date | None, close: float) -> None:
    """Knowledge times may be text, dates or datetimes."""
    frame = tt.bars("AAPL", start="2005-03-01", end=datetime(2005, 3, 1, 9, tzinfo=UTC), as_of=as_of, data=data)

    assert [close] == frame["close"].to_list()


def test_explain(data: str | Path) -> None:
    """The explanation is a value with fields, and printing it tells the story."""
    explanation = tt.explain("AAPL", date(2005, 2, 25), data=data)

    assert explanation.prices["all"].close == pytest.approx(90 / 2 * 0.99)
    assert "hundredfold" in str(explanation)


def test_a_folder_vouches_for_its_payloads(folder: Path) -> None:
    """Read from the folder itself, a claim says how large its archived payload is."""
    explanation = tt.explain("AAPL", "2005-02-25", data=folder)

    assert {"yahoo": len(BODY), "iex_cloud": None, "finnhub": None} == {
        claim.provider: claim.payload_bytes for claim in explanation.claims
    }


def test_errors_are_the_same_everywhere(data: str | Path) -> None:
    """A user meets the same error whether the store or a server found it."""
    with pytest.raises(UnknownSymbol, match=r"'APPL' is unknown\. Known symbols: AAPL") as unknown:
        tt.bars("APPL", data=data)
    with pytest.raises(BadInput, match="start was '2005-03-02'") as swapped:
        tt.bars("AAPL", start="2005-03-02", end="2005-03-01", data=data)
    with pytest.raises(BadInput, match="timeframe was '2d'"):
        tt.bars("AAPL", timeframe="2d", data=data)

    assert unknown.value.symbol == "APPL"
    assert swapped.value.parameter == "start"


def test_a_session_answers_many_questions(data: str | Path) -> None:
    """A session is opened once; closing it twice is fine."""
    with tt.open(data) as session:
        assert [2, 2] == [len(session.corporate_actions("AAPL")) for _ in range(2)]
        assert ["AAPL"] == session.instruments(q="apple")["symbol"].to_list()
    session.close()


@pytest.mark.parametrize("value", [datetime(2024, 1, 10), 20240110])  # noqa: DTZ001
def test_values_that_mean_nothing_are_refused(folder: Path, value: object) -> None:
    """A datetime without a zone, or a number, is no knowledge time."""
    with pytest.raises(BadInput, match="as_of was"):
        tt.bars("AAPL", as_of=value, data=folder)  # type: ignore[arg-type]


def test_data_are_found_by_the_environment(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRUETAPE_DATA names the folder; without it ./data is meant."""
    monkeypatch.setenv("TRUETAPE_DATA", str(folder))
    assert len(tt.bars("AAPL")) == 6
    monkeypatch.delenv("TRUETAPE_DATA")
    monkeypatch.chdir(folder.parent)
    assert len(tt.bars("AAPL")) == 6
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongFolder, match="holds no store yet"):
        tt.bars("AAPL")


@contextmanager
def stranger(body: bytes, *, status: int = 200, content_type: str = "text/html") -> Iterator[str]:
    """A server that is not ours and always says `body`."""

    class Strange(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Strange) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"<html>", 200, "not a truetape server"),
        (b"<html>", 502, "status 502"),
        (b'{"type":"x","title":"x","status":503,"detail":"The store could not be read now."}', 503, "read now"),
    ],
)
def test_strange_servers_are_called_so(body: bytes, status: int, words: str) -> None:
    """Whatever answers at the URL, the user gets a sentence about it."""
    with stranger(body, status=status) as url, pytest.raises(StoreUnavailable, match=words):
        tt.bars("AAPL", data=url)


def test_an_endless_answer_is_cut() -> None:
    """A page larger than the bound is refused, not held in memory."""
    with stranger(b"x" * 1000) as url, pytest.raises(StoreUnavailable, match="larger than 10 bytes"):
        tt.Session(RemoteSource(url, largest_bytes=10)).bars("AAPL")


def test_nobody_at_the_url() -> None:
    """A server that does not listen is named."""
    with pytest.raises(StoreUnavailable, match=r"http://127\.0\.0\.1:9 could not be used: no answer came"):
        tt.bars("AAPL", data="http://127.0.0.1:9")
    with pytest.raises(BadInput, match="data was"):
        tt.bars("AAPL", data="http://")


def test_importing_loads_nothing_heavy() -> None:
    """`import truetape` leaves Polars, DuckDB and the web server for later, and names what it has."""
    program = (
        "import sys, truetape as tt; heavy = {'polars', 'duckdb', 'litestar', 'pyarrow', 'aiohttp'} & set(sys.modules);"
        "print(sorted(heavy), set(tt.__all__) <= set(dir(tt)), hasattr(tt, 'nothing'))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert told.split("\n")[0] == "[] True False"


def test_a_stream_is_what_a_frame_is(data: str | Path) -> None:
    """Wherever the data are, the frames together are what `bars` returns; where there are none, one is empty."""
    with tt.open(data) as session:
        whole = session.bars(["AAPL", "META"], adjustment="all")
        frames = list(session.stream(["AAPL", "META"], adjustment="all"))
        nothing = list(session.stream("AAPL", start="2030-01-01"))
        with pytest.raises(UnknownSymbol):
            next(session.stream("NONE"))
        half = session.stream("AAPL")
        next(half)
        half.close()
        again = session.bars("AAPL")

    assert whole.equals(pl.concat(frames))
    assert whole.clear().equals(pl.concat(nothing))
    assert 6 == len(again)


def test_an_unknown_snapshot_is_told(data: str | Path) -> None:
    """By every read that names one, and by the name alone."""
    with tt.open(data) as session:
        for asked in (
            lambda: session.bars("AAPL", snapshot="eod"),
            lambda: session.instruments(snapshot="eod"),
            lambda: session.corporate_actions("AAPL", snapshot="eod"),
            lambda: session.index_levels("EW5", snapshot="eod"),
            lambda: session.explain("AAPL", "2005-03-01", snapshot="eod"),
            lambda: next(session.stream("AAPL", snapshot="eod")),
        ):
            with pytest.raises(BadInput, match="No snapshot has this name"):
                asked()
        with pytest.raises(UnknownTarget, match="There is none yet"):
            session.snapshot("eod")
        with pytest.raises(BadInput, match="no receipt"):
            session.answer_of("abc")
        assert session.snapshots().is_empty()
