"""How Financial Modeling Prep spells symbols, and what a spelling tells of zone and currency."""

from __future__ import annotations

from typing import Final

NEW_YORK: Final = "America/New_York"
ZONES: Final = {  # of the exchange that a suffix names
    "AS": "Europe/Amsterdam",
    "AX": "Australia/Sydney",
    "BO": "Asia/Kolkata",
    "BR": "Europe/Brussels",
    "CO": "Europe/Copenhagen",
    "DE": "Europe/Berlin",
    "F": "Europe/Berlin",
    "HE": "Europe/Helsinki",
    "HK": "Asia/Hong_Kong",
    "JO": "Africa/Johannesburg",
    "KS": "Asia/Seoul",
    "KQ": "Asia/Seoul",
    "L": "Europe/London",
    "LS": "Europe/Lisbon",
    "MC": "Europe/Madrid",
    "MI": "Europe/Rome",
    "MX": "America/Mexico_City",
    "NS": "Asia/Kolkata",
    "OL": "Europe/Oslo",
    "PA": "Europe/Paris",
    "SA": "America/Sao_Paulo",
    "SS": "Asia/Shanghai",
    "ST": "Europe/Stockholm",
    "SW": "Europe/Zurich",
    "SZ": "Asia/Shanghai",
    "T": "Asia/Tokyo",
    "TO": "America/Toronto",
    "V": "America/Toronto",
}
_LETTERS: Final = 3  # of a currency's code


def spell(symbol: str) -> str:
    """Return `symbol` as Financial Modeling Prep writes it: BRK.B is BRK-B, EUR/USD is EURUSD; others are as ours.

    One letter after a dot is a share class.
    """
    name, dot, suffix = symbol.rpartition(".")
    if dot and len(suffix) == 1:
        return f"{name}-{suffix}"
    return symbol.replace("/", "")


def halves(symbol: str) -> tuple[str, str] | None:
    """Return the two currencies, or the coin and the currency, of a pair's symbol; None where it is no pair."""
    if len(symbol) < 2 * _LETTERS or not symbol.isalpha():
        return None
    return symbol[:-_LETTERS], symbol[-_LETTERS:]


def currency_of(symbol: str) -> str | None:
    """Return the currency of a symbol's prices: US dollars without a suffix; None where the spelling does not tell."""
    pair = halves(symbol)
    if pair:
        return pair[1]
    return "USD" if symbol and not symbol.startswith("^") and "." not in symbol else None


def zone_of(symbol: str) -> str | None:
    """Return the IANA zone of a symbol's wall-clock stamps; None for a suffix that is not known."""
    _, dot, suffix = symbol.rpartition(".")
    return ZONES.get(suffix) if dot else NEW_YORK
