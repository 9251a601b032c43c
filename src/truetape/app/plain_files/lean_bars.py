"""Bars of a file of LEAN's as they are kept in its folder: zipped or not, without a header, in ten-thousandths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.plain_files.content import read_bytes
from truetape.app.plain_files.sheet import MOST_BYTES, Sheet, read_sheet
from truetape.domain.adjust import PRICES
from truetape.domain.asks import Ask
from truetape.domain.decoding import Payload
from truetape.domain.errors import BadInput, UndecodablePayload
from truetape.domain.unpacking import unpacked
from truetape.providers.lean import decode
from truetape.providers.lean.bundle import packed, series_name
from truetape.providers.lean.folder import of_the_usa
from truetape.providers.lean.tickers import OPEN, SINCE_EVER

_LINE: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\d{8} \d\d:\d\d,")  # of a day; no header of ours looks so
_WITHIN_A_DAY: Final = re.compile(rb"^\d{8} (?!00:00)\d\d:\d\d", re.MULTILINE)
_WHOLE: Final = Ask(kind="bars", symbol="", timeframe="1d")


def read_bar_sheet(file: str) -> Sheet:
    """Return a file of bars: any that `read_sheet` takes, or daily bars of LEAN's, under our headers and in dollars.

    Raises:
        BadInput: It cannot be read, or is LEAN's of other securities than equities of the USA.
    """
    name = file.lower()
    if not name.endswith((".zip", ".csv")):
        return read_sheet(file)
    body = read_bytes(file, most=MOST_BYTES)
    return _of_lean(file, body) if name.endswith(".zip") or _LINE.match(body) else read_sheet(file)


def _of_lean(file: str, body: bytes) -> Sheet:
    try:
        of_the_usa(Path(file).absolute().parent.parent)
        text = unpacked(Payload(provider=decode.PROVIDER, kind="bars", body=body)).body
        rows = decode.bars(packed({series_name("daily", "bars", SINCE_EVER, OPEN): body}), _WHOLE)
    except OSError as error:
        raise _refused(file, str(error)) from None
    except UndecodablePayload as error:
        _, _, reason = error.reason.partition(".zip")
        raise _refused(file, reason.lstrip(",: ") or error.reason) from None
    within = _WITHIN_A_DAY.search(text)
    if within is not None:
        raise _refused(file, f"a line of it is of a time of day: {within[0].decode()}")
    return Sheet(file=file, frame=rows.select(pl.col("ts_event").dt.date().alias("date"), *PRICES, "volume"))


def _refused(file: str, reason: str) -> BadInput:
    return BadInput(parameter="The file", value=file, fix=f"It cannot be read as daily bars of LEAN's: {reason}.")
