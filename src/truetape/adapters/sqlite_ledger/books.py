"""What the file holds: one book for each account, its symbols, and the money; read and written in one transaction."""

# ruff: noqa: S608  only constants and question marks are put together

from __future__ import annotations

import sqlite3
from collections.abc import Container, Sequence
from typing import Final

import msgspec

from truetape.domain.periods import length_ns
from truetape.domain.plans import Spending, Window
from truetape.domain.quota import NOTHING, Count, Grain, current, name_of, spent

FORMAT: Final = 1
MINUTE_NS: Final = 60 * 10**9
_KEPT_MINUTES: Final = 400 * 1440  # of money: a little more than a year
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS books (
    provider TEXT, account TEXT, book BLOB NOT NULL, PRIMARY KEY (provider, account)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS symbols (
    provider TEXT, account TEXT, window TEXT, symbol TEXT, last_ns INTEGER NOT NULL,
    PRIMARY KEY (provider, account, window, symbol)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS money (
    provider TEXT, minute INTEGER, amount REAL NOT NULL, PRIMARY KEY (provider, minute)) WITHOUT ROWID;
"""
_MINE: Final = "provider = ? AND account = ? AND window = ?"


class Line(msgspec.Struct, array_like=True):
    """One window of a book."""

    window: Window
    count: Count


class Book(msgspec.Struct, array_like=True):
    """What one account has spent. `seen_ns` is the latest time at which something was counted."""

    seen_ns: int = 0
    lines: dict[str, Line] = {}

    def count(self, window: Window, *, now_ns: int) -> Count:
        """Return what the book holds of `window` at `now_ns`."""
        line = self.lines.get(name_of(window))
        return current(line.count if line else NOTHING, window, now_ns=now_ns)


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Book).decode


def make_tables(connection: sqlite3.Connection) -> None:
    """Make what is missing in the file, in one step.

    Raises:
        sqlite3.DatabaseError: The file is of another format, or no database.
    """
    held = connection.execute("PRAGMA user_version").fetchone()[0]
    if held not in {0, FORMAT}:
        raise sqlite3.DatabaseError(f"it has format {held}, and this version of truetape reads format {FORMAT}")
    if not held:
        connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {FORMAT}; COMMIT")


class Books:
    """The books of one transaction: each is read once, and written once if it changed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._open: dict[tuple[str, str], Book] = {}
        self._changed: set[tuple[str, str]] = set()

    def book(self, provider: str, account: str) -> Book:
        """Return the book of an account, an empty one if it has none."""
        found = self._open.get((provider, account))
        if found is None:
            row = self._connection.execute(
                "SELECT book FROM books WHERE provider = ? AND account = ?", (provider, account)
            ).fetchone()
            found = self._open[provider, account] = _read(row[0]) if row else Book()
        return found

    def changed(self, provider: str, account: str) -> None:
        """Have the book of an account written at the end."""
        self._changed.add((provider, account))

    def tidy(self, provider: str, account: str, *, in_use: Container[str]) -> None:
        """Forget the windows of an account that are over, and are not among the names `in_use`."""
        book = self.book(provider, account)
        for name, line in list(book.lines.items()):
            if name not in in_use and spent(line.count, line.window, now_ns=book.seen_ns):
                del book.lines[name]
                self._connection.execute(f"DELETE FROM symbols WHERE {_MINE}", (provider, account, name))

    def flush(self) -> None:
        """Write every book that changed."""
        for provider, account in self._changed:
            book = self._open[provider, account]
            for line in book.lines.values():
                if line.window.unit == "symbols" and line.window.rolling:
                    line.count = msgspec.structs.replace(line.count, grains=())
            self._connection.execute(
                "INSERT OR REPLACE INTO books VALUES (?, ?, ?)", (provider, account, _encode(book))
            )
        self._changed.clear()

    def accounts(self) -> list[tuple[str, str]]:
        """Return every provider and account that has a book."""
        return self._connection.execute("SELECT provider, account FROM books ORDER BY 1, 2").fetchall()

    def pay(self, provider: str, *, amount: float, at_ns: int) -> None:
        """Add `amount` of money to the minute of `at_ns`; forget what is older than 400 days."""
        minute = at_ns // MINUTE_NS
        self._connection.execute(
            "INSERT INTO money VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET amount = amount + ?3",
            (provider, minute, amount),
        )
        self._connection.execute(
            "DELETE FROM money WHERE provider = ? AND minute < ?", (provider, minute - _KEPT_MINUTES)
        )

    def paid(self, provider: str, *, since_ns: int) -> float:
        """Return the money spent from the minute of `since_ns` on."""
        row = self._connection.execute(
            "SELECT total(amount) FROM money WHERE provider = ? AND minute >= ?", (provider, since_ns // MINUTE_NS)
        ).fetchone()
        return float(row[0])

    def new_symbols(self, spending: Spending, window: Window, *, now_ns: int) -> tuple[str, ...]:
        """Return the request's symbols that `window` does not hold yet; forget those that have left it."""
        if window.endpoint not in {"", spending.endpoint}:
            return ()
        mine = (spending.provider, spending.account, name_of(window))
        count = self.book(spending.provider, spending.account).count(window, now_ns=now_ns)
        self._connection.execute(
            f"DELETE FROM symbols WHERE {_MINE} AND last_ns < ?", (*mine, _first_ns(count, window, now_ns))
        )
        asked = dict.fromkeys(spending.symbols)
        known = self._connection.execute(
            f"SELECT symbol FROM symbols WHERE {_MINE} AND symbol IN (SELECT value FROM json_each(?))",
            (*mine, msgspec.json.encode(list(asked)).decode()),
        ).fetchall()
        for (symbol,) in known:
            del asked[symbol]
        return tuple(asked)

    def count(self, provider: str, account: str, window: Window, *, now_ns: int) -> Count:
        """Return what an account's `window` holds now; a rolling one of symbols is counted from its symbols."""
        count = self.book(provider, account).count(window, now_ns=now_ns)
        if window.unit != "symbols" or not window.rolling:
            return count
        rows = self._connection.execute(
            f"SELECT last_ns FROM symbols WHERE {_MINE} AND last_ns >= ? ORDER BY last_ns",
            (provider, account, name_of(window), _first_ns(count, window, now_ns)),
        )
        grains = tuple(Grain(0, 1.0, last_ns) for (last_ns,) in rows)
        return msgspec.structs.replace(count, grains=grains, used=float(len(grains)))

    def keep_symbols(self, spending: Spending, window: Window, *, now_ns: int) -> None:
        """Note that the request's symbols were asked for."""
        mine = (spending.provider, spending.account, name_of(window))
        self._connection.executemany(
            "INSERT OR REPLACE INTO symbols VALUES (?, ?, ?, ?, ?)",
            [(*mine, symbol, now_ns) for symbol in dict.fromkeys(spending.symbols)],
        )

    def drop_symbols(self, spending: Spending, window: str, symbols: Sequence[str], *, at_ns: int) -> int:
        """Forget symbols that were new at `at_ns` and not asked for since; return how many these were."""
        mine = (spending.provider, spending.account, window, at_ns)
        done = [
            self._connection.execute(f"DELETE FROM symbols WHERE {_MINE} AND last_ns = ? AND symbol = ?", (*mine, one))
            for one in symbols
        ]
        return sum(one.rowcount for one in done)


def _first_ns(count: Count, window: Window, now_ns: int) -> int:
    """Return from when on a symbol that was asked for is held by `window`."""
    return now_ns - length_ns(window) + 1 if window.rolling else count.start_ns


def _read(book: bytes) -> Book:
    try:
        return _decode(book)
    except msgspec.MsgspecError:
        raise sqlite3.DatabaseError("a book in it is damaged") from None
