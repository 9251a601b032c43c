"""The data folder: what kind of data it holds, which process owns it, and where that process answers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import msgspec

from truetape.domain.errors import FolderInUse, StoreUnavailable, WrongFolder
from truetape.domain.time import iso

FORMAT: Final = 1
MARKER: Final = "truetape.json"
STORE: Final = "truetape.duckdb"
ARCHIVE: Final = "archive"
LEDGER: Final = "ledger.sqlite"
_LOCK: Final = "lock"
_SERVER: Final = "server.json"
_HARMLESS: Final = frozenset({_LOCK, "lost+found"})
_PATIENCE_S: Final = 0.2  # longer than a reader looks at the lock


class Marker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What a data folder says about itself."""

    format: int
    simulated: bool


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """The process that has a data folder open for writing."""

    pid: int
    command: str
    since: str  # ISO 8601, UTC
    address: str = ""  # where its API listens; "" until it does

    def __str__(self) -> str:
        where = f", listening at {self.address}" if self.address else ""
        return f"process {self.pid} ({self.command}), since {self.since}{where}"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A running API over a data folder."""

    address: str
    pid: int


class DataFolder:
    """A data folder that this process owns, until `close` or the end of the process, however it ends."""

    def __init__(self, path: Path, *, handle: int, marker: Marker, owner: Owner) -> None:
        self.path = path
        self.simulated = marker.simulated
        self.store = path / STORE
        self.archive = path / ARCHIVE
        self._handle: int | None = handle
        self._owner = owner

    @classmethod
    def open(cls, path: Path, *, simulated: bool, command: str = "truetape") -> Self:
        """Own the folder at `path`; make it if it is missing or empty.

        `command` names this process to others that want the folder meanwhile.

        Raises:
            FolderInUse: Another process owns it.
            WrongFolder: It holds live data and simulated data were asked for, or the reverse, or something else.
            StoreUnavailable: The disk is full or failing.
        """
        with _explained(path):
            path.mkdir(parents=True, exist_ok=True)
            _check(path, simulated=simulated)
            handle = _take_lock(path)
            try:
                marker = _check(path, simulated=simulated) or _mark(path, simulated=simulated)
                owner = Owner(pid=os.getpid(), command=command, since=iso(time.time_ns() // 10**9 * 10**9))
                _rewrite(handle, owner)
                (path / _SERVER).unlink(missing_ok=True)
            except BaseException:
                os.close(handle)
                raise
        return cls(path, handle=handle, marker=marker, owner=owner)

    def announce(self, address: str) -> None:
        """Let other processes know that the API listens at `address`.

        Raises:
            StoreUnavailable: The folder cannot be written now.
        """
        assert self._handle is not None, "the folder was closed"
        with _explained(self.path):
            _rewrite(self._handle, msgspec.structs.replace(self._owner, address=address))
            _replace(self.path / _SERVER, Server(address=address, pid=self._owner.pid))

    def close(self) -> None:
        """Let others have the folder."""
        if self._handle is not None:
            with contextlib.suppress(OSError):
                (self.path / _SERVER).unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


def read_marker(path: Path) -> Marker | None:
    """Return what the folder at `path` says about itself, or None if it is no data folder.

    Raises:
        WrongFolder: Its marker is not readable, or of another format.
    """
    file = path / MARKER
    try:
        marker = msgspec.json.decode(file.read_bytes(), type=Marker)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.DecodeError:
        raise WrongFolder(path=str(path), reason=f"its {MARKER} is not readable. Restore it from a backup.") from None
    if marker.format != FORMAT:
        reason = f"it has format {marker.format}, and this version of truetape reads format {FORMAT}. Upgrade truetape."
        raise WrongFolder(path=str(path), reason=reason)
    return marker


def read_owner(path: Path) -> Owner | None:
    """Return the process that owns the folder at `path` now, or None if nobody does."""
    try:
        handle = os.open(path / _LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner_in(handle)
    finally:
        os.close(handle)
    return None


def read_server(path: Path) -> Server | None:
    """Return where the API over the folder at `path` listens, or None if no living process serves it."""
    owner = read_owner(path)
    try:
        server = msgspec.json.decode((path / _SERVER).read_bytes(), type=Server)
    except (OSError, msgspec.DecodeError):
        return None
    return server if owner is not None and owner.pid == server.pid else None


def _check(path: Path, *, simulated: bool) -> Marker | None:
    """Return the marker of a folder of the right kind, or None of one that may become it."""
    marker = read_marker(path)
    if marker is None:
        strange = sorted(
            one.name for one in path.iterdir() if not one.name.startswith(".") and one.name not in _HARMLESS
        )
        if strange:
            reason = f"it holds {strange[0]!r} and no {MARKER}. Choose an empty folder with --data."
            raise WrongFolder(path=str(path), reason=reason)
    elif marker.simulated != simulated:
        holds, wanted = ("simulated", "live") if marker.simulated else ("live", "simulated")
        reason = f"it holds {holds} data and {wanted} data were to be written. Choose another folder with --data."
        raise WrongFolder(path=str(path), reason=reason)
    return marker


def _mark(path: Path, *, simulated: bool) -> Marker:
    marker = Marker(format=FORMAT, simulated=simulated)
    _replace(path / MARKER, marker)
    return marker


def _take_lock(path: Path) -> int:
    handle = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(_PATIENCE_S / 10)
                continue
            owner = _owner_in(handle)
            os.close(handle)
            raise FolderInUse(path=str(path), owner=str(owner or "another process")) from None
        except OSError:
            os.close(handle)
            raise
        return handle


def _owner_in(handle: int) -> Owner | None:
    try:
        return msgspec.json.decode(os.pread(handle, 1 << 16, 0), type=Owner)
    except (OSError, msgspec.DecodeError):
        return None


def _rewrite(handle: int, owner: Owner) -> None:
    data = msgspec.json.encode(owner)
    os.pwrite(handle, data, 0)
    os.ftruncate(handle, len(data))


def _replace(file: Path, value: msgspec.Struct) -> None:
    """Write `file` in one step: a reader sees the old one or the new one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("wb") as writing:
            writing.write(msgspec.json.encode(value) + b"\n")
            writing.flush()
            os.fsync(writing.fileno())
        draft.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        why = "it is not a folder" if not isinstance(error, PermissionError) else "this user may not write there"
        raise WrongFolder(path=str(path), reason=f"{why}. Choose another folder with --data.") from None
    except OSError as error:
        raise StoreUnavailable(path=str(path), reason=(error.strerror or str(error)).lower()) from error
