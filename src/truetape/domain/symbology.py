"""From the symbols that providers write to the permanent instruments that they meant on a date.

Whatever the spelling, a symbol is brought to one key: the ticker, and after dots what kind of paper it is.

| key        | paper                  | also written                                         |
|------------|------------------------|------------------------------------------------------|
| BRK.B      | a share class          | BRK-B, BRK/B, BRK B, BRK_B, BRKb                     |
| BAC.PR.A   | a preferred share      | BAC-PA, BAC-P-A, BAC.PRA, BAC/PRA, BAC^A, BAC$A, BACpA |
| XYZ.WS     | a warrant              | XYZ-WT, XYZ.W, XYZ+                                  |
| XYZ.U      | a unit                 | XYZ-UN, XYZ=                                         |
| XYZ.RT     | a right                | XYZ-R, XYZ.RI                                        |
| XYZ.WI     | a paper when issued    | XYZ-WI, XYZ#                                         |
| EUR/USD    | a pair                 | EURUSD=X, C:EURUSD, EUR-USD                          |
| 700        | a number               | 0700                                                 |

A venue's ending (VOD.L, vod.uk, VOD LN Equity) is taken off first and limits the venues. A symbol without any mark
(BRKB) means the paper with one (BRK.B) where no paper is called so itself. Which instrument bore a ticker on a date,
the dates of the listings say; where they leave several, none is chosen.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from truetape.domain.errors import UnknownInstrument
from truetape.domain.venue_suffixes import OURS, Spelling

_MARK: Final = r"[.\-/ _]"
_SPELLED: Final = (  # in this order: the first that fits leaves nothing for those after it
    (r"^0+(\d+)$", "${1}"),
    (r"^([A-Z]{3})([A-Z]{3})(?:=X|\.FOREX)$", "${1}/${2}"),
    (r"^C:([A-Z]{3})([A-Z]{3})$", "${1}/${2}"),
    (rf"^(.+?)(?:{_MARK}WI|#)$", "${1}.WI"),
    (rf"^(.+?)(?:{_MARK}W|\+)$", "${1}.WS"),
    (rf"^(.+?)(?:{_MARK}W[ST]{_MARK}?|\+{_MARK}?)([A-Z]?)$", "${1}.WS.${2}"),
    (rf"^(.+?)(?:{_MARK}PR?{_MARK}?|[\^$])([A-Z]?)$", "${1}.PR.${2}"),
    (rf"^(.+?)(?:{_MARK}UN?|=)$", "${1}.U"),
    (rf"^(.+?){_MARK}R[TI]?$", "${1}.RT"),
    (rf"^(.+?){_MARK}([A-Z])$", "${1}.${2}"),
    (r"^(?:X:)?([A-Z0-9]{2,10})[-/]([A-Z]{3})(?:\.CC)?$", "${1}/${2}"),
)
_SMALL: Final = ((r"([A-Z0-9])_?p([A-Za-z]?)$", "${1}.PR.${2}"), (r"([A-Z0-9])([a-z]{1,2})$", "${1}.${2}"))
_ASSET: Final = r"(?i) (?:EQUITY|INDEX|CURNCY|COMDTY|CORP|PFD)$"  # what kind of paper it is, in Bloomberg's words
_PLAIN: Final = r"^[A-Z1-9][A-Z0-9]*$"  # a symbol that is its own key
_LISTED: Final = ("symbol", "mic", "instrument_id", "valid_from", "valid_to")
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)
_MOST: Final = 8  # candidates that an error names


def keyed(symbols: pl.Series, *, spelling: Spelling = OURS) -> pl.DataFrame:
    """Return what `symbols` are called, whoever wrote them.

    Returns:
        `symbol` as given, `key`, and `ending`: that of the venue in capitals, "" without one. In the order given.
    """
    table = pl.DataFrame({"symbol": symbols}).with_row_index("row")
    return _keyed(table, spelling).sort("row").select("symbol", "key", "ending")


def spellings(symbol: str) -> tuple[str, ...]:
    """Return how we may write what somebody wrote, without the ending of a venue: in capitals, then as its key."""
    read = keyed(pl.Series([symbol.strip()], dtype=pl.String)).row(0, named=True)
    return tuple(dict.fromkeys([symbol.strip().upper(), *([] if read["ending"] else [read["key"]])]))


def _keyed(rows: pl.DataFrame, spelling: Spelling) -> pl.DataFrame:
    """Return `rows` with `key` and `ending` of each `symbol`, in any order."""
    is_plain = rows["symbol"].str.contains(_PLAIN)
    plain = rows.filter(is_plain).with_columns(key=pl.col("symbol"), ending=pl.lit(""))
    marked = rows.filter(~is_plain)
    if marked.is_empty():
        return plain
    stem = pl.col("symbol").str.strip_chars().str.replace(_ASSET, "")
    mark = spelling.mark if spelling.mark != "." else r"\."
    ending = pl.col("stem").str.extract(rf"^.+{mark}([A-Za-z]+)$").str.to_uppercase()
    known = ending.is_in(list(spelling.venues)).fill_null(value=False)
    marked = marked.with_columns(stem=stem).with_columns(ending=pl.when(known).then(ending).otherwise(pl.lit("")))
    cut = pl.when(pl.col("ending") != "").then(pl.col("stem").str.replace(rf"{mark}[A-Za-z]+$", ""))
    return pl.concat([plain, _keys(marked.with_columns(stem=cut.otherwise("stem"))).select(plain.columns)])


def _keys(marked: pl.DataFrame) -> pl.DataFrame:
    """Return `marked` with the `key` of each `stem`: a symbol without the ending of its venue."""
    plain = pl.col("stem").str.contains(_PLAIN)
    return pl.concat(
        [marked.filter(plain).with_columns(key=pl.col("stem")), marked.filter(~plain).with_columns(key=_key())]
    )


def _key() -> pl.Expr:
    stem = pl.col("stem")
    mixed = stem.str.contains("[A-Z]")
    for pattern, form in _SMALL:  # small letters tell the paper where the ticker is in capitals
        stem = pl.when(mixed).then(stem.str.replace(pattern, form)).otherwise(stem)
    capital = stem.str.to_uppercase()
    result = capital
    for pattern, form in reversed(_SPELLED):
        result = pl.when(capital.str.contains(pattern)).then(capital.str.replace(pattern, form)).otherwise(result)
    return result.str.strip_chars_end(".")


class Symbology:
    """Which instrument bore which ticker, where and when."""

    def __init__(self, listings: pl.DataFrame) -> None:
        """Read `listings`: rows of that table, current ones. Their symbols are ours: BRK.B, and VOD.L or VOD."""
        rows = listings.select(_LISTED).with_columns(
            pl.col("valid_from").fill_null(_FIRST), pl.col("valid_to").fill_null(_LAST)
        )
        read = _keyed(rows, OURS)
        is_own = (pl.col("ending") == "") | _is_possible(read, OURS)
        other = read.filter(~is_own).drop("key", "ending")  # an ending of another venue is none
        self._listed = pl.concat([read.filter(is_own), _keyed(other, Spelling()).select(read.columns)]).drop("ending")

    def resolve(self, rows: pl.DataFrame, *, spelling: Spelling = OURS) -> pl.DataFrame:
        """Return `rows` with `instrument_id` (null where it is not certain) and `matches`, how many it may be.

        Args:
            rows: `symbol` (as `spelling` writes it) and `date`, on which the symbol was used; null: today.
            spelling: Whose symbols they are.
        """
        numbered = rows.with_row_index("asked")
        keys = _keyed(numbered.select("asked", "symbol", "date"), spelling)
        found = self._matched(keys, self._listed, spelling)
        if len(found) < len(rows):
            left = keys.join(found, on="asked", how="anti").with_columns(_squeezed())
            found = pl.concat([found, self._matched(left, self._listed.with_columns(_squeezed()), spelling)])
        told = numbered.join(found, on="asked", how="left", maintain_order="left").drop("asked")
        return told.with_columns(pl.col("matches").fill_null(0))

    def find(self, symbol: str, *, on: date | None = None, spelling: Spelling = OURS) -> str:
        """Return the id of the instrument that `symbol` named on the date `on`; None: today.

        Raises:
            UnknownInstrument: It named none, or several.
        """
        asked = pl.DataFrame({"symbol": [symbol], "date": [on]}, schema={"symbol": pl.String, "date": pl.Date})
        row = self.resolve(asked, spelling=spelling).row(0, named=True)
        if row["instrument_id"] is not None:
            return str(row["instrument_id"])
        raise UnknownInstrument(
            symbol=symbol, on=on, matches=row["matches"], candidates=self.candidates(symbol, spelling=spelling)
        )

    def candidates(self, symbol: str, *, spelling: Spelling = OURS) -> tuple[str, ...]:
        """Return up to eight listings that have the key of `symbol`, at any venue and date, the latest first."""
        key = keyed(pl.Series([symbol], dtype=pl.String), spelling=spelling)["key"][0]
        found = self._listed.filter(_squeezed() == key.replace(".", ""))
        latest = found.sort("valid_to", "instrument_id", "mic", descending=[True, False, False]).head(_MOST)
        return tuple(
            f"{row['instrument_id']} ({row['symbol']} on {row['mic']}{_span(row['valid_from'], row['valid_to'])})"
            for row in latest.iter_rows(named=True)
        )

    def _matched(self, asked: pl.DataFrame, listed: pl.DataFrame, spelling: Spelling) -> pl.DataFrame:
        """Return, for each of `asked` that any of `listed` matches, `asked`, `instrument_id` and `matches`."""
        day = pl.col("date").fill_null(_LAST)
        alive = (pl.col("valid_from") <= day) & ((day < pl.col("valid_to")) | (pl.col("valid_to") == _LAST))
        pairs = asked.join(listed.drop("symbol"), on="key").filter(alive)
        possible = pairs.filter(_is_possible(pairs, spelling)).select("asked", "instrument_id")
        several = possible["asked"].is_duplicated()
        matches = pl.col("instrument_id").n_unique().alias("matches")
        one = pl.when(matches == 1).then(pl.col("instrument_id").first()).alias("instrument_id")
        grouped = possible.filter(several).group_by("asked").agg(one, matches)
        return pl.concat([possible.filter(~several).with_columns(matches=pl.lit(1, pl.UInt32)), grouped])


def _is_possible(rows: pl.DataFrame, spelling: Spelling) -> pl.Expr:
    """Return true where `mic` is a venue that `ending` may mean; one of any country where there is no home."""
    every = {**spelling.venues, "": spelling.home}
    ways = [
        (pl.col("ending") == ending)
        & (pl.col("mic").is_in(list(every[ending])) if every[ending] else pl.lit(value=True))
        for ending in rows["ending"].unique()
    ]
    return pl.any_horizontal(ways) if ways else pl.lit(value=False)


def _squeezed() -> pl.Expr:
    return pl.col("key").str.replace_all(".", "", literal=True)


def _span(begins: date, ends: date) -> str:
    since = f" from {begins}" if begins != _FIRST else ""
    return f"{since} until {ends}" if ends != _LAST else since
