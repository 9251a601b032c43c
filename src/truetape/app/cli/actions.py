"""`truetape actions`: announced corporate actions, what operators say of them, and what prices propose."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from truetape.app.cli.quarantine import this_user
from truetape.app.cli.terminal import DEFAULT_PATH, Data, Json, call, err, out, run, write_json
from truetape.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from truetape.services.api.statements import NewStatement

DEFAULT: Final = "list"
Url = Annotated[str | None, typer.Option(help="Ask a running API instead of a data folder.")]
Target = Annotated[str, typer.Argument(metavar="ID", help="Id of an announcement, as the list gives it.")]
Why = Annotated[str, typer.Option("--why", help="The reason or the source; it stands in the audit.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who says so; else your name on this machine.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="As known then: a date, or an instant with a zone.")]
Start = Annotated[str | None, typer.Option(help="First day, inclusive.")]
End = Annotated[str | None, typer.Option(help="Last day, inclusive.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A term: value=1/7, currency=USD, pay_date=2026-03-01, ..."),
]
SHOWN: Final = ("effective_date", "type", "value", "price", "currency", "new_symbol", "status", "pay_date", "sources")


class _ListFirst(TyperGroup):
    """A first argument that is no command of the group is a symbol: `truetape actions AAPL`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


actions = typer.Typer(
    name="actions",
    cls=_ListFirst,
    help="Corporate actions from announcement on: truetape actions SYMBOL lists them; add, amend, cancel, elect, ...",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@actions.command(name=DEFAULT)
def list_actions(
    symbol: Annotated[str, typer.Argument(help="Symbol, or several separated by commas.")],
    *,
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the corporate actions of a symbol as all sources together tell them."""

    def asked() -> pl.DataFrame:
        from truetape.app import library

        with library.open(url or data) as session:
            return session.announcements(symbol, start=start, end=end, as_of=as_of)

    _show(call(asked, as_json=as_json), (*SHOWN, "announcement_id"), as_json=as_json)


@actions.command()
def upcoming(
    *,
    start: Start = None,
    end: End = None,
    by: Annotated[str, typer.Option(help="effective_date, pay_date, record_date or deadline.")] = "effective_date",
    as_of: AsOf = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List announced actions of all instruments from today on."""

    def asked() -> pl.DataFrame:
        from truetape.app import library

        with library.open(url or data) as session:
            return session.upcoming_actions(start=start, end=end, by=by, as_of=as_of)

    _show(call(asked, as_json=as_json), ("symbol", *SHOWN), as_json=as_json)


@actions.command()
def show(
    target: Target, *, as_of: AsOf = None, data: Data = Path("data"), url: Url = None, as_json: Json = False
) -> None:
    """Show one action: each field with who said so, who did not and why, all versions, and what operators said."""
    from truetape.app import library
    from truetape.services.api.announced import ActionCase, narrate_action

    def asked() -> ActionCase:
        with library.open(url or data) as session:
            return session.action(target, as_of=as_of)

    case = call(asked, as_json=as_json)
    if as_json:
        write_json(case)
    else:
        typer.echo(narrate_action(case), nl=False)


@actions.command()
def add(  # noqa: PLR0913  one parameter for each option
    symbol: Annotated[str | None, typer.Argument(help="Symbol; left out with --file.")] = None,
    *,
    kind: Annotated[str | None, typer.Option("--type", help="dividend, split, spin_off, rights, merger, ...")] = None,
    day: Annotated[str | None, typer.Option("--date", help="Ex-date, or the day on which it takes effect.")] = None,
    given: Fields = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="CSV or JSON: symbol, type, effective_date, value, ..., said, why.")
    ] = None,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="Its terms are final.")] = False,
    why: Why = "",
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Announce an action that no provider tells, or several from a file."""

    def read() -> list[NewStatement]:
        from truetape.app.action_files import read_statements
        from truetape.services.api.statements import NewStatement

        who = actor or this_user()
        if file is not None:
            return read_statements(file, actor=who, why=why)
        dated = {"type": kind or "", "effective_date": day or "", **_fields(given)}
        said = "confirmed" if confirmed else "announced"
        return [NewStatement(said=said, symbol=symbol or "", fields=dated, actor=who, why=why)]

    _say(call(read, as_json=as_json), data=data, url=url, as_json=as_json)


@actions.command()
def amend(
    target: Target,
    *,
    why: Why,
    given: Fields = None,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say that terms of an action are others now: --set value=0.6 --set pay_date=2026-03-01."""
    fields = call(lambda: _fields(given), as_json=as_json)
    _say_of(target, "amended", fields, why=why, actor=actor, data=data, url=url, as_json=as_json)


@actions.command()
def confirm(
    target: Target,
    *,
    why: Why,
    given: Fields = None,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say that the terms of an action are final."""
    fields = call(lambda: _fields(given), as_json=as_json)
    _say_of(target, "confirmed", fields, why=why, actor=actor, data=data, url=url, as_json=as_json)


@actions.command()
def cancel(
    target: Target, *, why: Why, actor: Actor = None, data: Data = Path("data"), url: Url = None, as_json: Json = False
) -> None:
    """Say that the issuer called an action off; after its date, that it was taken back."""
    _say_of(target, "cancelled", {}, why=why, actor=actor, data=data, url=url, as_json=as_json)


@actions.command()
def withdraw(
    target: Target, *, why: Why, actor: Actor = None, data: Data = Path("data"), url: Url = None, as_json: Json = False
) -> None:
    """Say that an action never was: it was announced by mistake."""
    _say_of(target, "withdrawn", {}, why=why, actor=actor, data=data, url=url, as_json=as_json)


@actions.command()
def elect(
    target: Target,
    option: Annotated[str, typer.Argument(help="The label of what is chosen.")],
    *,
    account: Annotated[str, typer.Option(help="Whose choice it is.")] = "main",
    why: Why = "chosen",
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Choose one of the options of an action, until its deadline."""
    fields = {"account": account, "option": option}
    _say_of(target, "elected", fields, why=why, actor=actor, data=data, url=url, as_json=as_json)


@actions.command()
def proposals(
    symbol: Annotated[str | None, typer.Argument(help="Symbol; left out: all instruments.")] = None,
    *,
    state: Annotated[str, typer.Option(help="proposed, accepted or rejected.")] = "proposed",
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List actions that prices speak of and nobody tells, or that prices deny. They change nothing by themselves."""

    def asked() -> pl.DataFrame:
        from truetape.app import library

        with library.open(url or data) as session:
            found = session.action_proposals(symbol)
        return found.filter(found["state"] == state)

    columns = ("symbol", "effective_date", "said", "type", "value", "check", "evidence", "proposal_id")
    _show(call(asked, as_json=as_json), columns, as_json=as_json)


@actions.command()
def accept(
    target: Annotated[str, typer.Argument(metavar="ID", help="Id of a proposal.")],
    *,
    why: Why,
    given: Fields = None,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """State what a proposal says, with its evidence; --set adds or changes terms."""
    fields = call(lambda: _fields(given), as_json=as_json)
    _say_of(target, "accepted", fields, why=why, actor=actor, data=data, url=url, as_json=as_json)


@actions.command()
def reject(
    target: Annotated[str, typer.Argument(metavar="ID", help="Id of a proposal.")],
    *,
    why: Why,
    actor: Actor = None,
    data: Data = Path("data"),
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say that a proposal is wrong: prices moved for another reason."""
    _say_of(target, "rejected", {}, why=why, actor=actor, data=data, url=url, as_json=as_json)


def _say_of(
    target: str,
    said: str,
    fields: dict[str, str],
    *,
    why: str,
    actor: str | None,
    data: Path,
    url: str | None,
    as_json: bool,
) -> None:
    from truetape.services.api.statements import NewStatement

    wanted = NewStatement(said=said, target=target, fields=fields, actor=actor or this_user(), why=why)
    _say([wanted], data=data, url=url, as_json=as_json)


def _say(wanted: Sequence[NewStatement], *, data: Path, url: str | None, as_json: bool) -> None:
    from truetape.app.stating import state, state_at

    if url:
        taken = call(lambda: state_at(url, wanted), as_json=as_json)
    else:
        file = Path(os.environ.get("TRUETAPE_CONFIG", DEFAULT_PATH))
        taken = run(state(data, wanted, file=file), as_json=as_json)
    if len(taken) < len(wanted):
        err().print(f"{len(wanted) - len(taken):,} of {len(wanted):,} were said before.", markup=False)
    if as_json:
        write_json(taken)
        return
    for one in taken:
        told = ", ".join(f"{name} {text}" for name, text in one.fields.items())
        out().print(f"{one.announcement_id}: {one.said} {told}".rstrip(), markup=False, highlight=False, soft_wrap=True)


def _fields(given: list[str] | None) -> dict[str, str]:
    fields = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise BadInput(parameter="--set", value=text, fix="Write it as FIELD=VALUE, such as value=1/7.")
        fields[name.strip()] = value
    return fields


def _show(frame: pl.DataFrame, columns: tuple[str, ...], *, as_json: bool) -> None:
    """Print rows as lines that are as wide as they must be; as JSON all of their columns."""
    if as_json:
        from truetape.services.api.render import written

        typer.echo(written(frame).write_json())
        return
    filled = [name for name in columns if any(value not in (None, "") for value in frame[name])]
    cells: list[list[str]] = [[*filled], *([_cell(value) for value in row] for row in frame.select(filled).iter_rows())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells if len(frame) else ():
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    err().print(f"{len(frame):,} in the list.", markup=False)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
