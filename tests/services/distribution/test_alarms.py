"""When somebody is alarmed, told by rules, cool-downs and ends that a person can count."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from truetape.domain.kinds import INSTANT
from truetape.services.distribution.alarms import FIRING, RESOLVED, Alarms, Alert, fingerprint
from truetape.services.distribution.config import AlertRule
from truetape.services.distribution.kept_alerts import alert_rows, kept_alerts

SECOND = 10**9
NOW = 1_717_977_600 * SECOND
RULE: dict[str, Any] = {"name": "r", "channel": "c", "severity": "note", "cool_down_s": 60.0, "resolve_after_s": 100.0}


def found(*rows: tuple[str, str, str], at_s: float = 0.0, severity: str = "error", **same: Any) -> pl.DataFrame:
    """Return troubles: check, provider and symbol of each."""
    given = {"timeframe": "1d", "explanation": "words", "ts_event": NOW + round(at_s * SECOND), **same}
    return pl.DataFrame(
        {
            "check": [row[0] for row in rows],
            "provider": [row[1] for row in rows],
            "symbol": [row[2] for row in rows],
            "instrument_id": [f"ins_{row[2]}" for row in rows],
            "severity": [severity] * len(rows),
            **{name: [value] * len(rows) for name, value in given.items()},
        },
        schema_overrides={"ts_event": pl.Int64},
    ).with_columns(pl.col("ts_event").cast(INSTANT))


def alarms(**changes: Any) -> Alarms:
    return Alarms([AlertRule(**{**RULE, **changes})])


def only(every: Alarms) -> Alert:
    (one,) = every.alerts.values()
    return one


def deliver(every: Alarms, at_s: float) -> str:
    """Deliver what is owed and return its state; "" if nothing is."""
    alert = every.owed("c")
    if alert is None:
        return ""
    every.delivered(alert, now_ns=NOW + round(at_s * SECOND))
    return alert.state


SPIKE = ("spike", "p", "A")


def test_the_same_is_told_once_in_its_cool_down_and_then_over() -> None:
    """Found at 0, 10 and 70 seconds with a cool-down of 60: told at 0 and 70; over 100 seconds after the last."""
    every, told = alarms(), []
    for at_s in (0, 10, 70, 169, 170, 300):
        if at_s <= 70:
            every.take(found(SPIKE), now_ns=NOW + at_s * SECOND)
        every.expire(now_ns=NOW + at_s * SECOND)
        told.append((at_s, deliver(every, at_s), only(every).count, only(every).suppressed))

    assert [
        (0, FIRING, 1, 0),
        (10, "", 2, 1),
        (70, FIRING, 3, 1),
        (169, "", 3, 1),
        (170, RESOLVED, 3, 1),
        (300, "", 3, 1),
    ] == told
    assert {"r": 1} == every.suppressed


def test_what_comes_back_within_its_cool_down_is_not_told_and_neither_is_its_end() -> None:
    """Over after 10 seconds and found again at 20: nobody hears of it until 60 seconds are over."""
    every = alarms(resolve_after_s=10.0)
    every.take(found(SPIKE), now_ns=NOW)
    assert FIRING == deliver(every, 0)
    every.expire(now_ns=NOW + 10 * SECOND)
    assert RESOLVED == deliver(every, 10)
    assert not every.take(found(SPIKE), now_ns=NOW + 20 * SECOND)
    assert ("", FIRING, 1) == (deliver(every, 20), only(every).state, only(every).suppressed)
    every.expire(now_ns=NOW + 30 * SECOND)
    assert ("", RESOLVED) == (deliver(every, 30), only(every).state)
    assert every.take(found(SPIKE), now_ns=NOW + 60 * SECOND)
    assert FIRING == deliver(every, 60)


def test_an_alert_that_is_over_before_it_is_told_is_never_told() -> None:
    """The channel was away."""
    every = alarms()
    every.take(found(SPIKE), now_ns=NOW)
    assert not every.expire(now_ns=NOW + 100 * SECOND)
    assert "" == deliver(every, 100)


def test_what_changes_while_it_is_told_is_told_after() -> None:
    """It fired, was over while the channel was being told, and fired again while that was told."""
    every = alarms(cool_down_s=5.0)
    every.take(found(SPIKE), now_ns=NOW)
    fires = every.owed("c")
    every.expire(now_ns=NOW + 100 * SECOND)
    assert fires is not None
    every.delivered(fires, now_ns=NOW + 100 * SECOND)
    over = every.owed("c")
    assert over is not None
    assert RESOLVED == over.state
    every.take(found(SPIKE), now_ns=NOW + 110 * SECOND)
    every.delivered(over, now_ns=NOW + 111 * SECOND)

    assert FIRING == deliver(every, 112)


def test_a_count_must_be_reached_within_its_time() -> None:
    """Three in 60 seconds: at 0, 50 and 100 there are never three, at 105 there are."""
    every = alarms(count=3, within_s=60.0)
    fired = [every.take(found(SPIKE), now_ns=NOW + at_s * SECOND) for at_s in (0, 50, 100, 105)]

    assert [False, False, False, True] == fired
    assert 3 == only(every).count


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        (("check", "provider", "instrument"), 3),
        (("check",), 2),
        (("kind",), 1),
        ((), 1),
        (("instrument", "severity"), 2),
    ],
)
def test_alerts_are_grouped(group_by: tuple[str, ...], expected: int) -> None:
    """By what the rule says; its labels are that, and the symbols people know."""
    every = alarms(group_by=group_by)
    every.take(found(SPIKE, ("spike", "q", "A"), ("gap", "p", "B")), now_ns=NOW)

    assert expected == len(every.alerts)
    assert {group_by} == {tuple(one.labels) for one in every.alerts.values()}
    assert 3 == sum(one.count for one in every.alerts.values())


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"checks": ("spike",)}, True),
        ({"checks": ("spik", "gap")}, False),
        ({"checks": ("gap", "sp*")}, True),
        ({"checks": ("s.ike",)}, False),
        ({"severity": "error"}, False),
        ({"severity": "warning"}, True),
        ({"providers": ("p",)}, True),
        ({"providers": ("q",)}, False),
        ({"instruments": ("BRK.B",)}, True),
        ({"instruments": ("BRKxB",)}, False),
        ({"kinds": ("1d", "1m")}, True),
        ({"kinds": ("trades",)}, False),
        ({"newer_than_s": 9.0}, False),
        ({"newer_than_s": 10.0}, True),
    ],
)
def test_rules_choose(rule: dict[str, Any], expected: bool) -> None:
    """By check, least severity, provider, symbol, kind and the age of the event; a star stands for anything."""
    every = alarms(**rule)
    every.take(found(("spike", "p", "BRK.B"), at_s=-10, severity="quarantine"), now_ns=NOW)

    assert expected == bool(every.alerts)


def test_a_rule_of_one_group_hears_nothing_where_nothing_matches() -> None:
    """Findings of other checks begin no alert of a rule that groups by nothing."""
    every = alarms(group_by=(), checks=("stale",))

    assert not every.take(found(SPIKE), now_ns=NOW)
    assert {} == every.alerts


def test_what_stands_is_over_when_all_of_it_has_ended() -> None:
    """Two series are late; silence ends nothing, and neither does the first arrival."""
    every = alarms(group_by=("check",))
    every.take(found(("late", "", "A"), ("late", "", "B")), now_ns=NOW)
    assert FIRING == deliver(every, 0)
    notice = every.notice(only(every), simulated=True)
    assert (notice.until_ns, notice.simulated) == (NOW + 30 * 86_400 * SECOND, True)
    every.expire(now_ns=NOW + 1000 * SECOND)
    every.take(found(("arrived", "", "A"), severity="note"), now_ns=NOW + 1001 * SECOND)
    assert (FIRING, 1) == (only(every).state, len(only(every).members))
    assert every.take(found(("arrived", "", "B"), severity="note"), now_ns=NOW + 1002 * SECOND)
    assert RESOLVED == deliver(every, 1002)
    over = every.notice(only(every), simulated=False)
    assert (RESOLVED, NOW + 1002 * SECOND) == (over.state, over.until_ns)


def test_the_gravest_finding_gives_the_severity() -> None:
    """A warning after an error leaves it at error; a quarantined claim alone is a warning."""
    every = alarms(group_by=())
    every.take(found(SPIKE, severity="quarantine"), now_ns=NOW)
    assert "warning" == only(every).severity
    every.take(found(SPIKE), now_ns=NOW)
    every.take(found(SPIKE, severity="note", explanation="last"), now_ns=NOW)

    assert ("error", "last") == (only(every).severity, only(every).words)


def test_an_alert_that_is_given_up_is_owed_no_more() -> None:
    """Until the next finding after its cool-down."""
    every = alarms()
    every.take(found(SPIKE), now_ns=NOW)
    every.given_up(only(every))
    assert every.owed("c") is None
    assert every.take(found(SPIKE), now_ns=NOW + SECOND)
    assert every.owed("elsewhere") is None


def test_alerts_are_bounded() -> None:
    """With room for two, a third takes the place of one that is over, and is dropped where none is."""
    every = Alarms([AlertRule(**RULE)], most=2)
    every.take(found(SPIKE, ("spike", "p", "B"), ("spike", "p", "C")), now_ns=NOW)
    every.take(found(("spike", "p", "D")), now_ns=NOW)
    assert (2, 2) == (len(every.alerts), every.overflowed)
    for _ in range(2):
        deliver(every, 0)
    every.expire(now_ns=NOW + 200 * SECOND)
    for _ in range(2):
        deliver(every, 200)
    every.take(found(("spike", "p", "C")), now_ns=NOW + 200 * SECOND)

    assert (2, 2, {"C"}) == (
        len(every.alerts),
        every.overflowed,
        {one.labels["instrument"] for one in every.alerts.values() if one.state == FIRING},
    )


def test_alerts_outlive_the_process() -> None:
    """As rows of their table; those of a rule that is no more are forgotten."""
    every = alarms()
    every.take(found(("late", "p", "A")), now_ns=NOW)
    deliver(every, 1)
    kept = kept_alerts(alert_rows(every.alerts.values(), now_ns=NOW, simulated=False))
    again = Alarms([AlertRule(**RULE)], kept)

    assert every.alerts == again.alerts
    assert not again.take(found(("late", "p", "A")), now_ns=NOW + 2 * SECOND)
    assert {} == Alarms([], kept).alerts


def test_a_fingerprint_is_of_the_rule_and_the_labels() -> None:
    """In whatever order they stand; sixteen letters."""
    one = fingerprint("r", {"a": "1", "b": "2"})

    assert (one, 16) == (fingerprint("r", {"b": "2", "a": "1"}), len(one))
    assert 3 == len({one, fingerprint("s", {"a": "1", "b": "2"}), fingerprint("r", {"a": "1", "b": "3"})})
