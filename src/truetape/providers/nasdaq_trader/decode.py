"""The symbol directory's three files, read: columns between upright strokes, and a last line that is no symbol."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.drift import names_differ, words
from truetape.domain.errors import ProviderRefused
from truetape.providers.nasdaq_trader.classify import TRAILER, by_body

PROVIDER: Final = "nasdaq_trader"
NASDAQ: Final = "Q"
MICS: Final = {"N": "XNYS", "A": "XASE", "P": "ARCX", "Z": "BATS", "V": "IEXG", "M": "XCHI"}
TIERS: Final = {"Q": "XNGS", "G": "XNMS", "S": "XNCM"}  # Global Select, Global and Capital Market

_SYMBOL: Final = ("Symbol", "ACT Symbol")
_NEEDED: Final = ("Security Name", "Test Issue", "ETF")
_YES: Final = "Y"
_MOST_COLUMNS: Final = 40
_MARK: Final = b"\xef\xbb\xbf"


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the rows name their symbols
    """Return schema DECODED["listings"], in the order of the file, without test issues and the last line.

    Exchanges are in the directory's letters (N, A, P, Z, V; Q for Nasdaq), their MICs are those of the market.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor one of the three files, or its last line was cut.
    """
    return directory(body).drop("condition")


def directory(body: bytes) -> pl.DataFrame:
    """Return what `listings` does, and in a column `condition` what Nasdaq says of the issuer.

    Of its letters D is deficient, E late with its reports, Q bankrupt, G, H, J and K several of them, N none.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor one of the three files, or its last line was cut.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    rows = _rows(payload).filter(pl.col("Test Issue").fill_null("N") != _YES)
    symbol = next(name for name in _SYMBOL if name in rows.columns)
    exchange = _exchange(rows)
    tier = _column(rows, "Market Category").replace_strict(TIERS, default="XNAS", return_dtype=pl.String)
    mic = exchange.replace_strict(MICS, default=None, return_dtype=pl.String)
    columns: dict[str, Column] = {
        "symbol": rows[symbol],
        "name": rows["Security Name"],
        "exchange": exchange,
        "mic": tier.zip_with(exchange == NASDAQ, mic),
        "asset_class": (rows["ETF"] == _YES).replace_strict({True: "etf"}, default="equity", return_dtype=pl.String),
    }
    frame = decoded("listings", columns, currency="USD", status="active")
    return frame.with_columns(_column(rows, "Financial Status").alias("condition"))


def _rows(payload: Payload) -> pl.DataFrame:
    """Return the lines of a file as texts, without those behind the last symbol; blank cells are null."""
    payload.bounded()
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    body = payload.body.removeprefix(_MARK)
    names = [name.strip() for name in _text(payload, body.partition(b"\n")[0]).split("|")]
    missing = [name for name in _NEEDED if name not in names]
    if missing or not set(names) & set(_SYMBOL) or len(set(names)) < len(names) or len(names) > _MOST_COLUMNS:
        told = words(names_differ((_SYMBOL[0], *_NEEDED), names))
        raise payload.defect(f"its first line was {'|'.join(names)[:200]!r}{told}")
    table, trailer, rest = body.partition(b"\n" + TRAILER)
    if not trailer and not table.endswith(b"\n"):
        raise payload.defect("its last line was cut")
    if b"\n" in rest.rstrip():
        raise payload.defect("lines came after the one that ends it")
    return _table(payload, table, names)


def _table(payload: Payload, table: bytes, names: list[str]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(table, separator="|", quote_char=None, infer_schema=False, has_header=True)
    except pl.exceptions.PolarsError as error:
        raise payload.defect(f"it was no table: {str(error).partition(chr(10))[0][:200]}") from None
    frame.columns = names
    stripped = frame.select(pl.all().str.strip_chars()).with_columns(pl.all().replace("", None))
    symbol = next(name for name in _SYMBOL if name in names)
    if stripped[symbol].null_count():
        raise payload.defect("a line had no symbol")
    short = stripped.filter(pl.col("Test Issue").is_null() & pl.col("ETF").is_null())
    if not short.is_empty():
        raise payload.defect(f"the line of {short[symbol][0][:40]!r} was cut")
    return stripped


def _exchange(rows: pl.DataFrame) -> pl.Series:
    for name in ("Listing Exchange", "Exchange"):
        if name in rows.columns:
            return rows[name]
    return pl.Series([NASDAQ], dtype=pl.String).new_from_index(0, len(rows))


def _column(rows: pl.DataFrame, name: str) -> pl.Series:
    if name in rows.columns:
        return rows[name]
    return pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))


def _text(payload: Payload, line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise payload.defect("its first line was no text") from None
