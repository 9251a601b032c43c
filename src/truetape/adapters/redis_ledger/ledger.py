"""The ledger itself: each call is one script that the server runs at once, at its own time.

What a crash of the server may take back is the server's affair: `appendonly yes` with `appendfsync always` takes
nothing, `everysec` the last second, and eviction (`maxmemory-policy`) must be `noeviction`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from math import isfinite
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError

from truetape.domain.errors import StoreUnavailable
from truetape.domain.periods import length_ns, period_ns
from truetape.domain.plans import Allowance, Spending, Window
from truetape.domain.quota import NEVER, Count, Grain, concerned, cost, name_of, resets_ns
from truetape.ports.clock import Clock
from truetape.ports.ledger import Denial, Grant, Standing

OPEN_GRANTS: Final = 100_000  # that may be settled; older ones stay counted as they were granted
_US: Final = 1000  # nanoseconds
_DAY_US: Final = 86_400 * 10**6
_MINUTE_US: Final = 60 * 10**6
_KEPT_DAYS: Final = 400
_SCRIPT: Final = Path(__file__).with_name("ledger.lua")
_TURNS: Final = 10  # until client and server agree on the period: the server's time must not leave it again


@dataclass(frozen=True)
class _Receipt:
    """What a grant was counted in, so that it can be given back."""

    at_us: int
    costs: dict[Window, float]
    symbols: dict[str, tuple[str, ...]]


class RedisLedger:
    """Keep the ledger in the Redis server at `url`, under keys that begin with `prefix`.

    The server's time decides, so that the clients' clocks may differ as they like; where `clock` is given, it decides
    instead: for rehearsals. A client sends the period of each calendar window for the time that it takes the server
    to have; where it is wrong, the server says so, and is asked again.
    """

    def __init__(
        self, url: str, *, prefix: str = "truetape", timeout_s: float = 5.0, clock: Clock | None = None
    ) -> None:
        parts = urlsplit(url)
        self._place = f"{parts.scheme}://{parts.hostname or ''}:{parts.port or 6379}{parts.path}"
        self._redis = Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(ConstantBackoff(0.05), 2, supported_errors=(Disconnected,)),
            protocol=2,
        )
        self._script = self._redis.register_script(_SCRIPT.read_bytes())
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._clock = clock
        self._ahead_us = time.time_ns() // _US - time.monotonic_ns() // _US
        self._receipts: OrderedDict[str, _Receipt] = OrderedDict()
        self._name = secrets.token_hex(8)
        self._numbers = count()

    async def reserve(self, spending: Spending, windows: Sequence[Window], *, kept: float = 0.0) -> Grant | Denial:
        """Count `spending` in each of `windows`, or say until when it must wait.

        Raises:
            StoreUnavailable: The server cannot be reached now, or did not answer in time. The request may have been
                counted then.
            BadInput: A cost is no number of 0 or more, or a zone is unknown.
        """
        costs = [cost(window, spending) for window in windows]

        def tables(now_us: int) -> list[dict[str, Any]]:
            return [
                _table(window, now_us) | {"cost": price, "concerned": window.endpoint in {"", spending.endpoint}}
                for window, price in zip(windows, costs, strict=True)
            ]

        told = {"kept": kept, "symbols": list(dict.fromkeys(spending.symbols)), "money": spending.money}
        answer = await self._ask("reserve", spending.provider, spending.account, tables, told)
        if "denied" in answer:
            until_ns = NEVER if answer["till"] < 0 else int(answer["till"]) * _US
            return Denial(window=windows[answer["denied"] - 1], until_ns=until_ns)
        return self._granted(spending, windows, answer)

    async def settle(self, grant: Grant, *, sent: bool = True, received_bytes: float = 0.0) -> None:
        """Give back what was never sent, or replace the expected bytes by those that came, if any number is told.

        Raises:
            StoreUnavailable: The server cannot be reached now; the grant can be settled again.
        """
        receipt = self._receipts.pop(grant.grant_id, None)
        if receipt is None:
            return
        given, money = receipt.costs, grant.spending.money
        if sent:
            given = {window: price - received_bytes for window, price in given.items() if window.unit == "bytes"}
            given, money = given if received_bytes > 0 else {}, 0.0
        if not given and not money:
            return

        def tables(now_us: int) -> list[dict[str, Any]]:
            return [
                _table(window, now_us) | {"cost": price, "new": list(receipt.symbols.get(name_of(window), ()))}
                for window, price in given.items()
            ]

        told = {"at": receipt.at_us, "money": money}
        try:
            await self._ask("settle", grant.spending.provider, grant.spending.account, tables, told)
        except StoreUnavailable:
            self._receipts[grant.grant_id] = receipt
            raise

    async def correct(
        self, provider: str, account: str, windows: Sequence[Window], allowances: Sequence[Allowance]
    ) -> None:
        """Take over what the provider says is left, where that is less than what we thought.

        Raises:
            StoreUnavailable: The server cannot be reached now.
        """
        pairs = [
            (window, allowance)
            for allowance in allowances
            if isfinite(allowance.left)
            for window in concerned(windows, allowance)
        ]
        if not pairs:
            return

        def tables(now_us: int) -> list[dict[str, Any]]:
            return [_table(window, now_us) | _told(allowance) for window, allowance in pairs]

        await self._ask("correct", provider, account, tables, {})

    async def standing(self, provider: str, account: str, windows: Sequence[Window]) -> tuple[Standing, ...]:
        """Return how each of `windows` stands now.

        Raises:
            StoreUnavailable: The server cannot be reached now.
        """
        if not windows:
            return ()
        answer = await self._ask("read", provider, account, lambda now_us: [_table(one, now_us) for one in windows], {})
        now_ns = answer["at"] * _US
        return tuple(_standing(window, row, now_ns) for window, row in zip(windows, answer["found"], strict=True))

    async def money(self, provider: str, *, since_ns: int) -> float:
        """Return what requests to `provider` have cost since the minute that holds `since_ns`; 400 days are kept.

        Raises:
            StoreUnavailable: The server cannot be reached now.
        """
        answer = await self._ask("read", provider, "", lambda _: [], {})
        today = answer["at"] // _DAY_US
        first, minute = since_ns // _US // _DAY_US, since_ns // _US // _MINUTE_US
        days = range(max(first, today - _KEPT_DAYS), today + 1)
        key = self._money_key(provider)

        async def hashes() -> list[dict[bytes, bytes]]:
            pipeline = self._redis.pipeline(transaction=False)
            for day in days:
                pipeline.hgetall(f"{key}{day}")
            return await pipeline.execute()

        found = await self._in_time(hashes)
        return sum(float(paid) for one in found for at, paid in one.items() if int(at) >= minute)

    async def close(self) -> None:
        """Let go of the server."""
        await self._redis.aclose()

    def _granted(self, spending: Spending, windows: Sequence[Window], answer: dict[str, Any]) -> Grant:
        grant = Grant(grant_id=f"{self._name}-{next(self._numbers)}", spending=spending)
        costs = {window: float(price) for window, price in zip(windows, answer["costs"], strict=True) if price}
        symbols = {name: tuple(new) for name, new in dict(answer["new"]).items()}
        self._receipts[grant.grant_id] = _Receipt(answer["at"], costs, symbols)
        if len(self._receipts) > OPEN_GRANTS:
            self._receipts.popitem(last=False)
        return grant

    async def _ask(
        self,
        step: str,
        provider: str,
        account: str,
        tables: Callable[[int], list[dict[str, Any]]],
        told: dict[str, Any],
    ) -> dict[str, Any]:
        """Return what the script answers, once client and server agree on the periods."""
        now_us = self._now_us()
        keys = [f"{self._prefix}:{{{provider}}}:book:{account}", self._money_key(provider)]
        for _ in range(_TURNS):
            asked = told | {"step": step, "now": self._clock.now_ns() // _US if self._clock else 0}
            ask = msgspec.msgpack.encode(asked | {"windows": tables(now_us)})
            packed = await self._in_time(lambda: self._script(keys=keys, args=[ask]))  # noqa: B023  awaited at once
            answer: dict[str, Any] = msgspec.msgpack.decode(packed)
            now_us = answer.get("at") or answer.get("time") or now_us
            if not self._clock and ("at" in answer or "time" in answer):
                self._ahead_us = now_us - time.monotonic_ns() // _US
            if "time" not in answer:
                return answer
        raise StoreUnavailable(path=self._place, reason="its time changes too fast")

    async def _in_time(self, work: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work()
        except TimeoutError:
            raise StoreUnavailable(path=self._place, reason=f"no answer within {self._timeout_s:g} s") from None
        except (RedisError, OSError) as error:
            raise StoreUnavailable(path=self._place, reason=str(error).rstrip(".") or type(error).__name__) from error

    def _now_us(self) -> int:
        return self._clock.now_ns() // _US if self._clock else time.monotonic_ns() // _US + self._ahead_us

    def _money_key(self, provider: str) -> str:
        return f"{self._prefix}:{{{provider}}}:money:"


def _table(window: Window, now_us: int) -> dict[str, Any]:
    """Return what the script knows of a window; its period is the one that holds `now_us`."""
    start_ns, end_ns = (0, 0) if window.rolling else period_ns(window, at_ns=now_us * _US)
    return {
        "name": name_of(window),
        "limit": window.limit,
        "rolling": window.rolling,
        "symbols": window.unit == "symbols",
        "length": length_ns(window) // _US,
        "start": start_ns // _US,
        "stop": end_ns // _US,
    }


def _told(allowance: Allowance) -> dict[str, float]:
    """Return an allowance as the script reads it: what is not told, or is no number, is left out."""
    at_s, in_s = allowance.resets_at_s, allowance.resets_in_s
    told = {"left": allowance.left}
    if at_s is not None and isfinite(at_s):
        told["resets_at"] = at_s * 1e6
    if in_s is not None and isfinite(in_s):
        told["resets_in"] = in_s * 1e6
    return told


def _standing(window: Window, row: Sequence[float], now_ns: int) -> Standing:
    start, stop, used, oldest, told, told_at, told_until = row
    held = Count(
        start_ns=int(start) * _US,
        end_ns=int(stop) * _US,
        used=float(used),
        grains=(Grain(0, float(used), int(oldest) * _US),) if oldest else (),
        told=float(told),
        told_at_ns=int(told_at) * _US,
        told_until_ns=int(told_until) * _US,
    )
    left = max(0.0, window.limit - held.most)
    return Standing(window=window, used=held.most, left=left, resets_at_ns=resets_ns(held, window, now_ns=now_ns))
