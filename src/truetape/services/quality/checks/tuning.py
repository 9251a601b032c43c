"""How checks are set: enabled or not, how severe, with which limits, for a record kind, a venue or an instrument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import polars as pl

from truetape.services.quality.checks.check import Check, Tuning

_WEIGHTS: Final = {"instrument": 4, "venue": 2, "kind": 1}


class Scoped(msgspec.Struct, frozen=True, kw_only=True):
    """What is set of a check for some of its rows: those of a record kind, a venue, an instrument, or all of these.

    What is null, and limits that are not named, stay as they are.
    """

    kind: str | None = None  # of check.RECORD_KINDS
    venue: str | None = None  # MIC
    instrument: str | None = None  # instrument_id
    enabled: bool | None = None
    severity: str | None = None  # of check.SEVERITIES
    limits: dict[str, float] = {}

    @property
    def weight(self) -> int:
        """How specific it is: an instrument outweighs a venue, a venue a record kind."""
        return sum(weight for name, weight in _WEIGHTS.items() if getattr(self, name) is not None)


class CheckSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator sets of one check: for all its rows, and for some of them; the most specific wins."""

    enabled: bool | None = None
    severity: str | None = None
    limits: dict[str, float] = {}
    scoped: tuple[Scoped, ...] = ()


@dataclass(frozen=True)
class Settled:
    """A check with its tuning, for the rows of the evidence that `rows` marks; None: for all."""

    check: Check
    tuning: Tuning
    rows: pl.Expr | None = None


def settle(
    evidence: pl.DataFrame, checks: Iterable[Check], settings: Mapping[str, CheckSetting], *, kind: str
) -> Iterator[Settled]:
    """Yield every enabled check of `checks` for rows of `kind`: once, or once for each part of the rows that differs.

    Args:
        evidence: As `prepare` returns it; with `venue` if a setting is for a venue.
        checks: Of any record kinds; those that are not for `kind` are left out.
        settings: By the checks' names.
        kind: One of check.RECORD_KINDS.
    """
    for check in checks:
        if kind not in check.kinds:
            continue
        setting = settings.get(check.name, CheckSetting())
        everywhere = Scoped(enabled=setting.enabled, severity=setting.severity, limits=setting.limits)
        layers = sorted((one for one in setting.scoped if one.kind in (None, kind)), key=lambda one: one.weight)
        for chosen, rows in _parts(evidence, layers):
            layered = (everywhere, *chosen)
            if _last([one.enabled for one in layered], default=True):
                yield Settled(check=check, tuning=_tuned(check, layered), rows=rows)


def _tuned(check: Check, layers: Iterable[Scoped]) -> Tuning:
    severity, limits = check.severity, {**check.limits}
    for one in layers:
        severity = one.severity or severity
        limits |= one.limits
    return Tuning(severity=severity, limits=limits)


def _last(values: list[bool | None], *, default: bool) -> bool:
    return next((value for value in reversed(values) if value is not None), default)


def _parts(evidence: pl.DataFrame, layers: list[Scoped]) -> Iterator[tuple[tuple[Scoped, ...], pl.Expr | None]]:
    """Yield which of `layers` meet the same rows, and those rows; None where all rows are met by the same layers."""
    bits = [_meets(one, evidence.columns) * (1 << number) for number, one in enumerate(layers)]
    code = pl.sum_horizontal(pl.lit(0, dtype=pl.UInt64), *bits)
    codes = evidence.select(code.alias("code"))["code"].unique().sort().to_list() if layers else [0]
    for found in codes or [0]:
        chosen = tuple(one for number, one in enumerate(layers) if found >> number & 1)
        yield chosen, None if len(codes) <= 1 else code == found


def _meets(scope: Scoped, columns: list[str]) -> pl.Expr:
    """Return 1 where the row is within `scope`, else 0; a venue that is not known is met by none."""
    conditions = [pl.lit(1, dtype=pl.UInt64)]
    if scope.venue is not None:
        known = pl.col("venue") == scope.venue if "venue" in columns else pl.lit(False)
        conditions.append(known.fill_null(value=False).cast(pl.UInt64))
    if scope.instrument is not None:
        conditions.append((pl.col("instrument_id") == scope.instrument).cast(pl.UInt64))
    product = conditions[0]
    for one in conditions[1:]:
        product = product * one
    return product
