"""Spoiled rows and bytes: what each data fault does, by hand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.sandbox.desks import desk
from truetape.app.sandbox.faults import Fault, Kind
from truetape.app.sandbox.tamper import cut, drift, hit_days, spoil
from truetape.app.sandbox.truth import View, spoiled, view

DAYS = pl.Series(weekdays())
SPLITS = pl.DataFrame({"ex_date": [SPLIT], "value": [2.0]})
NO_SPLITS = SPLITS.clear()


@pytest.fixture
def truth(tmp_path: Path) -> View:
    return view(small_dataset(tmp_path).series["AAA"])


def hit(fault: Fault, *, seed: int = 7, splits: pl.DataFrame = SPLITS, days: pl.Series = DAYS) -> list[date]:
    return hit_days(days, fault, splits=splits, seed=seed, provider="yahoo", symbol="AAA")


def closes(bars: pl.DataFrame) -> dict[date, float]:
    return dict(zip(bars["ts_event"].dt.date(), bars["close"], strict=True))


@pytest.mark.parametrize(("kind", "rows"), [("missing_rows", 3), ("hundredfold", 2)])
def test_seeded_rows_are_hit(kind: Kind, rows: int) -> None:
    """The seed chooses the rows, never among the first and last ten; another seed chooses others."""
    days = hit(Fault(provider="yahoo", kind=kind))

    assert rows == len(days) == len(set(days) & set(weekdays()[10:-10]))
    assert sorted(days) == days == hit(Fault(provider="yahoo", kind=kind))
    assert days != hit(Fault(provider="yahoo", kind=kind), seed=8)
    assert all(day >= SPLIT for day in days)
    assert len(hit(Fault(provider="yahoo", kind=kind, rows=11))) == 11
    assert len(hit(Fault(provider="yahoo", kind=kind, rows=99))) == 40


@pytest.mark.parametrize("seed", range(5))
def test_seeded_rows_lie_after_the_split_while_they_find_room(seed: int) -> None:
    """So a row is not 100 times and a split's ratio off at once; more than the 20 rows there are taken from all."""
    few = hit(Fault(provider="yahoo", kind="hundredfold", rows=20), seed=seed)
    many = hit(Fault(provider="yahoo", kind="hundredfold", rows=21), seed=seed)

    assert few == weekdays()[30:50]
    assert many[0] < SPLIT


@pytest.mark.parametrize(
    ("fault", "splits", "days", "expected"),
    [
        pytest.param(Fault(provider="*", kind="stale", sessions=4), SPLITS, DAYS, weekdays()[-4:], id="the last ones"),
        pytest.param(Fault(provider="*", kind="stale", sessions=60), SPLITS, DAYS, [], id="nothing before to repeat"),
        pytest.param(Fault(provider="*", kind="missed_split"), SPLITS, DAYS, weekdays()[:30], id="before the split"),
        pytest.param(Fault(provider="*", kind="missed_split"), NO_SPLITS, DAYS, [], id="no split to miss"),
        pytest.param(Fault(provider="*", kind="drift"), SPLITS, DAYS, [], id="bytes, not rows"),
        pytest.param(Fault(provider="*", kind="missing_rows"), SPLITS, DAYS[:20], [], id="too short a series"),
    ],
)
def test_some_faults_hit_a_span(fault: Fault, splits: pl.DataFrame, days: pl.Series, expected: list[date]) -> None:
    """A stale end and the time before a split are spans; other faults hit no rows."""
    assert expected == hit(fault, splits=splits, days=days)


def test_missing_rows_are_left_out(truth: View) -> None:
    """The chosen days are gone and all others are as they were."""
    gone = weekdays()[20:22]
    left = spoil(truth.raw, Fault(provider="*", kind="missing_rows"), days=gone, splits=SPLITS)

    assert left.equals(truth.raw.filter(~pl.col("ts_event").dt.date().is_in(gone)))
    assert len(left) == 58


def test_hundredfold_prices_keep_their_volume(truth: View) -> None:
    """All four prices of the chosen days are 100 times what they were."""
    day = weekdays()[20]
    bars = spoil(truth.raw, Fault(provider="*", kind="hundredfold"), days=[day], splits=SPLITS)
    row = bars.filter(pl.col("ts_event").dt.date() == day)

    assert row.select("open", "high", "low", "close", "volume").row(0) == pytest.approx(
        (8010.0, 8040.0, 7990.0, 8020.0, 1020.0)
    )
    assert bars.filter(pl.col("ts_event").dt.date() != day).equals(
        truth.raw.filter(pl.col("ts_event").dt.date() != day)
    )


def test_a_stale_series_repeats_its_last_good_row(truth: View) -> None:
    """The last three closes are that of session 57 of 60, 40.56; the stamps go on."""
    bars = spoil(truth.raw, Fault(provider="*", kind="stale"), days=weekdays()[-3:], splits=SPLITS)

    assert bars["close"].tail(4).to_list() == [40.56] * 4
    assert bars["volume"].tail(4).to_list() == [1056.0] * 4
    assert weekdays() == bars["ts_event"].dt.date().to_list()


@pytest.mark.parametrize(
    ("basis", "how", "close", "volume"),
    [
        pytest.param("split", "missed", 80.0, 1000.0, id="as if never adjusted"),
        pytest.param("split", "twice", 20.0, 4000.0, id="adjusted once more"),
        pytest.param("raw", "missed", 40.0, 2000.0, id="raw prices adjusted after all"),
        pytest.param("raw", "twice", 40.0, 2000.0, id="the same"),
    ],
)
def test_a_missed_split_is_off_by_its_ratio(truth: View, basis: str, how: str, close: float, volume: float) -> None:
    """The first close is 80.00 raw and 40.00 split-adjusted; after the split nothing changes."""
    fault = Fault(provider="*", kind="missed_split", how=how)  # type: ignore[arg-type]
    frame = getattr(truth, basis)
    bars = spoil(frame, fault, days=weekdays()[:30], splits=SPLITS)

    assert (close, volume) == (bars["close"][0], bars["volume"][0])
    assert bars.tail(30).equals(frame.tail(30))


def test_a_view_says_how_many_rows_were_hit(truth: View) -> None:
    """Every basis has the fault, and actions have none."""
    spoilt, rows = spoiled(truth, Fault(provider="*", kind="hundredfold"), seed=7, provider="yahoo", symbol="AAA")
    untouched, none = spoiled(truth, Fault(provider="*", kind="drift"), seed=7, provider="yahoo", symbol="AAA")

    assert (rows, none) == (2, 0)
    for basis in ("raw", "split", "full"):
        before, after = closes(getattr(truth, basis)), closes(getattr(spoilt, basis))
        assert sum(after[day] == pytest.approx(100 * before[day]) for day in before) == 2
    assert spoilt.actions.equals(truth.actions)
    assert untouched.raw.equals(truth.raw)


def test_the_view_is_the_truth_in_every_basis(truth: View) -> None:
    """By hand: a split of 2 halves what came before; 0.50 at a close of 80.09 and 0.25 at 40.44 take their share."""
    dividends = (1 - 0.5 / 80.09) * (1 - 0.25 / 40.44)

    assert (80.0, 40.0) == (truth.raw["close"][0], truth.split["close"][0])
    assert (1000.0, 2000.0) == (truth.raw["volume"][0], truth.split["volume"][0])
    assert truth.full["close"][0] == pytest.approx(40.0 * dividends)
    assert truth.raw["adj_close"].equals(truth.full["close"])
    assert truth.split_actions["value"].to_list() == [0.25, 2.0, 0.25]
    assert truth.actions["value"].to_list() == [0.5, 2.0, 0.25]
    assert {"raw", "split", "all"} == {frame["basis"][0] for frame in (truth.raw, truth.split, truth.full)}


def test_a_part_of_the_view_has_its_own_actions(truth: View) -> None:
    """Both ends of a part are inclusive, for bars and for ex-dates."""
    part = truth.between(SPLIT, date(2012, 3, 5))
    latest = truth.latest(2)

    assert (SPLIT, date(2012, 3, 5)) == (part.raw["ts_event"].dt.date()[0], part.full["ts_event"].dt.date()[-1])
    assert [SPLIT, date(2012, 3, 5)] == part.actions["ex_date"].to_list()
    assert (2, 0) == (len(latest.split), len(latest.split_actions))
    assert len(part.between(date(1999, 1, 1), date(1999, 1, 2)).latest(5).raw) == 0


@pytest.mark.parametrize(
    ("provider", "body", "renamed", "retyped"),
    [
        (
            "yahoo",
            {"chart": {"result": [{"indicators": {"quote": [{"open": [1], "close": [2]}]}}]}},
            {"chart": {"result": [{"indicators": {"quote": [{"open": [1], "closeNew": [2]}]}}]}},
            {"chart": {"result": [{"indicators": {"quote": [{"open": [1], "close": {"raw": [2], "fmt": "[2]"}}]}}]}},
        ),
        (
            "alpha_vantage",
            {"2020-01-02": {"4. close": "2.0000"}},
            {"2020-01-02": {"4. closeNew": "2.0000"}},
            {"2020-01-02": {"4. close": {"raw": "2.0000", "fmt": "2.0000"}}},
        ),
        ("finnhub", {"c": [2], "s": "ok"}, {"cNew": [2], "s": "ok"}, {"c": {"raw": [2], "fmt": "[2]"}, "s": "ok"}),
        ("iex_cloud", [{"date": "x"}], [{"dateNew": "x"}], [{"date": {"raw": "x", "fmt": "x"}}]),
    ],
)
def test_a_drifted_schema(provider: str, body: object, renamed: object, retyped: object) -> None:
    """One field has another name, or is an object of the same name; everything else is as it was."""
    written = json.dumps(body).encode()

    assert renamed == json.loads(drift(written, Fault(provider="*", kind="drift"), field=desk(provider).drifting))
    assert retyped == json.loads(
        drift(written, Fault(provider="*", kind="drift", change="type"), field=desk(provider).drifting)
    )


def test_a_cut_body_is_the_beginning_of_the_whole() -> None:
    """Between a third and two thirds arrive, the same part each time."""
    whole = bytes(range(200))
    part = cut(whole, seed=1, provider="yahoo", symbol="AAA")

    assert whole.startswith(part)
    assert 66 <= len(part) <= 134
    assert part == cut(whole, seed=1, provider="yahoo", symbol="AAA")
