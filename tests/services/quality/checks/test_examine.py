"""All checks judge at once, and what they find is written out."""

from __future__ import annotations

import polars as pl
import pytest

from evidence_doubles import bars, everything
from truetape.services.quality.checks import (
    CHECKS,
    FAMILIES,
    FINDINGS,
    REPAIRS,
    SEVERITIES,
    SHARED,
    Broken,
    Check,
    Tuning,
    examine,
    find,
    prepare,
    standing,
)

COLUMNS = pl.DataFrame(schema=FINDINGS).schema


def falling(_frame: pl.DataFrame, tuning: Tuning) -> Broken:
    """The close falls by more than a limit."""
    fall = pl.col("previous_close") - pl.col("close")
    return Broken(
        where=fall > tuning["most"],
        measured={"fall": fall},
        confirmed=pl.col("close") != 4.0,
        words=pl.format("it fell by {}", "fall"),
        field="close",
        high=pl.col("previous_close"),
        ts_event=pl.col("ts_event").dt.offset_by("1h"),
        severity=pl.when(pl.col("fall") > 2).then(pl.lit("error")).otherwise(pl.lit("note")),
        repair=pl.lit("scale_row"),
        repair_value=2.0,
    )


FALLING = Check(
    name="falling",
    kinds=("bars",),
    family="user",
    severity="warning",
    sentence="The close falls.",
    judge=falling,
    needs=("previous_close",),
    limits={"most": 1.0},
    timeframes=("1d",),
)


def test_a_finding_says_what_is_wrong() -> None:
    """Every expression is evaluated over the rows that are marked and confirmed."""
    result = find(FALLING, prepare(bars([10.0, 9.0, 7.0, 4.0, 1.0]), needs=FALLING.needs))

    assert result.schema == COLUMNS
    assert result.select(
        "row", "severity", "explanation", "field", "value", "expected_high", "repair_value"
    ).rows() == [
        (2, "note", "it fell by 2.0", "close", 7.0, 9.0, 2.0),
        (4, "error", "it fell by 3.0", "close", 1.0, 4.0, 2.0),
    ]
    assert result["ts_event"].dt.hour().to_list() == [1, 1]


def test_findings_stand_in_the_order_of_their_rows() -> None:
    """Then in the order of the checks."""
    result = everything(bars([10.0, None, -1.0, 10.0], open=None, high=None, low=None))

    assert result.select("row", "check").rows()[:2] == [(1, "no_close"), (2, "not_positive")]
    assert result.schema == COLUMNS


def test_a_check_is_for_its_timeframes() -> None:
    """Weekly bars are not judged, also where daily ones stand beside them."""
    falls = [9.0, 1.0]
    both = pl.concat([bars(falls), bars(falls, timeframe="1w")])

    assert find(FALLING, prepare(bars(falls, timeframe="1w"), needs=FALLING.needs)).is_empty()
    assert find(FALLING, prepare(both, needs=FALLING.needs))["timeframe"].to_list() == ["1d"]
    marked = Check(**{**vars(FALLING), "judge": lambda frame, _: Broken(where=frame["close"] == 1, words=pl.lit(""))})
    assert find(marked, prepare(both, needs=FALLING.needs))["timeframe"].to_list() == ["1d"]


def test_nothing_is_found_in_nothing() -> None:
    """Evidence without rows, and no checks."""
    assert everything(bars([1.0]).clear()).is_empty()
    assert examine(prepare(bars([1.0])), checks=[]).schema == COLUMNS


@pytest.mark.parametrize("kind", ["bars", "quotes", "trades", "actions"])
def test_every_check_can_judge_the_least_that_its_kind_has(kind: str) -> None:
    """Columns that may be missing are missing here, and every value is null."""
    prices = {"bars": ["close"], "quotes": ["price", "bid", "ask"], "trades": ["price", "size"], "actions": ["value"]}
    when = "ex_date" if kind == "actions" else "ts_event"
    moments = bars([1.0, 1.0])["ts_event"]
    numbers = {name: pl.Series([None, None], dtype=pl.Float64) for name in prices[kind]}
    records = pl.DataFrame({when: moments.dt.date() if kind == "actions" else moments, **numbers})
    records = records.with_columns(type=pl.lit("split")) if kind == "actions" else records

    assert set(everything(records, kind=kind)["check"]) <= {"no_close"}


def test_a_check_says_what_it_is() -> None:
    """Names are unique, sentences are sentences, and the registry knows every family but the users'."""
    assert all(name == check.name for name, check in CHECKS.items())
    assert [check.name for check in CHECKS.values() if not check.sentence.endswith(".")] == []
    assert [check.name for check in CHECKS.values() if not set(check.needs) <= {*SHARED}] == []
    assert {check.family for check in CHECKS.values()} == {*FAMILIES} - {"user"}
    assert {check.name for check in standing("bars", timeframe="1w")} < {check.name for check in standing("bars")}
    assert (SEVERITIES[-1], "add_split" in REPAIRS) == ("error", True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kinds": ("prices",)}, "record kinds are bars, quotes, trades, actions"),
        ({"kinds": ()}, "record kinds are bars, quotes, trades, actions"),
        ({"family": "magic"}, "known are business, temporal"),
        ({"severity": "fatal"}, "severities are note, warning, error"),
    ],
)
def test_a_check_that_is_none_is_refused(change: dict[str, object], words: str) -> None:
    """What it may be is said."""
    with pytest.raises(ValueError, match=words):
        Check(**{**vars(FALLING), **change})
