"""The errors of the platform.

TruetapeError
  x Transient              try again later; a message is delivered again
    - StoreUnavailable       (path, reason)
    - ProviderUnavailable    (provider, failure)
  x Terminal               trying again will not help; a message goes to the dead letters
    - UndecodablePayload     (provider, kind, reason)
    - ProviderRefused        (provider, failure)
    - SchemaMismatch         (kind, expected, found)
    - UnknownSymbol          (symbol, known)
    - UnknownInstrument      (symbol, on, matches, candidates)
    - BadInput               (parameter, value, fix)
    - UnknownTarget          (target, fix)
    - FolderInUse            (path, owner)
    - WrongFolder            (path, reason)
    - CorruptArchive         (path, reason)
    - NotKept                (place, key)
    - DamagedBackup          (place, key, reason)
    - PlaceInUse             (place, holder)
    - PortInUse              (address)

Every message is a sentence of facts: what happened, which value, what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from truetape.domain.failures import Failure


class TruetapeError(Exception):
    """Base of every error that truetape raises on purpose."""


class Transient(TruetapeError):
    """The same call may succeed later."""


class Terminal(TruetapeError):
    """The same call will fail again."""


class StoreUnavailable(Transient):
    """The store could not be read or written now, for example because its disk is full."""

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(f"The store at {path} could not be used: {reason}.")
        self.path = path
        self.reason = reason


class ProviderUnavailable(Transient):
    """A provider failed in a way that may pass."""

    def __init__(self, *, provider: str, failure: Failure) -> None:
        super().__init__(f"{provider} failed ({failure.failure_class.value}): {failure.words}")
        self.provider = provider
        self.failure = failure


class UndecodablePayload(Terminal):
    """A provider's bytes were not what its decoder expects."""

    def __init__(self, *, provider: str, kind: str, reason: str) -> None:
        super().__init__(f"The payload of {provider} was not readable as {kind}: {reason}.")
        self.provider = provider
        self.kind = kind
        self.reason = reason


class ProviderRefused(Terminal):
    """A provider's answer was an error, not data."""

    def __init__(self, *, provider: str, failure: Failure) -> None:
        super().__init__(f"{provider} refused ({failure.failure_class.value}): {failure.words}")
        self.provider = provider
        self.failure = failure


class SchemaMismatch(Terminal):
    """A frame did not have the exact columns and types of its record kind."""

    def __init__(self, *, kind: str, expected: str, found: str) -> None:
        super().__init__(f"A frame of {kind} had {found}; expected {expected}.")
        self.kind = kind
        self.expected = expected
        self.found = found


class UnknownSymbol(Terminal):
    """No instrument is known under this symbol."""

    def __init__(self, *, symbol: str, known: Sequence[str]) -> None:
        some = ", ".join(list(known)[:8]) or "none yet"
        super().__init__(f"The symbol {symbol!r} is unknown. Known symbols: {some}. Add it under [[instruments]].")
        self.symbol = symbol
        self.known = tuple(known)


class UnknownInstrument(Terminal):
    """A symbol named no instrument on a date, or several at once."""

    def __init__(self, *, symbol: str, on: date | None, matches: int, candidates: Sequence[str]) -> None:
        what = f"{matches} instruments" if matches else "no instrument"
        known = f"Listings of that name: {'; '.join(candidates)}." if candidates else "No listing has that name."
        fix = "Name the venue in the symbol, or the instrument by its id" if matches else "Ask for one of its dates"
        fix = fix if candidates else "Add it under [[instruments]]"
        super().__init__(f"The symbol {symbol!r} named {what} {f'on {on}' if on else 'today'}. {known} {fix}.")
        self.symbol = symbol
        self.on = on
        self.matches = matches
        self.candidates = tuple(candidates)


class BadInput(Terminal):
    """A parameter, file or setting given by a user was not usable."""

    def __init__(self, *, parameter: str, value: object, fix: str) -> None:
        super().__init__(f"{parameter} was {value!r}. {fix}")
        self.parameter = parameter
        self.value = value
        self.fix = fix


class UnknownTarget(Terminal):
    """Nothing that could be decided about has this id."""

    def __init__(self, *, target: str, fix: str) -> None:
        super().__init__(f"Nothing is known under the id {target!r}. {fix}")
        self.target = target
        self.fix = fix


class FolderInUse(Terminal):
    """Another process owns the data folder."""

    def __init__(self, *, path: str, owner: str) -> None:
        super().__init__(
            f"The data folder {path} is in use by {owner}. Stop that process, or choose another folder with --data."
        )
        self.path = path
        self.owner = owner


class WrongFolder(Terminal):
    """The data folder holds something else than what was asked for, for example simulated data."""

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(f"The data folder {path} cannot be used: {reason}")
        self.path = path
        self.reason = reason


class CorruptArchive(Terminal):
    """An archived payload or journal entry is not what was written."""

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(
            f"The archive file {path} is damaged: {reason}. Restore it from a backup, or acquire it again."
        )
        self.path = path
        self.reason = reason


class NotKept(Terminal):
    """No object of this key is kept at the place."""

    def __init__(self, *, place: str, key: str) -> None:
        super().__init__(f"{place} keeps no object {key!r}. List what it keeps, or name another place.")
        self.place = place
        self.key = key


class DamagedBackup(Terminal):
    """What a backup consists of is not what was written."""

    def __init__(self, *, place: str, key: str, reason: str) -> None:
        super().__init__(
            f"The backup at {place} is damaged: {key} {reason}. `truetape backup verify` tells which backups are "
            "whole; the next `truetape backup create` writes what is missing again."
        )
        self.place = place
        self.key = key
        self.reason = reason


class PlaceInUse(Terminal):
    """Somebody else makes or prunes backups at the place."""

    def __init__(self, *, place: str, holder: str) -> None:
        super().__init__(f"The backups at {place} are in use by {holder}. Wait until that has ended, and try again.")
        self.place = place
        self.holder = holder


class PortInUse(Terminal):
    """Another program listens on the address."""

    def __init__(self, *, address: str) -> None:
        super().__init__(
            f"The address {address} is in use. Choose another with --port, or stop the program that uses it."
        )
        self.address = address
