"""Files and folders that are there in full or not at all: written beside, made durable, and then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from truetape.app.plain_files.content import unusable
from truetape.domain.errors import BadInput

MARK: Final = "truetape-export.json"  # in a folder that was exported
OPTION: Final = "-o"


def check_place(path: Path, *, is_folder: bool, force: bool) -> None:
    """Check, before any work is done, that an export may take the place of what stands at `path`.

    Raises:
        BadInput: Its folder is not there, something stands there and `force` does not allow to replace it, or it is
            no file or no earlier export.
    """
    if not path.absolute().parent.is_dir():
        raise BadInput(parameter=OPTION, value=str(path), fix="Its folder does not exist. Make it, or name another.")
    if not path.exists() and not path.is_symlink():
        return
    if path.is_dir() and not path.is_symlink():
        _check_folder(path, is_folder=is_folder, force=force)
    elif is_folder or not path.is_file():
        raise BadInput(parameter=OPTION, value=str(path), fix="It is no folder. Name another.")
    elif not force:
        raise BadInput(parameter=OPTION, value=str(path), fix="It is there already. Name another, or add --force.")


def _check_folder(path: Path, *, is_folder: bool, force: bool) -> None:
    if not is_folder:
        raise BadInput(parameter=OPTION, value=str(path), fix="It is a folder. Name a file in it.")
    if not any(path.iterdir()):
        return
    if not (path / MARK).is_file():
        raise BadInput(
            parameter=OPTION, value=str(path), fix="It holds other things than an export. Name a new folder."
        )
    if not force:
        fix = "It holds an earlier export. Name another folder, or add --force to replace it."
        raise BadInput(parameter=OPTION, value=str(path), fix=fix)


@contextmanager
def landing(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; what is written there takes the place of `path` when the block ends well.

    Raises:
        BadInput: It cannot be written.
    """
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield draft
        _make_durable(draft)
        if target.is_dir():
            _swap(draft, target)
        else:
            draft.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise BadInput(parameter=OPTION, value=str(path), fix=unusable(error)) from None
    finally:
        remove(draft)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; it is no error if there is none."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _swap(draft: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    target.rename(old)
    draft.rename(target)
    remove(old)


def _make_durable(draft: Path) -> None:
    if not draft.is_dir():
        _sync(draft)
        return
    for place, _, names in os.walk(draft):
        for name in names:
            _sync(Path(place, name))
        _sync(Path(place))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
