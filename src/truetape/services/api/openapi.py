"""The OpenAPI document, written from the table of endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.schema import INSTANT
from truetape.services.api.backfills import PATH as BACKFILLS
from truetape.services.api.backfills import Job, Wanted
from truetape.services.api.calendars import CALENDARS, CORRECTIONS, Corrected, NewCorrection
from truetape.services.api.decisions import ENDING, QUARANTINE, REPAIRS, Taken
from truetape.services.api.endpoint import RECEIPTS, Endpoint
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.hints import PLAN, Plan, Source, planned
from truetape.services.api.merging import INSTRUMENTS, MERGE, UNMERGE, Merged, NewMerge, NewUnmerge
from truetape.services.api.parameters import Parameter
from truetape.services.api.problem import MEDIA_TYPE
from truetape.services.api.ruling import CLAIM_ACTIONS, LONGEST_WHY, REPAIR_ACTIONS, Ruling
from truetape.services.api.snapshots import SNAPSHOTS, NewSnapshot, Snapshot

_PROBLEMS: Final = {
    "400": "A parameter is not usable: the document names it, its value and the fix.",
    "404": "A symbol or path is unknown.",
    "406": "The header Accept allows no form that can be given.",
    "500": "An error that is not the request's; its id stands in the server's log.",
    "503": "The store cannot be read now.",
}
_TYPES: Final[dict[pl.DataType, dict[str, Any]]] = {
    pl.String(): {"type": ["string", "null"]},
    pl.Float64(): {"type": ["number", "null"]},
    pl.Boolean(): {"type": ["boolean", "null"]},
    pl.UInt32(): {"type": ["integer", "null"]},
    pl.Date(): {"type": ["string", "null"], "format": "date"},
    INSTANT: {"type": ["string", "null"], "format": "date-time"},
}


def document(endpoints: Iterable[Endpoint], *, version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of `endpoints` and of the paths for operators."""
    told = list(endpoints)
    paths = {endpoint.path: {"get": _operation(endpoint)} for endpoint in told}
    (bars,) = (endpoint for endpoint in told if endpoint.name == "bars")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "truetape",
            "version": version,
            "description": "Market data that explains itself: every price with its providers, verdict and versions.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            **_snapshots(paths),
            PLAN: {"get": _plan(bars)},
            **_backfills(),
            **_decisions(),
            **_merges(),
            **_corrections(),
            **_for_operators(),
        },
        "components": {"schemas": {"Problem": _problem()}},
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    content = {MEDIA_TYPES[form]: _content(endpoint, form) for form in endpoint.formats}
    return {
        "operationId": endpoint.name,
        "summary": endpoint.title,
        "description": endpoint.about,
        "tags": ["data"],
        "parameters": [
            *(_parameter(parameter, place="path") for parameter in endpoint.path_parameters),
            *(_parameter(parameter, place="query") for parameter in endpoint.parameters),
        ],
        "responses": {"200": {"description": "The answer.", "content": content}, **_problems()},
    }


def _plan(bars: Endpoint) -> dict[str, Any]:
    """Return the operation that tells how a question about bars is answered."""
    schemas = {name: msgspec.json.schema(kind)["$defs"][name] for name, kind in (("Plan", Plan), ("Source", Source))}
    schema = schemas["Plan"]
    schema["properties"]["sources"] = {"type": "array", "items": schemas["Source"]}
    content = {MEDIA_TYPES["json"]: {"schema": schema}}
    return {
        "operationId": "bars_plan",
        "summary": "How bars are answered",
        "description": "Where the rows of the first page come from, how long they take, and how to ask for less.",
        "tags": ["data"],
        "parameters": [_parameter(parameter, place="query") for parameter in planned(bars)],
        "responses": {"200": {"description": "The plan.", "content": content}, **_problems()},
    }


def _parameter(parameter: Parameter, *, place: str) -> dict[str, Any]:
    schema = dict(parameter.schema)
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.default is not None:
        schema["default"] = int(parameter.default) if schema["type"] == "integer" else parameter.default
    written = {
        "name": parameter.name,
        "in": place,
        "description": parameter.about,
        "required": parameter.required,
        "schema": schema,
    }
    return {**written, "example": parameter.example} if parameter.example else written


def _content(endpoint: Endpoint, form: str) -> dict[str, Any]:
    if form != "json":
        return {"schema": {"type": "string"}}
    if not endpoint.columns:
        return {"schema": {"type": "object"}}
    columns = {name: _TYPES[dtype] for name, dtype in endpoint.columns.items()}
    row = {"type": "object", "required": list(columns), "properties": columns}
    properties = {
        endpoint.name: {"type": "array", "items": row},
        "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last."},
        "receipt": _receipt(),
    }
    return {"schema": {"type": "object", "required": list(properties), "properties": properties}}


def _receipt() -> dict[str, Any]:
    text = {"type": "string"}
    whole = {"type": "integer"}
    instant = {**text, "format": "date-time"}
    used = {"rows": whole, "version": whole, "known": instant}
    return {
        "type": "object",
        "description": "What the answer was made of; /v1/receipts/{id} gives the same bytes again.",
        "required": ["store_version", "as_of"],
        "properties": {
            "id": {**text, "description": "Missing where the question is too long for one; then `note` says so."},
            "store_version": whole,
            "as_of": instant,
            "count": {**whole, "description": "Rows."},
            "snapshot": text,
            "timeframe": text,
            "adjustment": text,
            "factors": {"type": "object", "description": "The factors that adjust prices.", "properties": used},
            "note": text,
        },
    }


def _problems() -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": about, "content": content} for status, about in _PROBLEMS.items()}


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    names = ("type", "title", "detail", "parameter", "value", "fix", "id")
    properties: Mapping[str, Any] = {
        **dict.fromkeys(names, text),
        "known": {"type": "array", "items": text},
        "status": {"type": "integer"},
    }
    return {"type": "object", "required": ["type", "title", "status", "detail"], "properties": properties}


def _snapshots(paths: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return `paths` with what names snapshots, and what gives answers again."""
    form = MEDIA_TYPES["json"]
    wish, made = (msgspec.json.schema(kind)["$defs"][kind.__name__] for kind in (NewSnapshot, Snapshot))
    problems = _problems()
    created = {"201": {"description": "It has the name.", "content": {form: {"schema": made}}}, **problems}
    created["409"] = {**problems["400"], "description": "Another snapshot has the name."}
    told = {"summary": "Name the present state of the store", "tags": ["operation"], "responses": created}
    post = {"operationId": "name_snapshot", **told, "requestBody": {"content": {form: {"schema": wish}}}}
    content = {kind: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()}
    again = {"200": {"description": "The same bytes.", "content": content}, **problems}
    again["410"] = {**problems["400"], "description": "The store was rebuilt or set back; the fix names the nearest."}
    one = {"name": "receipt", "in": "path", "required": True, "schema": {"type": "string"}}
    get = {"operationId": "receipt", "summary": "An answer again", "tags": ["data"], "responses": again}
    return {
        **paths,
        SNAPSHOTS: {**paths[SNAPSHOTS], "post": post},
        f"{RECEIPTS}/{{receipt}}": {"get": {**get, "parameters": [one]}},
    }


def _backfills() -> dict[str, Any]:
    wanted, job = (msgspec.json.schema(kind) for kind in (Wanted, Job))
    schemas = {kind.__name__: schema["$defs"][kind.__name__] for kind, schema in ((Wanted, wanted), (Job, job))}
    form = MEDIA_TYPES["json"]
    listed = {"type": "object", "properties": {"backfills": {"type": "array", "items": schemas["Job"]}}}

    def operation(name: str, summary: str, status: str, schema: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
        answers = {status: {"description": summary, "content": {form: {"schema": schema}}}, **_problems()}
        return {"operationId": name, "summary": summary, "tags": ["operation"], "responses": answers, **rest}

    body = {"required": True, "content": {form: {"schema": schemas["Wanted"]}}}
    one = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        BACKFILLS: {
            "get": operation("backfills", "The newest backfills", "200", listed),
            "post": operation("request_backfill", "Ask for history", "202", schemas["Job"], requestBody=body),
        },
        f"{BACKFILLS}/{{job_id}}": {
            "get": operation("backfill", "How far a backfill has come", "200", schemas["Job"], parameters=[one])
        },
    }


def _decisions() -> dict[str, Any]:
    form = MEDIA_TYPES["json"]
    ruling, taken = (msgspec.json.schema(kind)["$defs"][kind.__name__] for kind in (Ruling, Taken))
    target = {"name": "target", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}

    def operation(name: str, summary: str, actions: tuple[str, ...]) -> dict[str, Any]:
        properties = {**ruling["properties"], "action": {"type": "string", "enum": list(actions)}}
        properties["why"] = {"type": "string", "minLength": 1, "maxLength": LONGEST_WHY}
        schema = {**ruling, "properties": properties}
        answers = {"202": {"description": "It was taken.", "content": {form: {"schema": taken}}}, **_problems()}
        body = {"required": True, "content": {form: {"schema": schema}}}
        told = {"operationId": name, "summary": summary, "tags": ["operation"], "responses": answers}
        return {"post": {**told, "parameters": [target], "requestBody": body}}

    return {
        f"{QUARANTINE}/{{target}}{ENDING}": operation(
            "decide_claim", "Accept, correct or reject a quarantined claim", CLAIM_ACTIONS
        ),
        f"{REPAIRS}/{{target}}{ENDING}": operation("decide_repair", "Apply, undo or reject a repair", REPAIR_ACTIONS),
    }


def _merges() -> dict[str, Any]:
    form = MEDIA_TYPES["json"]
    wish, parting, told = (msgspec.json.schema(kind)["$defs"][kind.__name__] for kind in (NewMerge, NewUnmerge, Merged))
    one = {"name": "instrument", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    answers = {"201": {"description": "It was told.", "content": {form: {"schema": told}}}, **_problems()}

    def operation(name: str, summary: str, body: dict[str, Any]) -> dict[str, Any]:
        wanted = {"required": True, "content": {form: {"schema": body}}}
        about = {"operationId": name, "summary": summary, "tags": ["operation"], "responses": answers}
        return {"post": {**about, "parameters": [one], "requestBody": wanted}}

    return {
        f"{INSTRUMENTS}/{{instrument}}/{MERGE}": operation("merge_records", "Let another record stand for it", wish),
        f"{INSTRUMENTS}/{{instrument}}/{UNMERGE}": operation("unmerge_record", "Take a merge back", parting),
    }


def _corrections() -> dict[str, Any]:
    form = MEDIA_TYPES["json"]
    wanted, told = (msgspec.json.schema(kind)["$defs"][kind.__name__] for kind in (NewCorrection, Corrected))
    mic = {"name": "mic", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    body = {"required": True, "content": {form: {"schema": wanted}}}
    answers = {"201": {"description": "It was told.", "content": {form: {"schema": told}}}, **_problems()}
    about = {"operationId": "correct_calendar", "summary": "Correct a day of a calendar", "tags": ["operation"]}
    post = {**about, "responses": answers, "parameters": [mic], "requestBody": body}
    return {f"{CALENDARS}/{{mic}}{CORRECTIONS}": {"post": post}}


def _for_operators() -> dict[str, Any]:
    def answers(form: str, *, also: Mapping[str, str]) -> dict[str, Any]:
        content = {form: {"schema": {"type": "object" if form == MEDIA_TYPES["json"] else "string"}}}
        return {status: {"description": about, "content": content} for status, about in also.items()}

    def operation(name: str, summary: str, responses: Mapping[str, Any]) -> dict[str, Any]:
        told = {"operationId": name, "summary": summary, "tags": ["operation"], "responses": responses}
        return {"get": told}

    ready = {"200": "The store is readable; `troubles` names what else is not as it should be.", "503": "It is not."}
    return {
        "/healthz": operation("healthz", "Is the process alive?", answers("application/json", also={"200": "Yes."})),
        "/readyz": operation("readyz", "Can it answer?", answers("application/json", also=ready)),
        "/metrics": operation("metrics", "Prometheus metrics", answers("text/plain", also={"200": "The metrics."})),
    }
