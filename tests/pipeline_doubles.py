"""Small real doubles for the rooms that a price passes: a store of both times, an archive, a clock, a provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar

import polars as pl

from truetape.domain.asks import Answer, Ask
from truetape.domain.capability import Declaration, Offer
from truetape.domain.errors import ProviderRefused, StoreUnavailable, UndecodablePayload
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.identity import payload_key
from truetape.domain.messages import Message, RawCaptured, RoundClosed
from truetape.domain.schema import DECODED, INSTANT, TABLES, check, empty
from truetape.domain.time import NANOSECONDS
from truetape.ports.archive import Entry
from truetape.ports.provider import Decode, Provider
from truetape.ports.store import BATCH_ROWS, Selection

M = TypeVar("M", bound=Message)
INSTRUMENT = "ins_a"
MONDAY, FRIDAY = date(2024, 6, 3), date(2024, 6, 7)
NOW = 1_717_977_600 * NANOSECONDS  # 2024-06-10T00:00:00Z


class SteppingClock:
    """Jump to the end of each sleep; remember how long each was."""

    def __init__(self, start_ns: int = NOW) -> None:
        self.now = start_ns
        self.slept: list[float] = []

    def now_ns(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + round(seconds * NANOSECONDS)
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.now = max(self.now, until)


class Heard:
    """A bus that keeps what is told, in the same list as whatever else happens, and whom a room wants to hear."""

    def __init__(self, happened: list[Any] | None = None) -> None:
        self.happened: list[Any] = [] if happened is None else happened
        self.handlers: dict[str, Callable[[Any], Awaitable[None]]] = {}

    async def publish(self, message: Message) -> None:
        self.happened.append(("told", message))

    def subscribe(self, kind: type[M], *, group: str, handler: Callable[[M], Awaitable[None]]) -> None:
        self.handlers[f"{group} hears {kind.__name__}"] = handler

    def of(self, kind: type[M]) -> list[M]:
        return [message for what, message in self.happened if what == "told" and isinstance(message, kind)]


class DictArchive:
    """Keep bodies and the journal in memory; `full` says how many more writes fail."""

    def __init__(self, happened: list[Any] | None = None) -> None:
        self.happened: list[Any] = [] if happened is None else happened
        self.bodies: dict[str, bytes] = {}
        self.entries: list[Entry] = []
        self.full = 0

    def put(self, body: bytes) -> str:
        self._write(("archived", body))
        self.bodies[payload_key(body)] = body
        return payload_key(body)

    def get(self, key: str) -> bytes:
        return self.bodies[key]

    def record(self, entry: Entry) -> None:
        self._write(("recorded", entry))
        self.entries.append(entry)

    def journal(self) -> Iterator[Entry]:
        return iter(list(self.entries))

    def _write(self, what: tuple[str, object]) -> None:
        if self.full:
            self.full -= 1
            raise StoreUnavailable(path="archive", reason="the disk is full")
        self.happened.append(what)


class BothTimes:
    """A store of frames that answers selections, keeps versions and ignores repeats; `full` makes commits fail."""

    def __init__(self, **tables: pl.DataFrame) -> None:
        self.rows = {name: empty(table.columns) for name, table in TABLES.items()} | tables
        self.commits: list[dict[str, int]] = []
        self.full = False

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        assert selection.at_version is None
        assert selection.since_version is None
        rows, spec = self.rows[table].clear() if selection.withdrawn else self.rows[table], TABLES[table]
        assert all(selection.equal.values()), "an empty tuple of wanted values is not worth a read"
        for name, values in selection.equal.items():
            rows = rows.filter(pl.col(name).is_in(list(values)))
        if selection.as_of is not None:
            rows = rows.filter(pl.col("ts_known").cast(pl.Int64) <= selection.as_of)
        for name in ("ts_event", "ex_date", "session"):
            if name in rows.columns:
                day = pl.col(name).cast(pl.Date)
                rows = rows.filter(day.is_between(selection.start or date.min, selection.end or date.max))
        if spec.versioned and not selection.history:
            rows = rows.sort("version").unique(spec.key, keep="last")
        return rows.sort(spec.key).select(list(selection.columns or spec.columns))

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        for frame in (await self.read(table, selection)).iter_slices(rows):
            yield frame

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        assert not withdrawals
        if self.full:
            raise StoreUnavailable(path="store", reason="the disk is full")
        for name, frame in writes.items():
            spec = TABLES[name]
            same = [*spec.key, "version"] if spec.versioned else list(spec.key)
            assert not check(frame, spec.columns, kind=name).select(same).is_duplicated().any()
            self.rows[name] = pl.concat([self.rows[name], frame.join(self.rows[name], on=same, how="anti")])
        self.commits.append({name: len(frame) for name, frame in writes.items()})
        return self.version()

    def version(self) -> int:
        return len(self.commits)


def refuse(failure_class: FailureClass, *, retry_after_s: float | None = None) -> Failure:
    """Return a failure of that class."""
    return Failure(failure_class=failure_class, words=f"no: {failure_class.value}", retry_after_s=retry_after_s)


class Script:
    """A client and classifier that act out a list of events; the last goes on for ever.

    An event is a body or an answer to deliver, a failure that the body stands for, or an exception to raise.
    """

    def __init__(self, *events: bytes | Failure | Exception | Answer, clock: SteppingClock | None = None) -> None:
        self.events = list(events)
        self.asks: list[Ask] = []
        self.asked_at: list[int] = []
        self.clock = clock

    async def fetch(self, ask: Ask) -> Answer:
        event = self.events[min(len(self.asks), len(self.events) - 1)]
        self.asks.append(ask)
        self.asked_at.append(self.clock.now_ns() if self.clock else 0)
        await asyncio.sleep(0)
        if isinstance(event, Exception):
            raise event
        if isinstance(event, Answer):
            return event
        if isinstance(event, bytes):
            return answer(event)
        return answer(event.words.encode(), status=503)

    def classify(self, answered: Answer) -> Failure | None:
        if answered.status == 200:
            return None
        return next(one for one in self.events if isinstance(one, Failure) and one.words.encode() == answered.body)


def answer(body: bytes, *, status: int = 200) -> Answer:
    """Return an answer with `body`."""
    return Answer(url="https://p.example/bars", status=status, content_type="text/plain", headers={}, body=body)


def declaration(name: str, *, pace: float = 1000.0) -> Declaration:
    """Return the declaration of a provider of raw daily bars that may be asked `pace` times a second."""
    return Declaration(
        name=name,
        title=name,
        offers=(Offer(kind="bars", timeframes=("1d",)), Offer(kind="actions", with_bars=True)),
        basis="raw",
        zone="America/New_York",
        feed=f"{name} feed",
        needs_key=True,
        key_variable="KEY",
        calls_per_second=pace,
    )


def provider(
    name: str, script: Script, *, pace: float = 1000.0, decode: Mapping[str, Decode] | None = None
) -> Provider:
    """Return a provider that acts out `script` and spells symbols in lower case."""
    return Provider(
        declaration=declaration(name, pace=pace),
        client=script,
        classify=script.classify,
        decode=decode or {},
        spell=str.lower,
    )


def capture(name: str = "p", *, body: bytes = b"body", ts_known: int = NOW, **changes: Any) -> RawCaptured:
    """Return the capture of `body` from the provider `name` about one week."""
    given: dict[str, Any] = {
        "provider": name,
        "kind": "bars",
        "key": payload_key(body),
        "ts_known": ts_known,
        "round_id": "rnd_1",
        "instrument_id": INSTRUMENT,
        "symbol": "a",
        "timeframe": "1d",
        "start": MONDAY,
        "end": FRIDAY,
        **changes,
    }
    return RawCaptured(**given)


def closing(*captures: RawCaptured, **changes: Any) -> RoundClosed:
    """Return the message that closes the round of `captures`."""
    first = captures[0]
    given: dict[str, Any] = {
        "round_id": first.round_id,
        "instrument_id": first.instrument_id,
        "kind": first.kind,
        "timeframe": first.timeframe,
        "start": first.start,
        "end": first.end,
        "ts_known": max(one.ts_known for one in captures),
        "captured": tuple(one.key for one in captures),
        "providers": tuple(one.provider for one in captures),
        "captures": captures,
        **changes,
    }
    return RoundClosed(**given)


def weekdays(count: int, *, start: date = MONDAY) -> list[date]:
    """Return `count` weekdays from `start`, a Monday."""
    return [start + timedelta(days=number + 2 * (number // 5)) for number in range(count)]


def instants(days: Sequence[date]) -> pl.Series:
    """Return 00:00 UTC of each of `days`."""
    return pl.Series("ts_event", days, dtype=pl.Date).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")


def bar_claims(
    name: str, closes: Sequence[float | None], *, days: Sequence[date] | None = None, **changes: Any
) -> pl.DataFrame:
    """Return one provider's claims: flat bars at `closes`, with a volume of 1000, 1001, 1002 ..."""
    length = len(closes)
    given: dict[str, Any] = {
        "instrument_id": INSTRUMENT,
        "timeframe": "1d",
        "ts_event": instants(days or weekdays(length)),
        "provider": name,
        **{price: list(closes) for price in ("open", "high", "low", "close", "adj_close")},
        "volume": [1000.0 + number for number in range(length)],
        "currency": "USD",
        "basis": "raw",
        "running": False,
        "feed": f"{name} feed",
        "payload": f"payload of {name}",
        "ts_known": NOW,
        "simulated": False,
        **changes,
    }
    return filled("bar_claims", length, given)


def action_claims(name: str, *rows: tuple[date, str, float | None], **changes: Any) -> pl.DataFrame:
    """Return one provider's claims of (ex-date, type, value)."""
    given: dict[str, Any] = {
        "instrument_id": INSTRUMENT,
        "ex_date": [row[0] for row in rows],
        "type": [row[1] for row in rows],
        "value": [row[2] for row in rows],
        "provider": name,
        "currency": "USD",
        "basis": "raw",
        "payload": f"payload of {name}",
        "ts_known": NOW,
        "simulated": False,
        **changes,
    }
    return filled("action_claims", len(rows), given)


def filled(table: str, length: int, given: Mapping[str, Any]) -> pl.DataFrame:
    """Return rows of `table`: lists and series are columns, other values stand in every row."""
    columns = []
    for name, dtype in TABLES[table].columns.items():
        value = given[name]
        values = value if isinstance(value, list | pl.Series) else [value] * length
        if dtype == INSTANT and not isinstance(value, pl.Series):
            columns.append(pl.Series(name, values, dtype=pl.Int64).cast(INSTANT))
        else:
            columns.append(pl.Series(name, values, dtype=dtype))
    return pl.DataFrame(columns)


def decode_bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Read closes, comma separated, of the days from Monday; the first field names the basis."""
    basis, *closes = body.decode().split("|")[0].split(",")
    if basis == "garbled":
        raise UndecodablePayload(provider="p", kind=ask.kind, reason="it is no list of closes")
    if basis == "refused":
        raise ProviderRefused(provider="p", failure=refuse(FailureClass.QUOTA))
    if basis == "surprising":
        raise KeyError("a field that was always there")
    if basis == "misshaped":
        return pl.DataFrame({"close": [1.0]})
    rows = pl.DataFrame({"ts_event": instants(weekdays(len(closes))), "close": [float(close) for close in closes]})
    filled = rows.with_columns(
        pl.lit(ask.symbol).alias("symbol"),
        pl.lit(ask.timeframe).alias("timeframe"),
        pl.lit(basis).alias("basis"),
        pl.lit(False).alias("running"),
        pl.lit("USD").alias("currency"),
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("open", "high", "low", "volume", "adj_close")),
    )
    return filled.select([pl.col(name).cast(dtype) for name, dtype in DECODED["bars"].items()])


def decode_actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Read, behind the bar, the weekday and ratio of a split."""
    after = body.decode().partition("|")[2]
    if not after:
        return empty(DECODED["actions"])
    day, ratio = after.split(",")
    row = {"symbol": ask.symbol, "ex_date": weekdays(5)[int(day)], "type": "split", "value": float(ratio)}
    return pl.DataFrame([row | {"currency": "USD", "basis": "raw"}], schema=DECODED["actions"])


BOTH: Mapping[str, Decode] = {"bars": decode_bars, "actions": decode_actions}
