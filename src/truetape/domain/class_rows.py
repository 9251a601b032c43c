"""Files of classifications, read: the structure of a revision, mappings between codes, and assigned codes.

Columns are found by the names that people give them ("GICS Sub-Industry", "sub_industry"). What a row means for certain
becomes a row of the tables; what is not known or not certain is told, with the number of the row, and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.classes import structure_on
from truetape.domain.errors import BadInput
from truetape.domain.identifiers import SCHEMES, normalized
from truetape.domain.schema import TABLES
from truetape.domain.symbology import Symbology
from truetape.domain.taxonomies import coded, structure

LEFT: Final = {"row": pl.UInt32(), "names": pl.String(), "why": pl.String()}
_OWN: Final = ("version", "ts_known", "simulated")
_LEVELS: Final = {"sector": "1", "industry_group": "2", "industry": "3", "sub_industry": "4", "subindustry": "4"}
_CALLED: Final = {
    "ticker": "symbol",
    "date": "valid_from",
    "from": "valid_from",
    "since": "valid_from",
    "title": "name",
    "description": "name",
    "from_code": "code",
    "source_code": "code",
    "target_code": "to_code",
    "to": "to_code",
    "weight": "confidence",
}
_TAXONOMY: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SEVERAL: Final = ("symbol", "cik")  # what may name several instruments; of a CIK all are meant
_KEEP: Final = 40  # characters of what a row names


@dataclass(frozen=True)
class Assigned:
    """Assignments of a file, and what was left out of it, columns LEFT."""

    rows: pl.DataFrame
    left: pl.DataFrame


@dataclass(frozen=True)
class Master:
    """What says which instruments and classes there are: rows of the tables of these names."""

    listings: pl.DataFrame
    identifiers: pl.DataFrame
    class_nodes: pl.DataFrame


def taxonomy_named(name: str) -> str:
    """Return the name of a taxonomy in small letters.

    Raises:
        BadInput: It can be none.
    """
    small = name.strip().lower()
    if not _TAXONOMY.fullmatch(small):
        fix = "Write a letter, then letters, digits, dashes or underscores, at most 32: gics, sic, naics, desks."
        raise BadInput(parameter="taxonomy", value=name[:_KEEP], fix=fix)
    return small


def structure_rows(table: pl.DataFrame, *, taxonomy: str, revision: date, payload: str) -> pl.DataFrame:
    """Return the classes of a revision: class_nodes but for versions.

    Args:
        table: Text columns `code` (or that of the taxonomy) and `name`, and `parent` where it is named.
        taxonomy: Its name.
        revision: From which date on it is in force.
        payload: The archived file.

    Raises:
        BadInput: There is no such column, or it is no structure.
    """
    named = _named(table, taxonomy)
    _need(named, "code", "name")
    kept = [name for name in ("code", "name", "parent") if name in named.columns]
    found = structure(named.select(kept).filter(pl.any_horizontal(pl.all().is_not_null())))
    if found.is_empty():
        raise BadInput(parameter="The file", value=f"of {taxonomy}", fix="It names no class; add rows.")
    about = {"taxonomy": pl.lit(taxonomy), "revision": pl.lit(revision), "payload": pl.lit(payload)}
    return _told(found.with_columns(**about), "class_nodes")


def mapping_rows(table: pl.DataFrame, *, taxonomy: str, to: str, since: date | None, payload: str) -> pl.DataFrame:
    """Return mappings from codes of `taxonomy` to codes of `to`: class_mappings but for versions.

    Args:
        table: Text columns `code` and `to_code`; `confidence` from 0 to 1 (1 where it is missing; 0 takes a mapping
            back), and `valid_from`.
        taxonomy: Whose codes are mapped.
        to: Whose codes they lead to.
        since: From which date on, where a row does not say; None: since ever.
        payload: The archived file.

    Raises:
        BadInput: A column is missing, or a value is not usable.
    """
    named = _named(table, taxonomy)
    _need(named, "code", "to_code")
    sure = _numbers(named, "confidence")
    wrong = sure.is_null() | (sure < 0) | (sure > 1)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise BadInput(parameter=f"confidence in row {row + 1}", value=named["confidence"][row], fix="Write 0 to 1.")
    codes = {name: pl.col(name).str.strip_chars() for name in ("code", "to_code")}
    missing = named.select(pl.any_horizontal(*[one.fill_null("") == "" for one in codes.values()])).to_series()
    if missing.any():
        row = int(missing.arg_true()[0])
        raise BadInput(parameter=f"code in row {row + 1}", value="", fix="Every row needs code and to_code.")
    about = {"taxonomy": pl.lit(taxonomy), "to_taxonomy": pl.lit(to), "payload": pl.lit(payload)}
    rows = named.with_columns(**codes, **about, confidence=sure, valid_from=_dates(named, since))
    return _told(rows.unique(TABLES["class_mappings"].key, keep="last", maintain_order=True), "class_mappings")


def assignment_rows(
    table: pl.DataFrame, master: Master, *, taxonomy: str, since: date | None, source: str, payload: str
) -> Assigned:
    """Return the assignments that the rows of `table` tell for certain: class_assignments but for versions.

    An instrument is named by `instrument_id`, an identifier, `symbol` (with `mic`, where several venues have it), as it
    was on the date of its row; a CIK means all that its issuer has listed. A class is named by `code`, or by the names
    of its levels in the revision of that date.

    Args:
        table: Text columns.
        master: What there is.
        taxonomy: Whose codes they are.
        since: From which date on, where a row does not say; None: since ever.
        source: Who says so.
        payload: The archived file.

    Raises:
        BadInput: No column names instruments or classes, or a date is none.
    """
    named = _named(table, taxonomy).with_row_index("row").with_columns(pl.col("row") + 1)
    dated = named.with_columns(valid_from=_dates(named, since))
    with_code = _with_codes(dated, master.class_nodes, taxonomy=taxonomy)
    found = _instruments(with_code.filter(pl.col("why").is_null()), master)
    left = pl.concat(
        [with_code.filter(pl.col("why").is_not_null()).select(list(LEFT)), found.left.select(list(LEFT))]
    ).sort("row")
    about = {"taxonomy": pl.lit(taxonomy), "source": pl.lit(source), "payload": pl.lit(payload)}
    key = TABLES["class_assignments"].key
    rows = found.rows.sort("row").with_columns(**about).unique(key, keep="last", maintain_order=True)
    return Assigned(_told(rows, "class_assignments"), left)


def _named(table: pl.DataFrame, taxonomy: str) -> pl.DataFrame:
    """Return `table` with its columns by our names; of two that mean the same the first counts."""
    names: dict[str, str] = {}
    for own in table.columns:
        plain = re.sub(r"[\s/_-]+", "_", own.strip().lower())
        bare = plain.removeprefix(f"{taxonomy}_")
        ours = "code" if plain in {taxonomy, f"{taxonomy}_code"} else _CALLED.get(bare, bare)
        if ours not in names.values():
            names[own] = ours
    return table.select(pl.col(own).cast(pl.String).alias(ours) for own, ours in names.items())


def _need(table: pl.DataFrame, *names: str) -> None:
    for name in names:
        if name not in table.columns:
            found = ", ".join(table.columns)[:200] or "nothing"
            raise BadInput(parameter="The header", value=found, fix=f"Add the column {name}.")


def _numbers(table: pl.DataFrame, name: str) -> pl.Series:
    if name not in table.columns:
        return pl.Series(name, [1.0]).new_from_index(0, len(table))
    return table[name].fill_null("1").cast(pl.Float64, strict=False)


def _dates(table: pl.DataFrame, since: date | None) -> pl.Series:
    """Return the dates of the rows, or `since` where a row has none."""
    if "valid_from" not in table.columns:
        return pl.Series("valid_from", [since], dtype=pl.Date).new_from_index(0, len(table))
    texts = table["valid_from"].str.strip_chars()
    days = texts.str.to_date("%Y-%m-%d", strict=False)
    wrong = days.is_null() & texts.is_not_null() & (texts != "")
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise BadInput(parameter=f"valid_from in row {row + 1}", value=texts[row], fix="Write dates as 2023-03-18.")
    return days.fill_null(since) if since else days


def _with_codes(rows: pl.DataFrame, nodes: pl.DataFrame, *, taxonomy: str) -> pl.DataFrame:
    """Return `rows` with the `code` of each in the revision of its date, what it `names`, and `why` it has none."""
    levels = _levels(rows.columns)
    if "code" not in rows.columns and not levels:
        _need(rows, "code")
    texts = ["code"] if "code" in rows.columns else list(levels)
    shown = pl.concat_str([pl.col(one) for one in texts], separator=" > ", ignore_nulls=True).str.slice(0, _KEEP)
    given = rows.with_columns(names=shown)
    parts = []
    for (day,), own in given.partition_by("valid_from", as_dict=True, maintain_order=True).items():
        on = day if isinstance(day, date) else date.max
        known = structure_on(nodes, taxonomy=taxonomy, on=on)
        parts.append(_coded(own, known, levels, of=f"{taxonomy} on {on}" if day else taxonomy))
    return pl.concat(parts) if parts else given.with_columns(code=pl.lit(""), why=pl.lit(None, dtype=pl.String))


def _levels(columns: Iterable[str]) -> dict[str, str]:
    """Return the columns that name classes, with the number of their level."""
    numbered = {one: one.removeprefix("level_") for one in columns if re.fullmatch(r"level_[1-9]\d?", one)}
    return numbered or {one: _LEVELS[one] for one in columns if one in _LEVELS}


def _coded(rows: pl.DataFrame, known: pl.DataFrame, levels: dict[str, str], *, of: str) -> pl.DataFrame:
    none = pl.when(pl.lit(known.is_empty())).then(pl.lit(f"no structure of {of} is loaded"))
    if "code" in rows.columns:
        code = pl.col("code").fill_null("").str.strip_chars()
        is_known = code.is_in(known["code"].implode()) | (code == "")
        return rows.with_columns(code=code, why=none.when(~is_known).then(pl.lit(f"{of} has no such code")))
    names = rows.select(pl.col(own).alias(level) for own, level in levels.items())
    found = coded(names, known)
    empty = pl.col("names") == ""
    why = none.when(empty).then(pl.lit("it names no class")).when(pl.col("matches") == 0)
    why = why.then(pl.lit(f"{of} has no class of this name")).when(pl.col("matches") > 1)
    told = rows.with_columns(found["code"].alias("code"), found["matches"].alias("matches"))
    return told.with_columns(why=why.then(pl.lit(f"several classes of {of} have this name"))).drop("matches")


def _instruments(rows: pl.DataFrame, master: Master) -> Assigned:
    """Return `rows` with their instruments, one for each, and those that name none for certain."""
    ways = [name for name in ("instrument_id", *SCHEMES[:4], "symbol", "cik") if name in rows.columns]
    if not ways:
        _need(rows, "symbol")
    shown = pl.concat_str([pl.col(one) for one in ways], separator=" ", ignore_nulls=True).str.slice(0, _KEEP)
    told = rows.with_columns(names=shown, said=pl.lit(value=False))
    found = []
    for way in ways:
        asked = told.filter(~pl.col("said"), pl.col(way).fill_null("") != "")
        pairs = _named_by(asked, way, master)
        found.append(pairs)
        settled = pairs.filter(pl.col("instrument_id").is_not_null())["row"]
        told = told.with_columns(said=pl.col("said") | pl.col("row").is_in(settled.implode()))
    every = pl.concat(found)
    certain = every.filter(pl.col("instrument_id").is_not_null())
    several = every.filter(pl.col("matches") > 1)["row"]
    left = told.filter(~pl.col("said")).with_columns(
        why=pl.when(pl.col("row").is_in(several.implode()))
        .then(pl.lit("several instruments may be meant; name one by its id, or add mic"))
        .otherwise(pl.lit("no instrument was listed under it then"))
    )
    own = told.drop("instrument_id", strict=False)
    return Assigned(own.join(certain.select("row", "instrument_id"), on="row"), left)


def _named_by(rows: pl.DataFrame, way: str, master: Master) -> pl.DataFrame:
    """Return `row`, `instrument_id` (null where it is not certain) and `matches` by one way of naming."""
    if way == "symbol":
        return _by_symbol(rows, master.listings)
    if way == "instrument_id":
        is_known = pl.col(way).is_in(master.listings["instrument_id"].implode())
        one = pl.when(is_known).then(way)
        return rows.select("row", instrument_id=one, matches=is_known.cast(pl.UInt32))
    written = pl.Series("value", [_written(way, text) for text in rows[way]], dtype=pl.String)
    asked = rows.select("row", "valid_from").with_columns(written)
    own = master.identifiers.filter(pl.col("scheme") == way).select(
        "value", "instrument_id", "valid_to", begins="valid_from"
    )
    day = pl.col("valid_from").fill_null(date.max)
    alive = (pl.col("begins").fill_null(date.min) <= day) & (day < pl.col("valid_to").fill_null(date.max))
    pairs = asked.join(own, on="value").filter(alive | pl.col("valid_to").is_null() & pl.col("valid_from").is_null())
    pairs = pairs.select("row", "instrument_id").unique(maintain_order=True)
    counted = pairs.with_columns(matches=pl.len().over("row").cast(pl.UInt32))
    if way in _SEVERAL:
        return counted
    certain = pl.when(pl.col("matches") == 1).then("instrument_id")
    return counted.with_columns(instrument_id=certain).unique("row", keep="first", maintain_order=True)


def _by_symbol(rows: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    asked = rows.select(
        "row", "symbol", date="valid_from", mic=pl.col("mic") if "mic" in rows.columns else pl.lit(None)
    )
    parts = []
    for (mic,), own in asked.partition_by("mic", as_dict=True, maintain_order=True).items():
        listed = listings if mic is None else listings.filter(pl.col("mic") == mic)
        found = Symbology(listed).resolve(own.select("row", "symbol", "date"))
        parts.append(found.select("row", "instrument_id", pl.col("matches").cast(pl.UInt32)))
    nothing = {"row": rows.schema["row"], "instrument_id": pl.String(), "matches": pl.UInt32()}
    return pl.concat([pl.DataFrame(schema=nothing), *parts])


def _written(scheme: str, text: str) -> str | None:
    try:
        return normalized(scheme, text)
    except BadInput:
        return None


def _told(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    columns = TABLES[table].columns
    return rows.select([pl.col(name).cast(columns[name]) for name in columns if name not in _OWN])
