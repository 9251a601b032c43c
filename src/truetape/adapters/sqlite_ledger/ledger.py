"""The ledger itself: requests that arrive together share one transaction, on a thread of their own.

Every transaction is on the disk before a request may go out (`synchronous=FULL`): with NORMAL a power failure would
take back the last of them, and requests that were sent would be forgotten. What that costs is shared: while one
transaction is written, all requests that arrive wait for the next, so that thousands a second still fit.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from truetape.adapters.sqlite_ledger.books import Books, Line, make_tables
from truetape.domain.errors import StoreUnavailable, TruetapeError
from truetape.domain.plans import Allowance, Spending, Window
from truetape.domain.quota import Full, concerned, corrected, cost, decide, name_of, refunded, resets_ns
from truetape.ports.clock import Clock
from truetape.ports.ledger import Denial, Grant, Standing

PATIENCE_S: Final = 10.0  # for another process that writes
OPEN_GRANTS: Final = 100_000  # that may be settled; older ones stay counted as they were granted
_LARGEST_BATCH: Final = 500
_TRIES: Final = 100

T = TypeVar("T")


@dataclass(frozen=True)
class Account:
    """One account that the ledger knows, and the windows of which it holds something."""

    provider: str
    account: str
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class _Receipt:
    """What a grant was counted in, so that it can be given back."""

    at_ns: int
    costs: dict[Window, float]
    symbols: dict[str, tuple[str, ...]]  # by name of the window: those that were new


class SqliteLedger:
    """Keep the ledger in the SQLite file at `path`; several processes may, at once.

    A grant can be settled by the ledger that gave it. One that was given before a restart stays counted: nobody knows
    any more whether the request went out. The latest time at which something was counted is kept with each account,
    and a clock that shows an earlier one is taken to show that.
    """

    def __init__(self, path: Path, *, clock: Clock, read_only: bool = False) -> None:
        self.path = path
        self._clock = clock
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._waiting: deque[tuple[Callable[[Books], Any], asyncio.Future[Any]]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._receipts: OrderedDict[str, _Receipt] = OrderedDict()
        self._name = secrets.token_hex(8)
        self._numbers = count()

    async def reserve(self, spending: Spending, windows: Sequence[Window], *, kept: float = 0.0) -> Grant | Denial:
        """Count `spending` in each of `windows`, or say until when it must wait.

        Raises:
            StoreUnavailable: The file cannot be read or written now.
            BadInput: A cost is no number of 0 or more, or a zone is unknown.
        """
        answer = await self._do(partial(self._reserve, spending=spending, windows=windows, kept=kept))
        if isinstance(answer, Full):
            return Denial(window=answer.window, until_ns=answer.until_ns)
        return self._granted(spending, answer)

    async def settle(self, grant: Grant, *, sent: bool = True, received_bytes: float = 0.0) -> None:
        """Give back what was never sent, or replace the expected bytes by those that came, if any number is told.

        Raises:
            StoreUnavailable: The file cannot be written now; the grant can be settled again.
        """
        receipt = self._receipts.pop(grant.grant_id, None)
        if receipt is None:
            return
        measured = received_bytes > 0 and any(window.unit == "bytes" for window in receipt.costs)
        if sent and not measured:
            return
        back = partial(_give_back, grant=grant, receipt=receipt)
        weigh = partial(_measure, grant=grant, receipt=receipt, received_bytes=received_bytes)
        try:
            await self._do(weigh if sent else back)
        except StoreUnavailable:
            self._receipts[grant.grant_id] = receipt
            raise

    async def correct(
        self, provider: str, account: str, windows: Sequence[Window], allowances: Sequence[Allowance]
    ) -> None:
        """Take over what the provider says is left, where that is less than what we thought.

        Raises:
            StoreUnavailable: The file cannot be written now.
        """
        if allowances:
            await self._do(partial(self._correct, mine=(provider, account), windows=windows, allowances=allowances))

    async def standing(self, provider: str, account: str, windows: Sequence[Window]) -> tuple[Standing, ...]:
        """Return how each of `windows` stands now.

        Raises:
            StoreUnavailable: The file cannot be read now.
        """
        return await self._do(partial(self._standing, mine=(provider, account), windows=windows))

    async def money(self, provider: str, *, since_ns: int) -> float:
        """Return what requests to `provider` have cost since the minute that holds `since_ns`; 400 days are kept.

        Raises:
            StoreUnavailable: The file cannot be read now.
        """
        return await self._do(lambda books: books.paid(provider, since_ns=since_ns))

    async def accounts(self) -> tuple[Account, ...]:
        """Return every account that the ledger knows, in order, with the windows that hold something.

        Raises:
            StoreUnavailable: The file cannot be read now.
        """
        return await self._do(_accounts)

    async def close(self) -> None:
        """Finish what is under way and let go of the file."""
        if self._pump is not None:
            await self._pump
        await asyncio.to_thread(self._thread.shutdown)
        self._disconnect()

    def _reserve(self, books: Books, *, spending: Spending, windows: Sequence[Window], kept: float) -> Full | _Receipt:
        book = books.book(spending.provider, spending.account)
        now_ns = max(self._clock.now_ns(), book.seen_ns)
        new = {
            name_of(window): books.new_symbols(spending, window, now_ns=now_ns)
            for window in windows
            if window.unit == "symbols"
        }
        costs = [
            float(len(new[name_of(window)])) if window.unit == "symbols" else cost(window, spending)
            for window in windows
        ]
        counts = {
            name_of(window): books.count(spending.provider, spending.account, window, now_ns=now_ns)
            for window in windows
        }
        answer = decide(counts, windows, costs, kept=kept, now_ns=now_ns)
        if isinstance(answer, Full):
            return answer
        for window in windows:
            name = name_of(window)
            book.lines[name] = Line(window, answer.get(name, counts[name]))
            if name in new and window.endpoint in {"", spending.endpoint}:
                books.keep_symbols(spending, window, now_ns=now_ns)
        book.seen_ns = now_ns
        books.changed(spending.provider, spending.account)
        books.tidy(spending.provider, spending.account, in_use=counts)
        if spending.money:
            books.pay(spending.provider, amount=spending.money, at_ns=now_ns)
        return _Receipt(now_ns, {window: price for window, price in zip(windows, costs, strict=True) if price}, new)

    def _granted(self, spending: Spending, receipt: _Receipt) -> Grant:
        grant = Grant(grant_id=f"{self._name}-{next(self._numbers)}", spending=spending)
        self._receipts[grant.grant_id] = receipt
        if len(self._receipts) > OPEN_GRANTS:
            self._receipts.popitem(last=False)
        return grant

    def _correct(
        self, books: Books, *, mine: tuple[str, str], windows: Sequence[Window], allowances: Sequence[Allowance]
    ) -> None:
        book = books.book(*mine)
        now_ns = max(self._clock.now_ns(), book.seen_ns)
        for allowance in allowances:
            for window in concerned(windows, allowance):
                before = books.count(*mine, window, now_ns=now_ns)
                after = corrected(before, window, allowance, now_ns=now_ns)
                if after is not before:
                    book.lines[name_of(window)] = Line(window, after)
                    book.seen_ns = now_ns
                    books.changed(*mine)

    def _standing(self, books: Books, *, mine: tuple[str, str], windows: Sequence[Window]) -> tuple[Standing, ...]:
        now_ns = max(self._clock.now_ns(), books.book(*mine).seen_ns)
        counts = [(window, books.count(*mine, window, now_ns=now_ns)) for window in windows]
        return tuple(
            Standing(
                window=window,
                used=count.most,
                left=max(0.0, window.limit - count.most),
                resets_at_ns=resets_ns(count, window, now_ns=now_ns),
            )
            for window, count in counts
        )

    async def _do(self, work: Callable[[Books], T]) -> T:
        """Return what `work` returns, done in a transaction that is on the disk."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST_BATCH))]
            answers = await loop.run_in_executor(self._thread, self._transact, [work for work, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():  # the asker was cancelled: what it was granted stays counted
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _transact(self, batch: list[Callable[[Books], Any]]) -> list[Any]:
        """Return what each of `batch` returns or raises; runs on the ledger's own thread."""
        try:
            connection = self._connection = self._connection or self._connect()
            connection.execute("BEGIN" if self._read_only else "BEGIN IMMEDIATE")
            books = Books(connection)
            answers = [_tried(work, books) for work in batch]
            books.flush()
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  handed to all who wait
            self._disconnect()
            return [self._explained(error)] * len(batch)
        return answers

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, (sqlite3.Error, OSError)):
            return StoreUnavailable(path=str(self.path), reason=str(error).rstrip("."))
        return error

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self._read_only else "rwc"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            if not self._read_only:
                _write_ahead(connection)
            make_tables(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _tried(work: Callable[[Books], Any], books: Books) -> Any:
    """Return what `work` returns, or the error of ours that it raised: a bad request spoils no other."""
    try:
        return work(books)
    except TruetapeError as error:
        return error


def _accounts(books: Books) -> tuple[Account, ...]:
    return tuple(
        Account(provider, account, tuple(line.window for line in books.book(provider, account).lines.values()))
        for provider, account in books.accounts()
    )


def _give_back(books: Books, *, grant: Grant, receipt: _Receipt) -> None:
    spending, at_ns = grant.spending, receipt.at_ns
    given = {}
    for window, price in receipt.costs.items():
        given[window] = price
        if window.unit == "symbols":
            name = name_of(window)
            given[window] = float(books.drop_symbols(spending, name, receipt.symbols[name], at_ns=at_ns))
    _refund(books, spending, given, at_ns=at_ns)
    if spending.money:
        books.pay(spending.provider, amount=-spending.money, at_ns=at_ns)


def _measure(books: Books, *, grant: Grant, receipt: _Receipt, received_bytes: float) -> None:
    given = {window: price - received_bytes for window, price in receipt.costs.items() if window.unit == "bytes"}
    _refund(books, grant.spending, given, at_ns=receipt.at_ns)


def _refund(books: Books, spending: Spending, given: dict[Window, float], *, at_ns: int) -> None:
    book = books.book(spending.provider, spending.account)
    for window, price in given.items():
        line = book.lines.get(name_of(window))
        if line is not None:
            line.count = refunded(line.count, window, cost=price, at_ns=at_ns)
            books.changed(spending.provider, spending.account)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Have readers and the writer not wait for each other; the switch itself cannot be waited for, only tried again."""
    for _ in range(_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(PATIENCE_S / _TRIES)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 1048576")
