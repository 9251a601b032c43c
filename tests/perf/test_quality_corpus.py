"""Faults put into real series are found, and right series are left alone: a small part of `make bench-quality`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from perf.quality import ours
from perf.quality.corpus import CLEAN, Case, cases
from perf.quality.faults import KINDS, Fault, Tape, sigma, split
from perf.quality.real import Real, series
from perf.quality.score import FLAGS, score

DAY = 86_400_000_000_000


@pytest.fixture(scope="module")
def real() -> list[Real]:
    """The series that are everywhere."""
    return [one for one in series() if one.universe == "bokeh"]


def tape(count: int = 100) -> Tape:
    """Return bars at 100 and 101 in turn."""
    close = 100.0 + np.arange(count) % 2
    return Tape(
        np.arange(count, dtype=np.int64) * DAY, np.stack([close] * 4), np.full(count, 1000.0), dividends=((0, 2.0),)
    )


def case(name: str, fault: Fault | None, kind: str = "bar off, by sigmas") -> Case:
    return Case(name, 0, "bokeh", "tuned", kind if fault else CLEAN, 1.0, {"amber": tape()}, "amber", fault)


def flags(*rows: tuple[str, str, int]) -> pl.DataFrame:
    frame = pl.DataFrame(list(rows), schema=["instrument_id", "provider", "ts_event"], orient="row")
    stamps = pl.col("ts_event").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    return frame.with_columns(stamps).select(list(FLAGS))


def test_flags_are_scored_as_the_rules_say() -> None:
    """One of two faults is found, twice; its neighbour counts neither way; a row elsewhere and one on a clean series
    are false."""
    found = case("a", Fault(tape(), frozenset({5, 6}), frozenset({4, 7})))
    missed = case("b", Fault(tape(), frozenset({5})))
    told = flags(("a", "amber", 5), ("a", "amber", 6), ("a", "amber", 7), ("b", "amber", 9), ("c", "amber", 5))
    scored = score([found, missed, case("c", None)], told)

    assert (2, 1, 2, 1) == (
        scored.together.faults,
        scored.together.found,
        scored.together.false,
        scored.together.false_on_clean,
    )
    assert (0.5, 1 / 3) == (scored.together.recall, scored.together.precision)
    assert (("b",), (("b", "amber", 9), ("c", "amber", 5))) == (scored.missed, scored.wrong)


def test_another_provider_is_never_the_faulty_one() -> None:
    """A flag on the right row of the wrong provider is false."""
    scored = score([case("a", Fault(tape(), frozenset({5})))], flags(("a", "birch", 5)))

    assert (0, 1) == (scored.together.found, scored.together.false)


def test_a_split_raises_what_was_before_it() -> None:
    """Two new shares for one old: earlier prices and dividends double, volumes are half."""
    made = split(tape(), 50, 2.0)

    assert [202.0, 100.0] == made.prices[3, 49:51].tolist()
    assert [500.0, 1000.0] == made.volume[49:51].tolist()
    assert (((50 * DAY, 2.0),), ((0, 4.0),)) == (made.splits, made.dividends)


def test_local_sigmas_are_robust() -> None:
    """Every move is ln 1.01."""
    assert pytest.approx(1.4826 * np.log(1.01)) == sigma(tape(), 50)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_fault_changes_its_series_and_says_where(kind: str) -> None:
    """Something differs from what others say, and the edge lies within the window."""
    inject, severities = KINDS[kind]
    whole = replace(tape(260), dividends=((50 * DAY, 2.0),))
    for severity in severities:
        fault = inject(whole, np.random.default_rng(1), severity)
        assert fault is not None
        truth = fault.truth or whole
        same = (
            np.array_equal(fault.tape.ts, truth.ts)
            and np.array_equal(fault.tape.prices, truth.prices)
            and np.array_equal(fault.tape.volume, truth.volume)
            and fault.tape.dividends == truth.dividends
        )
        assert not same or kind.startswith("high and low"), (kind, severity)
        assert all(0 < ts < 260 * DAY for ts in fault.edge)


def test_the_same_seed_makes_the_same_corpus(real: Sequence[Real]) -> None:
    """Case by case; another seed makes another."""
    one, other, third = (cases(real[:2], seeds=1, providers=3, first_seed=seed) for seed in (1, 1, 2))
    told = [
        [(c.kind, c.severity, c.culprit, c.told["birch"].prices.sum()) for c in all_] for all_ in (one, other, third)
    ]

    assert told[0] == told[1]
    assert told[0] != told[2]


@pytest.mark.parametrize(("providers", "precision", "recall"), [(3, 0.99, 0.95), (1, 0.97, 0.85)])
def test_faults_are_found_and_right_rows_left_alone(
    real: Sequence[Real], providers: int, precision: float, recall: float
) -> None:
    """By the checks alone, on a corpus that no threshold was chosen on."""
    corpus = cases(real, seeds=2, providers=providers, first_seed=7)
    scored = score(corpus, ours.accused(ours.findings(corpus)))

    assert scored.together.recall >= recall, scored.missed
    assert scored.together.precision >= precision, scored.wrong


def test_clean_series_are_not_repaired(real: Sequence[Real]) -> None:
    """Real moves, splits and dividends are no faults."""
    clean = [one for one in cases(real, seeds=1, providers=1, first_seed=7) if one.fault is None]

    assert [] == [(one.name, repair.kind, repair.evidence) for one, _, repair in ours.repairs(clean)]
