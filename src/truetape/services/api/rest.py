"""The REST interface: paths, answers that are kept, and errors as problem documents."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any, Final

import msgspec
import structlog
from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from truetape.domain.errors import TruetapeError
from truetape.domain.time import iso
from truetape.ports.archive import Archive
from truetape.ports.cache import Cache
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.api import backfills, decisions, problem, snapshots
from truetape.services.api.answers import Answers, Page
from truetape.services.api.cases import Cases
from truetape.services.api.config import CACHED, ApiConfig
from truetape.services.api.docs_page import content_policy, docs_page
from truetape.services.api.endpoints import Endpoint, endpoints
from truetape.services.api.evidence import Explainer
from truetape.services.api.formats import LONGEST_ACCEPT, MEDIA_TYPES, choose_format
from truetape.services.api.metrics import OTHER, Families, Metrics
from truetape.services.api.narrate import narrate
from truetape.services.api.narrate_cases import narrate_claim, narrate_repair
from truetape.services.api.openapi import document
from truetape.services.api.paging import Cursor, decode_cursor, encode_cursor, fingerprint
from truetape.services.api.parameters import read_parameters
from truetape.services.api.query import (
    BarsQuery,
    DocketQuery,
    InstrumentsQuery,
    actions_query,
    bars_query,
    docket_query,
    explain_query,
    instruments_query,
    levels_query,
    read_limit,
)
from truetape.services.api.render import Receipt, Rendered, render

log = structlog.get_logger()

Asked = Request[Any, Any, Any]
Readiness = Callable[[], Mapping[str, str]]
_HEADERS: Final = {"x-content-type-options": "nosniff", "cache-control": "no-cache", "vary": "accept"}
OPERATOR_PATHS: Final = ("/docs", "/openapi.json", "/healthz", "/readyz", "/metrics")


def build(  # noqa: PLR0913  the parts that a whole room is made of
    *,
    store: Store,
    archive: Archive | None,
    cache: Cache,
    clock: Clock,
    config: ApiConfig,
    readiness: Readiness,
    accept: backfills.Accept | None = None,
    decide: decisions.Decide | None = None,
    name: snapshots.Name | None = None,
    families: Families = lambda: iter(()),
) -> Litestar:
    """Return the application that answers every path of the api. It only reads, and hands the rest on.

    `readiness` returns what is not as it should be in the rooms, by part; nothing when all is well. `accept` takes a
    backfill, `decide` a decision and `name` the name of a snapshot; without them none is taken. `families` returns what
    other rooms count.
    """
    rest = Rest(store=store, archive=archive, cache=cache, clock=clock, config=config, families=families)
    return Litestar(
        [
            *_data_routes(rest),
            *backfills.routes(store=store, clock=clock, accept=accept),
            *decisions.routes(decide=decide),
            *snapshots.routes(name=name),
            *_operator_routes(rest, readiness),
        ],
        middleware=[rest.metrics.middleware],
        exception_handlers={
            HTTPException: rest.on_http_error,
            TruetapeError: rest.on_error,
            Exception: rest.on_error,
        },
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


class Rest:
    """Answer requests: parse, look among kept answers, compute, render, keep."""

    def __init__(
        self,
        *,
        store: Store,
        archive: Archive | None,
        cache: Cache,
        clock: Clock,
        config: ApiConfig,
        families: Families = lambda: iter(()),
    ) -> None:
        self.store = store
        self.metrics = Metrics(store, families)
        self.endpoints = endpoints(config)
        self.paths = tuple(endpoint.path for endpoint in self.endpoints.values())
        self._cache = cache
        self._config = config
        self._answers = Answers(store=store, clock=clock)
        self._cases = Cases(store=store, clock=clock, answers=self._answers)
        self._explainer = Explainer(store=store, archive=archive, answers=self._answers, clock=clock)

    async def bars(self, given: Mapping[str, str], form: str, _: Asked) -> Rendered:
        """Answer /v1/bars."""
        query = bars_query(given, self._config)
        cursor = _cursor(given, query)
        page = await self._answers.bars(
            query,
            limit=read_limit(given, self._config),
            position=cursor.position if cursor else None,
            pinned=cursor.as_of if cursor else None,
        )
        return await _rendered(page, "bars", form, query)

    async def instruments(self, given: Mapping[str, str], form: str, _: Asked) -> Rendered:
        """Answer /v1/instruments."""
        query = instruments_query(given, self._config)
        cursor = _cursor(given, query)
        page = await self._answers.instruments(
            query, limit=read_limit(given, self._config), position=cursor.position if cursor else None
        )
        return await _rendered(page, "instruments", form, query)

    async def actions(self, given: Mapping[str, str], form: str, _: Asked) -> Rendered:
        """Answer /v1/corporate-actions."""
        return await _rendered(await self._answers.actions(actions_query(given, self._config)), "actions", form)

    async def levels(self, given: Mapping[str, str], form: str, _: Asked) -> Rendered:
        """Answer /v1/index-levels."""
        return await _rendered(await self._answers.levels(levels_query(given)), "levels", form)

    async def explanation(self, given: Mapping[str, str], form: str, request: Asked) -> Rendered:
        """Answer /v1/explain/{symbol}/{ts}."""
        path = request.path_params
        explanation = await self._explainer.explain(explain_query(path["symbol"], path["ts"], given))
        body = msgspec.json.encode(explanation) if form == "json" else narrate(explanation).encode()
        return Rendered(body=body, media_type=MEDIA_TYPES[form], headers={})

    async def quarantine(self, given: Mapping[str, str], form: str, _: Asked) -> Rendered:
        """Answer /v1/quarantine."""
        query = docket_query(given, self._config)
        return await _rendered(await self._cases.claims(query, **self._place(given, query)), "quarantine", form, query)

    async def repairs(self, given: Mapping[str, str], form: str, _: Asked) -> Rendered:
        """Answer /v1/repairs."""
        query = docket_query(given, self._config)
        return await _rendered(await self._cases.repairs(query, **self._place(given, query)), "repairs", form, query)

    async def quarantine_case(self, _: Mapping[str, str], form: str, request: Asked) -> Rendered:
        """Answer /v1/quarantine/{target}."""
        case = await self._cases.claim_case(request.path_params["target"])
        body = msgspec.json.encode(case) if form == "json" else narrate_claim(case).encode()
        return Rendered(body=body, media_type=MEDIA_TYPES[form], headers={})

    async def repairs_case(self, _: Mapping[str, str], form: str, request: Asked) -> Rendered:
        """Answer /v1/repairs/{target}."""
        case = await self._cases.repair_case(request.path_params["target"])
        body = msgspec.json.encode(case) if form == "json" else narrate_repair(case).encode()
        return Rendered(body=body, media_type=MEDIA_TYPES[form], headers={})

    def _place(self, given: Mapping[str, str], query: DocketQuery) -> dict[str, Any]:
        cursor = _cursor(given, query)
        return {
            "limit": read_limit(given, self._config),
            "position": cursor.position if cursor else None,
            "pinned": cursor.as_of if cursor else None,
        }

    async def answer(
        self,
        request: Asked,
        endpoint: Endpoint,
        compute: Callable[[Mapping[str, str], str, Asked], Awaitable[Rendered]],
    ) -> Response[bytes]:
        """Return the kept answer to the same question at the same version of the store, or a new one."""
        scope = request.scope
        query_string = scope["query_string"]
        accept = request.headers.get("accept", "")[:LONGEST_ACCEPT]
        version = self.store.version()
        key = f"{CACHED}{version}{scope['path']}?{query_string[: self._config.max_query_bytes + 1]!r}#{accept}"
        kept = await self._cache.get(key)
        if kept is not None:
            self.metrics.count_kept()
            return _response(msgspec.msgpack.decode(kept, type=Rendered))
        given = read_parameters(query_string, endpoint.parameters, max_bytes=self._config.max_query_bytes)
        rendered = await compute(given, choose_format(given, accept, endpoint.formats), request)
        if self.store.version() == version and len(rendered.body) <= self._config.max_cached_bytes:
            await self._cache.put(key, msgspec.msgpack.encode(rendered), ttl_s=self._config.cache_ttl_s)
        return _response(rendered)

    def on_error(self, request: Asked, error: Exception) -> Response[bytes]:
        """Tell what is wrong with the request; an error that is not the request's is logged and gets an id."""
        told = problem.problem_of(error)
        if told is None:
            identity = secrets.token_hex(8)
            log.error("api.failed", id=identity, path=request.scope["path"], error=str(error), exc_info=error)
            told = problem.our_fault(identity)
        return _told(told)

    def on_http_error(self, request: Asked, error: HTTPException) -> Response[bytes]:
        """Tell that a path, a method or the request itself is not one that is answered."""
        headers: dict[str, str] = {}
        if isinstance(error, NotFoundException):
            told = problem.unknown_path(request.scope["path"], [*self.paths, backfills.PATH, *OPERATOR_PATHS])
        elif isinstance(error, MethodNotAllowedException):
            allowed = _methods(request.scope["path"].rstrip("/"))
            told, headers = problem.wrong_method(request.method, allowed=allowed), {"allow": allowed}
        elif error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            told = problem.refused(error.status_code)
        else:
            return self.on_error(request, error)
        if not request.scope.get("path_template"):
            self.metrics.count(route=OTHER, status=told.status, seconds=0.0)
        return _told(told, headers=headers)


def _data_routes(rest: Rest) -> list[Any]:
    computed = {
        "bars": rest.bars,
        "instruments": rest.instruments,
        "actions": rest.actions,
        "levels": rest.levels,
        "explanation": rest.explanation,
        "quarantine": rest.quarantine,
        "quarantine_case": rest.quarantine_case,
        "repairs": rest.repairs,
        "repairs_case": rest.repairs_case,
    }
    return [_route(rest, rest.endpoints[name], compute) for name, compute in computed.items()]


def _route(
    rest: Rest, endpoint: Endpoint, compute: Callable[[Mapping[str, str], str, Asked], Awaitable[Rendered]]
) -> Any:
    path = endpoint.path
    for parameter in endpoint.path_parameters:
        path = path.replace(f"{{{parameter.name}}}", f"{{{parameter.name}:str}}")

    @get(path, name=endpoint.name)
    async def answer(request: Asked) -> Response[bytes]:
        return await rest.answer(request, endpoint, compute)

    return answer


def _operator_routes(rest: Rest, readiness: Readiness) -> list[Any]:
    release = _release()
    page = docs_page(rest.endpoints.values(), version=release)
    policy = {"content-security-policy": content_policy()}
    openapi = msgspec.json.encode(document(rest.endpoints.values(), version=release))

    @get("/healthz")
    async def healthz() -> Response[bytes]:
        return _json({"status": "alive", "version": release})

    @get("/readyz")
    async def readyz() -> Response[bytes]:
        troubles = dict(readiness())
        try:
            await rest.store.read("instruments", Selection(limit=1))
        except TruetapeError as error:
            return _json({"status": "unavailable", "troubles": {"store": str(error), **troubles}}, status=503)
        return _json({"status": "degraded" if troubles else "ready", "troubles": troubles})

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        return _sent(rest.metrics.text(), media_type=rest.metrics.media_type)

    @get("/openapi.json")
    async def schema() -> Response[bytes]:
        return _sent(openapi, media_type=MEDIA_TYPES["json"])

    @get(["/", "/docs"])
    async def docs() -> Response[bytes]:
        return _sent(page, media_type="text/html", headers=policy)

    return [healthz, readyz, metrics, schema, docs]


def _methods(path: str) -> str:
    """Return the methods that `path` takes, as the header Allow names them."""
    if path == backfills.PATH:
        return backfills.ALLOWED
    return "POST" if path.endswith(decisions.ENDING) else "GET"


def _cursor(given: Mapping[str, str], query: BarsQuery | InstrumentsQuery | DocketQuery) -> Cursor | None:
    return decode_cursor(given["cursor"], question=fingerprint(query)) if "cursor" in given else None


async def _rendered(
    page: Page, name: str, form: str, query: BarsQuery | InstrumentsQuery | DocketQuery | None = None
) -> Rendered:
    following = None
    if page.following is not None and query is not None:
        cursor = Cursor(question=fingerprint(query), as_of=page.as_of, position=page.following)
        following = encode_cursor(cursor)
    receipt = Receipt(store_version=page.store_version, as_of=iso(page.as_of), count=len(page.frame))
    if isinstance(query, BarsQuery):
        receipt = msgspec.structs.replace(receipt, timeframe=query.timeframe, adjustment=query.adjustment)
    return await asyncio.to_thread(render, page.frame, name=name, form=form, receipt=receipt, following=following)


def _response(rendered: Rendered) -> Response[bytes]:
    return _sent(rendered.body, media_type=rendered.media_type, headers=rendered.headers)


def _told(told: problem.Problem, *, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    headers = {"retry-after": "1"} if told.status == HTTPStatus.SERVICE_UNAVAILABLE else headers
    return _sent(msgspec.json.encode(told), media_type=problem.MEDIA_TYPE, status=told.status, headers=headers)


def _json(value: object, *, status: int = 200) -> Response[bytes]:
    return _sent(msgspec.json.encode(value), media_type=MEDIA_TYPES["json"], status=status)


def _sent(
    body: bytes, *, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    return Response(body, media_type=media_type, status_code=status, headers={**_HEADERS, **(headers or {})})


def _release() -> str:
    try:
        return installed_version("truetape")
    except PackageNotFoundError:
        return "unknown"
