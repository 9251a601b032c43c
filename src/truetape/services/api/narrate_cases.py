"""A quarantined claim or a repair in words, for a terminal of 80 columns or more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import Any

import msgspec

from truetape.services.api.cases import ClaimCase, RepairCase

WIDTH = 80
_NOTHING = "nothing"


def narrate_claim(case: ClaimCase) -> str:
    """Return the case as plain text that ends with a line feed."""
    claim = case.claim
    title = f"{claim['id']}  {claim['state']}"
    about = f"{claim['symbol'] or claim['instrument_id']} {_day(claim)} {claim['timeframe']} by {claim['provider']}"
    sections = (
        ("Why it was kept out", [f"{claim['reason']}", *wrap(claim["explanation"], WIDTH - 4)]),
        ("Claimed, as traded", [_bar(claim)]),
        ("What every provider says about the bar", [_other(one) for one in case.others]),
        ("The golden row", [f"version {one['version']}: {_golden(one)}" for one in case.golden]),
        ("Around it", [_neighbour(one, claim) for one in case.neighbours]),
        ("Findings", [f"{one['severity']} {one['check']}: {one['explanation']}" for one in case.findings]),
        ("Decisions about this bar", list(_decisions(case.decisions))),
    )
    return _text([title, about], sections)


def narrate_repair(case: RepairCase) -> str:
    """Return the case as plain text that ends with a line feed."""
    one = case.repair
    title = f"{one['id']}  {one['state']}"
    span = one["start"] if one["start"] == one["end"] else f"{one['start']} to {one['end']}"
    about = f"{one['symbol'] or one['instrument_id']} {span} {one['timeframe']} by {one['provider']}"
    factor = "" if one["factor"] is None else f", factor {one['factor']:.10g}"
    edits = [
        f"{str(edit['ts_event'])[:10]} {edit['column']}: {_number(edit['before'])} becomes {_number(edit['after'])}"
        for edit in case.edits
    ]
    more = [f"and {case.more_edits} more"] if case.more_edits else []
    sections = (
        ("What is wrong", [f"{one['kind']}{factor}, confidence {one['confidence']:.0%}", *_paragraph(one, case)]),
        (f"Values of {one['columns']}", [*edits, *more]),
        ("Decisions about it", list(_decisions(case.decisions))),
    )
    return _text([title, about], sections)


def _paragraph(one: Mapping[str, Any], case: RepairCase) -> list[str]:
    evidence = [case.evidence] if case.evidence and case.evidence != one["explanation"] else []
    return [line for words in (one["explanation"], *evidence) for line in wrap(words, WIDTH - 4)]


def _text(head: Iterable[str], sections: Iterable[tuple[str, list[str]]]) -> str:
    told = list(head)
    for title, body in sections:
        if body:
            told += ["", title, *(f"  {line}" for line in body)]
    return "".join(f"{line}\n" for line in told)


def _decisions(decisions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in decisions:
        when = f"{one['ts_known'][:10]} {one['ts_known'][11:19]} UTC"
        yield f"{when}  {one['action']} by {one['actor']}: {one['why']}"
        before, after = (_closes(one[name]) for name in ("before", "after"))
        yield f"    {one['decision_id']} changed {one['changed']} golden rows{_became(before, after)}"


def _became(before: list[str], after: list[str]) -> str:
    if len(after) != 1:
        return ""
    return f": {before[0] if before else _NOTHING} became {after[0]}"


def _closes(quoted: str) -> list[str]:
    return [_number(row.get("close", row.get("value"))) for row in msgspec.json.decode(quoted)]


def _other(one: Mapping[str, Any]) -> str:
    traded = one["as_traded"]
    said = _bar(traded) if traded else f"{_bar(one)}, adjusted for dividends too"
    return f"{one['provider']:<13} {said}, payload {one['payload'][:12]}"


def _neighbour(one: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    mark = "  <" if one["ts_event"] == claim["ts_event"] else ""
    return f"{_day(one)}  golden {_number(one['golden'])}, {claim['provider']} {_number(one['claimed'])}{mark}"


def _day(row: Mapping[str, Any]) -> str:
    stamp = str(row["ts_event"])
    return stamp[:10] if "T00:00:00" in stamp else stamp[:16].replace("T", " ")


def _golden(row: Mapping[str, Any]) -> str:
    """Return a version of the golden row; a withdrawal has no verdict."""
    return "withdrawn" if row["method"] is None else f"{_bar(row)}, {row['method']}"


def _bar(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_number(row[name])}" for name in ("open", "high", "low", "close", "volume"))


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.10g}"
