"""Every command by its name, in the groups that `truetape --help` shows."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer

from truetape.app.cli.adjust import adjust
from truetape.app.cli.ask import explain, get
from truetape.app.cli.decode import decode
from truetape.app.cli.doctor import doctor
from truetape.app.cli.init import init
from truetape.app.cli.replay import replay
from truetape.app.cli.serve import demo, sandbox, up
from truetape.app.cli.status import status
from truetape.app.cli.terminal import INTERRUPTED

RUN: Final = "Run"
ASK: Final = "Ask"
KEEP: Final = "Look after"
FILES: Final = "Work on plain files"

app = typer.Typer(
    name="truetape",
    help="Market data from many providers, checked against each other, stored with both times, and served.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command, group in (
    (demo, RUN),
    (up, RUN),
    (sandbox, RUN),
    (init, RUN),
    (get, ASK),
    (explain, ASK),
    (status, KEEP),
    (replay, KEEP),
    (doctor, KEEP),
    (decode, FILES),
    (adjust, FILES),
):
    app.command(rich_help_panel=group)(command)


def _version(wanted: bool) -> None:  # noqa: FBT001  Typer calls it so
    if wanted:
        from importlib.metadata import version

        typer.echo(f"truetape {version('truetape')}")
        raise typer.Exit


@app.callback()
def _options(
    *, version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False
) -> None:
    pass


def main() -> None:
    """Run the command line; a closed pipe and Ctrl-C end it quietly."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
