"""The body of a request that asks for work."""

from __future__ import annotations

from typing import Any

from litestar import Request

from truetape.domain.errors import BadInput
from truetape.services.api.formats import MEDIA_TYPES


async def json_body(request: Request[Any, Any, Any], *, largest: int, fix: str) -> bytes:
    """Return the body of `request`.

    Raises:
        BadInput: It is not said to be JSON, or it has more than `largest` bytes; `fix` says what to do then.
    """
    form = request.headers.get("content-type", "").partition(";")[0].strip()
    if form != MEDIA_TYPES["json"]:  # a page of another site could send anything else without being asked
        raise BadInput(parameter="content-type", value=form[:80], fix=f"Send {MEDIA_TYPES['json']}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise BadInput(parameter="body", value=f"over {largest} bytes", fix=fix)
    return bytes(body)
