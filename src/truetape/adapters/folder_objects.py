"""Objects in a folder: a local disk, or one that is mounted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO, Final

from truetape.domain.errors import BadInput, NotKept, StoreUnavailable
from truetape.domain.object_keys import checked_key
from truetape.ports.objects import Stat

INCOMING: Final = ".incoming"  # beside the objects: a rename must not leave the disk
STALE_S: Final = 86_400.0  # a draft that nobody has touched for so long is a dead process's
_BLOCK: Final = 1 << 20
_LISTED: Final = 1_000  # entries that a worker thread looks up at a time
_TRIES: Final = 5  # a folder that somebody removes while empty is made again

_numbers = count()


class FolderObjects:
    """Keep each object as the file of its key below `folder`, which is made by the first `put`.

    Safe to use from several threads and processes at once, also on a disk that several machines have mounted, where it
    supports hard links and atomic renames.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / INCOMING
        self._is_swept = False

    @property
    def place(self) -> str:
        """The path of the folder."""
        return str(self._folder)

    async def put(self, key: str, body: bytes | Path, *, only_new: bool = False) -> bool:
        """Keep `body`, or what the file at that path holds, in place of what was there; memory stays bounded.

        Returns:
            False if `only_new` and there was an object of this key already, which then stays as it was.

        Raises:
            StoreUnavailable: It cannot be written now.
            BadInput: `key` is no key, or names a folder of other objects.
        """
        path = self._path(key)
        return await asyncio.to_thread(self._put, path, body, only_new)

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of an object from `start`, at most `length` of them; none behind its end.

        Raises:
            NotKept: There is no such object.
            StoreUnavailable: It cannot be read now.
        """
        return await asyncio.to_thread(self._get, key, start, -1 if length is None else length)

    async def fetch(self, key: str, path: Path) -> None:
        """Write an object into the file at `path`, whole or not at all, in bounded memory.

        Raises:
            NotKept: There is no such object.
            StoreUnavailable: It cannot be read or written now.
        """
        await asyncio.to_thread(self._fetch, key, path)

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Yield the objects whose key begins with `prefix`, in the order of their keys' code points.

        Raises:
            StoreUnavailable: They cannot be listed now.
        """
        found = self._walk(self._folder, "", prefix)
        while some := await asyncio.to_thread(_some, found):
            for one in some:
                yield one

    async def delete(self, key: str) -> None:
        """Remove an object; it is no error if there is none.

        Raises:
            StoreUnavailable: It cannot be removed now.
        """
        await asyncio.to_thread(self._delete, self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / checked_key(key)

    def _put(self, path: Path, body: bytes | Path, only_new: bool) -> bool:  # noqa: FBT001  as the port has it
        with _unavailable(self.place):
            self._sweep()
            if only_new and path.is_file():
                return False
            draft = self._incoming / f"{socket.gethostname()}-{os.getpid()}-{next(_numbers)}"
            try:
                _write(draft, body)
                return self._place(draft, path, only_new)
            except (NotADirectoryError, IsADirectoryError):
                fix = "Objects lie below it, or it lies below one; choose another key."
                raise BadInput(parameter="key", value=str(path.relative_to(self._folder)), fix=fix) from None
            finally:
                draft.unlink(missing_ok=True)

    def _place(self, draft: Path, path: Path, only_new: bool) -> bool:  # noqa: FBT001
        """Give the finished draft its name, in one step."""
        for left in reversed(range(_TRIES)):
            _make_folder(path.parent)
            try:
                if only_new:
                    os.link(draft, path)
                else:
                    draft.replace(path)
            except FileExistsError:
                if path.is_dir():
                    raise IsADirectoryError from None
                return False
            except FileNotFoundError:
                if not left:
                    raise
            else:
                break
        _sync(path.parent)
        return True

    def _get(self, key: str, start: int, length: int) -> bytes:
        with _unavailable(self.place), self._opened(key) as source:
            source.seek(start)
            return source.read(length)

    def _fetch(self, key: str, path: Path) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}")
        with _unavailable(self.place), self._opened(key) as source:
            try:
                with draft.open("xb") as target:
                    shutil.copyfileobj(source, target, _BLOCK)
                    target.flush()
                    os.fsync(target.fileno())
                draft.replace(path)
                _sync(path.parent)
            finally:
                draft.unlink(missing_ok=True)

    def _opened(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotKept(place=self.place, key=key) from None

    def _walk(self, folder: Path, before: str, prefix: str) -> Iterator[Stat]:
        """Yield what lies in `folder`, whose keys begin with `before`."""
        with _unavailable(self.place):
            entries = _entries(folder)
        for name, is_folder in entries:
            key = before + name
            if is_folder:
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(folder / name, key, prefix)
            elif key.startswith(prefix):
                with _unavailable(self.place), contextlib.suppress(FileNotFoundError):  # it was deleted meanwhile
                    found = (folder / name).stat()
                    yield Stat(key=key, size=found.st_size, modified=found.st_mtime_ns)

    def _delete(self, path: Path) -> None:
        with _unavailable(self.place):
            try:
                path.unlink()
                _sync(path.parent)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return
            with contextlib.suppress(OSError):  # it holds others
                while (path := path.parent) != self._folder:
                    path.rmdir()

    def _sweep(self) -> None:
        """Make the folder of drafts, and remove those of dead processes, once."""
        if self._is_swept and self._incoming.is_dir():
            return
        _make_folder(self._incoming)
        before = time.time() - STALE_S
        for draft in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if draft.stat().st_mtime < before:
                    draft.unlink()
        self._is_swept = True


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Return the names in `folder`, folders with a slash behind them, in the order of keys."""
    try:
        with os.scandir(folder) as found:
            names = [(one.name + "/" * one.is_dir(), one.is_dir()) for one in found if not one.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(names)


def _some(found: Iterator[Stat]) -> list[Stat]:
    return list(islice(found, _LISTED))


def _write(draft: Path, body: bytes | Path) -> None:
    with draft.open("xb") as target:
        if isinstance(body, Path):
            with body.open("rb") as source:
                shutil.copyfileobj(source, target, _BLOCK)
        else:
            target.write(body)
        target.flush()
        os.fsync(target.fileno())


def _make_folder(folder: Path) -> None:
    """Make `folder` and those above it, so that their names survive a crash of the machine."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise NotADirectoryError(20, "a file lies where a folder is needed") from None
    except FileNotFoundError:
        return  # somebody removed the folder above it meanwhile: the caller tries again
    else:
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile, as empty
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _unavailable(place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(path=place, reason=(error.strerror or str(error)).lower()) from error
