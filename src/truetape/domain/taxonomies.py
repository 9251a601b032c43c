"""The structures of taxonomies: classes within classes, of any depth, and what one revision changed in another.

GICS has sectors, industry groups, industries and sub-industries, of 2, 4, 6 and 8 digits: the code of a class begins
with that of its parent. Where no parent is named, the longest code that a code begins with is its parent; a code such
as 31-33 stands for all codes that begin with 31, 32 or 33, as in NAICS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from truetape.domain.errors import BadInput

NODE: Final = {"code": pl.String(), "parent": pl.String(), "level": pl.UInt32(), "name": pl.String()}
CHANGE: Final = {
    "change": pl.String(),  # came, went, renamed or moved
    "code": pl.String(),
    "level": pl.UInt32(),
    "before": pl.String(),  # the name; of what moved, the parent
    "after": pl.String(),
    "candidate": pl.String(),  # of what went: the one class of its name and level that came; null: none, or several
}
DEEPEST: Final = 32
_RANGE: Final = re.compile(r"(\d+)-(\d+)")
_ALIKE: Final = (("&", " and "), (r"[^\p{L}\p{N}]+", " "), (r"^ | $", ""))


def structure(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the classes that `rows` name, columns NODE, ordered by code.

    Args:
        rows: `code`, `name`, and `parent` where it is named: "" or null at the top.

    Raises:
        BadInput: A code is missing or stands twice, a parent is not among the codes, or classes lie in a circle.
    """
    named = rows.select(
        pl.col("code").str.strip_chars(),
        pl.col("name").fill_null("").str.replace_all(r"\s+", " ").str.strip_chars(),
        *([pl.col("parent").fill_null("").str.strip_chars()] if "parent" in rows.columns else []),
    )
    codes = named["code"]
    if codes.null_count() or (codes == "").any():
        raise BadInput(parameter="code", value="", fix="A class has no code; every row needs one.")
    if codes.is_duplicated().any():
        twice = codes.filter(codes.is_duplicated())[0]
        raise BadInput(parameter="code", value=twice, fix="It stands in two rows; a class has one.")
    parents = dict(named.select("code", "parent").iter_rows()) if "parent" in named.columns else _prefixes(set(codes))
    levels = {code: _level(code, parents) for code in codes}
    whole = named.select("code", "name").with_columns(
        pl.Series("parent", [parents[code] for code in codes], dtype=pl.String),
        pl.Series("level", list(levels.values()), dtype=pl.UInt32),
    )
    return whole.select(list(NODE)).sort("code")


def differences(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return what became of the classes of `old` in `new`, columns CHANGE, by code within each kind of change.

    Names that differ in spaces, case, punctuation or "&" for "and" are the same. What went and came under another code
    is not told to be the same class: the candidate is for somebody to judge.

    Args:
        old: The earlier structure, columns NODE.
        new: The later one.
    """
    came = new.join(old, on="code", how="anti")
    went = old.join(new, on="code", how="anti")
    fresh = came.with_columns(alike("name").alias("alike"))
    alone = fresh.filter(pl.len().over("alike", "level") == 1).select("alike", "level", candidate="code")
    lost = went.with_columns(alike("name").alias("alike"))
    lost = lost.with_columns(several=pl.len().over("alike", "level")).join(alone, on=["alike", "level"], how="left")
    both = old.join(new, on="code", suffix="_new")
    other = both.filter(alike("name") != alike("name_new"))
    moved = both.filter(pl.col("parent") != pl.col("parent_new"))
    none = pl.lit(None, dtype=pl.String)
    candidate = pl.when(pl.col("several") == 1).then("candidate")
    parts = [
        _changes(came, "came", none, pl.col("name"), none),
        _changes(lost, "went", pl.col("name"), none, candidate),
        _changes(other, "renamed", pl.col("name"), pl.col("name_new"), none),
        _changes(moved, "moved", pl.col("parent"), pl.col("parent_new"), none),
    ]
    return pl.concat(parts)


def coded(names: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Return the code of the deepest class that each row of `names` names, within those that it names above it.

    Args:
        names: One column for each level that is named, called by its number ("1" for the top), text or null.
        nodes: The structure that the names are of, columns NODE.

    Returns:
        `code` (null where it is not certain) and `matches`: how many classes may be meant; 0: none has that name, or
        the row names nothing. One row for each of `names`, in their order.
    """
    levels = sorted(names.columns, key=int)
    lines = lineages(nodes).with_columns(alike("name").alias("alike"))
    above = pl.DataFrame({name: [line.get(int(name), "") for line in _named_above(lines, nodes)] for name in levels})
    places = lines.select("code", "level", "alike").hstack(above.rename(lambda name: f"of_{name}"))
    asked = names.select([alike(name).alias(name) for name in levels]).with_row_index("row")
    deepest = pl.coalesce([pl.when(pl.col(name).is_not_null()).then(pl.lit(int(name))) for name in reversed(levels)])
    asked = asked.with_columns(level=deepest.cast(pl.UInt32), alike=pl.coalesce(list(reversed(levels))))
    fits = [pl.col(name).is_null() | (pl.col(name) == pl.col(f"of_{name}")) for name in levels]
    found = asked.join(places, on=["level", "alike"], how="inner").filter(pl.all_horizontal(fits))
    counted = found.group_by("row").agg(pl.len().alias("matches"), pl.col("code").first())
    told = asked.select("row").join(counted, on="row", how="left", maintain_order="left")
    certain = pl.when(pl.col("matches") == 1).then("code").alias("code")
    return told.select(certain, pl.col("matches").fill_null(0))


def lineages(nodes: pl.DataFrame) -> pl.DataFrame:
    """Return `nodes` with `codes` and `names`: lists from the top down to each class itself."""
    parents, names = dict(nodes.select("code", "parent").iter_rows()), dict(nodes.select("code", "name").iter_rows())
    paths = {code: _lineage(code, parents) for code in nodes["code"]}
    return nodes.with_columns(
        pl.Series("codes", list(paths.values()), dtype=pl.List(pl.String)),
        pl.Series("names", [[names[code] for code in path] for path in paths.values()], dtype=pl.List(pl.String)),
    )


def alike(name: str) -> pl.Expr:
    """Return the names in the column `name` as they are compared: without case, punctuation and spaces to spare."""
    text = pl.col(name).str.to_lowercase()
    for pattern, written in _ALIKE:
        text = text.str.replace_all(pattern, written)
    return pl.when(text != "").then(text)


def _named_above(lines: pl.DataFrame, nodes: pl.DataFrame) -> list[dict[int, str]]:
    known = dict(nodes.select("code", alike("name").alias("alike")).iter_rows())
    return [{place: known[code] or "" for place, code in enumerate(codes, start=1)} for codes in lines["codes"]]


def _changes(rows: pl.DataFrame, change: str, before: pl.Expr, after: pl.Expr, candidate: pl.Expr) -> pl.DataFrame:
    told = {"change": pl.lit(change), "before": before, "after": after, "candidate": candidate}
    return rows.sort("code").select("code", "level", **told).select(list(CHANGE))


def _prefixes(codes: set[str]) -> dict[str, str]:
    """Return the parent of each of `codes`: the longest of the others that it begins with."""
    begins = {code: code for code in codes}
    for code in codes:
        if span := _RANGE.fullmatch(code):
            width = len(span[1])
            begins |= {str(one).zfill(width): code for one in range(int(span[1]), int(span[2]) + 1)}
    return {code: _parent(code, begins) for code in codes}


def _parent(code: str, begins: Mapping[str, str]) -> str:
    if _RANGE.fullmatch(code):
        return ""
    return next((begins[code[:end]] for end in range(len(code) - 1, 0, -1) if code[:end] in begins), "")


def _level(code: str, parents: Mapping[str, str]) -> int:
    return len(_lineage(code, parents))


def _lineage(code: str, parents: Mapping[str, str]) -> list[str]:
    path = [code]
    while parents[path[-1]]:
        parent = parents[path[-1]]
        if parent not in parents:
            raise BadInput(parameter=f"The parent of {path[-1]}", value=parent, fix="No row has this code; add it.")
        path.append(parent)
        if len(path) > DEEPEST:
            fix = f"Classes lie in a circle, or more than {DEEPEST} deep: follow the parents of this code."
            raise BadInput(parameter="code", value=code, fix=fix)
    return path[::-1]
