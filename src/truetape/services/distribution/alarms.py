"""When somebody is alarmed: rules over findings, each fire told once in its cool-down, and its end.

The same rule and labels have one fingerprint and one alert. What is owed to a channel is a mark of the alert, not a
queue of messages: however much is found while a channel is away, it is told the present state of each alert once.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.notices import ENDED_BY, SEVERITIES, STANDING, Notice
from truetape.domain.time import NANOSECONDS
from truetape.services.distribution.config import AlertRule

MOST_ALERTS: Final = 10_000
MOST_MEMBERS: Final = 1000  # what stands still behind one alert
FIRING: Final = "firing"
RESOLVED: Final = "resolved"
STANDS_NS: Final = 30 * 86_400 * NANOSECONDS  # what ends by a finding of its own is told to hold for so long
_COLUMNS: Final = {"instrument": "symbol", "kind": "timeframe"}  # by what a rule calls it
_GRAVEST: Final = {rank: name for name, rank in SEVERITIES.items() if name != "quarantine"}


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as it stands; instants are UTC nanoseconds."""

    fingerprint: str
    rule: str
    channel: str
    labels: dict[str, str]
    severity: str
    state: str
    words: str
    members: tuple[str, ...] = ()
    count: int = 0
    suppressed: int = 0
    started: int = 0
    seen: int = 0
    sent: int | None = None  # the last time that the channel was told that it fires
    told: bool = False
    owed: bool = False
    version: int = 0  # that the store has; 0: none


class Alarms:
    """The alerts of all rules. Bounded: what is found beyond `most` alerts is counted in `overflowed` and dropped."""

    def __init__(self, rules: Sequence[AlertRule], alerts: Iterable[Alert] = (), *, most: int = MOST_ALERTS) -> None:
        """Go on with `alerts`, as they were kept; those of rules that are no more are forgotten."""
        self._most = most
        self._rules = {rule.name: rule for rule in rules}
        self._recent: dict[str, deque[tuple[int, int]]] = {}  # when and how many, by fingerprint
        self.alerts = {one.fingerprint: one for one in alerts if one.rule in self._rules}
        self.changed: set[str] = set()  # since they were kept
        self.suppressed: dict[str, int] = {}  # findings told to nobody, by rule
        self.overflowed = 0

    def take(self, troubles: pl.DataFrame, *, now_ns: int) -> bool:
        """Take in what was found, and return whether a channel is owed something new.

        Args:
            troubles: instrument_id, timeframe, ts_event, provider, check, severity, explanation and symbol.
            now_ns: The present.
        """
        before = {name for name, one in self.alerts.items() if one.owed}
        for rule in self._rules.values():
            matched = troubles.filter(_matches(rule, now_ns))
            columns = [_COLUMNS.get(name, name) for name in rule.group_by]
            groups = _groups(matched, columns)
            self.overflowed += max(0, len(groups) - self._most)
            for row in groups.head(self._most).iter_rows(named=True):
                labels = {name: row[column] for name, column in zip(rule.group_by, columns, strict=True)}
                self._seen(rule, labels, row, now_ns)
        for check, instrument, timeframe, provider in _ended(troubles):
            self._end(_member(ENDED_BY[check], instrument, timeframe, provider), now_ns)
        return any(one.owed and name not in before for name, one in self.alerts.items())

    def expire(self, *, now_ns: int) -> bool:
        """End the alerts of which nothing was found for long, and return whether a channel is owed something new."""
        over = [
            one
            for one in self.alerts.values()
            if one.state == FIRING
            and not one.members
            and now_ns - one.seen >= _ns(self._rules[one.rule].resolve_after_s)
        ]
        for one in over:
            self._put(_resolved(one, now_ns))
        return any(one.told for one in over)

    def owed(self, channel: str) -> Alert | None:
        """Return the alert that `channel` is to be told of next: the one that was seen first."""
        waiting = [one for one in self.alerts.values() if one.owed and one.channel == channel]
        return min(waiting, key=lambda one: one.seen, default=None)

    def delivered(self, told: Alert, *, now_ns: int) -> None:
        """Take note that the channel took `told`; it may have changed since."""
        now = self.alerts[told.fingerprint]
        fires, same = told.state == FIRING, now.state == told.state
        sent = now_ns if fires else now.sent
        owed = (fires and not same) or (now.owed and not same and not fires)
        self._put(msgspec.structs.replace(now, told=fires, sent=sent, owed=owed))

    def given_up(self, told: Alert) -> None:
        """Take note that the channel did not take `told` and will not be asked again."""
        self._put(msgspec.structs.replace(self.alerts[told.fingerprint], owed=False))

    def notice(self, alert: Alert, *, simulated: bool) -> Notice:
        """Return what the channel of `alert` is told."""
        lasts = STANDS_NS if alert.members else _ns(self._rules[alert.rule].resolve_after_s)
        return Notice(
            fingerprint=alert.fingerprint,
            rule=alert.rule,
            state=alert.state,
            severity=alert.severity,
            words=alert.words,
            labels=alert.labels,
            count=alert.count,
            started_ns=alert.started,
            seen_ns=alert.seen,
            until_ns=alert.seen + lasts if alert.state == FIRING else alert.seen,
            simulated=simulated,
        )

    def _seen(self, rule: AlertRule, labels: dict[str, str], row: dict[str, Any], now_ns: int) -> None:
        name = fingerprint(rule.name, labels)
        old, count = self.alerts.get(name), row["count"]
        total = self._within(rule, name, count, now_ns)
        fires = old is not None and old.state == FIRING
        if (not fires and total < rule.count) or (old is None and not self._has_room()):
            return
        cooled = old is None or old.sent is None or now_ns - old.sent >= _ns(rule.cool_down_s)
        began = old if fires and old is not None else _begun(rule, name, labels, old, now_ns)
        added = count if fires else total
        hushed = 0 if cooled or began.owed else added
        self.suppressed[rule.name] = self.suppressed.get(rule.name, 0) + hushed
        rank = max(row["rank"], SEVERITIES[began.severity])
        self._put(
            msgspec.structs.replace(
                began,
                severity=_GRAVEST[rank],
                words=row["words"],
                members=tuple(dict.fromkeys((*began.members, *row["members"])))[:MOST_MEMBERS],
                count=began.count + added,
                suppressed=began.suppressed + hushed,
                seen=now_ns,
                owed=began.owed or cooled,
            )
        )

    def _within(self, rule: AlertRule, name: str, count: int, now_ns: int) -> int:
        """Return how many were found within the rule's time, these `count` included."""
        recent = self._recent.setdefault(name, deque(maxlen=max(rule.count, 1)))
        recent.append((now_ns, count))
        while recent[0][0] <= now_ns - _ns(rule.within_s):
            recent.popleft()
        if len(self._recent) > self._most:
            del self._recent[next(iter(self._recent))]
        return sum(number for _, number in recent)

    def _has_room(self) -> bool:
        """Return whether one more alert may begin; one that is over for longest makes room."""
        if len(self.alerts) < self._most:
            return True
        over = [one for one in self.alerts.values() if one.state == RESOLVED and not one.owed]
        if over:
            del self.alerts[min(over, key=lambda one: one.seen).fingerprint]
        self.overflowed += not over
        return bool(over)

    def _end(self, member: str, now_ns: int) -> None:
        for one in [one for one in self.alerts.values() if one.state == FIRING and member in one.members]:
            left = tuple(name for name in one.members if name != member)
            less = msgspec.structs.replace(one, members=left)
            self._put(less if left else _resolved(less, now_ns))

    def _put(self, alert: Alert) -> None:
        self.alerts[alert.fingerprint] = alert
        self.changed.add(alert.fingerprint)


def fingerprint(rule: str, labels: dict[str, str]) -> str:
    """Return the name of the alert of `rule` about `labels`: 64 bits of a hash, in hexadecimal."""
    return hashlib.sha256(msgspec.json.encode([rule, sorted(labels.items())])).hexdigest()[:16]


def _begun(rule: AlertRule, name: str, labels: dict[str, str], old: Alert | None, now_ns: int) -> Alert:
    return Alert(
        fingerprint=name,
        rule=rule.name,
        channel=rule.channel,
        labels=labels,
        severity="note",
        state=FIRING,
        words="",
        started=now_ns,
        sent=old.sent if old else None,
        told=old.told if old else False,
        version=old.version if old else 0,
    )


def _resolved(alert: Alert, now_ns: int) -> Alert:
    return msgspec.structs.replace(alert, state=RESOLVED, seen=now_ns, owed=alert.told)


def _matches(rule: AlertRule, now_ns: int) -> pl.Expr:
    wanted = [
        pl.col("severity").replace_strict(SEVERITIES, default=0, return_dtype=pl.Int64) >= SEVERITIES[rule.severity],
        ~pl.col("check").is_in(list(ENDED_BY)),
        pl.col("ts_event").cast(pl.Int64) >= now_ns - _ns(rule.newer_than_s),
    ]
    for column, patterns in (
        ("check", rule.checks),
        ("provider", rule.providers),
        ("symbol", rule.instruments),
        ("timeframe", rule.kinds),
    ):
        if patterns:
            wanted.append(pl.col(column).str.contains(_expression(patterns)))
    return pl.all_horizontal(wanted)


def _expression(patterns: Sequence[str]) -> str:
    every = ["".join(".*" if part == "*" else _literal(part) for part in pattern) for pattern in patterns]
    return f"^(?:{'|'.join(every)})$"


def _literal(letter: str) -> str:
    return letter if letter.isalnum() else f"\\x{{{ord(letter):x}}}"


def _groups(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    stands = pl.concat_str(["check", "instrument_id", "timeframe", "provider"], separator="|")
    if rows.is_empty():
        return pl.DataFrame(schema=dict.fromkeys((*columns, "count"), pl.String))
    return rows.group_by(columns or pl.lit("").alias("all"), maintain_order=True).agg(
        pl.len().alias("count"),
        pl.col("severity").replace_strict(SEVERITIES, default=0, return_dtype=pl.Int64).max().alias("rank"),
        pl.col("explanation").last().alias("words"),
        stands.filter(pl.col("check").is_in(list(STANDING))).alias("members"),
    )


def _ended(troubles: pl.DataFrame) -> Iterable[tuple[str, str, str, str]]:
    over = troubles.filter(pl.col("check").is_in(list(ENDED_BY)))
    return over.select("check", "instrument_id", "timeframe", "provider").iter_rows()


def _member(check: str, instrument: str, timeframe: str, provider: str) -> str:
    return f"{check}|{instrument}|{timeframe}|{provider}"


def _ns(seconds: float) -> int:
    return round(seconds * NANOSECONDS)
