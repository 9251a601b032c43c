"""Actions on which providers differ: each kind of difference, made by hand, ends under its own name."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipeline_doubles import NOW, action_claims
from truetape.domain.schema import TABLES, check
from truetape.services.quality.action_differences import ACTION_REASONS
from truetape.services.quality.grade import grade_actions
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
FIRST, LATER = date(2024, 3, 1), date(2024, 6, 3)
HISTORY = ((FIRST, "dividend", 0.2), (FIRST, "split", 3.0))


def found(*claims: pl.DataFrame) -> list[tuple[object, ...]]:
    findings = check(grade_actions(pl.concat(claims), GRADING).findings, TABLES["findings"].columns, kind="findings")
    return findings.select("provider", pl.col("ts_event").dt.date(), "check", "severity", "explanation").rows()


@pytest.mark.parametrize(
    ("kind", "true", "said", "reason"),
    [
        pytest.param("dividend", 0.25, 25.0, "hundredfold", id="cents for dollars"),
        pytest.param("dividend", 0.25, 0.0625, "share_count", id="a 4 for 1 applied once too often"),
        pytest.param("dividend", 0.25, 0.5, "share_count", id="a 2 for 1 not applied"),
        pytest.param("dividend", 0.2246, 0.22, "rounding", id="two decimals"),
        pytest.param("dividend", 0.2246, 0.2, "rounding", id="one decimal"),
        pytest.param("dividend", 0.25, 0.31, "disagrees", id="another dividend"),
        pytest.param("split", 2.0, 0.5, "inverted_ratio", id="a reverse split for a split"),
        pytest.param("split", 2.0, 3.0, "disagrees", id="another split"),
        pytest.param("split", 2.0, 200.0, "hundredfold", id="per cent for a ratio"),
    ],
)
def test_another_value_is_told_with_the_kind_of_its_difference(
    kind: str, true: float, said: float, reason: str
) -> None:
    """Two providers agree and a third says something else."""
    honest = [action_claims(name, (LATER, kind, true)) for name in ("alpha", "bravo")]

    assert found(*honest, action_claims("odd", (LATER, kind, said))) == [
        (
            "odd",
            LATER,
            reason,
            "warning",
            f"odd said a {kind} of {said} where alpha, bravo said {true}: {ACTION_REASONS[reason]}",
        )
    ]


def test_cash_in_another_currency_is_told_as_that() -> None:
    """0.31 Canadian dollars may be right."""
    honest = [action_claims(name, (LATER, "dividend", 0.23)) for name in ("alpha", "bravo")]

    ((*_, reason, _, words),) = found(*honest, action_claims("odd", (LATER, "dividend", 0.31), currency="CAD"))

    assert (reason, str(words).endswith("the cash is in another currency")) == ("currency", True)


def test_an_action_left_out_is_a_note() -> None:
    """Of types that the provider tells of, after the first that it told."""
    honest = [
        action_claims(name, *HISTORY, (LATER, "dividend", 0.25), (LATER, "split", 2.0)) for name in ("alpha", "bravo")
    ]

    assert found(*honest, action_claims("odd", HISTORY[0])) == [
        ("odd", LATER, "missing_action", "note", "odd left out a dividend that others have")
    ]
    assert found(*honest, action_claims("odd", (LATER, "dividend", 0.25))) == []
    assert found(*honest, action_claims("odd", (FIRST, "merger", 1.0))) == []


def test_an_action_under_another_date_is_recognised() -> None:
    """A provider that writes the record date for the ex-date tells the same cash some days later."""
    honest = [action_claims(name, *HISTORY, (LATER, "dividend", 0.25)) for name in ("alpha", "bravo")]
    odd = action_claims("odd", *HISTORY, (date(2024, 6, 5), "dividend", 0.25))
    far = action_claims("odd", *HISTORY, (date(2024, 6, 20), "dividend", 0.25))

    notes = found(*honest, odd)

    assert ("odd", LATER, "other_ex_date", "note", "odd tells this dividend under 2024-06-05 instead") in notes
    assert ("alpha", date(2024, 6, 5), "other_ex_date") in [note[:3] for note in notes]
    assert ("odd", LATER, "missing_action") in [note[:3] for note in found(*honest, far)]
