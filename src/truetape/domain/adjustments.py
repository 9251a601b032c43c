"""The ways of adjusting by name: one vocabulary for commands, the library, the API, streams and exports."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, get_args

from truetape.domain.errors import BadInput
from truetape.domain.scaling import Mode

AnyAdjustment = Literal["raw", "split", "all", Mode]
ANY_ADJUSTMENT: Final[tuple[AnyAdjustment, ...]] = get_args(AnyAdjustment)
QUICK: Final = ("split", "all")  # that need nothing but the factors
ABOUT: Final = (
    "raw: as traded; split: adjusted for splits; all, or total_return: for splits and everything handed out; "
    "forward_split and forward_total_return: the same from the first bar on; scaled_raw: as all, the last bar as "
    "traded; lean_total_return: splits, and cash added; difference and forward_difference: by differences (Panama)."
)
ANCHORED: Final = "The day whose prices stay as traded (YYYY-MM-DD); left out: the one that the adjustment names."


def plain(adjustment: AnyAdjustment) -> AnyAdjustment:
    """Return the one name of an adjustment that has two."""
    return "all" if adjustment == "total_return" else adjustment


def mode_of(adjustment: AnyAdjustment) -> Mode:
    """Return the mode of `scaling` that an adjustment is."""
    return "total_return" if adjustment == "all" else adjustment


def basis_of(adjustment: AnyAdjustment, anchor: date | None) -> str:
    """Return what is told of prices that were adjusted so, in the column `basis`."""
    return adjustment if anchor is None else f"{adjustment}@{anchor}"


def check_anchor(adjustment: AnyAdjustment, anchor: date | None, *, parameter: str = "anchor") -> None:
    """Accept an anchor unless the adjustment has no place for one.

    Raises:
        BadInput: It has none.
    """
    if anchor is None:
        return
    fixes = {
        "raw": "Raw prices are as traded on every day: leave it out, or choose an adjustment.",
        "scaled_raw": "scaled_raw is total_return anchored at the last bar: ask for total_return with this anchor.",
        "lean_total_return": "It adds the cash from the first bar on: leave it out, or ask for difference.",
    }
    if adjustment in fixes:
        raise BadInput(parameter=parameter, value=str(anchor), fix=fixes[adjustment])
