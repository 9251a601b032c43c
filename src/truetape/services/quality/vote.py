"""The vote: of several claims for one bar or action, which is the truth, and who agreed.

Two claims agree if each of their values is within the tolerance. The share of a claim is the weight of those that agree
with it, itself included, out of the weight of all that voted; the claim with the greatest share wins. At a tie the most
complete claim wins, then the more trusted provider, then the first in alphabetical order: the order of the claims does
not matter. A value that the winner lacks is taken from those that agree with it, in the same order.

Providers that pass on the numbers of one source are no independent witnesses: of those on one side the weightiest
counts whole and each other one by the part KIN of its weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl

KIN: Final = 0.5  # part of a weight that counts beside another provider's of the same source
INCREMENT: Final = "increment"  # a column of claims: the price increment, in the place of the absolute tolerance
_LOST: Final = {"claim": pl.UInt32, "bar": pl.UInt32}
_LEAST: Final = 1e-5  # shares that differ by less are equal: sums of floats are not exact
_ROUNDING: Final = 1.001  # one increment apart is agreed, although floats cannot hold it


@dataclass(frozen=True)
class Tolerance:
    """How far two claims of one value may lie apart and still agree: the greater of both bounds."""

    absolute: float
    relative: float


@dataclass(frozen=True)
class Voters:
    """Whose word weighs what, and how many must agree.

    `trust` is the weight by provider, greater than 0; 1.0 where none is given. `sources` names, for a provider that
    passes on another's numbers, whose they are. The silence of the `electorate` counts as dissent; others count only
    where they made a claim. A row is quorate if at least `quorum` providers agree and they weigh `quorum_weight`.
    """

    trust: Mapping[str, float] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    electorate: tuple[str, ...] = ()
    quorum: int = 1
    quorum_weight: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a vote ended.

    `won` has one row for each key, in its order: the winning claim with `score` (share of the weight that agrees),
    `method` (consensus: quorate, and two or more agree who weigh more than half; single_source: one voter only;
    plurality otherwise), `agreed` and `dissented` (comma separated) and `quorate`. `lost` has one row for each claim
    that does not agree with its winner: `claim` is its row among the claims, `bar` the winner's row of `won`.
    """

    won: pl.DataFrame
    lost: pl.DataFrame


def vote(
    claims: pl.DataFrame, *, key: tuple[str, ...], values: tuple[str, ...], tolerance: Tolerance, voters: Voters
) -> Outcome:
    """Return which claim won for each `key`, and which lost.

    Args:
        claims: One row for each (key, provider) at most; `values` finite float64. A null agrees with anything. A
            column `increment` stands for the absolute tolerance; of several for one key the greatest counts.
        key: The columns that identify what is voted on.
        values: The columns that must agree.
        tolerance: When two values agree.
        voters: Whose word weighs what.
    """
    if claims.is_empty():
        nothing = {"score": pl.lit(0.0), **dict.fromkeys(("method", "agreed", "dissented"), pl.lit(""))}
        return Outcome(claims.with_columns(**nothing, quorate=pl.lit(value=True)), pl.DataFrame(schema=_LOST))
    names = sorted({*claims["provider"].unique(), *voters.electorate})
    ballots = _ballots(claims, key=key, values=values, names=names, tolerance=tolerance)
    scales = _scales(names, voters)
    agree = _agreement(ballots, tolerance)
    voted = ballots.cast | np.isin(names, voters.electorate)[:, None]
    share = np.stack([_share(agree[one], voted, scales) for one in range(len(names))])
    rank = np.where(ballots.cast, share, -np.inf) + _tie_break(ballots, scales.weight)
    winner = np.argmax(rank, axis=0)
    every = np.arange(len(winner))
    with_winner = agree[winner, :, every].T
    verdict = _verdict(share[winner, every], with_winner, voted, scales, voters)
    won = claims[pl.Series(ballots.row[winner, every], dtype=pl.UInt32)].hstack(verdict)
    whole = _completed(won, values, ballots, rank=np.where(with_winner, rank, -np.inf), winner=winner)
    who, which = np.nonzero(ballots.cast & ~with_winner)
    return Outcome(whole, pl.DataFrame({"claim": ballots.row[who, which], "bar": which}, schema=_LOST))


def varying(rows: pl.DataFrame, names: Iterable[str]) -> list[str]:
    """Return those of `names` that tell `rows` apart; most batches are of one instrument and timeframe."""
    return [name for name in names if not rows[name].eq_missing(rows[name].head(1)).all()]


@dataclass(frozen=True)
class _Ballots:
    values: Any  # (values, providers, keys) float64, NaN where missing
    cast: Any  # (providers, keys) bool
    row: Any  # (providers, keys) row number of the claim
    bound: Any  # (keys,) or a float: the absolute tolerance


@dataclass(frozen=True)
class _Scales:
    """Weights by the place of the provider; `kin` holds the places of those that share a source."""

    names: list[str]
    weight: Any
    kin: list[list[int]]

    def weigh(self, chosen: Any) -> Any:
        """Return, for each column of the bool matrix `chosen`, what the providers that it marks weigh together."""
        total = self.weight @ chosen
        for places in self.kin:
            marked = self.weight[places, None] * chosen[places]
            total = total - (1 - KIN) * (marked.sum(axis=0) - marked.max(axis=0))
        return total


def _scales(names: list[str], voters: Voters) -> _Scales:
    by_source: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        by_source.setdefault(voters.sources.get(name, name), []).append(place)
    weight = np.array([voters.trust.get(name, 1.0) for name in names])
    return _Scales(names, weight, [places for places in by_source.values() if len(places) > 1])


def _ballots(
    claims: pl.DataFrame, *, key: tuple[str, ...], values: tuple[str, ...], names: list[str], tolerance: Tolerance
) -> _Ballots:
    apart = varying(claims, key) or [key[-1]]
    ordered = claims.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), *apart, "provider").sort(apart)
    which = ordered.select(pl.struct(apart).rle_id()).to_series().to_numpy()
    who = ordered["provider"].cast(pl.Enum(names)).to_physical().to_numpy()
    said = claims.select(*values, *([INCREMENT] if INCREMENT in claims.columns else []))[ordered["row"]]
    shape = (len(names), int(which[-1]) + 1)
    table = np.full((len(values), *shape), np.nan)
    for number, name in enumerate(values):
        table[number, who, which] = said[name].to_numpy()
    cast = np.zeros(shape, dtype=bool)
    cast[who, which] = True
    row = np.zeros(shape, dtype=np.uint32)
    row[who, which] = ordered["row"].to_numpy()
    bound: Any = tolerance.absolute
    if INCREMENT in said.columns:
        bound = np.zeros(shape)
        bound[who, which] = said[INCREMENT].to_numpy()
        bound = bound.max(axis=0) * _ROUNDING
    return _Ballots(table, cast, row, bound)


def _agreement(ballots: _Ballots, tolerance: Tolerance) -> Any:
    """Return (providers, providers, keys) bool: both made a claim, and every value agrees."""
    values, cast = ballots.values, ballots.cast
    size = np.abs(values)
    agree = cast[:, None] & cast[None, :]
    for one, other in combinations(range(len(cast)), 2):
        bound = np.maximum(ballots.bound, tolerance.relative * np.minimum(size[:, one], size[:, other]))
        apart = np.abs(values[:, one] - values[:, other]) > bound  # a NaN compares false: missing values agree
        near = ~apart.any(axis=0)
        agree[one, other] &= near
        agree[other, one] &= near
    return agree


def _share(agree: Any, voted: Any, scales: _Scales) -> Any:
    """Return which share of the weight agrees; 0.0 where nobody does."""
    support, against = scales.weigh(agree), scales.weigh(voted & ~agree)
    return support / np.maximum(support + against, np.finfo(float).tiny)


def _tie_break(ballots: _Ballots, weight: Any) -> Any:
    """Return preferences too small to outvote anyone: by completeness, then trust, then alphabetical order."""
    order = np.argsort(np.argsort(-weight, kind="stable"), kind="stable")
    missing = np.isnan(ballots.values).mean(axis=0) * _LEAST
    return -missing - order[:, None] * (_LEAST / 1e4)


def _verdict(score: Any, with_winner: Any, voted: Any, scales: _Scales, voters: Voters) -> list[pl.Series]:
    heads = with_winner.sum(axis=0)
    enough = (heads >= voters.quorum) & (scales.weigh(with_winner) >= voters.quorum_weight - _LEAST)
    most = enough & (heads > 1) & (score > 0.5 + _LEAST)
    method = np.where(voted.sum(axis=0) == 1, 1, np.where(most, 0, 2))
    return [
        pl.Series("score", score),
        pl.Series("method", ["consensus", "single_source", "plurality"]).gather(method),
        _join(with_winner, scales.names).alias("agreed"),
        _join(voted & ~with_winner, scales.names).alias("dissented"),
        pl.Series("quorate", enough),
    ]


def _completed(
    won: pl.DataFrame, values: tuple[str, ...], ballots: _Ballots, *, rank: Any, winner: Any
) -> pl.DataFrame:
    """Return `won` with the values that a winner lacks, of the best of those that agree with it and have them."""
    filled = []
    for number, name in enumerate(values):
        lacking = np.flatnonzero(np.isnan(ballots.values[number, winner, np.arange(len(winner))]))
        if len(lacking) and won[name].null_count():
            said = ballots.values[number][:, lacking]
            best = np.argmax(np.where(np.isnan(said), -np.inf, rank[:, lacking]), axis=0)
            column = won[name].to_numpy().copy()
            column[lacking] = said[best, np.arange(len(lacking))]
            filled.append(pl.Series(name, column, nan_to_null=True))
    return won.with_columns(filled)


def _join(chosen: Any, names: list[str]) -> pl.Series:
    """Return, for each column of the bool matrix `chosen`, the names that it marks."""
    bits = (1 << np.arange(len(names), dtype=np.uint64)) @ chosen
    patterns, which = np.unique(bits, return_inverse=True)
    texts = [",".join(name for bit, name in enumerate(names) if int(pattern) >> bit & 1) for pattern in patterns]
    return pl.Series(texts, dtype=pl.String).gather(pl.Series(which))
