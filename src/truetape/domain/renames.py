"""Which ticker that came is which ticker that went, under a new name: by identifiers first, by dates and names last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from truetape.domain.listed import Listed, Snapshot
from truetape.domain.listed_names import plain_name
from truetape.domain.ticker_classes import MAYBE, alike, parted

TOLD_FROM: Final = 0.5  # confidence from which on a pair is a rename, and not a delisting beside a listing
SAME_SECURITY: Final = 0.99  # FIGI or ISIN
SAME_ISSUER: Final = 0.95  # CIK, and one ticker of the class went and one came
CHOSEN: Final = 0.8  # one of several, by its exchange or stem
ONE_STAYS: Final = 0.55  # the issuer keeps another ticker of the class
NAME_AND_DATE: Final = 0.9
DATE_ONLY: Final = 0.7
NAME_ONLY: Final = 0.65

_OVER_THE_COUNTER: Final = frozenset({"OTC", "PINK", "OTCMKTS", "OTCGREY", "OTCQB", "OTCQX", "OTCBB", "OTCCE"})


@dataclass(frozen=True)
class Match:
    """A ticker that went and the one that came for it."""

    before: Listed
    after: Listed
    confidence: float
    why: str


def matched(gone: Sequence[Listed], come: Sequence[Listed], *, old: Snapshot, new: Snapshot) -> list[Match]:
    """Return the pairs of `gone` and `come` that are one security, each in one pair at most, the surest keys first."""
    found: list[Match] = []
    for key, confidence, words in (
        (lambda one: one.figi, SAME_SECURITY, "the same FIGI"),
        (lambda one: one.isin, SAME_SECURITY, "the same ISIN"),
    ):
        found += _by(key, *_left(gone, come, found), confidence=confidence, words=words)
    found += _by_issuer(*_left(gone, come, found), new=new)
    for key, confidence, words in (
        (_name_and_date, NAME_AND_DATE, "the same name and first day"),
        (_and_class(_old_date(old, new)), DATE_ONLY, "a first day before the old list, that of one ticker that went"),
        (_old_date(old, new), DATE_ONLY, "a first day before the old list, that of one ticker that went"),
        (_name, NAME_ONLY, "the same name, and one ticker went and one came"),
    ):
        found += _by(key, *_left(gone, come, found), confidence=confidence, words=words)
    return [one for one in found if one.confidence >= TOLD_FROM]


def _left(gone: Sequence[Listed], come: Sequence[Listed], found: Sequence[Match]) -> tuple[list[Listed], list[Listed]]:
    used = {id(one) for match in found for one in (match.before, match.after)}
    return [one for one in gone if id(one) not in used], [one for one in come if id(one) not in used]


def _by(
    key: Callable[[Listed], Hashable | None],
    gone: Sequence[Listed],
    come: Sequence[Listed],
    *,
    confidence: float,
    words: str,
) -> list[Match]:
    """Return the pairs that alone have a key, and whose tickers can name one class."""
    went, came = _grouped(gone, key), _grouped(come, key)
    found = []
    for shared in went.keys() & came.keys():
        before, after = went[shared], came[shared]
        if len(before) != 1 or len(after) != 1 or before[0].key == after[0].key:
            continue
        if confidence == SAME_SECURITY or alike(before[0].symbol, after[0].symbol) > MAYBE:
            found.append(Match(before[0], after[0], confidence, words))
    return found


def _grouped(rows: Sequence[Listed], key: Callable[[Listed], Hashable | None]) -> dict[Hashable, list[Listed]]:
    groups: dict[Hashable, list[Listed]] = defaultdict(list)
    for one in rows:
        told = key(one)
        if told is not None:
            groups[told].append(one)
    return groups


def _name_and_date(one: Listed) -> Hashable | None:
    name = plain_name(one.name or "")
    return (name, one.first_date, one.asset_class) if name and one.first_date else None


def _old_date(old: Snapshot, new: Snapshot) -> Callable[[Listed], Hashable | None]:
    """Return the key of what was traded already when the old list was made: it is no new security.

    What the new list still has under its old ticker, as something that ended, goes on under no other.
    """

    def key(one: Listed) -> Hashable | None:
        if one.cik or one.first_date is None or old.newest is None or one.first_date >= old.newest:
            return None
        ended = any(use.first_date == one.first_date for use in new.past.get(one.key, ()))
        return None if ended else (one.first_date, one.exchange, one.asset_class)

    return key


def _and_class(key: Callable[[Listed], Hashable | None]) -> Callable[[Listed], Hashable | None]:
    """Return `key` with the class of the ticker: of shares and warrants that began together each follows its own."""

    def both(one: Listed) -> Hashable | None:
        told = key(one)
        return None if told is None else (told, parted(one.symbol).share_class)

    return both


def _name(one: Listed) -> Hashable | None:
    name = plain_name(one.name or "")
    return (name, one.asset_class, parted(one.symbol).share_class) if name and not one.cik else None


def _by_issuer(gone: Sequence[Listed], come: Sequence[Listed], *, new: Snapshot) -> list[Match]:
    """Return the pairs of one CIK, class by class."""
    went, came = _grouped(gone, lambda one: one.cik), _grouped(come, lambda one: one.cik)
    shared = went.keys() & came.keys()
    if not shared:
        return []
    ids = {id(one) for one in come}
    stays = _grouped([one for one in new.live.values() if id(one) not in ids], lambda one: one.cik)
    return [pair for cik in shared for pair in _of_issuer(went[cik], came[cik], kept=stays.get(cik, []))]


def _of_issuer(gone: list[Listed], come: list[Listed], *, kept: Sequence[Listed]) -> list[Match]:
    found: list[Match] = []
    went, came = _grouped(gone, _class), _grouped(come, _class)
    for share_class in went.keys() & came.keys():
        chosen = _one_of(went[share_class], came[share_class])
        if chosen is None:
            continue
        before, after, sure = chosen
        stays = any(_class(one) == share_class for one in kept)
        confidence = min(sure, ONE_STAYS) if stays else sure
        words = "the same CIK, and one ticker of the class went and one came"
        words += ", while another stays" if stays else "" if sure == SAME_ISSUER else ", chosen among several"
        found.append(Match(before, after, confidence, words))
    before_left, after_left = _left(gone, come, found)
    if len(before_left) == 1 and len(after_left) == 1 and len(gone) == len(come):
        before, after = before_left[0], after_left[0]
        likely = alike(before.symbol, after.symbol)
        words = "the same CIK, one ticker went and one came, and their classes are spelled differently"
        found.append(Match(before, after, round(SAME_ISSUER * likely, 2), words))
    return found


def _class(one: Listed) -> str:
    return parted(one.symbol).share_class


def _one_of(gone: list[Listed], come: list[Listed]) -> tuple[Listed, Listed, float] | None:
    """Return the pair of a class, and how sure it is; None where nothing chooses among several."""
    if len(gone) == 1 and len(come) == 1:
        return gone[0], come[0], SAME_ISSUER
    if len(gone) > 1:
        return None
    stem = parted(gone[0].symbol).stem
    alike_ones = [one for one in come if parted(one.symbol).stem.startswith(stem)]
    on_exchange = [one for one in come if one.exchange and one.exchange not in _OVER_THE_COUNTER]
    for some in (alike_ones, on_exchange):
        if len(some) == 1:
            return gone[0], some[0], CHOSEN
    return None
