"""What Massive's trades count for in a bar: its conditions by number, as its reference of them says.

Trades outside the regular session (12) make the minutes there.
"""

from __future__ import annotations

from typing import Final

from truetape.domain.sales import NOTHING, RANGE_ONLY, VOLUME_ONLY, Sale

SALES: Final[dict[str, Sale]] = {
    **dict.fromkeys(("2", "7", "13", "20", "21", "29", "37", "52", "53"), VOLUME_ONLY),  # average, cash, odd lot ...
    **dict.fromkeys(("5", "10", "22", "32", "33"), RANGE_ONLY),  # sold late, derived, prior reference, out of sequence
    **dict.fromkeys(("15", "16"), NOTHING),  # the market centre's official open and close repeat a trade
    "38": Sale(volume=False),  # the corrected consolidated close
}
