"""The European Central Bank's desk: the data portal's tables of one rate, and the files of all currencies."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import EARLIEST, HTML, LATEST, TEXT, Desk, Query, Reply
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

CSV: Final = "text/csv"
XML: Final = "text/xml"
ZIP: Final = "application/zip"
RECENT_DAYS: Final = 90  # of the short file
EURO: Final = "EUR/"

_FILES: Final = ("eurofxref-daily.xml", "eurofxref-hist-90d.xml", "eurofxref-hist.zip")
_PORTAL: Final = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS"
_NONE: Final = Reply(404, b"No results found.", TEXT)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # of files in the zip, so that equal rates make equal bytes
_ABSENT: Final = "N/A"
_LENGTH: Final = len("EUR/USD")

Fixing = tuple[date, str, float]  # day, currency, units for one euro


class EcbDesk(Desk):
    """Fixings of the euro: the closes of the dataset's pairs EUR/xxx."""

    routes = (
        "/service/data/EXR/D.{symbol:[^.]*}.EUR.SP00.A",
        "/service/data/{flow}/{key}",
        "/stats/eurofxref/{file}",
    )
    throttled = Reply(429, b"Too many requests.", TEXT)
    soft = throttled
    spent = throttled
    drifting = "OBS_VALUE"
    refusals = MappingProxyType(
        {
            FailureClass.EMPTY: _NONE,
            FailureClass.THROTTLED: throttled,
            FailureClass.PERMANENT: Reply(400, b"Syntax error in the parameters.", TEXT),
            FailureClass.TRANSIENT: Reply(503, b"<html>Service Unavailable</html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's pair of a currency; a pair is its own name."""
        return f"{EURO}{symbol}" if symbol and "/" not in symbol else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse other series, formats and dates that are none, and files that there are not."""
        if "file" in query.parts:
            return None if query.parts["file"] in _FILES else Reply(404, b"<html>Not Found</html>\n", HTML)
        if "key" in query.parts:
            return _NONE
        wrong = [name for name in ("startPeriod", "endPeriod") if name in query.params and not _day(query.params[name])]
        known = query.params.get("format") == "csvdata"
        return None if known and not wrong else self.refusals[FailureClass.PERMANENT]

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - the answer is always the same
        """Answer 404."""
        return _NONE

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the table of one rate; no days are not found."""
        first = _day(query.params.get("startPeriod", "")) or EARLIEST.date()
        last = _day(query.params.get("endPeriod", "")) or LATEST.date()
        found = fixings(query.symbol, truth.between(first, last).raw)
        return Reply(200, portal(found), CSV) if found else _NONE

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer a file of all currencies."""
        file = query.parts.get("file")
        if file is None:
            return None
        pairs = (one for one in dataset.series.values() if one.symbol.startswith(EURO) and len(one.symbol) == _LENGTH)
        every = sorted((fixing for one in pairs for fixing in fixings(one.symbol, one.bars)), reverse=True)
        if file == "eurofxref-hist.zip":
            return Reply(200, zipped(wide(every)), ZIP)
        days = 0 if file == "eurofxref-daily.xml" else RECENT_DAYS
        return Reply(200, cubes(one for one in every if one[0] >= query.today - timedelta(days=days)), XML)


def fixings(pair: str, bars: pl.DataFrame) -> list[Fixing]:
    """Return the closes of `bars` as fixings of the currency in `pair`, ascending."""
    known = bars.filter(pl.col("close").is_not_null())
    currency = pair.removeprefix(EURO)
    return [(day, currency, rate) for day, rate in zip(known["ts_event"].dt.date(), known["close"], strict=True)]


def portal(found: Iterable[Fixing]) -> bytes:
    """Return fixings as a table of the data portal, in their order."""
    lines = [f"EXR.D.{one}.EUR.SP00.A,D,{one},EUR,SP00,A,{day},{rate},A" for day, one, rate in found]
    return "\r\n".join([_PORTAL, *lines, ""]).encode()


def cubes(found: Iterable[Fixing]) -> bytes:
    """Return fixings, newest first, as the XML file of the days that they are of."""
    days: dict[date, list[str]] = {}
    for day, currency, rate in found:
        days.setdefault(day, []).append(f'<Cube currency="{currency}" rate="{rate}"/>')
    inside = "".join(f'<Cube time="{day}">{"".join(rates)}</Cube>' for day, rates in days.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
        f"<gesmes:subject>Reference rates</gesmes:subject><Cube>{inside}</Cube></gesmes:Envelope>\n"
    ).encode()


def wide(found: Iterable[Fixing]) -> bytes:
    """Return fixings, newest first, as the CSV file with a column for each currency."""
    days: dict[date, dict[str, float]] = {}
    for day, currency, rate in found:
        days.setdefault(day, {})[currency] = rate
    names = sorted({currency for rates in days.values() for currency in rates})
    lines = ["".join([f"{day},", *(f"{rates.get(name, _ABSENT)}," for name in names)]) for day, rates in days.items()]
    return "\n".join(["".join(["Date,", *(f"{name}," for name in names)]), *lines, ""]).encode()


def zipped(body: bytes) -> bytes:
    """Return `body` as the only file of a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("eurofxref-hist.csv", _EPOCH), body, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2024-03-08") else None
    except ValueError:
        return None


DESK: Final = EcbDesk()
