"""Say in JSON what NautilusTrader finds in catalogs: python read_nautilus.py FOLDER ..."""

from __future__ import annotations

import json
import sys

from nautilus_trader.persistence.catalog import ParquetDataCatalog


def found(folder: str) -> dict[str, list[object]]:
    """Return the instruments, bars, trades and quotes of a catalog."""
    catalog = ParquetDataCatalog(folder)
    return {
        "instruments": [
            [type(one).__name__, str(one.id), str(one.raw_symbol), one.price_precision, one.size_precision]
            for one in catalog.instruments()
        ],
        "bars": [str(one) for one in catalog.bars()],
        "trades": [str(one) for one in catalog.trade_ticks()],
        "quotes": [str(one) for one in catalog.quote_ticks()],
    }


sys.stdout.write(json.dumps([found(folder) for folder in sys.argv[1:]]))
