"""LEAN's files of one security, read: bars over all its tickers, and actions out of the steps of its factor file."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from truetape.domain import factor_files
from truetape.domain.asks import Ask
from truetape.domain.decoding import OHLC, Payload, ascending, decoded, label, traded
from truetape.domain.schema import DECODED, INSTANT, empty
from truetape.domain.unpacking import unpacked
from truetape.providers.lean.bundle import Bundle, Prices, opened
from truetape.providers.lean.tickers import OPEN, SINCE_EVER, Claim, claims, settled

PROVIDER: Final = "lean"
ZONE: Final = "America/New_York"
SCALE: Final = 10_000.0  # prices are whole ten-thousandths of a dollar
FOLDERS: Final = {"1d": "daily", "1h": "hour", "1m": "minute"}

_COLUMNS: Final = ("when", *OHLC, "volume")
_DAY_MS: Final = 86_400_000
_ROWS: Final = {"ts_event": INSTANT, **dict.fromkeys((*OHLC, "volume"), pl.Float64())}


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the trade bars of a security: schema DECODED["bars"], ascending, as traded.

    Daily bars are labelled with their date; others with the instant at which they begin, which the files tell in New
    York time. Of each file the days count on which the security had that ticker.

    Raises:
        UndecodablePayload: The body is no zip of LEAN's files, or a line is none: file and line are named.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    wanted = FOLDERS.get(ask.timeframe, "daily")
    rows = _series(payload, [one for one in opened(payload).prices if one.folder == wanted])
    if rows.is_empty():
        return empty(DECODED["bars"])
    return decoded(
        "bars",
        rows.to_dict(),
        symbol=ask.symbol or None,
        timeframe=ask.timeframe,
        currency="USD",
        basis="raw",
        running=False,
    )


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the splits and dividends between the lines of a factor file: schema DECODED["actions"], ascending.

    A dividend is whatever the price factor holds: cash of any kind, spin-offs and rights by their worth. Its value is
    measured against the close of the day before, so that the same factors follow from it; bodies without daily prices
    have no factor file.

    Raises:
        UndecodablePayload: The body is no zip of LEAN's files, or a line is none: file and line are named.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    bundle = opened(payload)
    if bundle.factors is None:
        return empty(DECODED["actions"])
    daily = _series(payload, [one for one in bundle.prices if one.folder == "daily"])
    closes = daily.select(pl.col("ts_event").dt.date().alias("date"), "close").drop_nulls()
    lines = _lines(payload, bundle)
    found = factor_files.actions(factor_files.steps(lines, closes["date"]), closes)
    return decoded("actions", found.to_dict(), symbol=ask.symbol or None, currency="USD", basis="raw")


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body is about all symbols
    """Return every ticker that a security had or has: schema DECODED["listings"], by ticker and date.

    Raises:
        UndecodablePayload: The body is no zip of LEAN's files, or a line of a map file is none.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    bundle = opened(payload)
    found = [Claim(ticker, ticker, "", SINCE_EVER, OPEN) for ticker in bundle.alone]
    for security, text in (bundle.maps or {}).items():
        try:
            found += claims(security, text)
        except ValueError as error:
            raise payload.defect(f"map_files/{security[:40]}.csv: {error}") from None
    rows = settled(found)
    traded_still = {one.security for one in rows if one.last == OPEN}
    columns: dict[str, list[object]] = {
        "symbol": [one.ticker.upper() for one in rows],
        "exchange": [one.exchange or None for one in rows],
        "mic": [one.mic for one in rows],
        "status": ["active" if one.security in traded_still else "delisted" for one in rows],
        "first_date": [None if one.first == SINCE_EVER else one.first for one in rows],
        "last_date": [None if one.last == OPEN else one.last for one in rows],
    }
    return decoded("listings", columns, asset_class="equity", currency="USD")


def _lines(payload: Payload, bundle: Bundle) -> pl.DataFrame:
    try:
        return factor_files.parsed(bundle.factors or "")
    except ValueError as error:
        raise payload.defect(f"{bundle.factors_name}: {error}") from None


def _series(payload: Payload, files: list[Prices]) -> pl.DataFrame:
    """Return the bars of several files, each for its days, as one ascending series; together they are bounded."""
    parts, room = [empty(_ROWS)], payload.limit
    for one in files:
        if not one.body:
            raise payload.defect(f"{one.name}: it has no bytes")
        text = unpacked(replace(payload, body=one.body, limit=room)).body
        parts.append(_rows(payload, one, text))
        room -= len(text)
    return ascending(pl.concat(parts), by="ts_event")


def _rows(payload: Payload, file: Prices, text: bytes) -> pl.DataFrame:
    """Return the bars of one file, of which `text` is what it holds, on the days that it is read for."""
    table = _table(payload, file, text)
    when, days = _times(payload, file, table)
    numbers = [_numbers(payload, file, table, name) for name in _COLUMNS[1:]]
    prices = [pl.Series(one.name, one.to_numpy() / SCALE) for one in numbers[:-1]]  # polars multiplies by 1 / SCALE
    frame = traded(pl.DataFrame([when.alias("ts_event"), *prices, numbers[-1]]).with_columns(days.alias("day")))
    return frame.filter(pl.col("day").is_between(file.first, file.last)).drop("day")


def _table(payload: Payload, file: Prices, text: bytes) -> pl.DataFrame:
    """Return the lines of a file as texts, in six columns, and their numbers as `line`; blank lines are left out.

    Further columns mean nothing to us.
    """
    begun = text.lstrip()
    try:
        read = pl.read_csv(begun, has_header=False, infer_schema=False, raise_if_empty=False)
    except pl.exceptions.PolarsError as error:
        words = str(error).partition("\n")[0][:120]
        raise payload.defect(f"{file.name}: it was no CSV of six columns: {words}") from None
    if read.is_empty():
        return pl.DataFrame(schema={**dict.fromkeys(_COLUMNS, pl.String()), "line": pl.UInt32()})
    if read.width < len(_COLUMNS):
        raise payload.defect(f"{file.name}: it had {read.width} columns, not six")
    table = read.select(read.columns[: len(_COLUMNS)])
    table.columns = list(_COLUMNS)
    above = text[: len(text) - len(begun)].count(b"\n")
    blank = pl.col("when").fill_null("").str.strip_chars() == ""
    empty_line = pl.all_horizontal(blank, pl.col(_COLUMNS[1:]).is_null())
    return table.with_columns(pl.row_index("line") + 1 + above).filter(~empty_line)


def _times(payload: Payload, file: Prices, table: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Return the instants that bars are labelled with, and their dates in New York."""
    texts = table["when"]
    if file.folder == "minute":
        since = texts.cast(pl.Int64, strict=False)
        _refuse(payload, file, table, ~since.is_between(0, _DAY_MS, closed="left").fill_null(value=False), "when")
        midnight = pl.Series([file.first]).cast(pl.Datetime("ns"))
        walls = (midnight.cast(pl.Int64)[0] + since * 1_000_000).cast(pl.Datetime("ns"))
    else:
        walls = texts.str.to_datetime("%Y%m%d %H:%M", time_unit="ns", strict=False)
        year = walls.dt.year()
        _refuse(payload, file, table, ~year.is_between(SINCE_EVER.year, OPEN.year).fill_null(value=False), "when")
    if file.folder == "daily":
        return label(walls), walls.dt.date()
    local = walls.dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
    _refuse(payload, file, table, local.is_null(), "when")
    return local.dt.convert_time_zone("UTC").cast(INSTANT), walls.dt.date()


def _numbers(payload: Payload, file: Prices, table: pl.DataFrame, name: str) -> pl.Series:
    values = table[name].cast(pl.Float64, strict=False)
    _refuse(payload, file, table, ~values.is_finite().fill_null(value=False), name)
    return values


def _refuse(payload: Payload, file: Prices, table: pl.DataFrame, wrong: pl.Series, name: str) -> None:
    """Raise the defect of the first wrong line, if there is one."""
    places = wrong.arg_true()
    if len(places):
        found, line = table[name][places[0]], table["line"][places[0]]
        shown = "missing" if found is None else repr(str(found)[:40])
        raise payload.defect(f"{file.name}, line {line}: its {'time' if name == 'when' else name} was {shown}")
