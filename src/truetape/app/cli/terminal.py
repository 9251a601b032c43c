"""How the command line talks: answers on standard output, everything else on standard error, never a traceback."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

from truetape.domain.errors import BadInput, TruetapeError

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_PATH: Final = Path("truetape.toml")  # of the settings file
DONE: Final = 0
FINDINGS: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
TERMINATED: Final = 143

T = TypeVar("T")

Data = Annotated[Path, typer.Option("--data", help="Data folder.", envvar="TRUETAPE_DATA")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
Config = Annotated[Path, typer.Option("--config", help="Settings file.", envvar="TRUETAPE_CONFIG")]


def out() -> Console:
    """Return the console for answers."""
    from rich.console import Console

    return Console()


def err() -> Console:
    """Return the console for everything else."""
    from rich.console import Console

    return Console(stderr=True)


def write_json(value: object) -> None:
    """Write `value` as one line of JSON to standard output."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


def tell_notes(notes: Iterable[str]) -> None:
    """Say what a person should know beside the answer, a line each."""
    for one in notes:
        err().print(f"Note: {one}.", markup=False, highlight=False, soft_wrap=True)


def refuse(error: TruetapeError, *, as_json: bool = False) -> NoReturn:
    """Say what was wrong and how to mend it, and leave with exit code 2."""
    if as_json:
        write_json({"error": str(error), "kind": type(error).__name__})
    else:
        err().print(f"[bold red]{type(error).__name__}[/bold red]: ", end="")
        err().print(str(error), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(BAD_INPUT)


def run(work: Coroutine[Any, Any, T], *, as_json: bool = False) -> T:
    """Return what `work` returns; an error of ours is told in one sentence.

    Ctrl-C and SIGTERM let `work` clean up and leave quietly, with the exit codes that shells know. A second Ctrl-C
    waits for nothing.
    """
    stopped: list[int] = []
    try:
        return asyncio.run(_stoppable(work, stopped))
    except TruetapeError as error:
        refuse(error, as_json=as_json)
    except BaseExceptionGroup as group:
        ours, _ = group.split(TruetapeError)
        if ours is None:
            raise
        refuse(_first(ours), as_json=as_json)
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(stopped[0] if stopped else INTERRUPTED) from None


async def _stoppable(work: Coroutine[Any, Any, T], stopped: list[int]) -> T:
    """Return what `work` returns, or cancel it at a signal, whose exit code is added to `stopped`.

    The loop itself listens: a handler of the signal module would not wake it where it is about to wait.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop(code: int) -> None:
        stopped.append(code)
        loop.remove_signal_handler(signal.SIGINT)
        task.cancel()

    loop.add_signal_handler(signal.SIGINT, stop, INTERRUPTED)
    loop.add_signal_handler(signal.SIGTERM, stop, TERMINATED)
    try:
        return await work
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


def call(work: Callable[[], T], *, as_json: bool = False) -> T:
    """Return what `work` returns; an error of ours is told in one sentence."""
    try:
        return work()
    except TruetapeError as error:
        refuse(error, as_json=as_json)


def checked_suffix(path: Path, known: tuple[str, ...]) -> str:
    """Return the suffix of `path`.

    Raises:
        BadInput: It is none of `known`.
    """
    if path.suffix.lower() not in known:
        raise BadInput(parameter="-o", value=str(path), fix=f"End the name with one of {', '.join(known)}.")
    return path.suffix.lower()


def _first(group: BaseExceptionGroup[TruetapeError]) -> TruetapeError:
    one = group.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one
