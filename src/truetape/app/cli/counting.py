"""A bar of things done among those planned, on standard error; nothing where it would be in the way."""

from __future__ import annotations

from typing import Protocol, Self

from truetape.app.cli.terminal import err


class Counts(Protocol):
    """How far some work has come; 0 planned means that it is not known yet."""

    @property
    def planned(self) -> int:
        """How many things there are to do."""
        ...

    @property
    def done(self) -> int:
        """How many of them are done."""
        ...


class CountedBar:
    """A bar called `what`, while its block lasts. `quiet`, or a standard error that is no terminal, shows none."""

    def __init__(self, what: str, *, quiet: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = err()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[told]}"),
        )
        self._bars = Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True)
        self._task = self._bars.add_task(what, total=None, told="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, counts: Counts, told: str = "") -> None:
        """Show how far it has come, and what else there is to tell of it."""
        self._bars.update(self._task, total=counts.planned or None, completed=counts.done, told=told)
