"""The instrument master over HTTP: instruments that are searched, and all that is known of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.errors import BadInput, UnknownSymbol, UnknownTarget
from truetape.domain.instrument_search import WAYS
from truetape.domain.merging import members, redirected
from truetape.domain.time import iso
from truetape.ports.store import Selection
from truetape.services.api.answers import Page
from truetape.services.api.config import ApiConfig
from truetape.services.api.directory import Directory
from truetape.services.api.endpoint import Endpoint, form_of
from truetape.services.api.formats import PAGE_FORMATS, TABLE_FORMATS
from truetape.services.api.parameters import Parameter
from truetape.services.api.query import LONGEST_SEARCH, LONGEST_SYMBOL, read_instant, read_limit
from truetape.services.api.reading import Reading
from truetape.services.api.shelf import Shelf

SEARCH: Final = "/v1/instruments/search"
INSTRUMENT: Final = "/v1/instruments/{instrument}"
MOST_FOUND: Final = 1000
FOUND: Final[Mapping[str, pl.DataType]] = {
    "rank": pl.UInt32(),  # from 1
    "instrument_id": pl.String(),
    "symbol": pl.String(),  # the present ticker, or the last one
    "mic": pl.String(),
    "name": pl.String(),
    "asset_class": pl.String(),
    "currency": pl.String(),
    "listed": pl.Boolean(),  # somewhere, now
    "valid_to": pl.Date(),  # exclusive; null: still listed
    "matched": pl.String(),  # of instrument_search.WAYS
}
_NAMES: Final = ("instrument_id", "name", "asset_class", "currency")


@dataclass(frozen=True, kw_only=True)
class SearchQuery:
    """What somebody types, how many instruments are wanted, and as known when."""

    q: str
    limit: int
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseQuery:
    """An instrument's id or ticker, and as known when."""

    instrument: str
    as_of: int | None = None
    snapshot: str = ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A ticker on a venue; `valid_to` is exclusive, and what is None has no end, or was not told."""

    symbol: str
    mic: str
    valid_from: date | None
    valid_to: date | None
    currency: str | None = None
    lot: float | None = None
    increment: float | None = None
    status: str | None = None
    board: str | None = None
    source: str | None = None
    record: str  # the id that it stands under


class Identifier(msgspec.Struct, frozen=True, kw_only=True):
    """An identifier whose check digits are right."""

    scheme: str
    value: str
    valid_from: date | None
    valid_to: date | None
    source: str


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A name, and what kind of paper it was."""

    name: str | None
    paper: str | None
    valid_from: date | None
    valid_to: date | None
    source: str


class MergeTold(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was merged into another, or taken out again."""

    instrument_id: str
    into: str
    stands: bool
    actor: str
    why: str
    evidence: str
    known: str  # ISO 8601


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules could not decide about it."""

    question_id: str
    kind: str
    words: str
    provider: str
    known: str  # ISO 8601


class InstrumentCase(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of an instrument; of a merged record, of the one that stands for it."""

    instrument_id: str
    asked: str
    name: str | None
    asset_class: str | None
    currency: str | None
    issuer: str | None  # its id
    listed: bool
    listings: tuple[Listed, ...]  # ascending
    names: tuple[Called, ...]
    identifiers: tuple[Identifier, ...]
    records: tuple[str, ...]  # ids that this one stands for, itself first
    merges: tuple[MergeTold, ...]
    questions: tuple[Question, ...]
    known: str  # since when the newest of this is known, ISO 8601


def master_endpoints(*, limit: Parameter, known: tuple[Parameter, ...]) -> list[Endpoint]:
    """Return the endpoints of the master; `known` are the parameters that say as known when."""
    q = Parameter("q", "A ticker, an identifier, or words of a name; one letter may be wrong.", example="apple",
                  required=True)  # fmt: skip
    one = Parameter("instrument", "An instrument's id, or a ticker.", example="AAPL", required=True)
    return [
        Endpoint(
            name="search",
            path=SEARCH,
            title="Search instruments",
            about=(
                "Instruments that may be meant, the likeliest first: by identifier, ticker, former ticker, name, the "
                "beginning of either, words, or nearly so; what is listed before what is gone, common stock before "
                "warrants. `matched` says how."
            ),
            example=f"{SEARCH}?q=apple",
            parameters=(q, *known, form_of(TABLE_FORMATS), limit),
            formats=TABLE_FORMATS,
            columns=FOUND,
        ),
        Endpoint(
            name="instrument",
            path=INSTRUMENT,
            title="An instrument",
            about=(
                "All that is known of one: dated tickers and venues, names, identifiers, merged records, and what "
                "could not be decided. `format=text` is for reading."
            ),
            example="/v1/instruments/AAPL?format=text",
            parameters=(*known, form_of(PAGE_FORMATS)),
            formats=PAGE_FORMATS,
            columns={},
            path_parameters=(one,),
        ),
    ]


def search_query(given: Mapping[str, str], _: Mapping[str, str], config: ApiConfig) -> SearchQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    q = given["q"].strip()
    if len(q) > LONGEST_SEARCH:
        fix = f"Write at most {LONGEST_SEARCH} characters."
        raise BadInput(parameter="q", value=f"{q[:LONGEST_SEARCH]}...", fix=fix)
    limit = min(read_limit(given, config), MOST_FOUND)
    return SearchQuery(q=q, limit=limit, as_of=_as_of(given), snapshot=given.get("snapshot", ""))


def instrument_query(given: Mapping[str, str], place: Mapping[str, str], _: ApiConfig) -> CaseQuery:
    """Return the question about the instrument at `place`.

    Raises:
        BadInput: A value is not usable.
    """
    return CaseQuery(instrument=place["instrument"], as_of=_as_of(given), snapshot=given.get("snapshot", ""))


async def found(reading: Reading, shelf: Shelf, query: SearchQuery) -> Page:
    """Return the instruments that `query` may mean, columns FOUND; nobody turns pages of a search.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    index = await shelf.index(reading)
    hits = await asyncio.to_thread(index.search, query.q, limit=query.limit)
    merges = await reading.read("merges", Selection(as_of=reading.as_of))
    ids = [hit.instrument_id for hit in hits]
    records = sorted({one for hit in ids for one in members(hit, merges)[1]})
    wanted = Selection(equal={"instrument_id": records}, as_of=reading.as_of)
    if not ids:
        return Page(pl.DataFrame(schema=FOUND))
    listings = redirected(await reading.read("listings", wanted), merges)
    last = pl.col("valid_to").fill_null(pl.date(9999, 12, 31))
    newest = listings.sort(last, "valid_from", "symbol", nulls_last=False).unique("instrument_id", keep="last")
    ranked = pl.DataFrame(
        {
            "rank": pl.Series(range(1, len(hits) + 1), dtype=pl.UInt32),
            "instrument_id": ids,
            "matched": [WAYS[hit.way] for hit in hits],
        }
    )
    names = (await reading.read("instruments", wanted)).select(_NAMES)
    rows = ranked.join(newest, on="instrument_id", how="left").join(names, on="instrument_id", how="left").sort("rank")
    is_listed = pl.col("valid_to").is_null() & pl.col("symbol").is_not_null()
    return Page(rows.with_columns(listed=is_listed).select(list(FOUND)))


async def instrument_case(reading: Reading, query: CaseQuery) -> InstrumentCase:
    """Return all that is known of the instrument that `query` is about.

    Raises:
        UnknownTarget: Nothing is.
        BadInput: Several instruments have the ticker.
        StoreUnavailable: The store cannot be read now.
    """
    merges = await reading.read("merges", Selection(as_of=reading.as_of))
    final, records = members(await _meant(reading, query, merges), merges)
    wanted = Selection(equal={"instrument_id": records}, as_of=reading.as_of)
    tables = ("instruments", "listings", "instrument_details", "listing_details", "identifiers")
    rows = {name: await reading.read(name, wanted) for name in tables}
    asked = await reading.read("master_questions", Selection(as_of=reading.as_of))
    about = asked.filter(pl.any_horizontal([pl.col("instruments").str.contains(one, literal=True) for one in records]))
    told = await reading.read("merges", Selection(as_of=reading.as_of, history=True))
    mine = told.filter(pl.col("instrument_id").is_in(records) | pl.col("into").is_in(records)).sort("ts_known")
    return _case(query, final, records, rows, mine, about)


def narrate_instrument(case: InstrumentCase) -> str:
    """Return `case` in words, for a terminal."""
    state = "" if case.listed else " (listed no more)"
    lines = [f"{case.name or case.asked}: {case.asset_class or 'of no told kind'}{state}, {case.instrument_id}"]
    lines += [f"  issuer {case.issuer}"] if case.issuer else []
    for one in case.listings:
        facts = [one.currency, one.status, one.board and f"board {one.board}", one.lot and f"lots of {one.lot:g}"]
        told = ", ".join(str(fact) for fact in facts if fact)
        lines.append(f"  {one.symbol} on {one.mic} {_span(one.valid_from, one.valid_to)}{f' ({told})' if told else ''}")
    lines += [f"  called {one.name} {_span(one.valid_from, one.valid_to)}, says {one.source}" for one in case.names
              if one.name]  # fmt: skip
    lines += [
        f"  {one.scheme.upper()} {one.value} {_span(one.valid_from, one.valid_to)}, says {one.source}"
        for one in case.identifiers
    ]
    for merge in case.merges:
        what = "was merged into" if merge.stands else "was taken out of"
        said = f"{merge.instrument_id} {what} {merge.into} by {merge.actor} at {merge.known}: {merge.why}"
        lines.append(f"  {said}{f' ({merge.evidence})' if merge.evidence else ''}")
    lines += [f"  open: {one.words}" for one in case.questions]
    return "\n".join([*lines, ""])


async def _meant(reading: Reading, query: CaseQuery, merges: pl.DataFrame) -> str:
    text = query.instrument
    if len(text) > LONGEST_SYMBOL:
        raise UnknownTarget(target=text[:LONGEST_SYMBOL], fix="Write an instrument's id, or a ticker such as AAPL.")
    own = await reading.read("instruments", Selection(equal={"instrument_id": (text,)}, as_of=reading.as_of))
    if len(own):
        return text
    same = Selection(equal={"symbol": (text, text.upper())}, as_of=reading.as_of)
    listings = redirected(await reading.read("listings", same), merges)
    try:
        return Directory(listings).find(text if text in listings["symbol"] else text.upper()).instrument_id
    except UnknownSymbol:
        fix = f"Find it with {SEARCH}?q={text}."
        raise UnknownTarget(target=text, fix=fix) from None


def _case(
    query: CaseQuery,
    final: str,
    records: tuple[str, ...],
    rows: dict[str, pl.DataFrame],
    merges: pl.DataFrame,
    questions: pl.DataFrame,
) -> InstrumentCase:
    own = rows["instruments"].filter(pl.col("instrument_id") == final).to_dicts()
    first: dict[str, Any] = own[0] if own else {}
    details = rows["instrument_details"].sort("valid_from", nulls_last=False)
    issuers = details["issuer_id"].drop_nulls()
    listings = rows["listings"]
    known = pl.concat([frame["ts_known"] for frame in (*rows.values(), merges) if len(frame)]).max()
    return InstrumentCase(
        instrument_id=final,
        asked=query.instrument,
        name=first.get("name"),
        asset_class=first.get("asset_class"),
        currency=first.get("currency"),
        issuer=issuers[-1] if len(issuers) else None,
        listed=bool(listings["valid_to"].null_count()),
        listings=_listed(listings, rows["listing_details"]),
        names=tuple(Called(**_of(row, Called)) for row in details.iter_rows(named=True)),
        identifiers=tuple(
            Identifier(**_of(row, Identifier))
            for row in rows["identifiers"].sort("scheme", "valid_from", "value").iter_rows(named=True)
        ),
        records=records,
        merges=tuple(MergeTold(**_of(row, MergeTold)) for row in _known(merges).iter_rows(named=True)),
        questions=tuple(Question(**_of(row, Question)) for row in _known(questions).iter_rows(named=True)),
        known=_known(pl.DataFrame({"ts_known": [known]}))["known"][0],
    )


def _listed(listings: pl.DataFrame, details: pl.DataFrame) -> tuple[Listed, ...]:
    """Return the listings, each with the newest of what is told of it."""
    key = ["instrument_id", "symbol", "mic"]
    newest = details.sort("valid_from", nulls_last=False).unique(key, keep="last", maintain_order=True)
    facts = newest.select(*key, "currency", "lot", "increment", "status", "board", "source")
    rows = listings.join(facts, on=key, how="left").rename({"instrument_id": "record"})
    ordered = rows.sort("valid_from", "valid_to", "symbol", "mic", nulls_last=[False, True, False, False])
    return tuple(Listed(**_of(row, Listed)) for row in ordered.iter_rows(named=True))


def _of(row: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: row[name] for name in kind.__struct_fields__}


def _known(rows: pl.DataFrame) -> pl.DataFrame:
    instants = rows["ts_known"].cast(pl.Int64).to_list()
    return rows.with_columns(known=pl.Series([iso(one) for one in instants], dtype=pl.String))


def _span(begins: date | None, ends: date | None) -> str:
    return f"from {begins or 'ever'} until {ends or 'today'}"


def _as_of(given: Mapping[str, str]) -> int | None:
    return read_instant(given["as_of"], parameter="as_of") if "as_of" in given else None
