"""Announced corporate actions over HTTP: of symbols, coming up, one with its history, and those that prices propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.action_fields import Field
from truetape.domain.action_proposals import CHECKS, proposals, repairs_proposed
from truetape.domain.announced import announcement_rows, announcements, with_sources
from truetape.domain.announced_history import Known, history
from truetape.domain.announcements import REFUSALS, Life, status_on
from truetape.domain.errors import UnknownTarget
from truetape.domain.schema import TABLES
from truetape.domain.time import iso, to_datetime
from truetape.ports.store import Selection
from truetape.services.api.answers import Page
from truetape.services.api.config import ApiConfig
from truetape.services.api.endpoint import Endpoint, form_of
from truetape.services.api.formats import PAGE_FORMATS, TABLE_FORMATS
from truetape.services.api.parameters import Parameter
from truetape.services.api.query import ActionsQuery, actions_query
from truetape.services.api.reading import Reading
from truetape.services.api.shelf import Shelf

PATH: Final = "/v1/actions"
BY: Final = ("effective_date", "pay_date", "record_date", "deadline")
KNOWN: Final = ("action_claims", "action_details", "action_statements")
_DATES: Final = ("effective_date", "declared_date", "record_date", "pay_date", "deadline")
_TERMS: Final = ("value", "price", "currency", "new_symbol", "options", "sources", "dissented")
_TYPED: Final = TABLES["announcements"].columns
ANNOUNCED: Final[Mapping[str, pl.DataType]] = {
    "symbol": pl.String(),
    **{name: _TYPED[name] for name in ("announcement_id", "type", "status", *_DATES, *_TERMS, "simulated")},
}
PROPOSED: Final[Mapping[str, pl.DataType]] = {
    "symbol": pl.String(),
    "proposal_id": pl.String(),
    "said": pl.String(),  # what accepting it would state
    "effective_date": pl.Date(),
    "type": pl.String(),
    "value": pl.String(),
    "announcement_id": pl.String(),
    "check": pl.String(),
    "evidence": pl.String(),
    "state": pl.String(),
    "actor": pl.String(),
    "why": pl.String(),
}


@dataclass(frozen=True, kw_only=True)
class UpcomingQuery:
    """Announcements of which the date called `by` lies between two days, both inclusive."""

    start: date | None = None
    end: date | None = None
    by: str = "effective_date"
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseQuery:
    """One announcement."""

    target: str
    as_of: int | None = None
    snapshot: str = ""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of an announcement since an instant; instants in ISO 8601."""

    version: int
    known: str
    status: str
    fields: dict[str, str]
    sources: str


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """What one operator said, and when; `refused` says why it changed nothing."""

    known: str
    said: str
    fields: dict[str, str]
    actor: str
    why: str
    refused: str = ""


class ActionCase(msgspec.Struct, frozen=True, kw_only=True):
    """One announced action: what it is made of, every version of it, and what operators said."""

    announcement_id: str
    instrument_id: str
    symbol: str
    status: str
    taken_back: bool
    fields: dict[str, str]
    made_of: tuple[Field, ...]
    versions: tuple[Version, ...]
    statements: tuple[Spoken, ...]


def upcoming_query(given: Mapping[str, str], config: ApiConfig) -> UpcomingQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    ranged = actions_query({"symbols": "any", **{name: text for name, text in given.items() if name != "by"}}, config)
    return UpcomingQuery(
        start=ranged.start,
        end=ranged.end,
        by=given.get("by", BY[0]),
        as_of=ranged.as_of,
        snapshot=ranged.snapshot,
    )


def case_query(given: Mapping[str, str], place: Mapping[str, str], config: ApiConfig) -> CaseQuery:
    """Return the question about the announcement that `place` names.

    Raises:
        BadInput: A value is not usable.
    """
    asked = actions_query({"symbols": "any", **given}, config)
    return CaseQuery(target=place["target"], as_of=asked.as_of, snapshot=asked.snapshot)


async def announced(reading: Reading, shelf: Shelf, query: ActionsQuery) -> Page:
    """Return the announcements about symbols, ANNOUNCED, symbol by symbol in the order of the question, each by date.

    Those without a date are told too. The status is that of the day as of which is asked.

    Raises:
        UnknownSymbol, BadInput: A symbol means nothing, or too much.
        StoreUnavailable: The store cannot be read now.
    """
    directory = await shelf.directory(reading)
    first, last = query.start or date.min, query.end or date.max
    parts = []
    for symbol in query.symbols:
        listing = directory.find(symbol, start=query.start, end=query.end)
        known = await _known(reading, listing.instrument_id)
        rows = _rows(known, reading).with_columns(pl.lit(symbol).alias("symbol"))
        day = pl.col("effective_date")
        parts.append(rows.filter(day.is_null() | day.is_between(first, last)).select(list(ANNOUNCED)))
    return Page(pl.concat(parts))


async def upcoming(reading: Reading, query: UpcomingQuery) -> Page:
    """Return the announcements of all instruments of which one date lies in a range, ANNOUNCED, by that date.

    Without a start it begins today, as of the reading. What was cancelled or withdrawn is left out.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    today = to_datetime(reading.told).date()
    rows = await reading.read("announcements", Selection(as_of=reading.as_of))
    day = pl.col(query.by)
    wanted = rows.filter(
        day >= (query.start or today),
        day <= (query.end or date.max),
        pl.col("status").is_in(["announced", "confirmed", "effective"]),
    )
    named = wanted.join(await _symbols(reading), on="instrument_id", how="left")
    dated = named.with_columns(
        pl.coalesce("symbol", "instrument_id").alias("symbol"),
        pl.Series("status", [_on(row, today) for row in named.iter_rows(named=True)], dtype=pl.String),
    )
    return Page(dated.sort(query.by, "symbol", "announcement_id").select(list(ANNOUNCED)))


async def action_case(reading: Reading, target: str) -> ActionCase:
    """Return one announcement with all that is known of it.

    Raises:
        UnknownTarget: Nothing has this id.
        StoreUnavailable: The store cannot be read now.
    """
    instrument = f"ins_{target.split('_')[1]}" if target.count("_") > 1 else ""
    known = await _known(reading, instrument)
    pairs = [pair for pair in with_sources(*known) if target in {one.announcement_id for one in pair[1]}]
    if not pairs:
        raise UnknownTarget(target=target[:64], fix=f"{PATH}?symbols=... names announcements.")
    (found, group) = pairs[0]
    symbols = dict((await _symbols(reading)).filter(pl.col("instrument_id") == instrument).iter_rows())
    ids = [one.announcement_id for one in group]
    return ActionCase(
        announcement_id=found.announcement_id,
        instrument_id=instrument,
        symbol=symbols.get(instrument, instrument),
        status=status_on(found.status, found.fields, to_datetime(reading.told).date()),
        taken_back=found.taken_back,
        fields=found.fields,
        made_of=found.made_of,
        versions=tuple(_version(number, one) for number, one in enumerate(history(*known, target=target), start=1)),
        statements=_statements(known[2].filter(pl.col("announcement_id").is_in(ids)), group),
    )


async def proposed(reading: Reading, shelf: Shelf, symbols: tuple[str, ...]) -> Page:
    """Return the proposals about `symbols`, or about all instruments if there are none: PROPOSED, by symbol and date.

    Raises:
        UnknownSymbol, BadInput: A symbol means nothing, or too much.
        StoreUnavailable: The store cannot be read now.
    """
    directory = await shelf.directory(reading)
    named = {directory.find(symbol).instrument_id: symbol for symbol in symbols}
    equal = {"check": CHECKS, **({"instrument_id": tuple(named)} if named else {})}
    findings = await reading.read("findings", Selection(equal=equal, as_of=reading.as_of))
    about = {"instrument_id": tuple(named)} if named else {}
    columns = ("instrument_id", "dissented")
    told = await reading.read("announcements", Selection(equal=about, as_of=reading.as_of, columns=columns))
    repairs = await reading.read("repairs", Selection(equal={**about, "record": ("actions",)}, as_of=reading.as_of))
    suspects = {
        *findings["instrument_id"],
        *repairs["instrument_id"],
        *told.filter(pl.col("dissented") != "")["instrument_id"],
    }
    every = dict((await _symbols(reading)).iter_rows()) | named
    rows = []
    for instrument in sorted(suspects):
        known = await _known(reading, instrument)
        own = findings.filter(pl.col("instrument_id") == instrument)
        mended = repairs_proposed(repairs.filter(pl.col("instrument_id") == instrument))
        for one in (*proposals(own, announcements(*known), known[2], every=True), *mended):
            row = msgspec.structs.asdict(one)
            rows.append({**one.fields, **row, "symbol": every.get(instrument, instrument)})
    return Page(pl.DataFrame(rows, schema=dict(PROPOSED)).sort("symbol", "effective_date", maintain_order=True))


def proposals_query(given: Mapping[str, str], config: ApiConfig) -> ActionsQuery:
    """Return the question that `given` asks; without symbols it is about all instruments.

    Raises:
        BadInput: A value is not usable.
    """
    asked = actions_query({"symbols": "any", **given}, config)
    return asked if "symbols" in given else ActionsQuery(symbols=(), as_of=asked.as_of, snapshot=asked.snapshot)


def narrate_action(case: ActionCase) -> str:
    """Return the case as plain text that ends with a line feed."""
    kind, day = case.fields.get("type", "action"), case.fields.get("effective_date", "a day that is not known")
    lines = [f"{case.symbol}: {kind} of {day}, {case.status}{', taken back' if case.taken_back else ''}"]
    lines += [f"  {case.announcement_id}", "", "Made of"]
    for one in case.made_of:
        lines.append(f"  {one.name:<15} {one.value:<22} {', '.join(one.said_by)}")
        lines += [f"  {'':<15} {other.said:<22} {other.source}: {other.reason}" for other in one.dissent]
    lines += ["", "Versions"]
    lines += [f"  {one.version}  {one.known}  {one.status}  {_worded(one.fields)}" for one in case.versions]
    lines += ["", "Said by operators"] if case.statements else []
    for told in case.statements:
        lines.append(f"  {told.known}  {told.said} by {told.actor}: {told.why}")
        lines += [f"    {_worded(told.fields)}"] if told.fields else []
        lines += [f"    not taken: {told.refused}"] if told.refused else []
    return "".join(f"{line}\n" for line in lines)


def announced_endpoints(
    *, symbols: Parameter, days: tuple[Parameter, Parameter], known: tuple[Parameter, Parameter]
) -> list[Endpoint]:
    """Return the endpoints of announced actions."""
    by = Parameter("by", "Which date must lie in the range.", choices=BY, default=BY[0])
    some = Parameter("symbols", "Symbols or instrument ids, separated by commas.", example="AAPL,MSFT")
    shared: dict[str, Any] = {"formats": TABLE_FORMATS, "columns": ANNOUNCED}
    return [
        Endpoint(
            name="announcements",
            path=PATH,
            title="Announced actions",
            about=(
                "Corporate actions as all sources together tell them, from announcement on: one row for each, whatever "
                "names, dates and amounts the sources give it. Values are exact: 1/7 is one seventh."
            ),
            example=f"{PATH}?symbols=AAPL",
            parameters=(symbols, *days, *known, form_of(TABLE_FORMATS)),
            **shared,
        ),
        Endpoint(
            name="upcoming_actions",
            path=f"{PATH}/calendar",
            title="Calendar of actions",
            about="Announced actions of all instruments by ex-date, pay date, record date or deadline, from today on.",
            example=f"{PATH}/calendar?by=pay_date",
            parameters=(*days, by, *known, form_of(TABLE_FORMATS)),
            **shared,
        ),
        _proposals((some, *known, form_of(TABLE_FORMATS))),
        _case((*known, form_of(PAGE_FORMATS))),
    ]


def _proposals(parameters: tuple[Parameter, ...]) -> Endpoint:
    return Endpoint(
        name="action_proposals",
        path=f"{PATH}/proposals",
        title="Proposed actions",
        about=(
            "Actions that prices speak of and nobody tells, or deny. They change nothing: POST to "
            "/v1/actions/statements accepts or rejects one."
        ),
        example=f"{PATH}/proposals?symbols=AAPL",
        parameters=parameters,
        formats=TABLE_FORMATS,
        columns=PROPOSED,
    )


def _case(parameters: tuple[Parameter, ...]) -> Endpoint:
    example = "ann_desj2dqeqa6e_47f140be1802"
    return Endpoint(
        name="action_case",
        path=f"{PATH}/{{target}}",
        title="An announced action",
        about=(
            "One action: each field with who said so, who did not and why; all of its versions, and what operators "
            "said. `format=text` is for reading."
        ),
        example=f"{PATH}/{example}?format=text",
        parameters=parameters,
        formats=PAGE_FORMATS,
        columns={},
        path_parameters=(Parameter("target", f"An announcement_id of {PATH}.", example=example, required=True),),
    )


async def _known(reading: Reading, instrument: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    wanted = Selection(equal={"instrument_id": (instrument,)}, as_of=reading.as_of)
    claims, details, stated = [await reading.read(table, wanted) for table in KNOWN]
    return claims, details, stated


async def _symbols(reading: Reading) -> pl.DataFrame:
    """Return the last symbol of each instrument: `instrument_id`, `symbol`."""
    columns = ("instrument_id", "symbol", "valid_from")
    rows = await reading.read("listings", Selection(as_of=reading.as_of, columns=columns))
    ordered = rows.sort("valid_from", "symbol", nulls_last=False)
    return ordered.unique("instrument_id", keep="last", maintain_order=True).select("instrument_id", "symbol")


def _rows(known: Sequence[pl.DataFrame], reading: Reading) -> pl.DataFrame:
    claims, details, stated = known
    found = announcements(claims, details, stated)
    simulated = any(frame["simulated"].any() for frame in known)
    rows = announcement_rows(found, ts_known=reading.told, simulated=simulated)
    today = to_datetime(reading.told).date()
    status = [status_on(one.status, one.fields, today) for one in found]
    return rows.with_columns(pl.Series("status", status, dtype=pl.String))


def _on(row: Mapping[str, Any], day: date) -> str:
    fields = {"type": row["type"], "effective_date": str(row["effective_date"] or "")}
    return status_on(row["status"], fields, day)


def _version(number: int, known: Known) -> Version:
    told = known.announcement
    return Version(
        version=number, known=iso(known.since), status=told.status, fields=told.fields, sources=",".join(told.sources)
    )


def _statements(rows: pl.DataFrame, group: tuple[Life, ...]) -> tuple[Spoken, ...]:
    refused = {identity: reason for one in group for identity, reason in one.refused}
    return tuple(
        Spoken(
            known=iso(row["ts_known"]),
            said=row["said"],
            fields=msgspec.json.decode(row["fields"], type=dict[str, str]),
            actor=row["actor"],
            why=row["why"],
            refused=REFUSALS.get(refused.get(row["statement_id"], ""), ""),
        )
        for row in rows.with_columns(pl.col("ts_known").cast(pl.Int64))
        .sort("ts_known", "statement_id")
        .iter_rows(named=True)
    )


def _worded(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in fields.items())
