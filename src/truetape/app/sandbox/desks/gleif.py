"""GLEIF's desk: an entity for each symbol of the dataset, whose LEI is its ticker here, with two pages of ISINs."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import msgspec

from truetape.app.sandbox.desk import HTML, Desk, Query, Reply, whole_number
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

PAGES: Final = 2  # of ISINs


def _failure(status: int, title: str, detail: str) -> Reply:
    body = {"errors": [{"status": str(status), "title": title, "detail": detail}]}
    return Reply(status, msgspec.json.encode(body), "application/vnd.api+json")


_NONE: Final = _failure(404, "Not Found", "The requested resource was not found.")


class GleifDesk(Desk):
    """Records and ISINs."""

    routes = ("/lei-records/{symbol}", "/lei-records/{symbol}/isins", "/lei-records")
    throttled = _failure(429, "Too Many Requests", "Too many requests.")
    soft = throttled
    spent = throttled
    drifting = "lei"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.PERMANENT: _NONE,
            FailureClass.TRANSIENT: Reply(503, b"<html>Service Unavailable</html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def refusal(self, query: Query) -> Reply | None:  # noqa: ARG002 - every question is sound
        """Refuse nothing."""
        return None

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - the answer is always the same
        """Answer 404."""
        return _NONE

    def data(self, truth: View, query: Query) -> Reply:  # noqa: ARG002 - an entity has no prices
        """Answer the record of an entity, or a page of its ISINs."""
        page = whole_number(query.params.get("page[number]"))
        body = _record(query.symbol) if page is None else _isins(query.symbol, page)
        return Reply(200, msgspec.json.encode(body), "application/vnd.api+json")


def _record(symbol: str) -> dict[str, Any]:
    entity = {"legalName": {"name": f"{symbol} Corp"}, "status": "ACTIVE", "jurisdiction": "US-DE"}
    attributes = {"lei": symbol, "entity": entity, "registration": {"status": "ISSUED"}}
    return {"data": {"type": "lei-records", "id": symbol, "attributes": attributes}}


def _isins(symbol: str, page: int) -> dict[str, Any]:
    number = f"US{page:09}0"
    data = [{"type": "isins", "attributes": {"lei": symbol, "isin": number}}] if page <= PAGES else []
    return {"meta": {"pagination": {"currentPage": page, "lastPage": PAGES}}, "data": data}


DESK: Final = GleifDesk()
