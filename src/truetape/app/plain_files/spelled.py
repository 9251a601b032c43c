"""How other programs write bars and actions: their headers, their names of types, and ratios such as 4:1.

Headers of prices are those of price_tables.SPELLINGS (Yahoo, Stooq, Alpaca and others). Actions come as one row each,
or in columns beside dates, where 0 means none: Dividends, Stock Splits and Capital Gains of Yahoo's history, divCash
and splitFactor of Tiingo's, FACSHR, FACPR and DIVAMT of CRSP's distributions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from truetape.app.plain_files.names import recognized
from truetape.app.plain_files.sheet import Sheet
from truetape.domain.errors import BadInput
from truetape.domain.price_tables import habits

ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {  # headers without anything but letters; the first found counts
    "ex_date": ("exdate", "exdividenddate", "exdt", "date"),
    "type": ("type", "action", "actiontype"),
    "value": ("value", "amount", "ratio"),
}
TYPES: Final[Mapping[str, str]] = {  # other names of types, with one blank between words
    "stock split": "split",
    "forward split": "split",
    "cash dividend": "dividend",
    "special cash dividend": "special_dividend",
    "capital gains": "capital_gain",
    "spinoff": "spin_off",
    "spin off": "spin_off",
    "rights issue": "rights",
}
BESIDE: Final[Mapping[str, str]] = {"dividends": "dividend", "splits": "split", "capital_gains": "capital_gain"}
CRSP: Final = ("facshr", "facpr", "divamt")

_LETTERS: Final = re.compile(r"[^a-z]")
_RATIO: Final = r"^(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)$"  # new shares, then old ones


def spelled_bars(sheet: Sheet) -> Sheet:
    """Return `sheet` with its columns known by our names, whatever they are called in it."""
    return _with(sheet, {"date" if ours == "moment" else ours: own for ours, own in _prices(sheet).items()})


def spelled_actions(sheet: Sheet) -> Sheet:
    """Return `sheet` with its columns known by our names, whatever they are called in it."""
    plain = {_LETTERS.sub("", own.lower()): own for own in reversed(sheet.frame.columns)}
    found = {ours: next((plain[one] for one in known if one in plain), None) for ours, known in ACTIONS.items()}
    own = {ours: name for ours, name in found.items() if name is not None}
    prices = _prices(sheet)
    return _with(sheet, own | {name: prices[name] for name in ("symbol", "currency", *BESIDE) if name in prices})


def _prices(sheet: Sheet) -> dict[str, str]:
    return recognized(sheet.frame.columns)


def _with(sheet: Sheet, spelled: Mapping[str, str]) -> Sheet:
    return replace(sheet, spelled={**spelled, **sheet.spelled})


def known_types(texts: pl.Series) -> pl.Series:
    """Return types as we call them, where they are known by another name; any other text in small letters."""
    plain = texts.str.strip_chars().str.to_lowercase()
    words = plain.str.replace_all(r"[\s_-]+", " ")
    return pl.select(
        pl.lit(words).replace_strict(dict(TYPES), default=pl.lit(plain.str.replace_all(r"[\s-]+", "_")))
    ).to_series()


def with_ratios(sheet: Sheet, name: str, *, where: pl.Series) -> Sheet:
    """Return `sheet` with a column's texts such as 4:1 and 3/2, new shares and old ones, as numbers.

    Args:
        sheet: The file.
        name: The column.
        where: Of which rows.
    """
    own = sheet.column(name)
    if own.dtype != pl.String:
        return sheet
    parts = pl.select(
        pl.lit(own).str.strip_chars().str.extract_groups(_RATIO).struct.rename_fields(["new", "old"]).alias("p")
    )
    ratio = parts.unnest("p").select(pl.col("new").cast(pl.Float64) / pl.col("old").cast(pl.Float64))
    ratios = ratio.to_series().cast(pl.String)
    read = pl.select(
        pl.when(pl.lit(where) & ratios.is_not_null()).then(ratios).otherwise(own).alias(own.name)
    ).to_series()
    return replace(sheet, frame=sheet.frame.with_columns(read))


def refuse_currencies(bars: Sheet, actions: Sheet) -> None:
    """Accept two files unless what is paid is in another currency than the prices, as far as their columns tell.

    Raises:
        BadInput: It is; nothing here converts it.
    """
    priced, paid = _currencies(bars), _currencies(actions)
    other = sorted(paid - priced) if priced else sorted(paid) if len(paid) > 1 else []
    if other:
        known = ", ".join(sorted(priced)) or "one currency"
        fix = f"Prices are in {known}: write cash in it, at the rate of the ex-date."
        raise BadInput(parameter=f"The currency of {actions.file}", value=", ".join(other)[:80], fix=fix)


def doubtful_basis(sheet: Sheet, basis: str) -> list[str]:
    """Return what to say where a file of bars looks as if it were adjusted otherwise than `basis` says: in a sentence.

    The columns of Yahoo's files and of Stooq's are known, and what they hold.
    """
    usual = habits(sheet.frame.columns).basis
    if usual == basis or basis != "raw":
        return []
    ways = {"split": "for splits already: give --basis split with --actions", "all": "for splits and dividends already"}
    return [f"{sheet.file} has the columns of files whose prices are adjusted {ways[usual]}"]


def _currencies(sheet: Sheet) -> set[str]:
    own = sheet.named("currency")
    if own is None:
        return set()
    return {text for text in sheet.frame[own].drop_nulls().cast(pl.String).str.strip_chars().unique() if text}
