"""What instruments are in a taxonomy on a day, its structure, and what its revisions changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import polars as pl

from truetape.domain.class_rows import taxonomy_named
from truetape.domain.classes import ASSIGNED, CLASSIFIED, DERIVED, MAPPED, UNMAPPED, classified, members, structure_on
from truetape.domain.errors import BadInput
from truetape.domain.taxonomies import NODE, alike, differences, lineages
from truetape.domain.time import parse_day, to_datetime
from truetape.ports.store import Selection
from truetape.services.api.answers import Answers, Page
from truetape.services.api.config import ApiConfig
from truetape.services.api.paging import Position
from truetape.services.api.query import LONGEST_SEARCH, InstrumentsQuery, read_instant, symbols_of
from truetape.services.api.reading import Reading
from truetape.services.api.shelf import Shelf

STATES: Final = (ASSIGNED, MAPPED, DERIVED, UNMAPPED)
REVISION: Final[Mapping[str, pl.DataType]] = {
    "taxonomy": pl.String(),
    "revision": pl.Date(),
    "classes": pl.UInt32(),
    "levels": pl.UInt32(),
}
TOLD: Final[Mapping[str, pl.DataType]] = {"symbol": pl.String(), "mic": pl.String(), **CLASSIFIED}
CLASS: Final[Mapping[str, pl.DataType]] = {"taxonomy": pl.String(), "revision": pl.Date(), **NODE}


@dataclass(frozen=True, kw_only=True)
class ClassesQuery:
    """What instruments are in `taxonomy` on a day: of some symbols, within a class, or of a state; else all."""

    taxonomy: str
    symbols: tuple[str, ...] = ()
    within: str = ""
    state: str = ""
    source: str = ""
    on: date | None = None  # None: the day of the knowledge time
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class StructureQuery:
    """The classes of a taxonomy on a day, or what its revision of a day changed."""

    taxonomy: str
    on: date | None = None
    old: date | None = None
    as_of: int | None = None
    snapshot: str = ""


def classes_query(given: Mapping[str, str], config: ApiConfig) -> ClassesQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    words = {name: given.get(name, "").strip() for name in ("within", "source")}
    for name, word in words.items():
        if len(word) > LONGEST_SEARCH:
            fix = f"Write at most {LONGEST_SEARCH} characters."
            raise BadInput(parameter=name, value=f"{word[:LONGEST_SEARCH]}...", fix=fix)
    return ClassesQuery(
        taxonomy=taxonomy_named(given["taxonomy"]),
        symbols=symbols_of(given, config) if "symbols" in given else (),
        state=given.get("state", ""),
        on=_day(given, "on"),
        as_of=_as_of(given),
        snapshot=given.get("snapshot", ""),
        **words,
    )


def structure_query(taxonomy: str, given: Mapping[str, str]) -> StructureQuery:
    """Return the question that `given` asks about `taxonomy`.

    Raises:
        BadInput: A value is not usable.
    """
    return StructureQuery(
        taxonomy=taxonomy_named(taxonomy) if taxonomy else "",
        on=_day(given, "on"),
        old=_day(given, "before"),
        as_of=_as_of(given),
        snapshot=given.get("snapshot", ""),
    )


async def classes(
    reading: Reading, shelf: Shelf, query: ClassesQuery, *, limit: int | None = None, position: Position | None = None
) -> Page:
    """Return what instruments are classified as, columns TOLD, by instrument; symbols are those of the day.

    Raises:
        UnknownSymbol, BadInput: A symbol or a class means nothing, or too much; or the taxonomy is not known.
        StoreUnavailable: The store cannot be read now.
    """
    on = query.on or to_datetime(reading.told).date()
    directory = await shelf.directory(reading)
    asked = [directory.find(symbol, start=on, end=on).instrument_id for symbol in query.symbols]
    one = {"instrument_id": tuple(dict.fromkeys(asked))} if asked else {}
    assignments = await reading.read("class_assignments", Selection(equal=one, as_of=reading.as_of))
    nodes = await reading.read("class_nodes", Selection(as_of=reading.as_of))
    mappings = await reading.read("class_mappings", Selection(as_of=reading.as_of))
    _known(nodes, query.taxonomy)
    rows = classified(assignments, nodes, mappings, taxonomy=query.taxonomy, on=on, source=query.source)
    if query.within:
        rows = members(rows, _class_meant(structure_on(nodes, taxonomy=query.taxonomy, on=on), query.within))
    if query.state:
        rows = rows.filter(pl.col("status") == query.state)
    begin = position.place if position is not None else 0
    following = None if limit is None or begin + limit >= len(rows) else Position(place=begin + limit)
    return Page(_with_symbols(rows.slice(begin, limit), await reading.read("listings"), on=on), following)


async def listed_within(reading: Reading, answers: Answers, query: InstrumentsQuery, at: Mapping[str, Any]) -> Page:
    """Return listings as `Answers.instruments` does, of the members of a class where one is named.

    Raises:
        UnknownSymbol, BadInput: A symbol or the class means nothing, or too much.
        StoreUnavailable: The store cannot be read now.
    """
    if not query.within:
        return await answers.instruments(query, **at)
    taxonomy, _, within = query.within.partition(":")
    on = to_datetime(reading.told).date()
    assignments = await reading.read("class_assignments", Selection(as_of=reading.as_of))
    tables = [await reading.read(name, Selection(as_of=reading.as_of)) for name in ("class_nodes", "class_mappings")]
    name = taxonomy_named(taxonomy)
    _known(tables[0], name)
    code = _class_meant(structure_on(tables[0], taxonomy=name, on=on), within.strip())
    ids = members(classified(assignments, *tables, taxonomy=name, on=on), code)["instrument_id"]
    listings = [(await answers.listing(one, start=None, end=None)).instrument_id for one in query.symbols]
    own = ids.filter(ids.is_in(listings)) if query.symbols else ids
    if own.is_empty():
        return Page((await answers.instruments(query, limit=0)).frame.clear())
    return await answers.instruments(replace(query, symbols=tuple(own)), **at)


async def structures(reading: Reading, query: StructureQuery) -> Page:
    """Return the revisions of all taxonomies, columns REVISION, or the classes of one on a day, columns CLASS.

    Raises:
        BadInput: The taxonomy is not known.
        StoreUnavailable: The store cannot be read now.
    """
    nodes = await reading.read("class_nodes", Selection(as_of=reading.as_of))
    if not query.taxonomy:
        counted = nodes.group_by("taxonomy", "revision").agg(
            pl.len().cast(pl.UInt32).alias("classes"), pl.col("level").max().alias("levels")
        )
        return Page(counted.sort("taxonomy", "revision").select(list(REVISION)))
    revisions = _known(nodes, query.taxonomy)
    on = query.on or to_datetime(reading.told).date()
    in_force = max((one for one in revisions if one <= on), default=None)
    rows = structure_on(nodes, taxonomy=query.taxonomy, on=on).with_columns(
        pl.lit(query.taxonomy).alias("taxonomy"), pl.lit(in_force, dtype=pl.Date).alias("revision")
    )
    return Page(rows.select(list(CLASS)))


async def changes(reading: Reading, query: StructureQuery) -> Page:
    """Return what the revision in force on a day changed in that of another day, or in the one before it.

    Raises:
        BadInput: The taxonomy is not known, or has no two such revisions.
        StoreUnavailable: The store cannot be read now.
    """
    nodes = await reading.read("class_nodes", Selection(as_of=reading.as_of))
    revisions = _known(nodes, query.taxonomy)
    on = query.on or to_datetime(reading.told).date()
    new = max((one for one in revisions if one <= on), default=None)
    before = query.old or date.max
    old = max((one for one in revisions if new is not None and one < new and one <= before), default=None)
    if new is None or old is None:
        told = ", ".join(map(str, revisions))
        fix = f"It takes two revisions in force by then; known are {told}. Name the days with on and before."
        raise BadInput(parameter="on", value=str(on), fix=fix)
    pair = [structure_on(nodes, taxonomy=query.taxonomy, on=one) for one in (old, new)]
    return Page(differences(*pair))


def _known(nodes: pl.DataFrame, taxonomy: str) -> list[date]:
    """Return the revisions of `taxonomy`, ascending.

    Raises:
        BadInput: There is none.
    """
    revisions = nodes.filter(pl.col("taxonomy") == taxonomy)["revision"].unique().sort().to_list()
    if not revisions:
        names = ", ".join(nodes["taxonomy"].unique().sort()) or "none yet"
        fix = f"Known are {names}. Load its structure: truetape classify load {taxonomy} FILE --revision DATE"
        raise BadInput(parameter="taxonomy", value=taxonomy, fix=fix)
    return revisions


def _class_meant(nodes: pl.DataFrame, text: str) -> str:
    """Return the code that `text` is, or the class of that name; of several within each other the outermost.

    Raises:
        BadInput: There is none, or there are several.
    """
    if text in nodes["code"]:
        return text
    wanted = pl.DataFrame({"name": [text]}).select(alike("name")).to_series()[0]
    named = lineages(nodes).filter(alike("name") == pl.lit(wanted, dtype=pl.String)).sort("level", "code")
    if len(named) and named.select(pl.col("codes").list.contains(pl.col("code").first()).all()).item():
        return str(named["code"][0])
    told = ", ".join(f"{code} (level {level})" for code, level in named.select("code", "level").head(8).iter_rows())
    several = f"Several classes have this name; write the code: {told}."
    fix = several if told else "No class of that day has this code or name."
    raise BadInput(parameter="within", value=text, fix=fix)


def _with_symbols(rows: pl.DataFrame, listings: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Return `rows` with the ticker and venue of each instrument on a day, or its last ones."""
    begun = listings.filter(pl.col("valid_from").fill_null(date.min) <= on)
    newest = begun.sort(pl.col("valid_to").fill_null(date.max), "mic", "symbol").unique("instrument_id", keep="last")
    told = rows.join(
        newest.select("instrument_id", "symbol", "mic"), on="instrument_id", how="left", maintain_order="left"
    )
    return told.select(list(TOLD))


def _day(given: Mapping[str, str], name: str) -> date | None:
    return parse_day(given[name], parameter=name) if name in given else None


def _as_of(given: Mapping[str, str]) -> int | None:
    return read_instant(given["as_of"], parameter="as_of") if "as_of" in given else None
