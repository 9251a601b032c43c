"""The command: it shows what it serves, and serves it."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

import aiohttp
import pytest
from rich.console import Console
from small_tape import small_dataset

from truetape.app.sandbox import run_sandbox
from truetape.domain.errors import BadInput


async def shown(data: Path | None, *, faults: str, tried: bool = False) -> tuple[str, list[int]]:
    """The text that the command prints, and the statuses of its own example questions where they are tried."""
    page = io.StringIO()
    console = Console(file=page, width=200)
    command = asyncio.ensure_future(
        run_sandbox(data=data, faults=faults, seed=7, host="127.0.0.1", port=0, console=console)
    )
    try:
        while "ault" not in page.getvalue().rpartition("/faults")[2]:
            assert not command.done()
            await asyncio.sleep(0.01)
        statuses = []
        async with aiohttp.ClientSession() as session:
            for url in re.findall(r"curl '([^']+)'", page.getvalue() if tried else ""):
                async with session.get(url) as response:
                    statuses.append(response.status)
    finally:
        command.cancel()
        with pytest.raises(asyncio.CancelledError):
            await command
    return page.getvalue(), statuses


async def test_the_command_shows_what_it_serves(tmp_path: Path) -> None:
    """Address, symbols and range are printed, and every example line works."""
    small_dataset(tmp_path)
    text, statuses = await shown(tmp_path / "small.csv", faults="none", tried=True)

    assert "The sandbox listens at http://127.0.0.1:" in text
    assert "2 symbols of small.csv, 2012-01-02 to 2012-03-23: AAA, BBB" in text
    assert "No faults" in text
    assert [200] * 5 == statuses


async def test_the_command_shows_its_faults() -> None:
    """Without a file it serves the demo's stocks; the table counts the faults by kind and provider."""
    pytest.importorskip("bokeh_sampledata", reason="the demo extra is not installed")
    text, _ = await shown(None, faults="all")

    assert "5 symbols of bokeh_sampledata, 2000-03-01 to 2013-03-01: AAPL, FB, GOOG, IBM, MSFT" in text
    for word in ("missed_split", "hundredfold", "time_out", "alpha_vantage", "iex_cloud"):
        assert word in text


async def test_the_command_refuses_what_it_cannot_serve(tmp_path: Path) -> None:
    """A missing file is named before anything listens."""
    with pytest.raises(BadInput, match=r"nothing\.csv"):
        await run_sandbox(data=tmp_path / "nothing.csv", faults="none", seed=7, host="127.0.0.1", port=0)
