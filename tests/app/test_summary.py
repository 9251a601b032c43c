"""The summary of a data folder: every count by hand, and tables that show what a provider said as it was."""

from __future__ import annotations

import asyncio
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from small_market import APPLE, PAYLOAD, filled_folder
from truetape.adapters.data_folder import ARCHIVE, STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.app.summary import Summary, summarize, tables
from truetape.domain.messages import GaveUp, RawCaptured, RoundClosed
from truetape.ports.archive import Attempted

SPAN: dict[str, Any] = {
    "start": date(2005, 2, 24),
    "end": date(2005, 3, 3),
    "timeframe": "1d",
    "kind": "bars",
    "ts_known": 1,
}
OTHER = "ins_gone"


def captured(provider: str) -> RawCaptured:
    return RawCaptured(
        provider=provider, key=PAYLOAD, round_id="rnd_1", instrument_id=APPLE, symbol="AAPL", simulated=True, **SPAN
    )


def failed(provider: str, failure: str, words: str) -> Attempted:
    return Attempted(
        provider=provider,
        kind="bars",
        round_id="rnd_1",
        instrument_id=APPLE,
        symbol="AAPL",
        ts_known=1,
        failure_class=failure,
        words=words,
        status=429,
        attempt=1,
    )


def closed(instrument: str) -> RoundClosed:
    gave_up = GaveUp(provider="finnhub", failure_class="throttled", words="[red]slow down[/red]", attempts=2)
    return RoundClosed(
        round_id="rnd_1", instrument_id=instrument, captured=(), providers=(), gave_up=(gave_up,), **SPAN
    )


async def summarized(folder: Path) -> Summary:
    await filled_folder(folder)
    archive, store = FileArchive(folder / ARCHIVE), DuckdbStore(folder / STORE)
    for entry in (
        captured("yahoo"),
        captured("iex_cloud"),
        captured("yahoo"),
        failed("finnhub", "throttled", "[red]slow\n down[/red]"),
        failed("finnhub", "throttled", "slower"),
        failed("finnhub", "transient", "x" * 100),
        closed(APPLE),
        closed(OTHER),
    ):
        archive.record(entry)
    summary = await summarize(store, archive)
    await store.close()
    archive.close()
    return summary


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return asyncio.run(summarized(tmp_path_factory.mktemp("summary") / "data"))


def test_what_each_provider_brought(summary: Summary) -> None:
    """Answers and failures are those of the journal, rows those of the store."""
    assert [
        ("finnhub", 0, 3, 1, 0, 1),
        ("iex_cloud", 1, 0, 1, 0, 0),
        ("yahoo", 2, 0, 1, 0, 0),
    ] == summary.providers.rows()
    assert [
        ("finnhub", "throttled", 2, "[red]slow down[/red]"),
        ("finnhub", "transient", 1, "x" * 60),
    ] == summary.failures.rows()


def test_what_is_stored(summary: Summary) -> None:
    """Instruments are counted by symbol; a round of one that is no longer listed is named by its id."""
    assert [("finnhub", "hundredfold", 1)] == summary.quarantined.rows()
    assert [("missing_row", "alpha_vantage", 1)] == summary.findings.rows()
    assert [("AAPL", 6, date(2005, 2, 24), date(2005, 3, 3), 6, 0, 2)] == [
        row for row in summary.instruments.rows() if row[0] == "AAPL"
    ]
    assert (3, 0) == (summary.index_rows, len(summary.rejected))
    assert ("finnhub for AAPL: throttled", f"finnhub for {OTHER}: throttled") == summary.failovers


def test_tables_show_words_as_they_are(summary: Summary) -> None:
    """What a provider said is no markup, and a reason is told in words."""
    text = io.StringIO()
    Console(file=text, width=200).print(tables(summary))

    for words in ("[red]slow down[/red]", "price 100 times off", "missing_row", "Failed over", OTHER):
        assert words in text.getvalue()


def test_an_empty_folder_has_two_tables(tmp_path: Path) -> None:
    """Where nothing happened, only providers and golden rows are shown."""

    async def empty() -> Summary:
        store = DuckdbStore(tmp_path / STORE)
        found = await summarize(store, FileArchive(tmp_path / ARCHIVE))
        await store.close()
        return found

    text = io.StringIO()
    Console(file=text, width=200).print(tables(asyncio.run(empty())))

    titles = [line for line in text.getvalue().splitlines() if line[:1].isalpha()]
    assert ["What each provider brought", "Golden rows"] == [title.strip() for title in titles]
