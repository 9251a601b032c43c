"""The manners of registers: whole files for everybody, about no single symbol."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from truetape.app.sandbox.desk import HTML, Desk, Query, Reply
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

NOT_FOUND: Final = Reply(404, b"<html><h1>Page not found</h1></html>\n", HTML)


class RegisterDesk(Desk):
    """Answers a file, or 404; a desk names its paths and writes its files."""

    throttled = Reply(429, b"<html>Too Many Requests</html>\n", HTML)
    soft = Reply(200, b"<html><h1>Service Unavailable</h1></html>\n", HTML)
    spent = throttled
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.PERMANENT: NOT_FOUND,
            FailureClass.TRANSIENT: soft,
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def refusal(self, query: Query) -> Reply | None:  # noqa: ARG002 - most have one file
        """Refuse nothing."""
        return None

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - the answer is always the same
        """Answer 404."""
        return NOT_FOUND

    def data(self, truth: View, query: Query) -> Reply:  # noqa: ARG002 - no file is about one symbol
        """Answer 404: no file is about one symbol."""
        return NOT_FOUND
