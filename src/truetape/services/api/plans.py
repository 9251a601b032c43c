"""GET /v1/bars/plan: where the rows of an answer come from, and how to ask for less."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get

from truetape.domain.read_trace import traced
from truetape.domain.time import iso
from truetape.services.api.answers import Answers
from truetape.services.api.asking import Teller
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.hints import PLAN, Plan, hints, planned, sources
from truetape.services.api.parameters import checked, read_parameters
from truetape.services.api.query import bars_query


async def plan(teller: Teller, given: Mapping[str, str]) -> Plan:
    """Answer the question of `given`, as `/v1/bars` would with the largest page, and return what that took.

    Nothing is taken from answers that are kept, and nothing is kept.

    Raises:
        UnknownSymbol, BadInput: It cannot be answered.
        StoreUnavailable: The store cannot be read now.
    """
    query = bars_query(checked(given, planned(teller.endpoints["bars"])), teller.config)
    begun = time.perf_counter()
    with traced() as steps:
        reading, _ = await teller.reading(query, None)
        page = await Answers(reading, teller.shelf).bars(query, limit=teller.config.max_limit)
    seconds = time.perf_counter() - begun
    used, rows, is_whole = sources(steps), len(page.frame), page.following is None
    return Plan(
        rows=rows,
        is_whole=is_whole,
        seconds=round(seconds, 6),
        store_version=reading.version,
        as_of=iso(reading.told),
        sources=used,
        hints=hints(query, used, rows=rows, is_whole=is_whole),
    )


def routes(teller: Teller) -> list[Any]:
    """Return the handler of PLAN."""
    parameters = planned(teller.endpoints["bars"])

    @get(PLAN)
    async def told(request: Request[Any, Any, Any]) -> Response[bytes]:
        query = request.scope["query_string"]
        given = read_parameters(query, parameters, max_bytes=teller.config.max_query_bytes)
        body = msgspec.json.encode(await plan(teller, given))
        return Response(body, media_type=MEDIA_TYPES["json"], headers={"cache-control": "no-store"})

    return [told]
