"""What operators say of corporate actions, as decisions about golden rows: what is true, and what never was.

A golden row of actions says a value for a type and an ex-date. Where an operator has spoken of an announcement, its row
is his: the claims of providers about it give way, and the row follows each of his amendments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec
import polars as pl

from truetape.domain.action_fields import OPERATOR, Announcement
from truetape.domain.action_matching import Group
from truetape.domain.announced import IN_CASH, statement_rows, with_sources
from truetape.domain.announced_messages import ActionStated
from truetape.domain.announced_terms import NUMBERS, exact
from truetape.domain.announcements import ENDED, SAID
from truetape.domain.identity import decision_id
from truetape.domain.messages import DecisionMade, Edit
from truetape.domain.time import day_start_ns, to_datetime
from truetape.ports.store import Selection, Store

Place = tuple[int, str]  # 00:00 UTC of the ex-date, and the type
Values = dict[Place, float]


async def row_decisions(
    store: Store, known: Sequence[pl.DataFrame], told: Sequence[ActionStated]
) -> list[DecisionMade]:
    """Return the decisions about golden rows that follow from what operators have `told`.

    Args:
        store: Where earlier decisions lie.
        known: What is known of the instrument: rows of action_claims, action_details and action_statements.
        told: What they say now, about one announcement.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    last = told[-1]
    claims, details, stated = known
    everything = with_sources(claims, details, pl.concat([stated, statement_rows(told)]))
    pairs = [pair for pair in everything if any(one.announcement_id == last.announcement_id for one in pair[1])]
    if last.said not in SAID or not pairs:
        return []
    equal = {"instrument_id": (last.instrument_id,)}
    rows = await store.read("decisions", Selection(equal=equal, columns=("target", "fact", "ts_known")))
    facts = rows.sort("ts_known").select("target", "fact").iter_rows()
    earlier = {target: msgspec.json.decode(fact, type=DecisionMade) for target, fact in facts}
    found, group = pairs[0]
    return [*_operators(found, group, last, earlier), *_providers(found, group, last, earlier)]


def _operators(
    found: Announcement, group: Group, last: ActionStated, earlier: Mapping[str, DecisionMade]
) -> Iterator[DecisionMade]:
    """Yield the decision that gives or takes the row that operators speak for."""
    target = last.announcement_id
    before = _given(earlier.get(target))
    wanted = _wanted(found, group)
    if wanted == before:
        return
    gone = [Edit(*place, value, None) for place, value in before.items() if place not in wanted]
    edits = [*gone, *(Edit(*place, None, value) for place, value in wanted.items())]
    days = [to_datetime(when).date() for when, _ in (*before, *wanted)]
    yield _decision(last, target, OPERATOR, edits if wanted else [], days, currency=found.fields.get("currency", ""))


def _providers(
    found: Announcement, group: Group, last: ActionStated, earlier: Mapping[str, DecisionMade]
) -> Iterator[DecisionMade]:
    """Yield the decisions that take away what providers say of an action that is another, or none; or give it back."""
    stays = {} if found.status in ENDED else _placed(found.fields)
    for one in group:
        if one.source == OPERATOR or one.status in ENDED:
            continue
        target = f"{last.announcement_id}/{one.announcement_id}"
        claimed = _placed(one.fields)
        edits = [Edit(*place, value, None) for place, value in claimed.items() if place not in stays]
        held = earlier.get(target)
        taken = held.edits if held is not None and held.action == "apply" else ()
        if tuple(edits) != tuple(taken):
            days = [to_datetime(edit.ts_event).date() for edit in (*edits, *taken)]
            yield _decision(last, target, one.source, edits, days)


def _wanted(found: Announcement, group: Group) -> Values:
    """Return the row that operators speak for: where they name an amount, or a place that no provider names."""
    own = [one for one in group if one.source == OPERATOR]
    claimed = {
        place for one in group if one.source != OPERATOR and one.status not in ENDED for place in _placed(one.fields)
    }
    amounts = any(one.fields.get(name) for one in own for name in NUMBERS)
    placed = {} if found.status in ENDED else _placed(found.fields)
    return {place: value for place, value in placed.items() if amounts or place not in claimed}


def _placed(fields: Mapping[str, str]) -> Values:
    """Return the row that `fields` are about; none where the date or the amount is not known."""
    day, kind = fields.get("effective_date"), fields.get("type", "")
    text = fields.get("value") or (fields.get("price", "") if kind in IN_CASH else "")
    if not day or not text:
        return {}
    return {(day_start_ns(date.fromisoformat(day)), kind): float(exact(text, parameter="value"))}


def _given(made: DecisionMade | None) -> Values:
    """Return what a decision that holds says is true."""
    if made is None or made.action != "apply":
        return {}
    return {(edit.ts_event, edit.column): edit.after for edit in made.edits if edit.after is not None}


def _decision(
    last: ActionStated, target: str, source: str, edits: Sequence[Edit], days: Sequence[date], *, currency: str = ""
) -> DecisionMade:
    action = "apply" if edits else "undo"
    return DecisionMade(
        decision_id=decision_id(target=target, action=action, actor=last.actor, ts_known=last.ts_known),
        target=target,
        action=action,
        instrument_id=last.instrument_id,
        kind="actions",
        timeframe="1d",
        start=min(days),
        end=max(days),
        provider=source,
        actor=last.actor,
        why=last.why,
        ts_known=last.ts_known,
        edits=tuple(edits),
        currency=currency,
        simulated=last.simulated,
    )
