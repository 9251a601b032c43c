"""Find instruments by what people type: a ticker, an identifier, words of a name, or nearly so; the likeliest first.

The order of what is found:

1. the very identifier or instrument id;
2. the ticker that it has now;  3. a ticker that it had;
4. the whole name;  5. a ticker that begins so;  6. a name that begins so;
7. every word is a word of the name or ticker, present or former;  8. or begins one;
9. where nothing else is found: as 8, but for one letter wrong, missing, too many or swapped with its neighbour, in
   words of at least four letters.

Among those alike: what is listed before what is no more, common stock before funds, preferred stock and warrants (as
domain.papers orders them), a name that begins with the first word before one that has it later, the shorter name, and
the alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from truetape.domain.papers import PAPERS, paper
from truetape.domain.symbology import keyed

IDENTIFIER, TICKER, FORMER_TICKER, NAME, TICKER_BEGINS, NAME_BEGINS, WHOLE_WORDS, WORDS, NEARLY = range(1, 10)
WAYS: Final = {
    IDENTIFIER: "identifier",
    TICKER: "ticker",
    FORMER_TICKER: "former ticker",
    NAME: "name",
    TICKER_BEGINS: "ticker begins so",
    NAME_BEGINS: "name begins so",
    WHOLE_WORDS: "words",
    WORDS: "words begin so",
    NEARLY: "nearly",
}
MOST_WORDS: Final = 8  # of a question
FEWEST_LETTERS: Final = 4  # of a word that may be mistyped
MOST_MATCHES: Final = 20_000  # of one word that are looked at
LONGEST: Final = 48  # letters of a word, or of a whole name, that count
_SIGNS: Final = re.compile(r"[^a-z0-9]")
_TEXT: Final = f"S{LONGEST}"

Places = npt.NDArray[np.int64]
Texts = npt.NDArray[np.bytes_]
_NOWHERE: Final[Places] = np.array([], dtype=np.int64)


@dataclass(frozen=True)
class Hit:
    """An instrument that was found: its place among those of the index, and why."""

    instrument_id: str
    way: int  # of WAYS


class Words:
    """Which of many texts hold a word, or a word that begins so; letters beyond LONGEST of a word count for nothing."""

    def __init__(self, rows: pl.DataFrame) -> None:
        """Read `rows`: `place` of a text and a `word` of it, of plain letters."""
        words = rows["word"].to_numpy().astype(_TEXT) if len(rows) else np.array([], dtype=_TEXT)
        order = np.argsort(words, kind="stable")
        self._words = words[order]
        self._places: Places = rows["place"].cast(pl.Int64).to_numpy()[order]

    def beginning(self, start: str) -> Places:
        """Return the places, ascending, of texts with a word that begins so; of MOST_MATCHES at most."""
        first, last = _between(self._words, start)
        return np.unique(self._places[first : min(last, first + MOST_MATCHES)])

    def being(self, word: str) -> Places:
        """Return the places, ascending, of texts that have the very word."""
        text = word.encode("ascii", "ignore")[:LONGEST]
        first, last = (int(self._words.searchsorted(text, side=side)) for side in ("left", "right"))
        return np.unique(self._places[first:last])

    def near(self, word: str) -> Places:
        """Return the places of texts with a word that is `word` but for one letter, and begins or ends as it does."""
        half = len(word) // 2
        first, last = _between(self._distinct, word[:half])
        close = {one.decode() for one in self._distinct[first:last]}
        first, last = _between(self._backwards, word[len(word) - half :][::-1])
        close |= {one.decode()[::-1] for one in self._backwards[first:last]}
        found = [self.being(one) for one in close if one != word and one_letter_apart(one, word)]
        return np.unique(np.concatenate(found)) if found else _NOWHERE

    @cached_property
    def _distinct(self) -> Texts:
        return np.unique(self._words)

    @cached_property
    def _backwards(self) -> Texts:
        return np.sort(np.array([one[::-1] for one in self._distinct.tolist()], dtype=_TEXT))


class InstrumentIndex:
    """The instruments of one state of the master, to be searched many times."""

    def __init__(self, instruments: pl.DataFrame, listings: pl.DataFrame, identifiers: pl.DataFrame) -> None:
        """Read the master; merged records have the id that stands for them.

        Args:
            instruments: `instrument_id`, `name`, `asset_class`; names may stand there several times, the present first.
            listings: `instrument_id`, `symbol`, `valid_to` (null: still listed).
            identifiers: `instrument_id`, `value`.
        """
        single = instruments.unique("instrument_id", keep="first", maintain_order=True)
        self.ids = single["instrument_id"].to_list()
        place = single.select("instrument_id").with_row_index("place")
        names = instruments.select("instrument_id", _plain("name")).drop_nulls().join(place, on="instrument_id")
        listed = _keys(listings).join(place, on="instrument_id")
        self._names: list[str] = single.select(_plain("name").fill_null(""))["name"].to_list()
        self._order = _order(single, listed)
        ticker = listed.rename({"squeezed": "word"})
        self._tickers = Words(ticker.filter(pl.col("valid_to").is_null()))
        self._former = Words(ticker.filter(pl.col("valid_to").is_not_null()))
        said = [names.select("place", "name"), listed.select("place", _plain("symbol").alias("name"))]
        self._words = Words(_split(pl.concat(said)))
        self._whole = Words(names.rename({"name": "word"}))
        value = identifiers.join(place, on="instrument_id").select("place", pl.col("value").alias("word"))
        own = place.select("place", pl.col("instrument_id").alias("word"))
        self._identifiers = Words(pl.concat([value, own]).with_columns(pl.col("word").str.to_lowercase()))

    def search(self, text: str, *, limit: int) -> list[Hit]:
        """Return what `text` may mean, the likeliest first, at most `limit`."""
        words = plain(text).split()[:MOST_WORDS]
        if not words:
            return []
        found: dict[int, int] = {}
        for way, places in self._ways(text, words):
            if way == NEARLY and found:
                break
            for place in places.tolist():
                found.setdefault(place, way)
        ranked = sorted(found, key=lambda place: (found[place], *self._rank(place, words[0])))
        return [Hit(self.ids[place], found[place]) for place in ranked[:limit]]

    def _ways(self, text: str, words: list[str]) -> Iterator[tuple[int, Places]]:
        """Yield what is found in each way, the best first."""
        compact = _SIGNS.sub("", text.lower())
        yield IDENTIFIER, np.union1d(self._identifiers.being(compact), self._identifiers.being(text.strip().lower()))
        key = _squeezed(text)
        yield TICKER, self._tickers.being(key)
        yield FORMER_TICKER, self._former.being(key)
        name = " ".join(words)
        yield NAME, self._whole.being(name)
        yield TICKER_BEGINS, self._tickers.beginning(key)
        yield NAME_BEGINS, self._whole.beginning(name)
        yield WHOLE_WORDS, _all_of(self._words.being(word) for word in words)
        yield WORDS, _all_of(self._words.beginning(word) for word in words)
        yield NEARLY, _all_of(self._nearly(word) for word in words)

    def _nearly(self, word: str) -> Places:
        exact = self._words.beginning(word)
        return np.union1d(exact, self._words.near(word)) if len(word) >= FEWEST_LETTERS else exact

    def _rank(self, place: int, first: str) -> tuple[int, bool, int, str]:
        name = self._names[place]
        return self._order[place], not name.startswith(first), len(name), name


def plain(text: str) -> str:
    """Return `text` in small letters without accents and signs, its words apart by single spaces."""
    return str(pl.DataFrame({"text": [text]}).select(_plain("text"))["text"][0])


def one_letter_apart(one: str, other: str) -> bool:
    """Return whether one letter wrong, missing, too many, or swapped with its neighbour makes `one` of `other`."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    swapped = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return one[at + 1 :] == other[at + 1 :] or swapped


def _plain(column: str) -> pl.Expr:
    bare = pl.col(column).str.normalize("NFKD").str.to_lowercase().str.replace_all(r"[^\x00-\x7F]|'", "")
    return bare.str.replace_all(r"[^a-z0-9]+", " ").str.strip_chars().alias(column)


def _keys(listings: pl.DataFrame) -> pl.DataFrame:
    keys = keyed(listings["symbol"])["key"]
    squeezed = keys.str.to_lowercase().str.replace_all(r"[^a-z0-9]", "")
    return listings.select("instrument_id", "symbol", "valid_to").with_columns(key=keys, squeezed=squeezed)


def _squeezed(text: str) -> str:
    key = keyed(pl.Series([text.strip().upper()]))["key"][0]
    return _SIGNS.sub("", str(key).lower())


def _order(single: pl.DataFrame, listed: pl.DataFrame) -> list[int]:
    """Return for each instrument a number that is smaller the likelier it is meant, for what it is."""
    last = pl.col("valid_to").fill_null(pl.date(9999, 12, 31))
    newest = listed.sort(last).unique("place", keep="last", maintain_order=True).select("place", "key", "valid_to")
    rows = single.with_row_index("place").join(newest, on="place", how="left", maintain_order="left")
    kind = paper(key=pl.col("key"), name=pl.col("name"), asset_class=pl.col("asset_class"))
    number = kind.replace_strict({one: place for place, one in enumerate(PAPERS)}, return_dtype=pl.Int64)
    is_gone = pl.col("valid_to").is_not_null() | pl.col("key").is_null()
    order: list[int] = rows.select(order=number + pl.when(is_gone).then(len(PAPERS)).otherwise(0))["order"].to_list()
    return order


def _split(texts: pl.DataFrame) -> pl.DataFrame:
    """Return `place` and `word` of every word of `texts`, columns `place` and `name` in plain letters."""
    words = texts.select("place", pl.col("name").str.split(" ").alias("word"))
    return words.explode("word").filter(pl.col("word") != "").unique()


def _between(words: Texts, start: str) -> tuple[int, int]:
    """Return where words that begin with `start` stand among `words`, which ascend: first, and after the last."""
    text = start.encode("ascii", "ignore")[:LONGEST]
    first = int(words.searchsorted(text, side="left"))
    return first, int(words.searchsorted(text.ljust(LONGEST, b"\x7f"), side="right"))


def _all_of(found: Iterable[Places]) -> Places:
    several = list(found)
    together = several[0]
    for one in several[1:]:
        together = np.intersect1d(together, one, assume_unique=True)
    return together
