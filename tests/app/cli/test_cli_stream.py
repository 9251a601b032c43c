"""truetape stream replay: recorded captures through the code that reads a live socket."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from truetape.app import capture_lines
from truetape.app.cli import app

STREAMS = Path(__file__).resolve().parents[2] / "golden" / "streams"
KRAKEN = str(STREAMS / "kraken_v1.txt")
BINANCE = (str(STREAMS / "binance_rest.txt"), str(STREAMS / "binance_ws.txt"))


def run(provider: str, *arguments: str, body: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["stream", "replay", "--provider", provider, *arguments], input=body)


def report(provider: str, *arguments: str, body: bytes = b"") -> Any:
    result = run(provider, *arguments, "--json", body=body)
    assert (0, "") == (result.exit_code, result.stderr)
    return json.loads(result.stdout)


def rows(found: Any) -> dict[tuple[str, str], Any]:
    return {(row["channel"], row["symbol"]): row for row in found["rows"]}


def numbers(row: Any) -> list[int]:
    names = ("messages", "records", "stale", "gaps", "checksums_right", "checksums_wrong")
    return [row[name] for name in names]


def test_checksums_are_counted() -> None:
    """Two agree; the third is wrong, so the book is dropped, and what follows it is stale."""
    found = report("kraken", KRAKEN)

    book, trade = rows(found)["book-10", "ACM/EUR"], rows(found)["trade", "ACM/EUR"]
    assert [5, 3, 1, 1, 2, 1] == numbers(book)
    assert {"whole": False, "bid_levels": 0, "ask_levels": 0, "bids": [], "asks": []} == book["book"]
    assert ([1, 2, 0, 0, 0, 0], None) == (numbers(trade), trade["book"])
    assert {"opened": 1, "received": 9, "sent": 1} == found["lines"]
    assert {"heartbeat": 1, "subscribed": 1, "welcome": 1} == found["told"]
    assert ("kraken", [KRAKEN], [], 0) == (found["provider"], found["captures"], found["words"], found["left_out"])
    assert ("2024-03-08T15:30:00Z", "2024-03-08T15:30:00.9Z") == (found["first"], found["last"])


def test_a_snapshot_and_its_stream_are_two_files() -> None:
    """In whatever order they are named, they are read by time: stale updates are dropped, a missing one is a gap."""
    found = report("binance", *BINANCE)

    assert [5, 2, 2, 1, 0, 0] == numbers(rows(found)["depth", "ACMUSDT"])
    assert [3, 3, 0, 1, 0, 0] == numbers(rows(found)["aggTrade", "ACMUSDT"])
    assert {"answer": 2, "opened": 1, "received": 8} == found["lines"]
    assert found["rows"] == report("binance", *reversed(BINANCE))["rows"]


def test_the_last_state_of_a_book_is_in_the_exchanges_words() -> None:
    """Until the gap the book is whole: the snapshot, the update that spans its end, and the next one."""
    opened, *updates = Path(BINANCE[1]).read_bytes().splitlines(keepends=True)[:4]
    answers = Path(BINANCE[0]).read_bytes().splitlines(keepends=True)
    body = b"".join((opened, *updates[:2], *answers, *updates[2:]))

    book = rows(report("binance", "-", body=body))["depth", "ACMUSDT"]["book"]

    assert {
        "whole": True,
        "bid_levels": 2,
        "ask_levels": 2,
        "bids": [["0.99", "4.0"], ["0.97", "2.0"]],
        "asks": [["1.01", "9.0"], ["1.02", "8.0"]],
    } == book


def test_without_its_snapshot_a_book_waits() -> None:
    """Updates alone make no book, and no gap either."""
    found = rows(report("binance", BINANCE[1]))["depth", "ACMUSDT"]

    assert ([5, 0, 0, 0, 0, 0], False) == (numbers(found), found["book"]["whole"])


def test_answers_alone_are_read_too() -> None:
    """The book is that of the snapshot."""
    found = rows(report("binance", BINANCE[0]))["depth", "ACMUSDT"]

    assert ([["0.99", "5.0"], ["0.98", "6.0"]], True) == (found["book"]["bids"], found["book"]["whole"])


def test_a_connection_that_is_opened_again_begins_anew() -> None:
    """Its numbers may begin anywhere: no gap lies between two conversations, and their counts add up."""
    once = Path(KRAKEN).read_bytes()
    trade = b'{"stream":"a@trade","data":{"s":"A","t":%d,"p":"1","q":"1","T":1709911800000,"m":true}}'
    opened = b"wss://stream.binance.com <-> 1709911800.0\n"
    body = b"".join(opened + b"1709911800.5: " + trade % number + b"\n" for number in (7, 900))

    assert [10, 6, 2, 2, 4, 2] == numbers(rows(report("kraken", "-", body=once + once))["book-10", "ACM/EUR"])
    assert [2, 2, 0, 0, 0, 0] == numbers(rows(report("binance", "-", body=body))["trade", "A"])


def test_gzip_is_recognized(tmp_path: Path) -> None:
    """By its first bytes, from a file and from standard input."""
    packed = tmp_path / "capture"
    packed.write_bytes(gzip.compress(Path(KRAKEN).read_bytes()))

    assert report("kraken", KRAKEN)["rows"] == report("kraken", str(packed))["rows"]
    assert report("kraken", KRAKEN)["rows"] == report("kraken", "-", body=packed.read_bytes())["rows"]


def test_people_get_lines_that_are_never_cut() -> None:
    """One for each channel and symbol, and what holds for all."""
    lines = run("kraken", KRAKEN).stdout.splitlines()

    assert [
        "channel  symbol   messages  records  stale  gaps  right  wrong  book",
        "book-10  ACM/EUR         5        3      1     1      2      1  waits for a snapshot",
        "trade    ACM/EUR         1        2      0     0      0      0",
        (
            "kraken: 6 messages, 5 records, 1 stale, 1 gaps, 2 checksums right, 1 wrong; "
            "2024-03-08T15:30:00Z to 2024-03-08T15:30:00.9Z."
        ),
        "Lines: 1 opened, 9 received, 1 sent.",
        "The provider said: 1 heartbeat, 1 subscribed, 1 welcome.",
    ] == lines


def test_a_book_is_told_by_its_best_levels() -> None:
    """Price and quantity of both sides, and how many levels there are; a side may be empty."""
    assert "0.99 x 5.0 | 1.01 x 7.0, 2 + 2 levels" in run("binance", BINANCE[0]).stdout
    snapshot = b'1.5: {"type":"snapshot","product_id":"A-B","bids":[],"asks":[["2","1"]]}'
    assert "none | 2 x 1, 0 + 1 levels" in run("coinbase", "-", body=snapshot).stdout


def test_refusals_are_told_in_the_providers_words() -> None:
    """With their class; frames that cannot be read are shown."""
    body = b'1.5: {"type":"error","msg":"Subscribing to too many symbols"}\n2.5: gibberish\n3.5: \xff\n'

    found = report("finnhub", "-", body=body)

    assert {"refused": 1, "unreadable": 2} == found["told"]
    assert "refused (entitlement): Subscribing to too many symbols" == found["words"][0]
    assert "gibberish" in found["words"][1]
    assert "refused (entitlement): Subscribing to too many symbols\n" in run("finnhub", "-", body=body).stdout


def test_long_reports_are_shortened_for_people() -> None:
    """Two hundred rows are shown; all of them are counted."""
    body = b"".join(
        b'1.5: {"type":"trade","data":[{"s":"S%03d","p":1,"t":1,"v":1}]}\n' % number for number in range(203)
    )

    text = run("finnhub", "-", body=body).stdout

    assert ("S199" in text, "S200" in text) == (True, False)
    assert "3 more rows with --json; 0 records of further symbols not counted." in text
    assert 203 == len(report("finnhub", "-", body=body)["rows"])


def test_what_is_counted_is_bounded() -> None:
    """Of endless symbols the first 20,000 are counted by themselves, the records of the others together."""
    traded = ",".join(f'{{"s":"S{number}","p":1,"t":1,"v":1}}' for number in range(20_003))

    found = report("finnhub", "-", body=f'1.5: {{"type":"trade","data":[{traded}]}}'.encode())

    assert (20_000, 3) == (len(found["rows"]), found["left_out"])


@pytest.mark.parametrize(
    ("provider", "arguments", "words"),
    [
        ("bitmex", (KRAKEN,), "--provider was 'bitmex'. Choose one of alpaca, binance, coinbase, finnhub, iex_cloud"),
        ("kraken", ("nowhere.txt",), "The capture was 'nowhere.txt'. No such file or directory."),
        ("kraken", (str(STREAMS),), "Is a directory."),
        ("kraken", (str(STREAMS.parent / "finnhub" / "candle_daily.json"),), "it is no capture."),
    ],
)
def test_bad_input_is_told_in_a_sentence(provider: str, arguments: tuple[str, ...], words: str) -> None:
    """Nothing is printed but the sentence, and the exit status is 2."""
    result = run(provider, *arguments)

    assert (2, "") == (result.exit_code, result.stdout)
    assert words in " ".join(result.stderr.split())
    told = json.loads(run(provider, *arguments, "--json").stdout)
    assert (True, "BadInput") == (words in told["error"], told["kind"])


@pytest.mark.parametrize("cut", [1, 20, -9])
def test_damaged_gzip_is_told(cut: int) -> None:
    """Wherever it breaks off."""
    packed = gzip.compress(Path(KRAKEN).read_bytes())[: cut if cut < 0 else 10 + cut]

    result = run("kraken", "-", body=packed)

    assert 2 == result.exit_code
    assert "Its gzip data is damaged" in " ".join(result.stderr.split())


def test_lines_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is bounded, and so is a capture, however small it is when packed."""
    body = b"1.5: " + b"a" * (capture_lines.MOST_LINE + 1)

    for sent in (body, gzip.compress(body)):
        result = run("kraken", "-", body=sent)
        assert (2, True) == (result.exit_code, "Line 1 is beyond that" in " ".join(result.stderr.split()))


def test_lines_of_other_kinds_are_counted() -> None:
    """Remarks between the lines of a capture do no harm."""
    body = b"\n".join((b"configuration: {}", b"", b"1.5: {}", b"hello", b"https://a -> b", b"wss://a <- 2.5: {}"))

    found = report("coinbase", "-", body=body)

    assert {"other": 3, "received": 1, "sent": 1} == found["lines"]
    assert ("1970-01-01T00:00:01.5Z", "1970-01-01T00:00:02.5Z") == (found["first"], found["last"])
