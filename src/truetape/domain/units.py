"""The units in which prices are quoted: pence, cents and agorot, and the currencies whose parts they are.

A venue may quote shares in the hundredth part of its currency and pay dividends in the whole. Each row says in its
`currency` which of the two its own amounts are in, so prices and dividends are brought to the whole one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

PARTS: Final[dict[str, tuple[str, int]]] = {  # the whole unit (ISO 4217), and how many parts make it
    **dict.fromkeys(("GBp", "GBX", "GBx", "GBpence", "GBP.p", "gbp.p"), ("GBP", 100)),
    **dict.fromkeys(("ZAc", "ZAC", "ZAr", "ZAX", "ZAx"), ("ZAR", 100)),
    **dict.fromkeys(("ILA", "ILa", "ILX", "ILx", "ILs"), ("ILS", 100)),
    **dict.fromkeys(("USX", "USx", "USc", "USd"), ("USD", 100)),
    **dict.fromkeys(("EUX", "EUx", "EUc", "EUr"), ("EUR", 100)),
    **dict.fromkeys(("KWF", "KWd"), ("KWD", 1000)),
}
_EXACT: Final = 10  # decimals to which a quotient is brought, so that it is the shortest number again
_MOST: Final = 1e5  # above it a float has no so many decimals


def in_whole_units(rows: pl.DataFrame, *, amounts: Sequence[str]) -> pl.DataFrame:
    """Return `rows` with `amounts` in the whole unit of their currency, and `currency` its ISO 4217 code.

    What is in whole units already, or in no known currency, is left as it is: doing it twice changes nothing.

    Args:
        rows: `currency`, and any of `amounts` (float64).
        amounts: Columns of money or prices; volumes are none.
    """
    spelled = rows["currency"].unique().drop_nulls()
    parts = {code: PARTS[code] for code in spelled if code in PARTS}
    if not parts:
        return rows
    whole = {code: name for code, (name, _) in parts.items()}
    divisor = pl.col("currency").replace_strict(
        {code: float(number) for code, (_, number) in parts.items()}, default=1.0, return_dtype=pl.Float64
    )
    changed = [
        pl.when(divisor > 1).then(_divided(pl.col(name), divisor)).otherwise(pl.col(name)).alias(name)
        for name in amounts
        if name in rows.columns
    ]
    return rows.with_columns(*changed, currency=pl.col("currency").replace(whole))


def _divided(amount: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    quotient = amount / divisor
    return pl.when(quotient.abs() < _MOST).then(quotient.round(_EXACT)).otherwise(quotient)
