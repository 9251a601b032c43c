"""Lists of listings in plain files: whose they are shows in their content, and their provider's decoder reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import polars as pl

from truetape.app.plain_files import read_bytes
from truetape.domain import tables
from truetape.domain.asks import Ask
from truetape.domain.decoding import Payload, decoded
from truetape.domain.errors import BadInput, ProviderRefused, UndecodablePayload
from truetape.domain.listed import Snapshot, snapshot
from truetape.domain.unpacking import unpacked
from truetape.providers.alpha_vantage import decode as alpha_vantage
from truetape.providers.nasdaq_trader import decode as nasdaq_trader
from truetape.providers.nasdaq_trader.classify import HEADERS, TRAILER, is_whole
from truetape.providers.sec import decode as sec
from truetape.providers.sec.classify import is_table
from truetape.providers.tiingo import decode as tiingo

PLAIN: Final = "plain"  # a table of nobody in particular, with a column symbol or ticker
SOURCES: Final = ("sec", "nasdaq_trader", "alpha_vantage", "tiingo", PLAIN)

_MARK: Final = b"\xef\xbb\xbf"
_ASK: Final = Ask(kind="listings", symbol="")
_ALPHA_VANTAGE: Final = b"symbol,name,exchange,"
_TIINGO: Final = b"ticker,exchange,assetType"
_COLUMNS: Final = {  # of a plain table, by the column of a listing
    "symbol": ("symbol", "ticker"),
    "name": ("name", "title", "security name", "security_name", "company", "description"),
    "exchange": ("exchange", "mic", "venue", "market"),
    "asset_class": ("asset_class", "assettype", "type"),
    "status": ("status",),
    "first_date": ("first_date", "ipodate", "startdate", "start_date", "listed"),
    "last_date": ("last_date", "delistingdate", "enddate", "end_date", "delisted"),
    "isin": ("isin",),
    "figi": ("figi", "composite_figi", "compositefigi"),
    "cik": ("cik", "cik_str"),
}
_TRAILER: Final = TRAILER.decode()
_NUMBERED: Final = (b",", b'"",')
_PAIRS: Final = re.compile(rb"[A-Za-z0-9.\-]{1,12}\t[0-9]{1,10}\r?\n")
_ABSENT: Final = ("null", "None", "N/A", "-", "")
_DATES: Final = ("first_date", "last_date")


@dataclass(frozen=True)
class ListFile:
    """A list that stood in a file: whose it is, its rows as schema DECODED["listings"], and whether it is whole."""

    name: str
    source: str  # of SOURCES
    frame: pl.DataFrame  # with a column `condition`, where the source has one
    whole: bool

    @property
    def venues(self) -> frozenset[str] | None:
        """The exchanges of its listings by their MIC; None where it does not tell that of each."""
        mics = self.frame["mic"]
        return None if mics.null_count() else frozenset(_exchanges(mics))


def snapshots(old: ListFile, new: ListFile) -> tuple[Snapshot, Snapshot]:
    """Return two lists for a comparison.

    Lists of two sources are compared by tickers in one spelling, on the exchanges that both cover, and without names,
    which each source writes in its own way. Of two files of one source that cover other exchanges, what only one covers
    is left out, but for tickers that both have.
    """
    if old.source == new.source:
        before, after = _both_cover(old, new), _both_cover(new, old)
        return snapshot(before, whole=old.whole), snapshot(after, whole=new.whole)
    one = snapshot(_across(old, new), whole=old.whole, one_spelling=True)
    return one, snapshot(_across(new, old), whole=new.whole, one_spelling=True)


def _both_cover(one: ListFile, other: ListFile) -> pl.DataFrame:
    if one.source != "nasdaq_trader":
        return one.frame
    covered = pl.col("exchange").is_in(other.frame["exchange"].unique().to_list())
    return one.frame.filter(covered | pl.col("symbol").is_in(other.frame["symbol"].to_list()))


def _across(one: ListFile, other: ListFile) -> pl.DataFrame:
    frame = one.frame.with_columns(_exchanges(one.frame["mic"]).alias("exchange"), name=pl.lit(None, dtype=pl.String))
    frame = frame.with_columns(mic=pl.lit(None, dtype=pl.String))
    shared = other.venues
    within = frame if shared is None else frame.filter(_somewhere_in(shared))
    return within.drop("condition", strict=False)


def _somewhere_in(venues: frozenset[str]) -> pl.Expr:
    return pl.col("exchange").is_null() | pl.col("exchange").is_in(list(venues))


def _exchanges(mics: pl.Series) -> pl.Series:
    return mics.replace(dict.fromkeys(nasdaq_trader.TIERS.values(), "XNAS"))


def read_list(name: str, *, source: str = "") -> ListFile:
    """Return the list in the file `name`, or on standard input for "-", plain or packed by gzip or zip.

    Args:
        name: The file.
        source: Whose list it is, of SOURCES; "" to see it from the content.

    Raises:
        BadInput: The file cannot be read, is no list, or is not one of `source`.
    """
    if source and source not in SOURCES:
        raise BadInput(parameter="--source", value=source, fix=f"Choose one of {', '.join(SOURCES)}.")
    try:
        body = unpacked(Payload(provider="file", kind="listings", body=read_bytes(name))).body
        body = tidied(body)
        whose = source or recognized(body)
        frame = _READERS[whose](body)
    except (UndecodablePayload, ProviderRefused) as error:
        raise BadInput(parameter="The file", value=name, fix=f"It is no readable list: {error}") from None
    if frame.is_empty():
        raise BadInput(parameter="The file", value=name, fix="It lists nothing; a list has a row for each ticker.")
    return ListFile(name, whose, frame, whole=whose != "nasdaq_trader" or is_whole(body))


def recognized(body: bytes) -> str:
    """Return whose list `body` is, of SOURCES, by how it begins."""
    head = body[:256].lstrip()
    if head.startswith(HEADERS):
        return "nasdaq_trader"
    if head.startswith(_TIINGO):
        return "tiingo"
    if head.startswith(_ALPHA_VANTAGE) and b"assetType" in head:
        return "alpha_vantage"
    if head.startswith(b"{") or is_table(head) or b"cik_str" in head:
        return "sec"
    return PLAIN


def tidied(body: bytes) -> bytes:
    """Return a list without what programs put around it: a mark of its encoding, a column of row numbers.

    The SEC's list of tickers and CIKs with tabs between them becomes a table with a header.
    """
    plain = body.removeprefix(_MARK)
    if _PAIRS.match(plain):
        lines = plain.decode("ascii", "replace").upper().replace("\t", ",")
        return f"ticker,cik\n{lines}".encode()
    if not plain.startswith(_NUMBERED):
        return plain
    payload = Payload(provider="file", kind="listings", body=b"row" + plain.removeprefix(b'""'))
    return tables.rows(payload).drop("row").write_csv().encode()


def _plain(body: bytes) -> pl.DataFrame:
    """Return a table of nobody in particular, in CSV or as an array of objects in JSON."""
    payload = Payload(provider="file", kind="listings", body=body)
    frame = _objects(payload) if body.lstrip()[:1] == b"[" else tables.rows(payload)
    lowered = {name.lower(): name for name in frame.columns}
    found = {
        name: frame[next(lowered[one] for one in known if one in lowered)]
        for name, known in _COLUMNS.items()
        if any(one in lowered for one in known)
    }
    if "symbol" in found:
        sound = ~found["symbol"].str.starts_with(_TRAILER).fill_null(value=False)
        if "test issue" in lowered:
            sound &= (frame[lowered["test issue"]] != "Y").fill_null(value=True)
        found = {name: column.filter(sound) for name, column in found.items()}
    else:
        raise payload.defect(f"it has no column symbol or ticker, but {', '.join(frame.columns)[:200]}")
    if "status" in found:
        found["status"] = found["status"].str.to_lowercase()
    if "cik" in found:
        found["cik"] = found["cik"].str.zfill(sec.CIK_DIGITS)
    told = {name: column if name == "symbol" else _told(column) for name, column in found.items()}
    for name in _DATES:
        if name in told:
            told[name] = payload.dates(told[name].str.slice(0, 10), field=name, missing=())
    return decoded("listings", dict(told))


def _objects(payload: Payload) -> pl.DataFrame:
    rows = payload.parsed(msgspec.json.Decoder(list[dict[str, str | int | float | bool | None]]).decode)
    names = dict.fromkeys(name for row in rows for name in row)
    texts = {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in names}
    return pl.DataFrame(texts, schema=dict.fromkeys(names, pl.String))


def _ended(body: bytes) -> bytes:
    """Return a table with an end to its last line, which editors leave out, if that line has all its cells."""
    return body if body.endswith(b"\n") or not tables.ends_whole(body) else body + b"\n"


def _told(texts: pl.Series) -> pl.Series:
    return texts.set(texts.is_in(list(_ABSENT)), None)


_READERS: Final[dict[str, Callable[[bytes], pl.DataFrame]]] = {
    "sec": lambda body: sec.listings(body, _ASK),
    "nasdaq_trader": nasdaq_trader.directory,
    "alpha_vantage": lambda body: alpha_vantage.listings(_ended(body), _ASK),
    "tiingo": lambda body: tiingo.listings(body, _ASK),
    PLAIN: _plain,
}
