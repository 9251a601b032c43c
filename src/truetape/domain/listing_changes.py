"""What changed between two lists of listings: listings, delistings, renames, transfers, with evidence and confidence.

A list that was cut short, or that lacks more than a stated share of what was listed, tells no delisting: those are held
back, and a finding says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.kinds import Schema
from truetape.domain.listed import Listed, Snapshot
from truetape.domain.listed_names import root_name, same_name
from truetape.domain.renames import Match, matched

KINDS: Final = (
    "listing",
    "delisting",
    "rename",  # the same security goes on under another ticker
    "name_change",
    "transfer",  # to another exchange
    "tier_change",  # to another market of the same exchange
    "status_change",  # as the exchange words it: deficient, bankrupt, normal again
    "issuer_change",  # the ticker goes on, the issuer's number is another one: a reorganisation
)
EVENT_COLUMNS: Final[Schema] = {
    "kind": pl.String(),  # of KINDS
    "symbol": pl.String(),  # as it is now; of a delisting, as it was
    "old_symbol": pl.String(),  # of a rename
    "name": pl.String(),
    "old_name": pl.String(),  # where it differs
    "exchange": pl.String(),  # in the source's code; so is old_exchange
    "old_exchange": pl.String(),  # where it differs
    "date": pl.Date(),  # since when, where the source tells it
    "cik": pl.String(),
    "confidence": pl.Float64(),  # that the event is what its kind says, in (0, 1]
    "evidence": pl.String(),  # why, in words
}
MOST_GONE: Final = 0.5  # share of the listed tickers that two lists far apart in time may differ by
FEWEST_CUT: Final = 10  # tickers beyond the last one of the new list, from which on it was cut
FEWEST_OF_VENUE: Final = 20  # listings of an exchange that does not vanish as a whole
OLD_CUT: Final = "old_cut_short"
SURE: Final = 1.0
LISTED_ONLY: Final = 0.9  # the ticker came or went, and nothing dates it
WITHOUT_END: Final = 0.6  # it went, from a list that does not say that it is whole
REUSED: Final = 0.8


@dataclass(frozen=True)
class Held:
    """Why events were not told, and how many."""

    reason: str  # mass_disappearance, cut_short or venue_vanished; OLD_CUT of listings that were there before
    words: str
    events: int


@dataclass(frozen=True)
class Changes:
    """What two lists differ in: schema EVENT_COLUMNS, by kind and symbol, what was held back, and why."""

    events: pl.DataFrame
    held: pl.DataFrame
    findings: tuple[Held, ...]

    @property
    def is_believed(self) -> bool:
        """Whether the newer list seems to be whole; that the older one was not is no fault of it."""
        return all(one.reason == OLD_CUT for one in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """How many events of each kind there are, of those that there are."""
        told = Counter(self.events["kind"])
        return {kind: told[kind] for kind in KINDS if told[kind]}


@dataclass
class _Story:
    """Events as they are found."""

    rows: list[dict[str, object]] = field(default_factory=list)

    def tell(
        self,
        kind: str,
        *,
        before: Listed | None,
        after: Listed | None,
        confidence: float,
        evidence: str,
        on: date | None = None,
    ) -> None:
        one = after or before
        assert one is not None
        told: dict[str, object] = {
            "kind": kind,
            "symbol": one.symbol,
            "name": one.name or (before.name if before else None),
            "exchange": one.exchange or (before.exchange if before else None),
            "date": on,
            "cik": one.cik or (before.cik if before else None),
            "confidence": round(confidence, 2),
            "evidence": evidence,
        }
        if before is not None and after is not None:
            told["old_symbol"] = before.symbol if before.symbol != after.symbol else None
            told["old_name"] = before.name if not same_name(before.name, after.name) else None
            told["old_exchange"] = before.exchange if before.exchange != after.exchange else None
        self.rows.append(told)


def changes(old: Snapshot, new: Snapshot, *, most_gone: float = MOST_GONE) -> Changes:
    """Return what happened between the list `old` and the later list `new`.

    Args:
        old: What was listed.
        new: What is listed; both from one source, or compared by tickers in one spelling.
        most_gone: The share of the tickers of `old`, in (0, 1], that may be missing from `new`. If more are, none of
            them counts as a delisting.
    """
    story = _Story()
    gone = {one.key: one for one in old.live.values() if one.key not in new.live}
    come = {one.key: one for one in new.live.values() if one.key not in old.live}
    apart: list[tuple[Listed, Listed]] = []
    for key, before in old.live.items():
        after = new.live.get(key)
        if after is None:
            continue
        if _another_issuer(before, after) or _reused(before, after, old, new):
            apart.append((before, after))
        else:
            _compare(story, before, after)
    renames = matched([*gone.values(), *(before for before, _ in apart)],
                      [*come.values(), *(after for _, after in apart)], old=old, new=new)  # fmt: skip
    for one in renames:
        _renamed(story, one)
    left = {id(one.before) for one in renames}
    taken = {id(one.after) for one in renames}
    _reassigned(story, apart, left=left, taken=taken, new=new)
    for before in gone.values():
        if id(before) not in left:
            _delisted(story, before, new)
    for after in come.values():
        if id(after) not in taken:
            _listed(story, after)
    return _withheld(story.rows, old, new, most_gone=most_gone)


def _another_issuer(before: Listed, after: Listed) -> bool:
    return bool(before.cik and after.cik and before.cik != after.cik)


def _reused(before: Listed, after: Listed, old: Snapshot, new: Snapshot) -> bool:
    """Return whether the ticker means another security now: it begins after all that the old list knows."""
    if before.first_date is None or after.first_date is None or old.newest is None:
        return False
    if after.first_date <= old.newest or same_name(before.name, after.name):
        return False
    told = bool(before.name and after.name)  # names that differ
    ended = any(one.first_date == before.first_date and not one.is_live for one in new.past.get(before.key, ()))
    return told or ended


def _compare(story: _Story, before: Listed, after: Listed) -> None:
    if before.name and after.name and not same_name(before.name, after.name):
        words = f"the name was {before.name!r} and is {after.name!r}"
        story.tell("name_change", before=before, after=after, confidence=SURE, evidence=words)
    if before.exchange and after.exchange and before.exchange != after.exchange:
        words = f"listed on {before.exchange}, then on {after.exchange}"
        story.tell("transfer", before=before, after=after, confidence=SURE, evidence=words)
    elif before.mic and after.mic and before.mic != after.mic:
        words = f"traded on {before.mic}, then on {after.mic}"
        story.tell("tier_change", before=before, after=after, confidence=SURE, evidence=words)
    if before.condition and after.condition and before.condition != after.condition:
        words = f"the exchange's status was {before.condition} and is {after.condition}"
        story.tell("status_change", before=before, after=after, confidence=SURE, evidence=words)


def _renamed(story: _Story, one: Match) -> None:
    before, after = one.before, one.after
    story.tell("rename", before=before, after=after, confidence=one.confidence, evidence=one.why)
    if before.exchange and after.exchange and before.exchange != after.exchange:
        words = f"listed on {before.exchange} as {before.symbol}, then on {after.exchange} as {after.symbol}"
        story.tell("transfer", before=before, after=after, confidence=one.confidence, evidence=words)


def _reassigned(
    story: _Story, apart: Iterable[tuple[Listed, Listed]], *, left: set[int], taken: set[int], new: Snapshot
) -> None:
    """Tell of tickers that stand for another issuer or security now, but for the parts that renames told."""
    for before, after in apart:
        whole = id(before) not in left and id(after) not in taken
        if whole and _another_issuer(before, after) and _goes_on(before, after):
            words = f"CIK {before.cik} became {after.cik} under the same name"
            story.tell("issuer_change", before=before, after=after, confidence=LISTED_ONLY, evidence=words)
            continue
        if id(before) not in left:
            words = f"the ticker went over to {after.name or 'another security'}{_number(after)}"
            on = _ended(before, new)
            story.tell("delisting", before=before, after=None, confidence=REUSED, evidence=words, on=on)
        if id(after) not in taken:
            words = f"the ticker was that of {before.name or 'another security'}{_number(before)} before"
            story.tell("listing", before=None, after=after, confidence=REUSED, evidence=words, on=after.first_date)


def _goes_on(before: Listed, after: Listed) -> bool:
    return root_name(before.name or "") == root_name(after.name or "") != ""


def _number(one: Listed) -> str:
    return f" (CIK {one.cik})" if one.cik else ""


def _ended(before: Listed, new: Snapshot) -> date | None:
    """Return the last day that the new list tells of a listing of the old one."""
    past = [one.last_date for one in new.past.get(before.key, ()) if one.last_date is not None]
    return max(past, default=None)


def _delisted(story: _Story, before: Listed, new: Snapshot) -> None:
    on = _ended(before, new)
    if before.key in new.past:
        day = f" on {on}" if on else ""
        words, confidence = f"the new list says that it was delisted{day}", SURE
    else:
        words = "it is not in the new list" + ("" if new.whole else ", which does not say that it is whole")
        confidence = LISTED_ONLY if new.whole else WITHOUT_END
    story.tell("delisting", before=before, after=None, confidence=confidence, evidence=words, on=on)


def _listed(story: _Story, after: Listed) -> None:
    on = after.first_date
    words = "it was not in the old list" + (f", and is listed since {on}" if on else "")
    story.tell("listing", before=None, after=after, confidence=LISTED_ONLY, evidence=words, on=on)


def _withheld(rows: Sequence[dict[str, object]], old: Snapshot, new: Snapshot, *, most_gone: float) -> Changes:
    """Return the events, without those that a list which is not whole would tell."""
    frame = _frame(rows)
    findings = list[Held]()
    silent = pl.repeat(value=False, n=len(frame), dtype=pl.Boolean, eager=True)
    absent = (frame["kind"] == "delisting") & frame["evidence"].str.starts_with("it is not")
    share = absent.sum() / max(len(old.live), 1)
    if share > most_gone:
        words = f"{absent.sum()} of {len(old.live)} tickers are missing, more than the share of {most_gone:g}"
        findings.append(Held("mass_disappearance", words, int(absent.sum())))
        silent = absent
    for reason, kind, one, other in (("cut_short", "delisting", old, new), (OLD_CUT, "listing", new, old)):
        missing = absent if kind == "delisting" else frame["kind"] == kind
        beyond = missing & (frame["symbol"] > other.last_symbol) & ~silent
        if one.in_order and other.in_order and beyond.sum() >= FEWEST_CUT:
            list_ = "new" if kind == "delisting" else "old"
            words = f"the {list_} list ends with {other.last_symbol}; {beyond.sum()} tickers come after it in the other"
            findings.append(Held(reason, words, int(beyond.sum())))
            silent |= beyond
    for venue in _vanished(old, new):
        missing = absent & (frame["exchange"] == venue).fill_null(value=False) & ~silent
        if missing.sum() >= FEWEST_OF_VENUE:
            words = f"all {old.venues[venue]} listings of {venue} are missing, and so is the exchange"
            findings.append(Held("venue_vanished", words, int(missing.sum())))
            silent |= missing
    return Changes(events=frame.filter(~silent), held=frame.filter(silent), findings=tuple(findings))


def _vanished(old: Snapshot, new: Snapshot) -> list[str]:
    if not new.venues:
        return []
    return sorted(name for name, number in old.venues.items() if number >= FEWEST_OF_VENUE and name not in new.venues)


def _frame(rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    order = {kind: number for number, kind in enumerate(KINDS)}
    rows = sorted(rows, key=lambda row: (order[str(row["kind"])], str(row["symbol"])))
    return pl.DataFrame([{name: row.get(name) for name in EVENT_COLUMNS} for row in rows], schema=EVENT_COLUMNS)
