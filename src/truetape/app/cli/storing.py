"""`truetape store`: move old rows to cheaper tiers, delete what may not be kept, look for damage, count the cost."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from truetape.app.cli.compacting import compact
from truetape.app.cli.segments import segments
from truetape.app.cli.terminal import DEFAULT_PATH, FINDINGS, Config, Json, err, out, run, write_json

if TYPE_CHECKING:
    from rich.progress import Progress

    from truetape.app.parts import Parts
    from truetape.app.tiers import Lifecycle
    from truetape.ports.tiering import Moved
    from truetape.services.storage.lifecycle import Step

KIB: Final = 1024

store = typer.Typer(
    name="store",
    help="Look after what is kept: move old rows to cheaper tiers, delete, look for damage, count the cost.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
store.add_typer(segments)
store.command()(compact)
Dry = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and do nothing.")]
Actor = Annotated[str, typer.Option(help="Who does it; it is kept with what was done.", envvar="USER")]


@store.command()
def move(
    *, dry_run: Dry = False, actor: Actor = "operator", config: Config = DEFAULT_PATH, as_json: Json = False
) -> None:
    """Carry rows that are old enough from the store to the warm tier, and from there to the archive.

    The settings say when, under [tiers.kinds]. A running platform does it by itself; stop it to do it by hand.
    """
    run(_steps(config, ("warm", "archive"), dry_run=dry_run, actor=actor, unpin=False, as_json=as_json))


@store.command()
def retain(
    *,
    dry_run: Dry = False,
    actor: Actor = "operator",
    unpin: Annotated[bool, typer.Option("--unpin", help="Delete what named snapshots would show, too.")] = False,
    config: Config = DEFAULT_PATH,
    as_json: Json = False,
) -> None:
    """Delete rows that are older than the settings keep them, or than the licence of their provider allows.

    What a named snapshot shows stays, unless --unpin. Each deletion is kept in the table `moves`: who, what and why.
    """
    run(_steps(config, ("delete",), dry_run=dry_run, actor=actor, unpin=unpin, as_json=as_json))


@store.command()
def scrub(*, config: Config = DEFAULT_PATH, as_json: Json = False) -> None:
    """Read everything that is kept, cold files, payloads and the journal, and say what is damaged."""
    damages = run(_scrub(config, quiet=as_json), as_json=as_json)
    if as_json:
        write_json(damages)
    else:
        _show_damages(damages)
    if damages["damaged"]:
        raise typer.Exit(FINDINGS)


@store.command()
def cost(
    *,
    rule: Annotated[
        list[str] | None, typer.Option("--if", metavar="RULE", help='What a rule would change, such as "bars.hot=2y".')
    ] = None,
    config: Config = DEFAULT_PATH,
    as_json: Json = False,
) -> None:
    """Say what is kept where, how many bytes that is, and what it costs a month; and what other rules would save."""
    found = run(_cost(config, rule or []), as_json=as_json)
    if as_json:
        write_json(found)
    else:
        _show_cost(found)


@asynccontextmanager
async def _opened(config: Path, *, command: str) -> AsyncIterator[tuple[Parts, Lifecycle]]:
    """Open the data folder with its tiers.

    Raises:
        BadInput: The settings name no tiers.
        FolderInUse: A platform runs on it.
    """
    from truetape.app.parts import embedded
    from truetape.app.settings import load
    from truetape.app.tiers import lifecycle
    from truetape.domain.errors import BadInput

    settings = load(config, os.environ)
    if not settings.tiers.warm:
        fix = 'Write [tiers] with warm = "cold", or a bucket such as s3://bucket/prefix, and when rows go there.'
        raise BadInput(parameter="tiers.warm", value="", fix=fix)
    parts = embedded(settings, command=command)
    try:
        found = lifecycle(parts, settings)
        assert found is not None
        yield parts, found
    finally:
        await parts.close()


async def _steps(config: Path, goals: Sequence[str], *, dry_run: bool, actor: str, unpin: bool, as_json: bool) -> None:
    async with _opened(config, command="truetape store") as (_, kept):
        steps = [step for step in await kept.due() if step.goal in goals]
        done: list[tuple[Step, Moved | None]] = [(step, None) for step in steps]
        if not dry_run:
            done = []
            with _bars(quiet=as_json) as bars:
                task = bars.add_task("rows", total=sum(step.rows for step in steps) or None)

                def show(step: Step, moved: Moved) -> None:
                    done.append((step, moved))
                    bars.advance(task, step.rows)

                await kept.run(steps, actor=actor, on_step=show, unpin=unpin)
    if as_json:
        write_json({"done": not dry_run, "steps": [_told(step, moved) for step, moved in done]})
    else:
        _show_steps(done, dry_run=dry_run, unpin=unpin)


def _told(step: Step, moved: Moved | None) -> dict[str, Any]:
    written = {"moved_rows": moved.rows, "written_files": moved.files, "written_bytes": moved.bytes} if moved else {}
    return asdict(step) | written


def _show_steps(done: Sequence[tuple[Step, Moved | None]], *, dry_run: bool, unpin: bool) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    console = out()
    if not done:
        console.print("Nothing is due: every row lies where the settings want it.", highlight=False)
        return
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("table", "from", "to", "goes", "rows", "takes", "then", "why"):
        number = title in {"rows", "takes", "then"}
        table.add_column(title, justify="right" if number else "left", no_wrap=title != "why")
    for group in _groups(done):
        table.add_row(*_row(group, unpin=unpin))
    console.print(table)
    console.print("Nothing was changed (--dry-run)." if dry_run else "Done.", highlight=False)


def _groups(done: Sequence[tuple[Step, Moved | None]]) -> list[list[tuple[Step, Moved | None]]]:
    """Return the steps of different years that are otherwise alike together."""
    groups: dict[tuple[str, ...], list[tuple[Step, Moved | None]]] = {}
    for step, moved in done:
        alike = (step.table, step.goal, step.provider, step.why, step.pinned_by)
        groups.setdefault(alike, []).append((step, moved))
    return list(groups.values())


def _row(group: Sequence[tuple[Step, Moved | None]], *, unpin: bool) -> list[str]:
    step, first = group[0]
    is_pinned = bool(step.pinned_by) and not unpin
    why = f"stays: snapshot {step.pinned_by} shows it (--unpin)" if is_pinned else step.why
    end = max(one.end for one, _ in group)
    days = ["all", "all"] if step.provider else [str(step.start), str(end)]
    goes = "deleted" if step.goal == "delete" else step.goal
    takes = sum(one.bytes for one, _ in group)
    rows = sum(one.rows if moved is None else moved.rows for one, moved in group)
    written = sum(moved.bytes for _, moved in group if moved is not None)
    then = "" if first is None or step.goal == "delete" else size(written)
    return [step.table, *days, goes, f"{rows:,}", size(takes) if takes else "", then, why]


async def _scrub(config: Path, *, quiet: bool) -> dict[str, Any]:
    from truetape.app.scrubbing import scrubbed

    async with _opened(config, command="truetape store scrub") as (parts, kept):
        with _bars(quiet=quiet) as bars:
            task = bars.add_task("cold files", total=None)

            def show(read: int, of: int | None) -> None:
                bars.update(task, completed=read, total=of, description="cold files" if of is None else "payloads")

            return await scrubbed(kept.tiers, parts.archive, on_read=show)


def _show_damages(found: dict[str, Any]) -> None:
    console = out()
    console.print(f"{found['cold_files']:,} cold files and {found['payloads']:,} payloads were read.", highlight=False)
    for one in found["damaged"]:
        repaired = " It was repaired." if one["repaired"] else ""
        console.print(
            f"{one['what']} {one['name']}: {one['words']}.{repaired}", markup=False, highlight=False, style="red"
        )
    if not found["damaged"]:
        console.print("Nothing is damaged.")


async def _cost(config: Path, rules: Sequence[str]) -> dict[str, Any]:
    from truetape.app.costing import costed
    from truetape.domain.errors import FolderInUse

    try:
        async with _opened(config, command="truetape store cost") as (parts, kept):
            return {**await costed(kept, parts.archive, rules), "counted": ""}
    except FolderInUse:
        found = None if rules else _counted(config)
        if found is None:
            raise
        return found


def _counted(config: Path) -> dict[str, Any] | None:
    """Return what the running platform counted when it looked after its tiers last."""
    from truetape.app.settings import load
    from truetape.app.tier_watch import read_state
    from truetape.domain.time import iso

    state = read_state(load(config, os.environ).data)
    return {**state.costs, "counted": iso(state.looked)} if state is not None and state.costs else None


def _show_cost(found: dict[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for title in ("tier", "table", "provider", "rows", "bytes", f"{found['currency']} a month"):
        table.add_column(title, justify="right" if title[0] in "rb" or "month" in title else "left")
    for one in found["rows"]:
        table.add_row(
            one["tier"], one["table"], one["provider"], f"{one['rows']:,}", size(one["bytes"]), money(one["money"])
        )
    console = out()
    console.print(table)
    if found["counted"]:
        console.print(f"As the running platform counted it at {found['counted']}:", highlight=False)
    told = f"{size(found['bytes'])} cost {money(found['money'])} {found['currency']} a month."
    console.print(told, highlight=False)
    if found["rules"]:
        saved = found["money"] - found["money_then"]
        change = f"saves {money(saved)}" if saved >= 0 else f"costs {money(-saved)} more"
        then = f"{size(found['bytes_then'])} for {money(found['money_then'])} {found['currency']}"
        console.print(f"With {', '.join(found['rules'])}: {then}, which {change} a month.", highlight=False)


def money(amount: float) -> str:
    """Return an amount of money: cents, or more digits where it is less than that."""
    return f"{amount:,.2f}" if amount >= 1 or not amount else f"{amount:.2g}"


def size(count: float) -> str:
    """Return a number of bytes as people read it, in units of 1024."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < KIB:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= KIB
    return f"{count:,.1f} TiB"


def _bars(*, quiet: bool) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    console = err()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True)
