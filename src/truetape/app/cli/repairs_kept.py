"""`truetape repair list`, `show`, `apply`, `undo` and `reject`: repairs of the series that a platform keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truetape.app.cli.quarantine import (
    SHOWN,
    Actor,
    Instrument,
    Limit,
    ProviderName,
    State,
    Target,
    Url,
    Why,
    give_case,
    give_decision,
    give_list,
)
from truetape.app.cli.repair import repair
from truetape.app.cli.terminal import Data, Json

kept = repair  # the group, with these commands too


@repair.command(name="list")
def list_repairs(
    *,
    instrument: Instrument = None,
    provider: ProviderName = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Of fault: unit_flip, dividend_missing, ...")] = None,
    state: State = None,
    limit: Limit = SHOWN,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List repairs of the kept series, the newest first."""
    given = {"symbols": instrument, "provider": provider, "reason": kind, "state": state}
    columns = ("id", "symbol", "start", "end", "provider", "kind", "rows", "state")
    give_list("repairs", given, columns, data=data, url=url, limit=limit, as_json=as_json)


@repair.command()
def show(target: Target, *, data: Data = Path("data"), url: Url = None, as_json: Json = False) -> None:
    """Show one repair: every value before and after, the evidence, and what was decided."""
    give_case(target, data=data, url=url, as_json=as_json)


@repair.command()
def apply(
    target: Target,
    *,
    why: Why,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Apply a repair: golden rows get new versions."""
    give_decision(target, "apply", why=why, actor=actor, data=data, url=url, as_json=as_json)


@repair.command()
def undo(
    target: Target,
    *,
    why: Why,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Take an applied repair back: the values before it come again, as new versions."""
    give_decision(target, "undo", why=why, actor=actor, data=data, url=url, as_json=as_json)


@repair.command()
def reject(
    target: Target,
    *,
    why: Why,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Reject a repair: it is not proposed again."""
    give_decision(target, "reject", why=why, actor=actor, data=data, url=url, as_json=as_json)
