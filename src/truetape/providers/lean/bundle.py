"""The files that together answer one question, as one body: a zip of LEAN's own files, each as it was, unpacked."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from truetape.domain.decoding import Payload
from truetape.domain.unpacking import members

MOST_FILES: Final = 60_000
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # of every file, so that equal files make equal bodies
_SERIES: Final = re.compile(r"(daily|hour)/(\d{8})-(\d{8})/([^/]+)\.zip")
_DAY: Final = re.compile(r"minute/([^/]+)/(\d{8})_trade\.zip")
_MAP: Final = re.compile(r"map_files/([^/]+)\.csv")
_FACTORS: Final = re.compile(r"factor_files/([^/]+)\.csv")
_ALONE: Final = re.compile(r"daily/([^/]+)\.zip")


@dataclass(frozen=True)
class Prices:
    """A file of prices, and the days that it is read for, both inclusive."""

    name: str
    folder: str  # daily, hour or minute
    first: date
    last: date
    body: bytes


@dataclass(frozen=True)
class Bundle:
    """What a body holds."""

    prices: tuple[Prices, ...] = ()
    factors: str | None = None  # the text of the factor file; None where there is none
    factors_name: str = ""
    maps: Mapping[str, str] | None = None  # texts of map files, by security
    alone: tuple[str, ...] = ()  # tickers that no map file has


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return `files`, by their names, as one body."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, body in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), body)
    return buffer.getvalue()


def series_name(folder: str, ticker: str, first: date, last: date) -> str:
    """Return the name of a file of daily or hourly prices that is read from `first` to `last`."""
    return f"{folder}/{first:%Y%m%d}-{last:%Y%m%d}/{ticker}.zip"


def opened(payload: Payload) -> Bundle:
    """Return what a body holds.

    Raises:
        UndecodablePayload: It is no zip of LEAN's files, too large or damaged.
    """
    found = members(payload, most=MOST_FILES)
    prices, maps, alone = [], {}, []
    factors, factors_name = None, ""
    for name, body in found.items():
        if series := _SERIES.fullmatch(name):
            first, last = (_date(payload, text) for text in series.groups()[1:3])
            prices.append(Prices(name, series[1], first, last, body))
        elif minute := _DAY.fullmatch(name):
            day = _date(payload, minute[2])
            prices.append(Prices(name, "minute", day, day, body))
        elif one := _MAP.fullmatch(name):
            maps[one[1]] = text_of(payload, name, body)
        elif _FACTORS.fullmatch(name):
            factors, factors_name = text_of(payload, name, body), name
        elif ticker := _ALONE.fullmatch(name):
            alone.append(ticker[1])
        else:
            raise payload.defect(f"its zip held {name[:80]!r}, which is no file of LEAN's")
    ordered = tuple(sorted(prices, key=lambda one: (one.first, one.name)))
    return Bundle(prices=ordered, factors=factors, factors_name=factors_name, maps=maps, alone=tuple(sorted(alone)))


def text_of(payload: Payload, name: str, body: bytes) -> str:
    """Return a file of text.

    Raises:
        UndecodablePayload: It is no UTF-8.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise payload.defect(f"{name[:80]} was no UTF-8") from None


def _date(payload: Payload, text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  a date has no zone
    except ValueError:
        raise payload.defect(f"a name in its zip had the date {text}") from None
