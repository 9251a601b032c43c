"""Why a claim lost, in words."""

from __future__ import annotations

import polars as pl
import pytest

from truetape.services.quality.dissent import REASONS, explain_dissent

SCHEMA = {
    "provider": pl.String,
    "close": pl.Float64,
    "rule": pl.String,
    "won_close": pl.Float64,
    "agreed": pl.String,
}


def explained(close: float | None, rule: str | None, won: float | None, agreed: str | None = "a,b") -> tuple[str, str]:
    frame = pl.DataFrame([("p", close, rule, won, agreed)], schema=SCHEMA, orient="row")
    reason, sentence = explain_dissent(frame).select("reason", "explanation").row(0)
    return reason, sentence


@pytest.mark.parametrize(
    ("close", "rule", "won", "reason"),
    [
        pytest.param(4200.0, None, 42.0, "hundredfold", id="cents for dollars"),
        pytest.param(0.42, None, 42.1, "hundredfold", id="dollars for cents, nearly"),
        pytest.param(4200.0, "stale", 42.0, "hundredfold", id="a hundredfold says more than a broken rule"),
        pytest.param(84.0, None, 42.0, "split_ratio", id="2 for 1 missed"),
        pytest.param(6.0, None, 42.0, "split_ratio", id="7 for 1 applied twice"),
        pytest.param(63.1, None, 42.0, "split_ratio", id="3 for 2, within half a percent"),
        pytest.param(84.0, "stale", 42.0, "stale", id="a broken rule says more than a ratio"),
        pytest.param(43.0, None, 42.0, "disagrees", id="plainly another price"),
        pytest.param(84.6, None, 42.0, "disagrees", id="not near enough to 2"),
        pytest.param(0.0, "not_positive", 42.0, "not_positive", id="zero"),
        pytest.param(None, "no_close", 42.0, "no_close", id="nothing"),
        pytest.param(42.0, "ohlc_order", None, "ohlc_order", id="nobody won"),
    ],
)
def test_the_reason_is_the_mistake_it_looks_like(
    close: float | None, rule: str | None, won: float | None, reason: str
) -> None:
    """The distance from the truth betrays units and splits."""
    assert explained(close, rule, won)[0] == reason
    assert explained(close, rule, won)[1].endswith(f": {REASONS[reason]}")


def test_the_sentence_has_both_sides() -> None:
    """It names who said what, and what the others said."""
    assert explained(43.0, None, 42.0)[1] == "p said 43.0 where a, b said 42.0: the providers that agree weigh more"


def test_silence_is_said_to_be_nothing() -> None:
    """A claim without close lost to nobody."""
    assert (
        explained(None, "no_close", None, None)[1] == "p said nothing where nobody said nothing: the close is missing"
    )
