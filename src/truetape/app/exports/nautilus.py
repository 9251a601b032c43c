"""Bars as a catalog of NautilusTrader: `data/bar/TYPE/FROM_TO.parquet`, and an instrument for each.

Numbers are signed integers of 128 bits, little-endian, in units of 10^-16, and carry the decimals that they mean as
`price_precision` and `size_precision`: the layout of its builds of high precision, 1.221 of Linux and macOS among them.
`ts_event` and `ts_init` are when a bar had ended, so that no backtest knows it sooner. A venue is called by its MIC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.app.exports.series import NO_PRICE, NO_VOLUME, PRICES, Losses, Member, Series
from truetape.app.exports.venue_hours import ended
from truetape.domain.errors import BadInput
from truetape.domain.time import NANOSECONDS, to_datetime

STEPS: Final = {
    "1m": "1-MINUTE",
    "5m": "5-MINUTE",
    "15m": "15-MINUTE",
    "30m": "30-MINUTE",
    "1h": "1-HOUR",
    "1d": "1-DAY",
    "1w": "1-WEEK",
    "1mo": "1-MONTH",
}
SCALE: Final = 16  # decimals of a stored number
MOST_DECIMALS: Final = 9
CENTS: Final = 2

_EQUITIES: Final = ("equity", "etf", "fund")
_PAIRS: Final = ("fx", "crypto")
_MOST: Final = 9e15  # a stored number is exact below
_NO_INSTRUMENT: Final = "Instruments that are neither shares nor pairs, of which there are bars alone: {}."
_ROUNDED: Final = f"Prices and volumes of more than {MOST_DECIMALS} decimals that stand rounded: {{}}."


class NautilusSink:
    """A folder for ParquetDataCatalog."""

    def __init__(self, path: Path) -> None:
        self._losses = Losses()
        self._data = path / "data"
        self._data.mkdir(parents=True)

    @property
    def notes(self) -> list[str]:
        """What the form could not hold as it was."""
        return self._losses.told()

    def add(self, series: Series) -> int:
        """Write the bars of an instrument, and the instrument itself."""
        member, bars = series.member, series.priced()
        self._losses.count(NO_PRICE, len(series.bars) - len(bars))
        self._losses.count(NO_VOLUME, bars["volume"].null_count())
        volumes = bars["volume"].fill_null(0.0)
        price_decimals, size_decimals = self.described(member, [bars[name] for name in PRICES], [volumes])
        identity = identity_of(member)
        if bars.is_empty():
            return 0
        ends = ended(bars["ts_event"], timeframe=series.timeframe, mic=member.mic).to_physical().to_numpy()
        kind = f"{identity}-{STEPS[series.timeframe]}-LAST-EXTERNAL"
        columns = {name: wide(bars[name], price_decimals, symbol=member.symbol) for name in PRICES}
        columns["volume"] = wide(volumes, size_decimals, symbol=member.symbol)
        labels = {
            "bar_type": kind,
            "instrument_id": identity,
            "price_precision": str(price_decimals),
            "size_precision": str(size_decimals),
        }
        self.write("bar", kind, stamped(columns, ends), labels, first=int(ends[0]), last=int(ends[-1]))
        return len(bars)

    def finish(self) -> None:
        """Do nothing: every file is whole."""

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def described(self, member: Member, prices: Sequence[pl.Series], sizes: Sequence[pl.Series]) -> tuple[int, int]:
        """Write the instrument of a member, and return how many decimals its prices and its sizes have."""
        price_decimals = max(CENTS, *(self._decimals(one) for one in prices))
        size_decimals = max(self._decimals(one) for one in sizes)
        identity = identity_of(member)
        self._write_instrument(member, identity, price_decimals=price_decimals, size_decimals=size_decimals)
        return price_decimals, size_decimals

    def _decimals(self, values: pl.Series) -> int:
        """Return how many decimals the values have."""
        numbers = values.to_numpy()
        for decimals in range(MOST_DECIMALS):
            scaled = numbers * 10.0**decimals
            if (np.abs(scaled - np.rint(scaled)) <= np.abs(scaled) * 1e-14).all():
                return decimals
        scaled = numbers * 10.0**MOST_DECIMALS
        self._losses.count(_ROUNDED, int((np.abs(scaled - np.rint(scaled)) > np.abs(scaled) * 1e-14).sum()))
        return MOST_DECIMALS

    def _write_instrument(self, member: Member, identity: str, *, price_decimals: int, size_decimals: int) -> None:
        base, _, quote = member.symbol.partition("/")
        shared = {
            "id": identity,
            "raw_symbol": member.symbol,
            "price_precision": price_decimals,
            "price_increment": _step(price_decimals),
            **dict.fromkeys(("margin_init", "margin_maint", "maker_fee", "taker_fee"), "0"),
            "info": b"null",
            "ts_event": 0,
            "ts_init": 0,
        }
        if member.asset_class in _EQUITIES:
            kind, row = "Equity", {**shared, "currency": member.currency, "lot_size": "1", "isin": None}
        elif member.asset_class in _PAIRS and quote:
            pair = {"base_currency": base, "quote_currency": quote, "multiplier": "1", "size_precision": size_decimals}
            limits = dict.fromkeys(
                f"{end}_{what}" for end in ("max", "min") for what in ("quantity", "notional", "price")
            )
            kind = "CurrencyPair"
            row = {**shared, **pair, **limits, "lot_size": None, "size_increment": _step(size_decimals)}
        else:
            self._losses.count(_NO_INSTRUMENT, 1)
            return
        folder = {"Equity": "equity", "CurrencyPair": "currency_pair"}[kind]
        self.write(folder, identity, _instrument(kind, row), {"class": kind}, first=0, last=0)

    def write(
        self, kind: str, name: str, columns: Mapping[str, Any], labels: Mapping[str, str], *, first: int, last: int
    ) -> None:
        """Write the one file of what is called `name`: `first` and `last` are its instants, UTC nanoseconds."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = [
            pa.field(key, value.type, nullable=kind in {"equity", "currency_pair"}) for key, value in columns.items()
        ]
        table = pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields, metadata=dict(labels)))
        folder = self._data / kind / name.replace("/", "")  # as the catalog names its folders
        if folder.resolve().parent != (self._data / kind).resolve():
            raise BadInput(parameter="The ticker", value=name, fix="A folder cannot be called so.")
        folder.mkdir(parents=True)
        pq.write_table(table, folder / f"{_file_time(first)}_{_file_time(last)}.parquet", compression="zstd")


def identity_of(member: Member) -> str:
    """Return what the catalog calls an instrument."""
    return f"{member.symbol}.{member.mic}"


def _instrument(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return one instrument as columns in the order and of the types that the catalog has for its kind."""
    import pyarrow as pa

    word = pa.dictionary(pa.int16(), pa.string())
    text, count = pa.string(), pa.uint8()
    types = {
        "Equity": {"currency": word, "price_precision": count, "price_increment": word, "lot_size": word, "isin": text},
        "CurrencyPair": {
            "base_currency": word,
            "quote_currency": word,
            "price_precision": count,
            "size_precision": count,
            **dict.fromkeys(("price_increment", "size_increment", "multiplier", "lot_size"), word),
            **dict.fromkeys(("max_quantity", "min_quantity", "max_notional", "min_notional"), word),
            **dict.fromkeys(("max_price", "min_price"), word),
        },
    }[kind]
    ordered = {
        "id": pa.dictionary(pa.int64(), pa.string()),
        "raw_symbol": text,
        **types,
        **dict.fromkeys(("margin_init", "margin_maint", "maker_fee", "taker_fee"), text),
        "info": pa.binary(),
        "ts_event": pa.uint64(),
        "ts_init": pa.uint64(),
    }
    return {name: pa.array([row[name]], dtype) for name, dtype in ordered.items()}


def stamped(columns: Mapping[str, Any], ends: Any) -> dict[str, Any]:
    """Return `columns` with those of time: when something was known."""
    import pyarrow as pa

    stamps = pa.array(ends.astype(np.uint64))
    return {**columns, "ts_event": stamps, "ts_init": stamps}


def wide(values: pl.Series, decimals: int, *, symbol: str) -> Any:
    """Return numbers as 16 bytes each: rounded to `decimals`, in units of 10^-16, little-endian, signed."""
    import pyarrow as pa

    scaled = np.rint(values.to_numpy() * 10.0**decimals)
    if len(scaled) and not np.abs(scaled).max() < _MOST:
        fix = "It has too many digits for a number of NautilusTrader; export it as another format."
        raise BadInput(parameter=f"A number of {symbol}", value=float(np.abs(values.to_numpy()).max()), fix=fix)
    size, factor = np.abs(scaled).astype(np.uint64), 10 ** (SCALE - decimals)
    low, high = _product(size, factor)
    is_negative = scaled < 0
    low = np.where(is_negative, ~low + np.uint64(1), low)
    high = np.where(is_negative, ~high + (low == 0), high)
    both = np.stack([low, high], axis=1).astype("<u8").tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(scaled), [None, pa.py_buffer(both)])


def _product(size: Any, factor: int) -> tuple[Any, Any]:
    """Return the lower and the upper 64 bits of `size` times `factor`, both below 2^64."""
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    upper, lower = np.uint64(factor >> 32), np.uint64(factor & 0xFFFFFFFF)
    first, second = (size & mask) * lower, (size >> half) * lower
    third, fourth = (size & mask) * upper, (size >> half) * upper
    middle = (first >> half) + (second & mask) + (third & mask)
    low = (first & mask) | ((middle & mask) << half)
    return low, fourth + (second >> half) + (third >> half) + (middle >> half)


def _step(decimals: int) -> str:
    return f"{10.0**-decimals:.{decimals}f}"


def _file_time(instant_ns: int) -> str:
    """Return an instant as the catalog writes it in names of files: 2012-01-03T21-00-00-000000000Z."""
    rest = instant_ns % NANOSECONDS
    return f"{to_datetime(instant_ns - rest):%Y-%m-%dT%H-%M-%S}-{rest:09d}Z"
