"""The vote: of several claims for one bar or action, which is the truth, and who agreed.

Two claims agree if each of their values is within the tolerance. The support of a claim is the summed trust of all
that agree with it, itself included; the claim with the greatest support wins. At a tie the more trusted provider wins,
then the first in alphabetical order, so the result does not depend on the order of the claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl


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
        claims: One row for each (key, provider) at most; `values` float64, of which the last must not be null. A null
            in another value agrees with anything.
        key: The columns that identify what is voted on.
        values: The columns that must agree.
        tolerance: When two values agree.
        trust: Weight by provider; 1.0 where none is given.
        electorate: Providers whose silence counts as dissent. Others count only where they made a claim.

    Returns:
        The winning claims' rows with `score` (share of the weight that agrees), `method` (consensus: more than half of
        it agrees; single_source: one claim only; plurality otherwise), `agreed` and `dissented` (comma separated).
    """
    if claims.is_empty():
        return claims.with_columns(score=pl.lit(0.0), method=pl.lit(""), agreed=pl.lit(""), dissented=pl.lit(""))
    claims = claims.sort([*key, "provider"])
    names = sorted({*claims["provider"], *electorate})
    ballots = _ballots(claims, key=key, values=values, names=names)
    weight = np.array([trust.get(name, 1.0) for name in names])
    agree = _agreement(ballots.values, ballots.cast, tolerance)
    support = agree @ weight
    preference = np.where(ballots.cast, support, -np.inf) + _tie_break(weight)
    winner = np.argmax(preference, axis=1)
    every = np.arange(len(winner))
    with_winner = agree[every, winner, :]
    voters = ballots.cast | np.array([name in electorate for name in names])
    total = voters @ weight
    score = support[every, winner] / total
    one = voters.sum(axis=1) == 1
    verdict = pl.DataFrame(
        {
            "score": score,
            "method": np.where(one, "single_source", np.where(score > 0.5, "consensus", "plurality")),  # noqa: PLR2004
            "agreed": _join(with_winner, names),
            "dissented": _join(voters & ~with_winner, names),
        }
    )
    won = claims[pl.Series(ballots.row[every, winner], dtype=pl.UInt32)]
    return won.hstack(verdict.get_columns())


@dataclass(frozen=True)
class _Ballots:
    values: Any  # (keys, providers, values) float64, NaN where missing
    cast: Any  # (keys, providers) bool
    row: Any  # (keys, providers) row number of the claim


def _ballots(claims: pl.DataFrame, *, key: tuple[str, ...], values: tuple[str, ...], names: list[str]) -> _Ballots:
    which = claims.select(pl.struct(key).rle_id()).to_series().to_numpy()
    place = {name: number for number, name in enumerate(names)}
    who = claims["provider"].replace_strict(place, return_dtype=pl.Int64).to_numpy()
    shape = (int(which[-1]) + 1, len(names))
    table = np.full((*shape, len(values)), np.nan)
    table[which, who] = claims.select(values).to_numpy()
    cast = np.zeros(shape, dtype=bool)
    cast[which, who] = True
    row = np.zeros(shape, dtype=np.uint32)
    row[which, who] = np.arange(len(claims), dtype=np.uint32)
    return _Ballots(table, cast, row)


def _agreement(values: Any, cast: Any, tolerance: Tolerance) -> Any:
    """Return (keys, providers, providers) bool: both made a claim, and every value agrees."""
    one, other = values[:, :, None, :], values[:, None, :, :]
    bound = np.maximum(tolerance.absolute, tolerance.relative * np.minimum(np.abs(one), np.abs(other)))
    near = ~(np.abs(one - other) > bound)  # a NaN compares false: missing values agree
    return near.all(axis=3) & cast[:, :, None] & cast[:, None, :]


def _tie_break(weight: Any) -> Any:
    """Return preferences too small to outvote anyone: by trust, then by alphabetical order."""
    order = np.argsort(np.argsort(-weight, kind="stable"), kind="stable")
    return -order * 1e-9


def _join(chosen: Any, names: list[str]) -> pl.Series:
    """Return, for each row of the bool matrix `chosen`, the names that it marks."""
    bits = chosen @ (1 << np.arange(len(names), dtype=np.uint64))
    patterns, which = np.unique(bits, return_inverse=True)
    texts = [",".join(name for bit, name in enumerate(names) if int(pattern) >> bit & 1) for pattern in patterns]
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(which))
