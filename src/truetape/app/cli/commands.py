"""Every command by its name, in the groups that `truetape --help` shows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from truetape.app.cli.actions import actions
from truetape.app.cli.adjust import adjust
from truetape.app.cli.ask import explain, get, receipt
from truetape.app.cli.backfill import backfill, plan
from truetape.app.cli.backup import backup
from truetape.app.cli.calendar import calendar, correct
from truetape.app.cli.check import check
from truetape.app.cli.classify import classify
from truetape.app.cli.decode import decode
from truetape.app.cli.doctor import doctor
from truetape.app.cli.exporting import export
from truetape.app.cli.factors import factors
from truetape.app.cli.fx import fx
from truetape.app.cli.holdings import holdings
from truetape.app.cli.importing import imports
from truetape.app.cli.init import init
from truetape.app.cli.instruments import instruments
from truetape.app.cli.late import late
from truetape.app.cli.listings import listings
from truetape.app.cli.provider import provider
from truetape.app.cli.quality import quality
from truetape.app.cli.quarantine import quarantine
from truetape.app.cli.quota import quota
from truetape.app.cli.reference import reference
from truetape.app.cli.repairs_kept import kept as repair
from truetape.app.cli.replay import replay
from truetape.app.cli.resampling import resample
from truetape.app.cli.resolve import resolve
from truetape.app.cli.serve import demo, sandbox, up
from truetape.app.cli.snapshot import snapshot
from truetape.app.cli.status import status
from truetape.app.cli.storing import store
from truetape.app.cli.stream import stream
from truetape.app.cli.terminal import BAD_INPUT, INTERRUPTED, write_json
from truetape.app.cli.timeframes import timeframes
from truetape.app.cli.trust import trust
from truetape.app.cli.venues import venues

RUN: Final = "Run"
ASK: Final = "Ask"
KEEP: Final = "Look after"
FILES: Final = "Work on plain files"

TRACEBACK: Final = "TRUETAPE_TRACEBACK"


class _Front(TyperGroup):
    """Help in plain text, grouped: to lay it out with Rich would take longer than all the rest."""

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        groups: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            groups.setdefault(command.rich_help_panel, []).append((name, command.get_short_help_str(limit=200)))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    name="truetape",
    cls=_Front,
    rich_markup_mode=None,
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
    (plan, RUN),
    (backfill, RUN),
    (get, ASK),
    (explain, ASK),
    (resolve, ASK),
    (calendar, ASK),
    (venues, ASK),
    (receipt, ASK),
    (fx, ASK),
    (export, ASK),
    (timeframes, ASK),
    (status, KEEP),
    (quality, KEEP),
    (late, KEEP),
    (correct, KEEP),
    (trust, KEEP),
    (quota, KEEP),
    (replay, KEEP),
    (doctor, KEEP),
    (decode, FILES),
    (adjust, FILES),
    (check, FILES),
    (factors, FILES),
    (resample, FILES),
    (holdings, FILES),
):
    app.command(rich_help_panel=group)(command)
app.add_typer(imports, rich_help_panel=RUN)
app.add_typer(instruments, rich_help_panel=ASK)
app.add_typer(actions, rich_help_panel=ASK)
app.add_typer(reference, rich_help_panel=RUN)
app.add_typer(listings, rich_help_panel=FILES)
app.add_typer(classify, rich_help_panel=ASK)
app.add_typer(provider, rich_help_panel=FILES)
app.add_typer(repair, rich_help_panel=FILES)
app.add_typer(quarantine, rich_help_panel=KEEP)
app.add_typer(backup, rich_help_panel=KEEP)
app.add_typer(snapshot, rich_help_panel=KEEP)
app.add_typer(store, rich_help_panel=KEEP)
app.add_typer(stream, rich_help_panel=FILES)


COMMAND_LINE: Final = partial(app, prog_name="truetape")


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


def main(command: Callable[[], object] = COMMAND_LINE) -> None:
    """Run `command`, the command line; a closed pipe and Ctrl-C end it quietly.

    A fault of our own is told in a sentence too; with TRUETAPE_TRACEBACK=1 it is shown where it happened.
    """
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        _tell(error, as_json="--json" in sys.argv)
        sys.exit(BAD_INPUT)


def _tell(error: Exception, *, as_json: bool) -> None:
    words = f"truetape failed by a fault of its own, {type(error).__name__}: {error}"
    if as_json:
        write_json({"error": words, "kind": type(error).__name__})
    else:
        typer.echo(f"{words}. Please report it; {TRACEBACK}=1 shows where it happened.", err=True)
