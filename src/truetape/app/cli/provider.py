"""truetape provider: hold a provider to every demand, and name what a recorded answer means."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from truetape.app.cli.terminal import FINDINGS, Json, call, out, refuse, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from truetape.app.classified import Classified
    from truetape.app.conformance import Result

EVERYBODY: Final = "all"
COUNTED: Final = {"pass": "passed", "fail": "failed", "not applicable": "not_applicable"}
STYLES: Final = {"pass": "green", "fail": "bold red", "not applicable": "dim"}

provider = typer.Typer(
    name="provider",
    help="Check a provider, or name what its answer means.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@provider.command()
def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The provider; all of them with `all`.")],
    *,
    number: Annotated[
        list[int] | None, typer.Option("--number", "-n", help="Only this check; may be repeated.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Show only what failed.")] = False,
    as_json: Json = False,
) -> None:
    """Hold a provider to the numbered demands that its declaration selects.

    It is asked in memory, at its desk of the sandbox. The exit status is 1
    if it does not keep one.
    """
    results = {one: call(partial(_examined, one, number or []), as_json=as_json) for one in _names(name)}
    if as_json:
        told = [_counted(one, found) for one, found in results.items()]
        write_json(told if name == EVERYBODY else told[0])
    else:
        for one, found in results.items():
            _show(one, found, failed=failed)
    if any(one.outcome == "fail" for found in results.values() for one in found):
        raise typer.Exit(FINDINGS)


@provider.command()
def classify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The recorded body; - is standard input.")],
    *,
    name: Annotated[str, typer.Option("--provider", metavar="NAME", help="Who sent it.")],
    status: Annotated[int, typer.Option(min=100, max=999, help="The HTTP status that it came with.")] = 200,
    header: Annotated[
        list[str] | None, typer.Option("--header", metavar="'NAME: VALUE'", help="A header; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Name the failure class of a recorded answer, or ok, and what would be done about it."""
    try:
        found = _classified(file, name=name, status=status, headers=header or [])
    except BadInput as error:
        refuse(error, as_json=as_json)
    if as_json:
        write_json(found)
    else:
        _tell(found)


def _names(name: str) -> tuple[str, ...]:
    from truetape.providers import NAMES

    return NAMES if name == EVERYBODY else (name,)


def _examined(name: str, numbers: list[int]) -> tuple[Result, ...]:
    from truetape.app.conformance import CHECKS, examine, registered

    unknown = [one for one in numbers if one not in CHECKS]
    if unknown:
        raise BadInput(parameter="--number", value=unknown[0], fix=f"Checks have the numbers 1 to {max(CHECKS)}.")
    return asyncio.run(examine(registered(name), numbers=numbers))


def _classified(file: str, *, name: str, status: int, headers: list[str]) -> Classified:
    from truetape.app import plain_files
    from truetape.app.classified import classified, read_headers
    from truetape.providers import NAMES

    if name not in NAMES:
        raise BadInput(parameter="--provider", value=name, fix=f"Choose one of {', '.join(NAMES)}.")
    told = read_headers(headers)
    return classified(name, plain_files.read_bytes(file), status=status, headers=told)


def _counted(name: str, results: tuple[Result, ...]) -> dict[str, object]:
    counted = Counter[str](one.outcome for one in results)
    numbers = {words: counted[outcome] for outcome, words in COUNTED.items()}
    return {"provider": name, **numbers, "checks": results}


def _show(name: str, results: tuple[Result, ...], *, failed: bool) -> None:
    from rich.box import SIMPLE
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("", "check", "outcome", "in words"):
        table.add_column(title, justify="right" if not title else "left")
    for one in results:
        if not failed or one.outcome == "fail":
            outcome = f"[{STYLES[one.outcome]}]{one.outcome}[/]"
            table.add_row(str(one.number), one.name, outcome, escape(one.words or one.demands))
    console = out()
    if table.row_count:
        console.print(table)
    counted = Counter[str](one.outcome for one in results)
    told = ", ".join(f"{counted[outcome]} {words.replace('_', ' ')}" for outcome, words in COUNTED.items())
    console.print(f"{name}: {told}", markup=False, highlight=False)


def _tell(found: Classified) -> None:
    console = out()
    told = found.failure_class if found.readable else f"{found.failure_class}, but undecodable"
    console.print(f"{found.provider}: {told}", markup=False, highlight=False)
    for line in (found.words, found.action):
        if line:
            console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
