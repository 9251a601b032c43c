"""What Alpaca's trades count for in a bar: the sale conditions of the consolidated tapes, by letter.

Trades outside the regular session (T) make the minutes there. B is an average price on tapes A and B, where it is
frequent, and a bunched trade on tape C.
"""

from __future__ import annotations

from typing import Final

from truetape.domain.sales import NOTHING, RANGE_ONLY, VOLUME_ONLY, Sale

SALES: Final[dict[str, Sale]] = {
    **dict.fromkeys("BCHINRUVW7", VOLUME_ONLY),  # average, cash, odd lot, next day, seller, contingent ...
    **dict.fromkeys("GPZ4", RANGE_ONLY),  # sold late, prior reference, out of sequence, derived
    **dict.fromkeys("MQ", NOTHING),  # the market centre's official open and close repeat a trade
    "9": Sale(volume=False),  # the corrected consolidated close
}
