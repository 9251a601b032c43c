"""The corporate actions of what somebody holds, from the platform's store, with what was elected for an account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from truetape.domain.announced_terms import FIELDS, entitlement
from truetape.domain.announcements import status_on
from truetape.domain.entitlements import Action
from truetape.domain.errors import BadInput, UnknownInstrument, UnknownSymbol

if TYPE_CHECKING:
    from truetape.app.library import Session

LAST: Final = date(9999, 12, 31)


@dataclass
class Stored:
    """Actions, the options elected of them by instrument and ex-date, and what could not be used, in words."""

    actions: list[Action] = field(default_factory=list)
    choices: dict[tuple[str, date], str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def stored_actions(
    session: Session, symbols: Iterable[str], *, account: str, until: date | None = None, as_of: str | None = None
) -> Stored:
    """Return the actions of `symbols`, and of what they hand out, that take effect up to `until`, inclusive.

    An action that was cancelled or withdrawn, or that waits to be confirmed, is left out. Instruments are called by the
    symbols that positions have, or that an action names.

    Raises:
        UnknownSymbol, BadInput: One of `symbols` means nothing, or too much.
    """
    found, asked = Stored(), [*dict.fromkeys(symbols)]
    held = set(asked)
    for number, symbol in enumerate(asked):
        try:
            rows = session.announcements(symbol, end=until, as_of=as_of)
        except (UnknownSymbol, UnknownInstrument):
            if number < len(held):
                raise
            found.left_out.append(f"{symbol}: it is not listed here, so its own actions are not known")
            continue
        for row in rows.iter_rows(named=True):
            action = _action(row, found, until=until or LAST)
            if action is not None:
                found.actions.append(action)
                received = (name for option in action.options for name, _ in option.received)
                asked += [name for name in dict.fromkeys(received) if name not in asked]
                _elect(session, row, action, found, account=account, as_of=as_of)
    return found


def _action(row: Mapping[str, Any], found: Stored, *, until: date) -> Action | None:
    """Return the action of a row if it is in effect; what it lacks is noted."""
    fields = {name: str(row[name]) for name in FIELDS if row[name] not in (None, "")}
    if status_on(row["status"], fields, until) != "effective":
        return None
    try:
        return entitlement(row["symbol"], fields)
    except BadInput as error:
        what = f"{row['symbol']}: the {row['type']} of {row['effective_date']} ({row['announcement_id']})"
        found.left_out.append(f"{what} is incomplete. {error}")
        return None


def _elect(
    session: Session, row: Mapping[str, Any], action: Action, found: Stored, *, account: str, as_of: str | None
) -> None:
    if len(action.options) > 1:
        said = session.action(row["announcement_id"], as_of=as_of).statements
        chosen = [one.fields for one in said if one.said == "elected" and one.fields.get("account") == account]
        if chosen:
            found.choices[action.instrument_id, action.ex_date] = chosen[-1]["option"]
