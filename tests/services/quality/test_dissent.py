"""Why a claim lost, in words: each kind of difference, made by hand, ends under its own reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import NOW, bar_claims, weekdays
from truetape.domain.schema import INSTANT, TABLES
from truetape.services.quality.corrections import superseded
from truetape.services.quality.dissent import REASONS
from truetape.services.quality.grade import NOTHING_EARLIER, Grades, grade_bars
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance

GRADING = Grading(
    round_id="rnd_1",
    ts_known=NOW,
    tolerance=Tolerance(absolute=0.01, relative=2e-4),
    trust={},
    stale_sessions=3,
    simulated=False,
)
OPEN = [40.0, 41.2, 40.3, 42.1, 43.0, 42.2, 44.1, 45.3, 44.0, 46.2]
CLOSE = [41.1, 40.2, 42.0, 43.3, 42.1, 44.2, 45.0, 44.1, 46.1, 47.3]
HIGH = [max(pair) + 0.5 for pair in zip(OPEN, CLOSE, strict=True)]
LOW = [min(pair) - 0.4 for pair in zip(OPEN, CLOSE, strict=True)]
DAYS = weekdays(len(OPEN))
PRICES = ("open", "high", "low", "close")
NO_CALENDAR = pl.DataFrame(schema={"session": pl.Date})
FIFTH = pl.int_range(pl.len()) == 4
EARLY = pl.int_range(pl.len()) < 6

Change = Callable[[pl.DataFrame], pl.DataFrame]


def honest(name: str, **changes: Any) -> pl.DataFrame:
    values = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": [5000.0 + day for day in range(10)]}
    return bar_claims(name, CLOSE, **{"days": DAYS, "feed": "tape", **values, **changes})


def graded(odd: pl.DataFrame, *, earlier: pl.DataFrame = NOTHING_EARLIER, **changes: Any) -> Grades:
    others = [honest(name, **changes) for name in ("alpha", "bravo")]
    return grade_bars(pl.concat([*others, odd]), NO_CALENDAR, GRADING, earlier=earlier)


def scaled(factor: float, where: pl.Expr = FIFTH, columns: tuple[str, ...] = PRICES) -> Change:
    values = [pl.when(where).then(pl.col(name) * factor).otherwise(name).alias(name) for name in columns]
    return lambda bars: bars.with_columns(values)


def put(where: pl.Expr = FIFTH, **values: float | str | None) -> Change:
    """Replace values on the marked days; a text names the column to take it from."""
    taken = {name: pl.col(value) if isinstance(value, str) else pl.lit(value) for name, value in values.items()}
    return lambda bars: bars.with_columns(
        pl.when(where).then(value).otherwise(name).alias(name) for name, value in taken.items()
    )


def moved(days: int) -> Change:
    """Each bar under the label of another session."""
    return lambda bars: bars.with_columns(pl.col(*PRICES, "volume").shift(days)).drop_nulls("close")


@pytest.mark.parametrize(
    ("change", "reason", "rows"),
    [
        pytest.param(scaled(100), "hundredfold", 1, id="cents for dollars"),
        pytest.param(scaled(0.01), "hundredfold", 1, id="dollars for cents"),
        pytest.param(scaled(100, columns=("high",)), "hundredfold", 1, id="one column 100 times off"),
        pytest.param(scaled(0.01, columns=("close",)), "hundredfold", 1, id="a hundredfold says more than a bad range"),
        pytest.param(scaled(2), "split_ratio", 1, id="2 for 1 missed"),
        pytest.param(scaled(1 / 7), "split_ratio", 1, id="7 for 1 applied twice"),
        pytest.param(scaled(1.504), "split_ratio", 1, id="3 for 2, within half a percent"),
        pytest.param(scaled(2.02), "disagrees", 1, id="not near enough to 2"),
        pytest.param(scaled(2, columns=("close", "high")), "disagrees", 1, id="not the whole bar"),
        pytest.param(scaled(0.98, where=EARLY), "adjustment_basis", 6, id="a dividend taken off before its ex-date"),
        pytest.param(scaled(0.98), "disagrees", 1, id="one bar off by a small factor tells nothing"),
        pytest.param(put(high="low", low="high"), "misplaced_columns", 1, id="high and low exchanged"),
        pytest.param(put(open="close", close="open"), "misplaced_columns", 1, id="open and close exchanged"),
        pytest.param(put(high="volume"), "misplaced_columns", 1, id="the volume among the prices"),
        pytest.param(moved(1), "session_label", 9, id="a day late"),
        pytest.param(moved(-1), "session_label", 9, id="a day early"),
        pytest.param(put(close=42.5), "disagrees", 1, id="another close, the same volume"),
        pytest.param(put(close=42.5, volume=5100.0), "auction_price", 1, id="another close within the same range"),
        pytest.param(put(open=42.8, close=None, volume=1.0), "no_close", 1, id="no close"),
        pytest.param(put(low=0.0), "not_positive", 1, id="zero"),
        pytest.param(put(high=42.4), "ohlc_order", 1, id="a high below the open"),
        pytest.param(put(high=43.2, close=42.3, volume=300.0), "venue_coverage", 1, id="a range within the range"),
        pytest.param(put(high=44.2, low=41.0, volume=6000.0), "venue_coverage", 1, id="a range about the range"),
        pytest.param(put(high=44.2, low=41.9, volume=6000.0), "disagrees", 1, id="ranges that overlap"),
        pytest.param(put(high=48.0, close=47.9, volume=6000.0), "disagrees", 1, id="too far for other trades"),
    ],
)
def test_the_reason_is_the_difference_that_the_numbers_show(change: Change, reason: str, rows: int) -> None:
    """Two providers are honest; the third is changed in one way, and no other reason is given for it."""
    lost = graded(change(honest("odd"))).quarantined

    assert [reason] * rows == lost["reason"].to_list()
    assert {"odd"} == set(lost["provider"])
    assert lost["explanation"].str.contains(REASONS[reason], literal=True).all()


@pytest.mark.parametrize(
    ("ours", "theirs", "factor", "reason"),
    [
        ("GBp", "GBP", 100.0, "currency_unit"),
        ("ZAR", "ZAc", 0.01, "currency_unit"),
        ("ILA", "ILA", 100.0, "currency_unit"),
        ("USD", "USD", 100.0, "hundredfold"),
        ("EUR", "USD", 0.9, "currency"),
        (None, "USD", 0.9, "adjustment_basis"),
    ],
)
def test_currencies_and_their_units_are_told_from_errors(
    ours: str | None, theirs: str, factor: float, reason: str
) -> None:
    """A price in pence is off by 100 as a decimal error is; what the quotes are in tells them apart."""
    odd = scaled(factor, where=pl.lit(value=True))(honest("odd", currency=ours))

    lost = graded(odd, currency=theirs).quarantined

    assert [reason] * 10 == lost["reason"].to_list()


def test_an_adjusted_close_is_recognised_by_another_providers() -> None:
    """One bar is enough where somebody tells the adjusted close beside the one as traded."""
    odd = scaled(0.98)(honest("odd"))
    told = [close * 0.98 for close in CLOSE]

    assert ["adjustment_basis"] == graded(odd, adj_close=told).quarantined["reason"].to_list()
    assert ["disagrees"] == graded(put(close=41.258, low=41.0)(honest("odd")), adj_close=told).quarantined[
        "reason"
    ].to_list()


def test_a_bar_said_twice_is_stale_before_the_rule_says_so() -> None:
    """Two equal bars are no series that stands still, but the second is none of its own session."""
    twice = honest("odd").with_columns(
        pl.when(FIFTH).then(pl.col(name).shift(1)).otherwise(name).alias(name) for name in (*PRICES, "volume")
    )

    assert ["stale"] == graded(twice).quarantined["reason"].to_list()


def test_fewer_decimals_are_rounding() -> None:
    """Where prices are written in eight decimals, a series in four is apart by its rounding."""
    fine = {name: [round(0.01234567 * (day + 1), 8) for day in range(10)] for name in PRICES}
    odd = honest("odd", **{name: [round(value, 4) for value in values] for name, values in fine.items()})
    grading_of = {"instrument_id": "ins_b"}

    lost = grade_bars(
        pl.concat([honest("alpha", **fine), honest("bravo", **fine), odd]).with_columns(
            pl.lit(value).alias(name) for name, value in grading_of.items()
        ),
        NO_CALENDAR,
        Grading(
            round_id="rnd_1",
            ts_known=NOW,
            tolerance=Tolerance(absolute=1e-8, relative=0.0),
            trust={},
            stale_sessions=3,
            simulated=False,
        ),
    ).quarantined

    assert {"rounding"} == set(lost["reason"])
    assert lost["explanation"][0] == (
        "odd said 0.0123 where alpha, bravo said 0.01234567: the price is rounded to fewer decimals; 4 decimals "
        "against 8; so in 10 bars from 2024-06-03 to 2024-06-14"
    )


@pytest.mark.parametrize("days", [1, -1, 3])
def test_a_bar_of_a_day_without_a_session_is_another_sessions(days: int) -> None:
    """A calendar that knows no session there keeps a shifted provider from filling the weekend."""
    calendar = pl.DataFrame({"session": DAYS})
    odd = honest("odd").with_columns(pl.col("ts_event") + pl.duration(days=days, time_unit="ns"))

    grades = grade_bars(pl.concat([honest("alpha"), honest("bravo"), odd]), calendar, GRADING)

    outside = [moment.date() for moment in odd["ts_event"] if moment.date() not in DAYS]
    inside = [moment for moment in outside if DAYS[0] < moment < DAYS[-1]]
    lost = grades.quarantined.filter(pl.col("reason") == "session_label")["ts_event"].dt.date()
    assert set(inside) <= set(lost)
    assert set(grades.golden["ts_event"].dt.date()) == {*DAYS, *outside} - {*inside}


def test_trade_on_a_day_that_the_calendar_does_not_know_stays() -> None:
    """A bar of its own is a bar, flagged as outside of the calendar, whoever says it."""
    calendar = pl.DataFrame({"session": [day for day in DAYS if day != DAYS[4]]})

    grades = grade_bars(pl.concat([honest("alpha"), honest("bravo")]), calendar, GRADING)

    assert len(grades.golden) == 10
    assert grades.quarantined.is_empty()


def test_what_all_have_on_such_a_day_is_no_wrong_label() -> None:
    """Two bars that are alike by chance are two bars, where nobody lacks the one outside of the calendar."""
    calendar = pl.DataFrame({"session": [day for day in DAYS if day != DAYS[4]]})
    quiet = [repeated(honest(name), of=3, at=4) for name in ("alpha", "bravo")]

    grades = grade_bars(pl.concat(quiet), calendar, GRADING)

    assert len(grades.golden) == 10
    assert grades.quarantined.is_empty()


def repeated(bars: pl.DataFrame, *, of: int, at: int) -> pl.DataFrame:
    """Return `bars` where row `at` has the prices of row `of`, and its own volume."""
    row = pl.int_range(pl.len())
    same = [pl.when(row == at).then(pl.col(name).get(of)).otherwise(name).alias(name) for name in PRICES]
    return bars.with_columns(same)


@pytest.mark.parametrize("hours", [5, -4])
def test_hours_that_a_zone_is_off_are_recognised(hours: int) -> None:
    """Bars below a day may be the true ones of some whole hours before or after."""
    start = datetime(2024, 6, 3, 8, tzinfo=UTC)
    stamps = pl.Series("ts_event", [start + timedelta(hours=hour) for hour in range(10)]).cast(INSTANT)
    bars = [honest(name, timeframe="1h").with_columns(stamps) for name in ("alpha", "bravo", "odd")]
    bars[2] = bars[2].with_columns(pl.col("ts_event") + pl.duration(hours=hours, time_unit="ns"))

    grades = grade_bars(pl.concat(bars), NO_CALENDAR, GRADING)

    lost = grades.quarantined
    assert {"session_label"} == set(lost["reason"])
    assert len(lost) == 10 - abs(hours)
    label, own = stamps[max(hours, 0)], stamps[max(hours, 0) - hours]
    assert f"; that of {own:%Y-%m-%d %H:%M}" in lost["explanation"][0]
    assert lost["ts_event"][0] == label


def older(name: str, *, known: int, **changes: Any) -> pl.DataFrame:
    return honest(name, **{"payload": f"old payload of {name}", "ts_known": known, **changes})


def test_who_changed_its_mind_is_told_what_it_said() -> None:
    """It said what the others say, and then something else."""
    odd = put(close=48.0, high=48.0)(honest("odd"))
    stored = pl.concat([odd, older("odd", known=NOW - 1)])

    lost = graded(odd, earlier=superseded(stored, odd)).quarantined

    assert lost.select("reason", "explanation").rows() == [
        (
            "late_correction",
            "odd said 48.0 where alpha, bravo said 42.1: one side was corrected later; it said 42.1 before 2024-06-09",
        )
    ]


def test_who_has_not_heard_of_a_correction_is_told_who_has() -> None:
    """The others said so too, before they were corrected; prices on another basis are compared by their ratio."""
    odd = put(close=48.0, high=48.0)(honest("odd"))
    halved = scaled(0.5, where=pl.lit(value=True))
    stored = pl.concat(
        [
            halved(honest("alpha", basis="split")),
            halved(put(close=48.0, high=48.0)(older("alpha", known=NOW - 1, basis="split"))),
            honest("bravo"),
            older("bravo", known=NOW - 1),
        ]
    )
    current = pl.concat([honest("alpha"), honest("bravo"), odd])

    lost = grade_bars(current, NO_CALENDAR, GRADING, earlier=superseded(stored, current)).quarantined

    assert lost.select("reason").to_series().to_list() == ["late_correction"]
    assert lost["explanation"][0].endswith(": one side was corrected later; alpha said so too before")


def test_older_claims_are_those_that_a_newer_one_replaced() -> None:
    """What is current is not older; what another basis was told in is left out."""
    now = honest("odd")
    stored = pl.concat([now, older("odd", known=NOW - 1), older("odd", known=NOW - 2, basis="split", payload="x")])

    found = superseded(stored, now)

    assert found["payload"].unique().to_list() == ["old payload of odd"]
    assert found.schema == pl.DataFrame(schema=TABLES["bar_claims"].columns).schema
    assert superseded(now, now).is_empty()


def test_a_difference_that_lasts_is_one_finding_with_its_span() -> None:
    """Each claim says it too, and keeps its own numbers."""
    grades = graded(scaled(2, where=EARLY)(honest("odd")))

    words = "the price is off by a split ratio: a split was missed or applied twice; 2.0 times the others'"
    assert grades.quarantined["explanation"][0] == (
        f"odd said 82.2 where alpha, bravo said 41.1: {words}; so in 6 bars from 2024-06-03 to 2024-06-10"
    )
    assert grades.findings.select("ts_event", "provider", "check", "severity", "explanation").rows() == [
        (
            grades.quarantined["ts_event"][0],
            "odd",
            "split_ratio",
            "warning",
            f"odd is apart from the others in 6 bars from 2024-06-03 to 2024-06-10: {words}",
        )
    ]


def test_what_comes_and_goes_is_one_finding_too() -> None:
    """Closing auctions are missed now and then: the bars need not be in a row."""
    some = pl.int_range(pl.len()).is_in([1, 4, 7])
    odd = honest("odd").with_columns(
        pl.when(some).then((pl.col("high") + pl.col("low")) / 2).otherwise("close").alias("close"),
        (pl.col("volume") + some.cast(pl.Float64)).alias("volume"),
    )

    found = graded(odd).findings

    assert found.select("check", "severity").rows() == [("auction_price", "note")]
    assert "in 3 bars from 2024-06-04 to 2024-06-12" in found["explanation"][0]


def test_a_venues_volume_beside_the_tape_is_a_note_and_no_dissent() -> None:
    """Volumes disqualify nobody: IEX trades a fortieth of what the tape counts."""
    odd = honest("odd", feed="iex", volume=[125.0] * 10)

    grades = graded(odd)

    assert grades.quarantined.is_empty()
    assert grades.findings.select("provider", "check", "severity", "explanation").rows() == [
        (
            "odd",
            "volume_coverage",
            "note",
            "odd counts 0.025 times the volume of others, the median of 10 bars: its feed is iex, theirs is tape",
        )
    ]


def test_prices_of_one_venue_beside_the_tape_are_coverage() -> None:
    """A venue's highs and lows lie within those of all venues."""
    odd = honest(
        "odd",
        feed="iex",
        volume=[125.0] * 10,
        high=[value - 0.3 for value in HIGH],
        low=[value + 0.3 for value in LOW],
    )

    lost = graded(odd).quarantined

    assert {"venue_coverage"} == set(lost["reason"])
    assert "; volume 125 (iex) against 5000 (tape); so in 10 bars" in lost["explanation"][0]


def test_silence_is_said_to_be_nothing() -> None:
    """A claim without close lost to nobody."""
    lost = grade_bars(put(close=None)(honest("odd")), NO_CALENDAR, GRADING).quarantined

    assert lost["explanation"].to_list() == ["odd said nothing where nobody said nothing: the close is missing"]


def test_many_instruments_are_explained_as_each_alone() -> None:
    """Nothing of one series is taken for another's: the same faults, side by side, have the same words."""
    changes = [scaled(2, where=EARLY), moved(1), put(close=42.5, volume=5100.0)]
    batches = [
        pl.concat([honest("alpha"), honest("bravo"), change(honest("odd"))]).with_columns(
            pl.lit(f"ins_{number}").alias("instrument_id")
        )
        for number, change in enumerate(changes)
    ]
    alone = [grade_bars(batch, NO_CALENDAR, GRADING) for batch in batches]

    together = grade_bars(pl.concat(batches).sample(fraction=1.0, shuffle=True, seed=3), NO_CALENDAR, GRADING)

    for table in ("golden", "quarantined", "findings"):
        expected = pl.concat([getattr(one, table) for one in alone])
        order = ["instrument_id", "ts_event", "provider", "check" if table == "findings" else "close"]
        assert expected.sort(order).equals(getattr(together, table).sort(order))
