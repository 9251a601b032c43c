"""The vote: of several claims for one bar or action, which is the truth, and who agreed.

Two claims agree if each of their values is within the tolerance. The support of a claim is the summed trust of all
that agree with it, itself included; the claim with the greatest support wins. At a tie the most complete claim wins,
then the more trusted provider, then the first in alphabetical order: the order of the claims does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl

_LEAST: Final = 1e-5  # weights that differ by less are equal: sums of floats are not exact


@dataclass(frozen=True)
class Tolerance:
    """How far two claims of one value may lie apart and still agree: the greater of both bounds."""

    absolute: float
    relative: float


def vote(
    claims: pl.DataFrame,
    *,
    key: tuple[str, ...],
    values: tuple[str, ...],
    tolerance: Tolerance,
    trust: Mapping[str, float],
    electorate: tuple[str, ...] = (),
) -> pl.DataFrame:
    """Return one row for each `key`, in its order, saying which claim won.

    Args:
        claims: One row for each (key, provider) at most; `values` finite float64. A null agrees with anything.
        key: The columns that identify what is voted on.
        values: The columns that must agree.
        tolerance: When two values agree.
        trust: Weight by provider, greater than 0; 1.0 where none is given.
        electorate: Providers whose silence counts as dissent. Others count only where they made a claim.

    Returns:
        The winning claims' rows with `score` (share of the weight that agrees), `method` (consensus: more than half of
        it agrees; single_source: one voter only; plurality otherwise), `agreed` and `dissented` (comma separated).
    """
    if claims.is_empty():
        return claims.with_columns(score=pl.lit(0.0), method=pl.lit(""), agreed=pl.lit(""), dissented=pl.lit(""))
    names = sorted({*claims["provider"].unique(), *electorate})
    ballots = _ballots(claims, key=key, values=values, names=names)
    weight = np.array([trust.get(name, 1.0) for name in names])
    agree = _agreement(ballots, tolerance)
    support = np.einsum("abk,b->ak", agree, weight)
    winner = np.argmax(np.where(ballots.cast, support, -np.inf) + _tie_break(ballots, weight), axis=0)
    every = np.arange(len(winner))
    with_winner = agree[winner, :, every]
    voters = (ballots.cast | np.isin(names, electorate)[:, None]).T
    score = np.minimum(support[winner, every] / (voters @ weight), 1.0)
    alone = voters.sum(axis=1) == 1
    verdict = pl.DataFrame(
        {
            "score": score,
            "method": np.where(alone, "single_source", np.where(score > 0.5 + _LEAST, "consensus", "plurality")),
            "agreed": _join(with_winner, names),
            "dissented": _join(voters & ~with_winner, names),
        }
    )
    won = claims[pl.Series(ballots.row[winner, every], dtype=pl.UInt32)]
    return won.hstack(verdict.get_columns())


@dataclass(frozen=True)
class _Ballots:
    values: Any  # (values, providers, keys) float64, NaN where missing
    cast: Any  # (providers, keys) bool
    row: Any  # (providers, keys) row number of the claim


def _ballots(claims: pl.DataFrame, *, key: tuple[str, ...], values: tuple[str, ...], names: list[str]) -> _Ballots:
    ordered = claims.with_row_index("row").select("row", *key, "provider", *values).sort(key)
    which = ordered.select(pl.struct(key).rle_id()).to_series().to_numpy()
    who = ordered["provider"].cast(pl.Enum(names)).to_physical().to_numpy()
    shape = (len(names), int(which[-1]) + 1)
    table = np.full((len(values), *shape), np.nan)
    table[:, who, which] = ordered.select(values).to_numpy().T
    cast = np.zeros(shape, dtype=bool)
    cast[who, which] = True
    row = np.zeros(shape, dtype=np.uint32)
    row[who, which] = ordered["row"].to_numpy()
    return _Ballots(table, cast, row)


def _agreement(ballots: _Ballots, tolerance: Tolerance) -> Any:
    """Return (providers, providers, keys) bool: both made a claim, and every value agrees."""
    values, cast = ballots.values, ballots.cast
    size = np.abs(values)
    agree = cast[:, None] & cast[None, :]
    for one, other in combinations(range(len(cast)), 2):
        bound = np.maximum(tolerance.absolute, tolerance.relative * np.minimum(size[:, one], size[:, other]))
        apart = np.abs(values[:, one] - values[:, other]) > bound  # a NaN compares false: missing values agree
        near = ~apart.any(axis=0)
        agree[one, other] &= near
        agree[other, one] &= near
    return agree


def _tie_break(ballots: _Ballots, weight: Any) -> Any:
    """Return preferences too small to outvote anyone: by completeness, then trust, then alphabetical order."""
    order = np.argsort(np.argsort(-weight, kind="stable"), kind="stable")
    missing = np.isnan(ballots.values).mean(axis=0) * _LEAST
    return -missing - order[:, None] * (_LEAST / 1e4)


def _join(chosen: Any, names: list[str]) -> pl.Series:
    """Return, for each row of the bool matrix `chosen`, the names that it marks."""
    bits = chosen @ (1 << np.arange(len(names), dtype=np.uint64))
    patterns, which = np.unique(bits, return_inverse=True)
    texts = [",".join(name for bit, name in enumerate(names) if int(pattern) >> bit & 1) for pattern in patterns]
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(which))
