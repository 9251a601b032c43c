"""Which series are searched for faults, and what is proposed of them in prices as traded."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.messages import BatchNormalized, Edit
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import day_start_ns
from truetape.domain.wire import pack, unpack
from truetape.services.quality.grade import Grades
from truetape.services.quality.proposing import proposals, proposed, suspects

WEEKDAYS = [day for day in (date(2023, 1, 2) + timedelta(days=number) for number in range(400)) if day.weekday() < 5]
DAYS = WEEKDAYS[:200]
EX_DATE = DAYS[120]
FAULT = DAYS[150]


def closes(*, faulty: dict[date, float] | None = None) -> list[float]:
    """A close for each of DAYS: it wanders a little around 100."""
    wave = [100.0 + (number * 7 % 11) * 0.3 + (number * 5 % 7) * 0.2 for number in range(len(DAYS))]
    return [round(close * (faulty or {}).get(day, 1.0), 4) for day, close in zip(DAYS, wave, strict=True)]


def claims(provider: str, close: list[float]) -> pl.DataFrame:
    return rows(
        "bar_claims",
        instrument_id="ins_a",
        timeframe="1d",
        ts_event=DAYS,
        provider=provider,
        open=[round(value * 1.001, 4) for value in close],
        high=[round(value * 1.01, 4) for value in close],
        low=[round(value * 0.99, 4) for value in close],
        close=close,
        volume=1e6,
        currency="USD",
        basis="raw",
        running=False,
        payload="p",
        ts_known=DAYS[-1],
    )


def paid(*said: tuple[str, str, float]) -> pl.DataFrame:
    if not said:
        return empty(TABLES["action_claims"].columns)
    return rows(
        "action_claims",
        instrument_id="ins_a",
        provider=[one[0] for one in said],
        ex_date=[EX_DATE] * len(said),
        type=[one[1] for one in said],
        value=[one[2] for one in said],
        currency="USD",
        basis="raw",
    )


def grades(*, out: pl.DataFrame | None = None, severity: str = "note") -> Grades:
    return Grades(
        golden=rows("bars", instrument_id="ins_a", timeframe="1d", ts_event=DAYS, close=closes(), provider="b"),
        quarantined=empty(TABLES["quarantine"].columns) if out is None else out,
        findings=rows("findings", ts_event=[DAYS[3]], severity=severity, provider="a"),
    )


def out(provider: str, day: date, close: float | None) -> pl.DataFrame:
    return rows("quarantine", ts_event=[day], provider=provider, close=[close])


def batch(**given: Any) -> BatchNormalized:
    about = {"kind": "bars", "round_id": "r", "instrument_id": "ins_a", "timeframe": "1d", "ts_known": 7}
    return BatchNormalized(**{**about, "start": DAYS[0], "end": DAYS[-1], "providers": (), "frame": b"", **given})


def test_who_is_far_off_is_searched() -> None:
    """Two percent from the golden close, or without one beside it; a cent is no reason."""
    both = pl.concat([claims("a", closes()), claims("b", closes())])
    usual = closes()[150]

    assert [] == suspects(both, paid(), grades(out=out("a", FAULT, usual * 1.01)))
    assert ["a"] == suspects(both, paid(), grades(out=out("a", FAULT, usual * 1.03)))
    assert ["a"] == suspects(both, paid(), grades(out=out("a", FAULT, None)))
    assert ["b"] == suspects(both, paid(), grades(out=out("b", date(2023, 1, 1), 100.0)))


def test_who_pays_quite_another_dividend_is_searched() -> None:
    """The odd one of three; not for a rounding."""
    three = pl.concat([claims(name, closes()) for name in ("a", "b", "c")])
    told = paid(("a", "dividend", 50.0), ("b", "dividend", 0.5), ("c", "dividend", 0.49))

    assert ["a"] == suspects(three, told, grades())
    assert [] == suspects(three, told.filter(pl.col("provider") != "a"), grades())


def test_who_is_alone_is_searched_where_a_check_found_something() -> None:
    """A note is too little; beside others the vote decides."""
    assert [] == suspects(claims("a", closes()), paid(), grades())
    assert ["a"] == suspects(claims("a", closes()), paid(), grades(severity="warning"))
    both = pl.concat([claims("a", closes()), claims("b", closes())])
    assert [] == suspects(both, paid(), grades(severity="error"))


def test_a_unit_fault_before_a_split_is_proposed_as_traded() -> None:
    """The search sees split-adjusted prices, as providers publish them; the repair is of the claims as they stand."""
    scaled = [value * 2 if day < EX_DATE else value for day, value in zip(DAYS, closes(), strict=True)]
    day = DAYS[60]
    spoilt = [round(value * 100, 4) if one == day else value for one, value in zip(DAYS, scaled, strict=True)]
    told = claims("a", spoilt)
    found = proposals(told, paid(("b", "split", 2.0)), grades(out=out("a", day, spoilt[60])), batch())

    assert [("a", "bars", "unit_flip", "open,high,low,close", 1, day, day, "proposed")] == found.select(
        "provider", "record", "kind", "columns", "rows", "start", "end", "state"
    ).rows()
    edits = {edit.column: edit for edit in msgspec.json.decode(found["edits"][0], type=list[Edit])}
    assert Edit(day_start_ns(day), "close", spoilt[60], scaled[60]) == edits["close"]
    assert dict(TABLES["repairs"].columns) == dict(found.schema)


def test_nothing_outside_the_batch_is_repaired() -> None:
    """Bars before its first date say what is usual."""
    spoilt = claims("a", closes(faulty={FAULT: 100.0}))
    suspicious = grades(out=out("a", FAULT, 10_000.0))

    assert 1 == len(proposals(spoilt, paid(), suspicious, batch(start=FAULT)))
    assert proposals(spoilt, paid(), suspicious, batch(start=FAULT + timedelta(days=1))).is_empty()


def test_only_daily_bars_are_searched() -> None:
    """And where nothing is found nothing is told."""
    spoilt, suspicious = pack(claims("a", closes(faulty={FAULT: 100.0}))), grades(out=out("a", FAULT, 10_000.0))

    assert b"" == proposed(batch(frame=spoilt, timeframe="1m"), suspicious)
    assert b"" == proposed(batch(frame=spoilt, kind="actions"), suspicious)
    assert b"" == proposed(batch(frame=spoilt, actions=pack(paid())), grades())
    assert 1 == len(unpack(proposed(batch(frame=spoilt, actions=pack(paid())), suspicious)))


def dividends(told: dict[date, float]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A series that paid 2.0 on three days, its adjusted close knowing of all, and what the provider tells of them."""
    days = [DAYS[40], DAYS[80], EX_DATE]
    places = [DAYS.index(day) for day in days]
    close = [value + 6 - 2.0 * sum(row >= place for place in places) for row, value in enumerate(closes())]
    close = [round(value, 4) for value in close]
    adjusted = list(close)
    for place in places:
        factor = 1 - 2.0 / close[place - 1]
        adjusted = [value * factor if row < place else value for row, value in enumerate(adjusted)]
    cash = paid(*[("a", "dividend", value) for value in told.values()])
    actions = cash.with_columns(pl.Series("ex_date", list(told), dtype=pl.Date))
    return claims("a", close).with_columns(pl.Series("adj_close", adjusted)), actions


def edits_of(found: pl.DataFrame) -> list[tuple[str, Edit]]:
    every = found.select("kind", "edits").iter_rows()
    return [(kind, edit) for kind, edits in every for edit in msgspec.json.decode(edits, type=list[Edit])]


def test_a_dividend_in_cents_is_proposed_in_whole_units() -> None:
    """The bars stay as they are: it is the action that is repaired."""
    told, actions = dividends({DAYS[40]: 2.0, DAYS[80]: 2.0, EX_DATE: 200.0})
    found = proposals(told, actions, grades(severity="error"), batch())

    assert ["actions"] == found["record"].to_list()
    assert [("dividend_unit", Edit(day_start_ns(EX_DATE), "dividend", 200.0, 2.0))] == edits_of(found)


def test_a_dividend_that_was_left_out_is_proposed() -> None:
    """As large as the adjusted close says."""
    told, actions = dividends({DAYS[40]: 2.0, DAYS[80]: 2.0})
    ((kind, edit),) = edits_of(proposals(told, actions, grades(severity="error"), batch()))

    assert ("dividend_missing", day_start_ns(EX_DATE), "dividend", None) == (
        kind,
        edit.ts_event,
        edit.column,
        edit.before,
    )
    assert pytest.approx(2.0, rel=0.02) == edit.after


def test_a_day_that_pays_two_dividends_is_left_alone() -> None:
    """Which of them is wrong nobody can tell."""
    told, actions = dividends({DAYS[40]: 2.0, DAYS[80]: 2.0, EX_DATE: 200.0})
    special = actions.tail(1).with_columns(pl.lit("special_dividend").alias("type"), pl.lit(0.0).alias("value"))

    assert proposals(told, pl.concat([actions, special]), grades(severity="error"), batch()).is_empty()
