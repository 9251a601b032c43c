"""OpenFIGI's desk: a FIGI for each share of the dataset."""

from __future__ import annotations

from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

import msgspec

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import HTML, TEXT, Desk, Query, Reply
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

MOST_JOBS: Final = 100
_NOTHING: Final = {"warning": "No identifier found."}
_WRONG: Final = Reply(400, b'{"error": "Request body must be an array of mapping jobs."}')


class _Job(msgspec.Struct, rename="camel"):
    id_type: str
    id_value: str


_JOBS: Final = msgspec.json.Decoder(list[_Job])


class OpenfigiDesk(Desk):
    """One answer for each job, in their order."""

    routes = ("/v3/mapping",)
    posted = True
    throttled = Reply(429, b"Too many requests, please try again later.", TEXT)
    soft = Reply(200, b'[{"error": "Invalid idValue format."}]')
    spent = throttled
    drifting = "figi"
    refusals = MappingProxyType(
        {
            FailureClass.EMPTY: Reply(200, msgspec.json.encode([_NOTHING])),
            FailureClass.THROTTLED: throttled,
            FailureClass.AUTH: Reply(401, b'{"error": "Invalid API key."}'),
            FailureClass.PERMANENT: _WRONG,
            FailureClass.TRANSIENT: Reply(503, b"<html>Service Unavailable</html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: Bloomberg writes a class after a slash."""
        return symbol.replace("/", ".")

    def refusal(self, query: Query) -> Reply | None:
        """Refuse what is no array of jobs, or too many of them."""
        jobs = _jobs(query)
        return None if jobs is not None and len(jobs) <= MOST_JOBS else _WRONG

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - each job is answered by itself
        """Answer that nothing was found."""
        return self.refusals[FailureClass.EMPTY]

    def data(self, truth: View, query: Query) -> Reply:  # noqa: ARG002 - a job is about no series
        """Answer that nothing was found: jobs stand in the body."""
        return self.refusals[FailureClass.EMPTY]

    def catalogue(self, dataset: Dataset, query: Query) -> Reply:
        """Answer the jobs: tickers of the dataset have a FIGI, everything else has none."""
        jobs = _jobs(query) or []
        return Reply(200, msgspec.json.encode([_answer(dataset, self.ours(job.id_value)) for job in jobs]))


def _jobs(query: Query) -> list[_Job] | None:
    try:
        return _JOBS.decode(query.body)
    except (msgspec.DecodeError, UnicodeError):
        return None


def _answer(dataset: Dataset, symbol: str) -> dict[str, Any]:
    if symbol not in dataset.series:
        return _NOTHING
    number = f"{int(sha256(symbol.encode()).hexdigest(), 16) % 10**8:08}"
    found = {
        "figi": f"BBG0{number}",
        "compositeFIGI": f"BBG1{number}",
        "shareClassFIGI": f"BBG2{number}",
        "ticker": symbol.replace(".", "/"),
        "name": dataset.series[symbol].name,
        "exchCode": "US",
        "securityType": "Common Stock",
    }
    return {"data": [found]}


DESK: Final = OpenfigiDesk()
