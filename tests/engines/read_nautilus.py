"""Say in JSON what NautilusTrader finds in a catalog: python read_nautilus.py FOLDER."""

from __future__ import annotations

import json
import sys

from nautilus_trader.persistence.catalog import ParquetDataCatalog


def main() -> None:
    """Print the instruments, bars, trades and quotes of the catalog."""
    catalog = ParquetDataCatalog(sys.argv[1])
    told = {
        "instruments": [
            [type(one).__name__, str(one.id), str(one.raw_symbol), one.price_precision, one.size_precision]
            for one in catalog.instruments()
        ],
        "bars": [str(one) for one in catalog.bars()],
        "trades": [str(one) for one in catalog.trade_ticks()],
        "quotes": [str(one) for one in catalog.quote_ticks()],
    }
    sys.stdout.write(json.dumps(told))


main()
