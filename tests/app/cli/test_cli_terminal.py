"""How the command line ends: our errors in one sentence, signals with the codes that shells know, defects untouched."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
import typer

from truetape.app.cli.terminal import call, run
from truetape.domain.errors import PortInUse

BUSY = PortInUse(address="http://127.0.0.1:80")
WORDS = f"PortInUse: {BUSY}\n"


async def failing(error: BaseException) -> None:
    raise error


def refuse_to_work() -> None:
    raise BUSY


@pytest.mark.parametrize(
    "error", [BUSY, ExceptionGroup("tasks", [ValueError("later"), ExceptionGroup("inner", [BUSY])])]
)
def test_errors_of_ours(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of ours, alone or among those of several tasks, is one sentence, and the code is 2."""
    with pytest.raises(typer.Exit) as ended:
        run(failing(error))

    assert (2, ("", WORDS)) == (ended.value.exit_code, capsys.readouterr())


def test_errors_of_plain_work(capsys: pytest.CaptureFixture[str]) -> None:
    """Work that never waits is told about in the same way."""
    with pytest.raises(typer.Exit) as ended:
        call(refuse_to_work)

    assert (2, ("", WORDS)) == (ended.value.exit_code, capsys.readouterr())


def test_defects_go_through() -> None:
    """What is no error of ours is left to the front of the command line."""
    with pytest.raises(ExceptionGroup, match="tasks"):
        run(failing(ExceptionGroup("tasks", [ValueError("defect")])))


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_lets_work_clean_up(sent: signal.Signals, code: int) -> None:
    """What waits for ever is woken, cleans up, and the signal's code is left; handlers are as before."""
    steps: list[str] = []

    async def work() -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), sent)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(typer.Exit) as ended:
        run(work())

    assert (code, ["cleaned up"]) == (ended.value.exit_code, steps)
    assert before == [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]


def test_a_second_ctrl_c_waits_for_nothing() -> None:
    """Where cleaning up takes too long, Ctrl-C again ends it."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

    with pytest.raises(typer.Exit) as ended:
        run(work())

    assert 130 == ended.value.exit_code
