"""Recorded captures of exchanges: checksums by the thousand, snapshots and updates, numbered trades."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.app.stream_replay import Report, Row, replay
from truetape.domain.ticks import Gap, Told, Trade
from truetape.providers.kraken.feed import make


def read(recordings: Path, provider: str, *names: str) -> Report:
    return replay([str(recordings / "ws_captures" / name) for name in names], provider=provider)


def rows(report: Report) -> dict[tuple[str, str], Row]:
    return {(row.channel, row.symbol): row for row in report.rows}


def test_every_checksum_of_kraken_is_reproduced(recordings: Path) -> None:
    """Ten books a thousand levels deep agree with the exchange after each of 4,269 updates."""
    report = read(recordings, "kraken", "KRAKEN.ws.50.0.txt.gz")

    assert (4_269, 0, 0) == (
        sum(row.checksums_right for row in report.rows),
        sum(row.checksums_wrong for row in report.rows),
        sum(row.stale + row.gaps for row in report.rows),
    )
    assert (10, 4_279) == (len(report.rows), sum(row.messages for row in report.rows))
    assert {"heartbeat": 31, "subscribed": 10, "welcome": 1} == report.told


def test_snapshots_and_updates_of_binance_join(recordings: Path) -> None:
    """Updates that the snapshots hold are dropped, no number is missing, and the best prices are the exchange's."""
    report = read(recordings, "binance", "BINANCE.http.0.0.txt", "BINANCE.ws.1.0.txt")

    counted = {key: (row.messages, row.stale, row.gaps) for key, row in rows(report).items() if key[0] == "depth"}
    assert {
        ("depth", "NKNUSDT"): (150, 1, 0),
        ("depth", "BLZETH"): (10, 1, 0),
        ("depth", "LRCBTC"): (15, 2, 0),
        ("depth", "RUNEEUR"): (2, 1, 0),
    } == counted
    for symbol, best in best_prices(recordings / "ws_captures" / "BINANCE.ws.1.0.txt").items():
        book = rows(report)["depth", symbol].book
        assert book is not None
        assert (book.whole, best) == (True, (book.bids[0], book.asks[0]))


def best_prices(capture: Path) -> dict[str, tuple[tuple[str, str], tuple[str, str]]]:
    """Return the last best prices by symbol that were told before the last update of its book."""
    last: dict[str, int] = {}
    told: dict[str, list[tuple[int, tuple[tuple[str, str], tuple[str, str]]]]] = {}
    for line in capture.read_text().splitlines():
        news = json.loads(line.partition(": ")[2] or "{}").get("data", {}) if line[:1].isdigit() else {}
        if news.get("e") == "depthUpdate":
            last[news["s"]] = news["u"]
        elif "A" in news:
            told.setdefault(news["s"], []).append((news["u"], ((news["b"], news["B"]), (news["a"], news["A"]))))
    known = {symbol: [best for number, best in bests if number <= last[symbol]] for symbol, bests in told.items()}
    return {symbol: bests[-1] for symbol, bests in known.items() if bests}


def test_trades_of_coinbase_are_numbered(recordings: Path) -> None:
    """A hundred trades follow each other by number, and ten books are whole and not crossed."""
    report = read(recordings, "coinbase", "COINBASE.0.txt", "COINBASE.ws.28.0.txt.gz")

    by_channel = {
        name: sum(row.messages for row in report.rows if row.channel == name)
        for name in ("matches", "ticker", "level2")
    }
    assert {"matches": 107, "ticker": 107, "level2": 9_729} == by_channel
    assert (0, 0) == (sum(row.gaps for row in report.rows), sum(row.stale for row in report.rows))
    books = [row.book for row in report.rows if row.book]
    assert 10 == len(books)
    assert all(book.whole and float(book.bids[0][0]) < float(book.asks[0][0]) for book in books)


@pytest.mark.parametrize(
    ("provider", "names", "messages", "records"),
    [
        ("kraken", ("KRAKEN.ws.48.0.txt",), 8, 10),
        ("kraken", ("KRAKEN.ws.49.0.txt",), 18, 18),
        ("kraken", ("KRAKEN.ws.48.0.txt", "KRAKEN.ws.49.0.txt", "KRAKEN.ws.50.0.txt.gz"), 4_305, 4_307),
        ("binance", ("BINANCE_US.0.txt",), 0, 0),
        ("coinbase", ("COINBASE.0.txt",), 0, 0),
    ],
)
def test_other_captures_are_read_too(
    recordings: Path, provider: str, names: tuple[str, ...], messages: int, records: int
) -> None:
    """Trades, tickers and lists of symbols; several connections side by side keep apart."""
    report = read(recordings, provider, *names)

    assert (messages, records, 0) == (
        sum(row.messages for row in report.rows),
        sum(row.records for row in report.rows),
        sum(row.gaps for row in report.rows),
    )
    assert [] == report.words


def test_recorded_messages_of_version_2_are_read(recordings: Path) -> None:
    """A shortened book does not agree with its checksum; trades do follow each other."""
    folder = recordings / "crypto" / "kraken"
    feed = make()

    gap, *_ = feed.receive((folder / "ws_book_snapshot.json").read_text(), 7)
    trades = feed.receive((folder / "ws_trade_update.json").read_text(), 7)

    assert isinstance(gap, Gap)
    assert "the checksum 2439117997 was expected and 1302676013 found" == gap.words
    assert [("10218208", "buy"), ("10218209", "sell")] == [
        (tick.trade_id, tick.side) for tick in trades if isinstance(tick, Trade)
    ]
    assert not any(isinstance(tick, Told) for tick in trades)
