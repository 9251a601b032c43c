"""From a question to the bytes of its answer: from where it is answered, with which rows, and on which receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from truetape.domain.errors import BadInput, Terminal
from truetape.domain.subjects import Subject
from truetape.domain.time import iso
from truetape.ports.archive import Archive
from truetape.ports.clock import Clock
from truetape.ports.store import Store
from truetape.services.api.announced import (
    action_case,
    announced,
    case_query,
    narrate_action,
    proposals_query,
    proposed,
    upcoming,
    upcoming_query,
)
from truetape.services.api.answers import Answers, Page, factors_used
from truetape.services.api.calendars import calendar, calendar_query, venues, venues_query
from truetape.services.api.cases import Cases
from truetape.services.api.classifications import (
    changes,
    classes,
    classes_query,
    listed_within,
    structure_query,
    structures,
)
from truetape.services.api.config import ApiConfig
from truetape.services.api.endpoint import Endpoint
from truetape.services.api.endpoints import endpoints
from truetape.services.api.evidence import Explainer
from truetape.services.api.factors import factors
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.master import (
    found,
    instrument_case,
    instrument_query,
    narrate_instrument,
    search_query,
)
from truetape.services.api.narrate import narrate
from truetape.services.api.narrate_cases import narrate_claim, narrate_repair
from truetape.services.api.paging import Cursor, Position, decode_cursor, encode_cursor, fingerprint
from truetape.services.api.parameters import checked
from truetape.services.api.query import (
    actions_query,
    bars_query,
    docket_query,
    explain_query,
    instruments_query,
    levels_query,
    read_limit,
    ticks_query,
)
from truetape.services.api.rates import rates, rates_query
from truetape.services.api.reading import Reading, changes_of
from truetape.services.api.receipts import TOO_LONG, Question, Slip, decode_slip, digest_of, encode_slip, gone
from truetape.services.api.render import RECEIPT, Receipt, Rendered, render, rows_of
from truetape.services.api.shelf import Shelf
from truetape.services.api.snapshots import narrate_snapshot, snapshot_case, snapshots, state_named
from truetape.services.api.ticks import ticks

REBUILT: Final = "The store was rebuilt or set back since: it has no such commit."
OTHERS: Final = "The store was rebuilt or set back since, or truetape writes otherwise now: its bytes are others."

Query = Any  # one of the dataclasses of query.py


@dataclass(frozen=True)
class Desk:
    """Everything that answers from one reading."""

    reading: Reading
    answers: Answers
    cases: Cases
    explainer: Explainer
    shelf: Shelf


@dataclass(frozen=True)
class Ask:
    """How a question is read, and who answers it: with a page, or with a document and its words."""

    parse: Callable[[Mapping[str, str], Mapping[str, str], ApiConfig], Query]
    page: Callable[[Desk, Query, dict[str, Any]], Awaitable[Page]] | None = None
    document: Callable[[Desk, Query], Awaitable[Any]] | None = None
    narrate: Callable[[Any], str] = str


async def _snapshots(desk: Desk, _: Query, __: dict[str, Any]) -> Page:
    return Page(await snapshots(desk.reading))


ASKS: Final[dict[str, Ask]] = {
    "bars": Ask(lambda given, _, config: bars_query(given, config), lambda d, q, at: d.answers.bars(q, **at)),
    "instruments": Ask(
        lambda given, _, config: instruments_query(given, config),
        lambda d, q, at: listed_within(d.reading, d.answers, q, at),
    ),
    "search": Ask(search_query, lambda d, q, _: found(d.reading, d.shelf, q)),
    "instrument": Ask(
        instrument_query, document=lambda d, q: instrument_case(d.reading, q), narrate=narrate_instrument
    ),
    "trades": Ask(
        lambda given, _, config: ticks_query("trades", given, config),
        lambda d, q, at: ticks(d.reading, d.shelf, q, **at),
    ),
    "quotes": Ask(
        lambda given, _, config: ticks_query("quotes", given, config),
        lambda d, q, at: ticks(d.reading, d.shelf, q, **at),
    ),
    "actions": Ask(lambda given, _, config: actions_query(given, config), lambda d, q, _: d.answers.actions(q)),
    "announcements": Ask(
        lambda given, _, config: actions_query(given, config), lambda d, q, _: announced(d.reading, d.shelf, q)
    ),
    "upcoming_actions": Ask(
        lambda given, _, config: upcoming_query(given, config), lambda d, q, _: upcoming(d.reading, q)
    ),
    "action_proposals": Ask(
        lambda given, _, config: proposals_query(given, config),
        lambda d, q, _: proposed(d.reading, d.shelf, q.symbols),
    ),
    "action_case": Ask(case_query, document=lambda d, q: action_case(d.reading, q.target), narrate=narrate_action),
    "factors": Ask(
        lambda given, _, config: actions_query(given, config), lambda d, q, _: factors(d.reading, d.shelf, q)
    ),
    "levels": Ask(lambda given, _, __: levels_query(given), lambda d, q, _: d.answers.levels(q)),
    "quarantine": Ask(lambda given, _, config: docket_query(given, config), lambda d, q, at: d.cases.claims(q, **at)),
    "repairs": Ask(lambda given, _, config: docket_query(given, config), lambda d, q, at: d.cases.repairs(q, **at)),
    "snapshots": Ask(lambda _, __, ___: None, _snapshots),
    "calendar": Ask(
        lambda given, place, _: calendar_query(place["mic"], given), lambda d, q, _: calendar(d.reading, q)
    ),
    "rates": Ask(lambda given, _, __: rates_query(given), lambda d, q, _: rates(d.reading, q)),
    "classifications": Ask(
        lambda given, _, config: classes_query(given, config), lambda d, q, at: classes(d.reading, d.shelf, q, **at)
    ),
    "taxonomies": Ask(lambda given, _, __: structure_query("", given), lambda d, q, _: structures(d.reading, q)),
    "taxonomy": Ask(
        lambda given, place, _: structure_query(place["taxonomy"], given), lambda d, q, _: structures(d.reading, q)
    ),
    "taxonomy_changes": Ask(
        lambda given, place, _: structure_query(place["taxonomy"], given), lambda d, q, _: changes(d.reading, q)
    ),
    "venues": Ask(lambda given, _, __: venues_query(given), lambda d, q, _: venues(d.reading, q)),
    "explanation": Ask(
        lambda given, place, _: explain_query(place["symbol"], place["ts"], given),
        document=lambda d, q: d.explainer.explain(q),
        narrate=narrate,
    ),
    "quarantine_case": Ask(
        lambda _, place, __: place["target"], document=lambda d, q: d.cases.claim_case(q), narrate=narrate_claim
    ),
    "repairs_case": Ask(
        lambda _, place, __: place["target"], document=lambda d, q: d.cases.repair_case(q), narrate=narrate_repair
    ),
    "snapshot": Ask(
        lambda _, place, __: place["name"],
        document=lambda d, q: snapshot_case(d.reading, q),
        narrate=narrate_snapshot,
    ),
}


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """An answer, the store's version that it stands at, and what was looked at; None: it holds for ever."""

    rendered: Rendered
    version: int
    used: tuple[Subject, ...] | None


class Teller:
    """Answer questions of every endpoint from the store, and those of receipts as they were answered before."""

    def __init__(self, *, store: Store, archive: Archive | None, clock: Clock, config: ApiConfig) -> None:
        self.store = store
        self.changes = changes_of(store)
        self.endpoints = endpoints(config)
        self.shelf = Shelf()
        self._archive = archive
        self._clock = clock
        self.config = config

    async def answer(self, question: Question) -> Answered:
        """Return the answer to `question`, whose parameters were checked, as of now or of where it says.

        Raises:
            UnknownSymbol, UnknownTarget, BadInput: It cannot be answered.
            StoreUnavailable: The store cannot be read now.
        """
        query, cursor = self._read(question)
        reading, is_fixed = await self.reading(query, cursor)
        rendered = await self._rendered(question, query, cursor, reading)
        return Answered(rendered, reading.version, None if is_fixed else tuple(sorted(reading.used)))

    async def again(self, receipt: str) -> Rendered:
        """Return the answer that `receipt` is the id of, byte for byte.

        Raises:
            BadInput: It is no receipt.
            GoneAnswer: The store is not the same any more.
            StoreUnavailable: The store cannot be read now.
        """
        slip, endpoint = self.slip(receipt)
        question = slip.question
        query, cursor = self._read(question)
        try:
            rendered = await self._rendered(question, query, cursor, self.reading_of(slip))
        except Terminal:
            raise gone(receipt, slip, path=endpoint.path, why=OTHERS) from None
        told = msgspec.json.decode(rendered.headers[RECEIPT], type=Receipt)
        if told.id != receipt:
            raise gone(receipt, slip, path=endpoint.path, why=OTHERS)
        return rendered

    def slip(self, receipt: str) -> tuple[Slip, Endpoint]:
        """Return what `receipt` holds, and the endpoint that it is about, with parameters that were checked.

        Raises:
            BadInput: It is no receipt, or of a question that is not answered any more.
            GoneAnswer: The store has no such commit.
        """
        slip = decode_slip(receipt)
        question = slip.question
        endpoint = self.endpoints.get(question.endpoint)
        if (
            endpoint is None
            or question.form not in endpoint.formats
            or {*question.place} != {one.name for one in endpoint.path_parameters}
        ):
            fix = "It is of another version of truetape: what it asks is not answered any more."
            raise BadInput(parameter="receipt", value=receipt[:64], fix=fix)
        given = checked(question.given, endpoint.parameters)
        slip = msgspec.structs.replace(slip, question=Question(question.endpoint, question.place, given, question.form))
        if slip.version > self.store.version():
            raise gone(receipt, slip, path=endpoint.path, why=REBUILT)
        return slip, endpoint

    async def page(self, endpoint: str, given: Mapping[str, str]) -> Page:
        """Return all rows of the answer to `given`, parts of the path among them, at `endpoint`.

        Raises:
            UnknownSymbol, BadInput: It cannot be answered.
            StoreUnavailable: The store cannot be read now.
        """
        ask = ASKS[endpoint]
        assert ask.page is not None
        place = {one.name: given[one.name] for one in self.endpoints[endpoint].path_parameters}
        asked = {name: value for name, value in given.items() if name not in place}
        query = ask.parse(checked(asked, self.endpoints[endpoint].parameters), place, self.config)
        reading, _ = await self.reading(query, None)
        return await ask.page(self._desk(reading), query, {})

    async def document(self, endpoint: str, place: Mapping[str, str], given: Mapping[str, str]) -> Any:
        """Return the document at `place` of `endpoint`.

        Raises:
            UnknownSymbol, UnknownTarget, BadInput: It cannot be answered.
            StoreUnavailable: The store cannot be read now.
        """
        ask = ASKS[endpoint]
        assert ask.document is not None
        query = ask.parse(given, place, self.config)
        reading, _ = await self.reading(query, None)
        return await ask.document(self._desk(reading), query)

    async def reading(self, query: Query, cursor: Cursor | None) -> tuple[Reading, bool]:
        """Return from where `query` is answered, and whether that never changes.

        Raises:
            BadInput: Nothing has the name of the snapshot, `as_of` is later than it, or the cursor is of another store.
            StoreUnavailable: The store cannot be read now.
        """
        now, as_of = self._clock.now_ns(), getattr(query, "as_of", None)
        name = getattr(query, "snapshot", "")
        if name:
            version, limit = await state_named(self.store, name)
            if version > self.store.version():
                fix = "The store was set back since to before it was named; ask with as_of instead."
                raise BadInput(parameter="snapshot", value=name, fix=fix)
            if as_of is not None and as_of > limit:
                fix = f"It is later than {iso(limit)}, where the snapshot {name} stands. Leave it out, or ask earlier."
                raise BadInput(parameter="as_of", value=iso(as_of), fix=fix)
            as_of = limit if as_of is None else as_of
            return self._reading(version, as_of, as_of, name), True
        if cursor is not None:
            if cursor.version > self.store.version():
                fix = "The store was rebuilt or set back since; leave it out to start again."
                raise BadInput(parameter="cursor", value=cursor.version, fix=fix)
            return self._reading(cursor.version, as_of, cursor.told), True
        return self._reading(self.store.version(), as_of, now if as_of is None else min(as_of, now)), False

    def reading_of(self, slip: Slip) -> Reading:
        """Return from where the answer of `slip` was given."""
        return self._reading(slip.version, slip.as_of, slip.told, slip.snapshot)

    def _reading(self, version: int, as_of: int | None, told: int, snapshot: str = "") -> Reading:
        return Reading(self.store, changes=self.changes, version=version, as_of=as_of, told=told, snapshot=snapshot)

    def _desk(self, reading: Reading) -> Desk:
        answers = Answers(reading, self.shelf)
        explainer = Explainer(reading, archive=self._archive, answers=answers)
        return Desk(
            reading=reading, answers=answers, cases=Cases(reading, answers), explainer=explainer, shelf=self.shelf
        )

    def _read(self, question: Question) -> tuple[Query, Cursor | None]:
        query = ASKS[question.endpoint].parse(question.given, question.place, self.config)
        text = question.given.get("cursor")
        return query, decode_cursor(text, question=fingerprint(query)) if text is not None else None

    async def _rendered(self, question: Question, query: Query, cursor: Cursor | None, reading: Reading) -> Rendered:
        ask, desk = ASKS[question.endpoint], self._desk(reading)
        if ask.document is not None:
            document = await ask.document(desk, query)
            rows = msgspec.json.encode(document) if question.form == "json" else ask.narrate(document).encode()
            return self._told(question, rows, reading, Receipt(store_version=reading.version, as_of=iso(reading.told)))
        assert ask.page is not None
        page = await ask.page(desk, query, self._place(question, cursor))
        rows = await asyncio.to_thread(rows_of, page.frame, form=question.form)
        receipt = Receipt(
            store_version=reading.version,
            as_of=iso(reading.told),
            count=len(page.frame),
            timeframe=getattr(query, "timeframe", None),
            adjustment=getattr(query, "adjustment", None),
            factors=factors_used(page.factors),
            fx=page.fx,
        )
        following = _cursor(query, reading, page.following) if page.following is not None else None
        return self._told(question, rows, reading, receipt, following=following)

    def _place(self, question: Question, cursor: Cursor | None) -> dict[str, Any]:
        if not any(one.name == "limit" for one in self.endpoints[question.endpoint].parameters):
            return {}
        return {"limit": read_limit(question.given, self.config), "position": cursor.position if cursor else None}

    def _told(
        self,
        question: Question,
        rows: bytes,
        reading: Reading,
        receipt: Receipt,
        *,
        following: str | None = None,
    ) -> Rendered:
        digest = digest_of(rows)
        receipt = self.signed(receipt, question, reading, digest)
        etag = f'W/"{digest.hex()}"'
        if ASKS[question.endpoint].page is None:
            headers = {RECEIPT: msgspec.json.encode(receipt).decode(), "etag": etag}
            return Rendered(body=rows, media_type=MEDIA_TYPES[question.form], headers=headers)
        return render(rows, name=question.endpoint, form=question.form, receipt=receipt, etag=etag, following=following)

    def signed(self, receipt: Receipt, question: Question, reading: Reading, digest: bytes) -> Receipt:
        """Return `receipt` with its id, or with a note that says why it has none."""
        defaults = {one.name: one.default for one in self.endpoints[question.endpoint].parameters}
        given = {
            name: value
            for name, value in question.given.items()
            if name != "format" and (name == "limit" or value != defaults[name])
        }
        slip = Slip(
            question=Question(question.endpoint, question.place, given, question.form),
            version=reading.version,
            as_of=reading.as_of,
            told=reading.told,
            snapshot=reading.snapshot,
            digest=digest,
        )
        identity = encode_slip(slip)
        return msgspec.structs.replace(
            receipt, id=identity, snapshot=reading.snapshot or None, note=None if identity else TOO_LONG
        )


def _cursor(query: Query, reading: Reading, following: Position) -> str:
    question = fingerprint(query)
    return encode_cursor(Cursor(question=question, told=reading.told, version=reading.version, position=following))
