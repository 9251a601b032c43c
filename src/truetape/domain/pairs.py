"""Pairs in our spelling: the base, a slash, and what it is priced in ("EUR/USD", "BTC/USD")."""

from __future__ import annotations

from typing import Final

_CODES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLF CLP CNH CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL "
    "LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR "
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP "
    "TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
NATIONAL: Final = frozenset(_CODES.split())  # ISO 4217: money of states and of central banks


def halves(symbol: str) -> tuple[str, str] | None:
    """Return base and quote of a pair; None for a symbol that is none."""
    base, slash, quote = symbol.partition("/")
    return (base, quote) if slash and base and quote and "/" not in quote else None


def is_fx(symbol: str) -> bool:
    """Return whether `symbol` is a pair of national currencies."""
    pair = halves(symbol)
    return pair is not None and NATIONAL.issuperset(pair)
