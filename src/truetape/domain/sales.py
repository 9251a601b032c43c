"""What a trade counts for in a bar, by the conditions that its venue reports with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple


class Sale(NamedTuple):
    """Which of a bar's values a trade may change."""

    range: bool = True  # the high and the low
    ends: bool = True  # the open and the close
    volume: bool = True


ALL: Final = Sale()
VOLUME_ONLY: Final = Sale(range=False, ends=False)
RANGE_ONLY: Final = Sale(ends=False)
NOTHING: Final = Sale(range=False, ends=False, volume=False)


def sale_of(conditions: str, sales: Mapping[str, Sale]) -> Sale:
    """Return what a trade of `conditions` (codes, comma separated) counts for: what each of them allows.

    Args:
        conditions: "" for none.
        sales: By code; others allow everything.
    """
    found = [sales[code.strip()] for code in conditions.split(",") if code.strip() in sales]
    return Sale(
        range=all(one.range for one in found),
        ends=all(one.ends for one in found),
        volume=all(one.volume for one in found),
    )


def flagged(codes: Iterable[str], *, bit: int, sale: Sale) -> dict[str, Sale]:
    """Return what trades count for whose conditions are one hexadecimal number of flags, as in LEAN's ticks.

    Args:
        codes: The numbers that occur; what is no such number allows everything.
        bit: The flag that restricts a trade.
        sale: What a trade with it counts for.
    """
    return {code: sale for code in codes if _number(code) & bit}


def _number(code: str) -> int:
    try:
        return int(code, 16)
    except ValueError:
        return 0
