"""How the pieces of a backup are compressed, and sealed for a recipient who alone can open them (age)."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import Any, Final

from truetape.app.backups.catalogue import Piece, digest, key_of
from truetape.domain.errors import BadInput, DamagedBackup, NotKept
from truetape.ports.objects import Objects

INSTALL: Final = "Install the package for encryption: pip install 'truetape[age]'."
RECIPIENT: Final = "Write an age recipient, age1..., such as `truetape backup key` or age-keygen makes."


def sealed(body: bytes, recipient: str) -> bytes:
    """Return `body` compressed, and sealed if `recipient` is not empty."""
    compressed: bytes = _zstd().compress(body, asbytes=True)
    if not recipient:
        return compressed
    return bytes(_age().encrypt(compressed, [_recipient(recipient)]))


def check_recipient(text: str) -> str:
    """Return `text` if it is a recipient, or empty.

    Raises:
        BadInput: It is none, or the package for encryption is not installed.
    """
    if text:
        _recipient(text)
    return text


class Opener:
    """Open the pieces of a backup at a place, with the operator's identities."""

    def __init__(self, objects: Objects, identities: tuple[str, ...] = ()) -> None:
        self._objects = objects
        self._identities = [_age().x25519.Identity.from_str(one) for one in identities]

    @property
    def has_identity(self) -> bool:
        """Whether sealed pieces can be opened, if they are sealed for it."""
        return bool(self._identities)

    async def body(self, piece: Piece, *, is_sealed: bool) -> bytes:
        """Return the bytes of `piece`.

        Raises:
            DamagedBackup: They are missing or not what was written.
            BadInput: They are sealed, and no identity opens them.
            StoreUnavailable: The place cannot be read now.
        """
        stored = await self.stored(piece.name)
        if is_sealed:
            stored = self._unsealed(stored)
        try:
            body: bytes = _zstd().decompress(stored, piece.size, asbytes=True)
        except OSError:
            body = b""
        if digest(body) != piece.sum:
            raise self._damaged(piece.name, "does not hold what it should")
        return body

    async def stored(self, name: str) -> bytes:
        """Return an object as it lies there.

        Raises:
            DamagedBackup: It is missing or not what was written.
            StoreUnavailable: The place cannot be read now.
        """
        try:
            stored = await self._objects.get(key_of(name))
        except NotKept:
            raise self._damaged(name, "is missing") from None
        if digest(stored) != name:
            raise self._damaged(name, "is not what was written")
        return stored

    def _unsealed(self, stored: bytes) -> bytes:
        if not self._identities:
            fix = "The backup is sealed; name the file with the identity that opens it."
            raise BadInput(parameter="--identity", value="", fix=fix)
        try:
            return bytes(_age().decrypt(stored, self._identities))
        except _age().DecryptError:
            fix = "The backup is sealed for somebody else; name the file with the identity that opens it."
            raise BadInput(parameter="--identity", value="***", fix=fix) from None

    def _damaged(self, name: str, reason: str) -> DamagedBackup:
        return DamagedBackup(place=self._objects.place, key=key_of(name), reason=reason)


def identities_in(path: Path) -> tuple[str, ...]:
    """Return the identities of a file such as age-keygen writes.

    Raises:
        BadInput: It cannot be read or holds none, or the package for encryption is not installed.
    """
    fix = "Name a file with lines AGE-SECRET-KEY-1..., such as age-keygen writes."
    try:
        lines = [line.strip() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError):
        raise BadInput(parameter="--identity", value=str(path), fix=fix) from None
    found = tuple(line for line in lines if line and not line.startswith("#"))
    identity = _age().x25519.Identity
    with contextlib.suppress(_age().IdentityError):
        if [identity.from_str(one) for one in found]:
            return found
    raise BadInput(parameter="--identity", value=str(path), fix=fix)


def new_identity() -> tuple[str, str]:
    """Return a new identity, which is secret, and its recipient.

    Raises:
        BadInput: The package for encryption is not installed.
    """
    identity = _age().x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def _recipient(text: str) -> Any:
    try:
        return _age().x25519.Recipient.from_str(text)
    except _age().RecipientError:
        raise BadInput(parameter="recipient", value=text[:80], fix=RECIPIENT) from None


@functools.cache
def _age() -> Any:
    try:
        import pyrage
    except ImportError:
        raise BadInput(parameter="recipient", value="", fix=INSTALL) from None
    return pyrage


@functools.cache
def _zstd() -> Any:
    import pyarrow as pa  # pyarrow ships no types

    return pa.Codec("zstd")
