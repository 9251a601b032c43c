"""One folder for each vendor: what it is, how it is asked, and how its bytes are read.

This page is the catalogue: who there is, and where their keys are found. A vendor's own code is imported when it is
needed, by `vendor`.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Final

KEY_VARIABLES: Final = MappingProxyType(  # environment variables; two where a key has a second half, none without a key
    {
        "alpaca": ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"),
        "alpha_vantage": ("ALPHAVANTAGE_API_KEY",),
        "binance": (),
        "coinbase": (),
        "ecb": (),
        "eodhd": ("EODHD_API_TOKEN",),
        "files": (),
        "finnhub": ("FINNHUB_API_KEY",),
        "fmp": ("FMP_API_KEY",),
        "fred": ("FRED_API_KEY",),
        "gleif": (),
        "iex_cloud": ("IEX_TOKEN",),
        "iso10383": (),
        "iso4217": (),
        "kraken": (),
        "lean": (),
        "massive": ("MASSIVE_API_KEY",),
        "nasdaq_trader": (),
        "openfigi": ("OPENFIGI_API_KEY",),
        "sec": ("SEC_USER_AGENT",),
        "stooq": (),
        "tiingo": ("TIINGO_API_KEY",),
        "twelve_data": ("TWELVE_DATA_API_KEY",),
        "yahoo": (),
    }
)
NAMES: Final = tuple(KEY_VARIABLES)


def vendor(name: str) -> ModuleType:
    """Return the package of the provider `name`, one of NAMES: it has `DECLARATION` and `provider`."""
    return import_module(f"{__name__}.{name}")
