"""What the rooms count, as Prometheus is told. Every label has a bounded number of values: none is an instrument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from truetape.adapters.memory_bus import GroupStats
from truetape.app.wiring import Rooms
from truetape.services.api.metrics import Family
from truetape.services.distribution.alarms import FIRING

QUARANTINE: Final = "quarantine"


def families(rooms: Rooms) -> Iterator[Family]:
    """Yield what has been found and told since the start, and what is late and alarming now."""
    told, alarms = rooms.distribution.tally, rooms.distribution.alarms
    found = {key: number for key, number in told.found.items() if key[1] != QUARANTINE}
    lost = {(check,): number for (check, severity), number in told.found.items() if severity == QUARANTINE}
    late = Counter((kind,) for kind in rooms.quality.late["kind"])
    firing = Counter((one.rule,) for one in alarms.alerts.values() if one.state == FIRING)
    owed = Counter((one.channel,) for one in alarms.alerts.values() if one.owed)
    yield Family("findings", "Findings stored, by check and severity.", ("check", "severity"), found)
    yield Family("quarantined_claims", "Claims quarantined, by reason.", ("reason",), lost)
    yield Family(
        "stream_troubles",
        "Trades and quotes that a check is about.",
        ("provider", "check"),
        rooms.quality.watched.counts,
    )
    yield Family("late_series", "Series that are late.", ("kind",), late, grows=False)
    yield Family("alerts_sent", "Alerts that a channel took.", ("channel", "state"), told.sent)
    yield Family("alerts_failed", "Alerts given up.", ("channel",), _keyed(told.failed))
    yield Family("alerts_suppressed", "Findings of alerts that are told already.", ("rule",), _keyed(alarms.suppressed))
    yield Family("alerts_overflowed", "Alerts beyond the most that are kept.", (), {(): alarms.overflowed})
    yield Family("alerts_firing", "Alerts that fire.", ("rule",), firing, grows=False)
    yield Family("alerts_owed", "Alerts whose channel is still to be told.", ("channel",), owed, grows=False)


def lanes(groups: Mapping[str, GroupStats]) -> Iterator[Family]:
    """Yield what waits for each group of the bus, and who waits for room there."""
    waiting = {(name,): one.waiting for name, one in groups.items()}
    blocked = {(name,): one.blocked for name, one in groups.items()}
    yield Family("messages_waiting", "Messages that wait for a room.", ("room",), waiting, grows=False)
    carried = {(name,): one.waiting_bytes for name, one in groups.items()}
    yield Family("message_bytes_waiting", "Bytes that they carry.", ("room",), carried, grows=False)
    yield Family("publishers_waiting", "Publishers that wait for a full room.", ("room",), blocked, grows=False)


def _keyed(counts: dict[str, int]) -> dict[tuple[str, ...], int]:
    return {(name,): number for name, number in counts.items()}
