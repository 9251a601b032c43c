"""Errors: sentences of facts, and whether to try again."""

from __future__ import annotations

import inspect

import pytest

from truetape.domain import errors
from truetape.domain.errors import (
    BadInput,
    CorruptArchive,
    DamagedBackup,
    FolderInUse,
    NotKept,
    PlaceInUse,
    PortInUse,
    ProviderRefused,
    ProviderUnavailable,
    SchemaMismatch,
    StoreUnavailable,
    Terminal,
    Transient,
    TruetapeError,
    UndecodablePayload,
    UnknownInstrument,
    UnknownSymbol,
    UnknownTarget,
    WrongFolder,
)
from truetape.domain.failures import Failure, FailureClass

BUSY = Failure(failure_class=FailureClass.THROTTLED, words="slow down")

SENTENCES: list[tuple[TruetapeError, type[TruetapeError], str]] = [
    (
        StoreUnavailable(path="/data", reason="the disk is full"),
        Transient,
        "The store at /data could not be used: the disk is full.",
    ),
    (ProviderUnavailable(provider="yahoo", failure=BUSY), Transient, "yahoo failed (throttled): slow down"),
    (ProviderRefused(provider="yahoo", failure=BUSY), Terminal, "yahoo refused (throttled): slow down"),
    (
        UndecodablePayload(provider="yahoo", kind="bars", reason="it is no JSON"),
        Terminal,
        "The payload of yahoo was not readable as bars: it is no JSON.",
    ),
    (SchemaMismatch(kind="bars", expected="[]", found="a hat"), Terminal, "A frame of bars had a hat; expected []."),
    (
        UnknownSymbol(symbol="APPL", known=["AAPL", "MSFT"]),
        Terminal,
        "The symbol 'APPL' is unknown. Known symbols: AAPL, MSFT. Add it under [[instruments]].",
    ),
    (
        UnknownSymbol(symbol="APPL", known=[]),
        Terminal,
        "The symbol 'APPL' is unknown. Known symbols: none yet. Add it under [[instruments]].",
    ),
    (
        UnknownInstrument(symbol="VOD", on=None, matches=2, candidates=["ins_a (VOD on XLON)", "ins_b (VOD on XNAS)"]),
        Terminal,
        (
            "The symbol 'VOD' named 2 instruments today. Listings of that name: ins_a (VOD on XLON); ins_b (VOD on "
            "XNAS). Name the venue in the symbol, or the instrument by its id."
        ),
    ),
    (
        UnknownTarget(target="qua_x", fix="List them with `truetape quarantine list`."),
        Terminal,
        "Nothing is known under the id 'qua_x'. List them with `truetape quarantine list`.",
    ),
    (BadInput(parameter="start", value="x", fix="Write a date."), Terminal, "start was 'x'. Write a date."),
    (
        FolderInUse(path="/data", owner="process 7"),
        Terminal,
        "The data folder /data is in use by process 7. Stop that process, or choose another folder with --data.",
    ),
    (WrongFolder(path="/data", reason="it is live."), Terminal, "The data folder /data cannot be used: it is live."),
    (
        CorruptArchive(path="/data/a", reason="it is short"),
        Terminal,
        "The archive file /data/a is damaged: it is short. Restore it from a backup, or acquire it again.",
    ),
    (
        NotKept(place="s3://backups", key="a/b"),
        Terminal,
        "s3://backups keeps no object 'a/b'. List what it keeps, or name another place.",
    ),
    (
        DamagedBackup(place="s3://backups", key="a/b", reason="is missing"),
        Terminal,
        (
            "The backup at s3://backups is damaged: a/b is missing. `truetape backup verify` tells which backups are "
            "whole; the next `truetape backup create` writes what is missing again."
        ),
    ),
    (
        PlaceInUse(place="s3://backups", holder="process 7"),
        Terminal,
        "The backups at s3://backups are in use by process 7. Wait until that has ended, and try again.",
    ),
    (
        PortInUse(address="127.0.0.1:80"),
        Terminal,
        "The address 127.0.0.1:80 is in use. Choose another with --port, or stop the program that uses it.",
    ),
]


@pytest.mark.parametrize(
    ("error", "mark", "sentence"), [pytest.param(*row, id=type(row[0]).__name__) for row in SENTENCES]
)
def test_an_error_is_a_sentence_of_facts(error: TruetapeError, mark: type[TruetapeError], sentence: str) -> None:
    """It says what happened with which value, and bears the mark that tells the bus what to do."""
    assert str(error) == sentence
    assert isinstance(error, mark)


def test_every_error_has_its_sentence_here_and_its_line_in_the_tree() -> None:
    """A new error class is described at the head of its module and tested above."""
    defined = {name for name, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__}

    assert defined - {"TruetapeError", "Transient", "Terminal"} == {type(row[0]).__name__ for row in SENTENCES}
    assert all(name in (errors.__doc__ or "") for name in defined)


def test_a_long_list_of_symbols_is_cut() -> None:
    """The sentence names eight; the attribute keeps all."""
    error = UnknownSymbol(symbol="X", known=[f"S{number}" for number in range(20)])

    assert "S7." in str(error)
    assert "S8" not in str(error)
    assert len(error.known) == 20
