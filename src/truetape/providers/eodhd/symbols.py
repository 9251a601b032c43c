"""How EODHD spells symbols, CODE.EXCHANGE, and what a spelling tells of pairs and currencies."""

from __future__ import annotations

from typing import Final

US: Final = "US"
FOREX: Final = "FOREX"
COINS: Final = "CC"
INDICES: Final = "INDX"
_LETTERS: Final = 3  # of a currency's code
_CODES: Final = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNH CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KRW KWD MXN MYR NOK "
    "NZD PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VND XAG XAU XPD XPT ZAR"
)
_CURRENCIES: Final = frozenset(_CODES.split())


def spell(symbol: str) -> str:
    """Return `symbol` as EODHD writes it.

    AAPL is AAPL.US, BRK.B is BRK-B.US, EUR/USD is EURUSD.FOREX, BTC/USD is BTC-USD.CC, ^GSPC is GSPC.INDX. One letter
    after a dot is a share class; more of them are an exchange, and the symbol stays as it is.
    """
    if symbol.startswith("^"):
        return f"{symbol[1:]}.{INDICES}"
    base, slash, quote = symbol.partition("/")
    if slash:
        return f"{base}{quote}.{FOREX}" if {base, quote} <= _CURRENCIES else f"{base}-{quote}.{COINS}"
    name, dot, suffix = symbol.rpartition(".")
    if dot and len(suffix) > 1:
        return symbol
    return f"{name}-{suffix}.{US}" if dot else f"{symbol}.{US}"


def exchange_of(symbol: str) -> str:
    """Return the exchange of a symbol in EODHD's spelling, "" where it names none."""
    return symbol.rpartition(".")[2] if "." in symbol else ""


def halves(symbol: str) -> tuple[str, str] | None:
    """Return the two currencies, or the coin and the currency, of a pair's symbol; None where it is no pair."""
    code, _, exchange = symbol.rpartition(".")
    if exchange == FOREX and len(code) == 2 * _LETTERS:
        return code[:_LETTERS], code[_LETTERS:]
    coin, dash, quote = code.rpartition("-")
    return (coin, quote) if exchange == COINS and dash and coin and quote else None


def currency_of(symbol: str) -> str | None:
    """Return the currency of a symbol's prices; None where the spelling does not tell."""
    pair = halves(symbol)
    if pair:
        return pair[1]
    return "USD" if exchange_of(symbol) == US else None
