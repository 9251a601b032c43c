"""`truetape backup`: make, list, verify, restore and prune backups of a data folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, FINDINGS, Config, Data, Json, call, err, out, run, write_json

if TYPE_CHECKING:
    from types import TracebackType

    from truetape.app.backups.catalogue import Manifest
    from truetape.app.backups.sealing import Opener
    from truetape.app.backups.verifying import Verified
    from truetape.ports.objects import Objects

Place = Annotated[str, typer.Argument(metavar="PLACE", help="A folder, or s3://bucket/prefix.")]
Backup = Annotated[str, typer.Option("--backup", help="Id of the backup; else the newest.")]
Identity = Annotated[
    Path | None, typer.Option(help="File with the age identity that opens a sealed backup.", envvar="TRUETAPE_IDENTITY")
]

backup = typer.Typer(
    name="backup", help="Make, list, verify, restore and prune backups of a data folder.", no_args_is_help=True
)


@backup.command()
def create(
    place: Place,
    *,
    data: Data = Path("data"),
    label: Annotated[str, typer.Option(help="A few words for the list, readable for all.")] = "",
    recipient: Annotated[str, typer.Option(help="Seal it for this age recipient, age1...")] = "",
    config: Config = DEFAULT_PATH,
    as_json: Json = False,
) -> None:
    """Make a backup, also while the platform runs: only what is new is stored.

    Killed, it leaves no harm; run it again, and it goes on.
    """
    from truetape.app.backups.making import make

    with _Bar("backing up", quiet=as_json) as bar:
        made = run(
            make(data, place, label=label, recipient=recipient, config=config, on_progress=bar.show), as_json=as_json
        )
    if as_json:
        write_json(_told(made))
    else:
        words = f"Backup {made.backup_id}: {_size(made.size)}, of which {_size(made.added)} were new; store version"
        err().print(f"{words} {made.version:,}.", markup=False, highlight=False, soft_wrap=True)
        if made.damaged:
            err().print(f"{made.damaged} payloads of the archive are damaged and not in it.", soft_wrap=True)
    if made.damaged:
        raise typer.Exit(FINDINGS)


@backup.command("list")
def list_(place: Place, *, as_json: Json = False) -> None:
    """Tell which backups a place holds, the newest last."""
    from rich.box import SIMPLE
    from rich.table import Table

    from truetape.app.backups.catalogue import manifests

    objects = _objects(place, as_json=as_json)
    found = run(manifests(objects), as_json=as_json)
    if as_json:
        write_json([_told(one) for one in found])
        return
    if not found:
        err().print(f"{objects.place} holds no backups.", markup=False, soft_wrap=True)
        return
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("backup (UTC)", "label"):
        table.add_column(name, no_wrap=name != "label")
    for name in ("version", "size", "new"):
        table.add_column(name, justify="right")
    table.add_column("sealed")
    for one in found:
        row = (one.backup_id, one.label, f"{one.version:,}")
        table.add_row(*row, _size(one.size), _size(one.added), "yes" if one.recipient else "no")
    out().print(table)


@backup.command()
def restore(
    place: Place,
    *,
    into: Annotated[Path, typer.Option(help="New or empty folder for the data.")],
    at: Annotated[str, typer.Option(help="As known at this instant, such as 2024-06-10T20:00:00Z.")] = "",
    chosen: Backup = "",
    identity: Identity = None,
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty folder; every byte is checked. Killed, it goes on where it was.

    With --at the store answers as it did then, and what became known later is left out, also of the journal.
    """
    import dataclasses

    from truetape.app.backups.restoring import choose
    from truetape.app.backups.restoring import restore as run_restore
    from truetape.domain.time import parse_instant

    instant = call(lambda: parse_instant(at, parameter="--at"), as_json=as_json) if at else None
    objects = _objects(place, as_json=as_json)
    opener = _opener(objects, identity, as_json=as_json)
    with _Bar("restoring", quiet=as_json) as bar:
        which = run(choose(objects, backup_id=chosen, at=instant), as_json=as_json)
        done = run(run_restore(which, into=into, opener=opener, on_progress=bar.show), as_json=as_json)
    if as_json:
        write_json(dataclasses.asdict(done))
        return
    left = f"; {done.left_out:,} later entries of the journal left out" if done.left_out else ""
    words = f"{done.files:,} files and {done.payloads:,} payloads of {done.backup_id} restored into {into}"
    err().print(f"{words}, store version {done.version:,}{left}.", markup=False, highlight=False, soft_wrap=True)


@backup.command()
def verify(
    place: Place,
    *,
    chosen: Backup = "",
    identity: Identity = None,
    scratch: Annotated[Path | None, typer.Option(help="Folder with room for a whole copy; else the system's.")] = None,
    against: Annotated[Path | None, typer.Option(help="Data folder to compare every row with.")] = None,
    as_json: Json = False,
) -> None:
    """Restore a backup into a scratch folder, and compare it; leaves with 1 if it is not whole.

    Tables, journal and payloads are compared with what the backup says of itself. Without the
    identity of a sealed backup it reads every object and compares its sum.
    """
    import dataclasses

    from truetape.app.backups.making import verified

    objects = _objects(place, as_json=as_json)
    opener = _opener(objects, identity, as_json=as_json)
    with _Bar("verifying", quiet=as_json) as bar:
        work = verified(objects, chosen, opener=opener, scratch=scratch, against=against, on_progress=bar.show)
        found = run(work, as_json=as_json)
    if as_json:
        write_json({**dataclasses.asdict(found), "whole": found.whole})
    else:
        _show(found)
    if not found.whole:
        raise typer.Exit(FINDINGS)


@backup.command()
def prune(
    place: Place,
    *,
    keep: Annotated[int, typer.Option(min=0, help="Keep so many of the newest.")] = 0,
    daily: Annotated[int, typer.Option(min=0, help="Keep the newest of each of so many days.")] = 0,
    weekly: Annotated[int, typer.Option(min=0, help="Keep the newest of each of so many weeks.")] = 0,
    monthly: Annotated[int, typer.Option(min=0, help="Keep the newest of each of so many months.")] = 0,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: Json = False,
) -> None:
    """Remove old backups, and the objects that none of the others needs. Days, weeks and months have a backup each."""
    import dataclasses
    import time

    from truetape.app.backup_settings import Keep
    from truetape.app.backups.pruning import prune as run_prune

    objects = _objects(place, as_json=as_json)
    wish = Keep(newest=keep, daily=daily, weekly=weekly, monthly=monthly)
    done = run(run_prune(objects, wish, now=time.time_ns, dry=dry), as_json=as_json)
    if as_json:
        write_json(dataclasses.asdict(done))
        return
    verb = "would go" if dry else "removed"
    words = f"{len(done.removed)} backups {verb} with {done.objects:,} objects ({_size(done.bytes)})"
    err().print(f"{words}; {len(done.kept)} are kept.", markup=False, highlight=False, soft_wrap=True)


@backup.command()
def key(file: Annotated[Path, typer.Argument(help="New file for the identity.")], *, as_json: Json = False) -> None:
    """Make an age identity: the file opens backups, the recipient that is told seals them. Keep the file elsewhere."""
    recipient = call(lambda: _new_key(file), as_json=as_json)
    if as_json:
        write_json({"recipient": recipient, "identity": str(file)})
    else:
        out().print(recipient, highlight=False, soft_wrap=True)
        err().print(f"{file} opens what is sealed for it: without it no such backup can be restored.", soft_wrap=True)


def _new_key(file: Path) -> str:
    from truetape.app.backups.sealing import new_identity
    from truetape.domain.errors import BadInput

    identity, recipient = new_identity()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fix = f"It cannot be made: {(error.strerror or str(error)).lower()}."
        raise BadInput(parameter="FILE", value=str(file), fix=fix) from None
    with os.fdopen(handle, "w", encoding="ascii") as writing:
        writing.write(f"# recipient: {recipient}\n{identity}\n")
    return recipient


def _objects(place: str, *, as_json: bool) -> Objects:
    from truetape.app.object_places import objects_at

    return call(lambda: objects_at(place, os.environ), as_json=as_json)


def _opener(objects: Objects, identity: Path | None, *, as_json: bool) -> Opener:
    from truetape.app.backups.sealing import Opener, identities_in

    return call(lambda: Opener(objects, identities_in(identity) if identity else ()), as_json=as_json)


def _told(manifest: Manifest) -> dict[str, Any]:
    import msgspec

    told = msgspec.to_builtins(manifest)
    return {name: value for name, value in told.items() if name not in {"objects", "contents"}} | {
        "objects": len(manifest.objects)
    }


def _show(found: Verified) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("compared", "in the backup", "found", ""):
        table.add_column(name, overflow="fold")
    for one in found.compared:
        table.add_row(one.name, one.expected, one.found, "same" if one.same else "[bold red]differs[/bold red]")
    out().print(table)
    how = "restored and compared" if found.opened else "read, not opened"
    end = "is whole" if found.whole else "is not whole"
    err().print(f"Backup {found.backup_id} {end}: {how}.", markup=False, highlight=False, soft_wrap=True)


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} B"


class _Bar:
    """A progress bar on standard error, of bytes."""

    def __init__(self, what: str, *, quiet: bool) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=err(), transient=True, disable=quiet)
        self._task = self._progress.add_task(what, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, told: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, done: int, total: int) -> None:
        """Tell how many bytes of how many are done."""
        self._progress.update(self._task, completed=done, total=total or None)
