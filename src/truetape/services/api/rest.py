"""The REST interface: paths, answers that are kept, and errors as problem documents."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any, Final

import msgspec
import structlog
from litestar import Litestar, Request, Response, get
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.response import Stream

from truetape.domain.errors import TruetapeError
from truetape.ports.archive import Archive
from truetape.ports.cache import Cache
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.api import (
    backfills,
    calendars,
    class_endpoints,
    decisions,
    merging,
    plans,
    problem,
    snapshots,
    statements,
    tables,
)
from truetape.services.api.asking import Teller
from truetape.services.api.config import ApiConfig
from truetape.services.api.docs_page import content_policy, docs_page
from truetape.services.api.endpoint import RECEIPTS, STREAM, Endpoint
from truetape.services.api.formats import LONGEST_ACCEPT, MEDIA_TYPES, choose_format
from truetape.services.api.hints import PLAN
from truetape.services.api.kept import KeptAnswers
from truetape.services.api.metrics import OTHER, Families, Metrics
from truetape.services.api.openapi import document
from truetape.services.api.parameters import read_parameters
from truetape.services.api.receipts import Question, decode_slip
from truetape.services.api.render import RECEIPT, Rendered
from truetape.services.api.snapshots import SNAPSHOTS
from truetape.services.api.streams import Streamed, Streams

log = structlog.get_logger()

Asked = Request[Any, Any, Any]
Readiness = Callable[[], Mapping[str, str]]
_HEADERS: Final = {"x-content-type-options": "nosniff", "cache-control": "no-cache", "vary": "accept"}
UNWRITABLE: Final = {"store", "archive"}  # what is in trouble when nothing can be written as it should
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
    merge: merging.Merge | None = None,
    state: statements.State | None = None,
    correct: calendars.Correct | None = None,
    load: class_endpoints.Load | None = None,
    families: Families = lambda: iter(()),
) -> Litestar:
    """Return the application that answers every path of the api. It only reads, and hands the rest on.

    `readiness` returns what is not as it should be in the rooms, by part; nothing when all is well. `accept` takes a
    backfill, `decide` a decision, `name` the name of a snapshot, `merge` a merge, `state` what is said of a corporate
    action and `correct` a day of a calendar; without them none is taken.
    `families` returns what other rooms count. Answers are kept while what they looked at stays, if the store knows that
    (ports.changes).
    """
    teller = Teller(store=store, archive=archive, clock=clock, config=config)
    rest = Rest(teller, cache=cache, config=config, families=families)
    return Litestar(
        [
            *_data_routes(rest),
            *backfills.routes(store=store, clock=clock, accept=accept),
            *decisions.routes(decide=decide),
            *merging.routes(merge=merge),
            *statements.routes(state=state),
            *calendars.routes(correct=correct),
            *class_endpoints.routes(load=load),
            *tables.routes(store=store),
            *plans.routes(teller),
            *snapshots.routes(name=name, listed=lambda request: rest.answer(request, rest.endpoints["snapshots"])),
            *_operator_routes(rest, readiness),
        ],
        middleware=[rest.metrics.middleware],
        exception_handlers=rest.handlers,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


class Rest:
    """Answer requests: parse, look among kept answers, compute, render, keep."""

    def __init__(
        self, teller: Teller, *, cache: Cache, config: ApiConfig, families: Families = lambda: iter(())
    ) -> None:
        self.store = teller.store
        self.metrics = Metrics(teller.store, families)
        self.endpoints = teller.endpoints
        self.paths = tuple(endpoint.path for endpoint in self.endpoints.values())
        self._config = config
        self._kept = KeptAnswers(teller, cache=cache, config=config, on_kept=self.metrics.count_kept)
        self._streams = Streams(teller)
        self.handlers: dict[int | type[Exception], Any] = {
            HTTPException: self.on_http_error,
            TruetapeError: self.on_error,
            Exception: self.on_error,
        }

    async def answer(self, request: Asked, endpoint: Endpoint) -> Response[bytes]:
        """Return the answer that is kept to the same question, or a new one; or say that the asker has it."""
        rendered = await self._kept.answer(self._question(request, endpoint))
        return _response(rendered, has=request.headers.get("if-none-match", ""))

    async def stream(self, request: Asked, endpoint: Endpoint) -> Stream:
        """Return the answer while it is being made."""
        question = self._question(request, endpoint)
        return _streamed(await self._streams.bars(question), question.form)

    async def receipt(self, request: Asked) -> Response[bytes] | Stream:
        """Return the answer that has this receipt again."""
        receipt = request.path_params["receipt"]
        question = decode_slip(receipt).question
        if question.endpoint == STREAM:
            return _streamed(await self._streams.again(receipt), question.form)
        return _response(await self._kept.again(receipt), has=request.headers.get("if-none-match", ""))

    def _question(self, request: Asked, endpoint: Endpoint) -> Question:
        query, accept = request.scope["query_string"], request.headers.get("accept", "")[:LONGEST_ACCEPT]
        given = read_parameters(query, endpoint.parameters, max_bytes=self._config.max_query_bytes)
        place = {one.name: request.path_params[one.name] for one in endpoint.path_parameters}
        return Question(endpoint.name, place, given, choose_format(given, accept, endpoint.formats))

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
            told = problem.unknown_path(request.scope["path"], [*self.paths, backfills.PATH, PLAN, *OPERATOR_PATHS])
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
    @get(f"{RECEIPTS}/{{receipt:str}}")
    async def again(request: Asked) -> Response[bytes] | Stream:
        return await rest.receipt(request)

    alone = [endpoint for name, endpoint in rest.endpoints.items() if name != "snapshots"]
    return [*(_route(rest, endpoint) for endpoint in alone), again]


def _route(rest: Rest, endpoint: Endpoint) -> Any:
    path = endpoint.path
    for parameter in endpoint.path_parameters:
        path = path.replace(f"{{{parameter.name}}}", f"{{{parameter.name}:str}}")

    if endpoint.name == STREAM:

        @get(path, name=endpoint.name)
        async def stream(request: Asked) -> Stream:
            return await rest.stream(request, endpoint)

        return stream

    @get(path, name=endpoint.name)
    async def answer(request: Asked) -> Response[bytes]:
        return await rest.answer(request, endpoint)

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
        if UNWRITABLE & troubles.keys():  # what is stored is answered all the same
            return _json({"status": "unavailable", "troubles": troubles}, status=503)
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
    if path in {backfills.PATH, SNAPSHOTS}:
        return backfills.ALLOWED
    told = (decisions.ENDING, statements.PATH, calendars.CORRECTIONS, class_endpoints.LOAD, *merging.ENDINGS)
    return "POST" if path.endswith(told) else "GET"


def _response(rendered: Rendered, *, has: str) -> Response[bytes]:
    """Return the answer, or without a body that the asker has the same rows already (RFC 9110, 13.1.2)."""
    etag = rendered.headers["etag"]
    held = {one.strip().removeprefix("W/") for one in has.split(",")}
    if etag.removeprefix("W/") in held or "*" in held:
        return Response(
            b"",
            status_code=HTTPStatus.NOT_MODIFIED,
            headers={**_HEADERS, **rendered.headers},
            media_type=rendered.media_type,
        )
    return _sent(rendered.body, media_type=rendered.media_type, headers=rendered.headers)


def _streamed(streamed: Streamed, form: str) -> Stream:
    headers = {**_HEADERS, RECEIPT: msgspec.json.encode(streamed.receipt).decode()}

    async def free() -> None:
        await streamed.chunks.aclose()  # a reader who went away left them open

    return Stream(streamed.chunks, media_type=MEDIA_TYPES[form], headers=headers, background=BackgroundTask(free))


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
