"""What the bank's refusals mean."""

from __future__ import annotations

import io
import zipfile

import pytest

from truetape.domain.asks import Answer
from truetape.domain.failures import FailureClass
from truetape.providers.ecb.classify import classify

PORTAL = "https://data-api.ecb.europa.eu/service/data/EXR/D.USD.EUR.SP00.A"
FILE = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
EMPTY, PERMANENT, THROTTLED = FailureClass.EMPTY, FailureClass.PERMANENT, FailureClass.THROTTLED
TRANSIENT, BLOCKED = FailureClass.TRANSIENT, FailureClass.BLOCKED
ERROR = b'<mes:Error xmlns:mes="u"><ErrorMessage code="100"><Text>No Results Found</Text></ErrorMessage></mes:Error>'


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("eurofxref.csv", b"Date,USD,\n")
    return packed.getvalue()


def answer(body: bytes, status: int = 200, url: str = PORTAL, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url=url, status=status, content_type="", headers=named, body=body)


@pytest.mark.parametrize(
    ("body", "status", "url", "failure_class"),
    [
        (b"No results found.", 404, PORTAL, EMPTY),
        (b"", 404, PORTAL, EMPTY),
        (ERROR, 404, PORTAL, EMPTY),
        (ERROR, 200, PORTAL, EMPTY),
        (b"<html><h1>Page missing</h1></html>", 404, FILE, PERMANENT),
        (b"Syntax error in the key", 400, PORTAL, PERMANENT),
        (b"Invalid value for startPeriod", 400, PORTAL, PERMANENT),
        (b"Not Acceptable", 406, PORTAL, PERMANENT),
        (b"", 413, PORTAL, PERMANENT),
        (b"", 429, PORTAL, THROTTLED),
        (b"<html>Access Denied</html>", 403, FILE, BLOCKED),
        (b"<html>Service Unavailable</html>", 503, FILE, TRANSIENT),
        (b"", 500, PORTAL, TRANSIENT),
        (b"", 200, PORTAL, TRANSIENT),
        (b"<html>hello</html>", 200, FILE, TRANSIENT),
        (b"<gesmes:Envelope><Cube", 200, FILE, TRANSIENT),
        (zipped()[:-25], 200, FILE, TRANSIENT),
        (b"KEY,FREQ\nA", 200, PORTAL, TRANSIENT),
    ],
)
def test_refusals(body: bytes, status: int, url: str, failure_class: FailureClass) -> None:
    """Words decide, then the status: of the portal, 404 means that there are no rows."""
    failure = classify(answer(body, status, url))
    assert failure is not None
    assert failure.failure_class is failure_class
    assert failure.words


@pytest.mark.parametrize(
    "body",
    [b"KEY,FREQ\n", b"Date,USD,\n", zipped(), b"<gesmes:Envelope></gesmes:Envelope>\n", b"KEY,TITLE\nA,No data\n"],
)
def test_data_is_no_failure(body: bytes) -> None:
    """A body that begins as data does is for the decoder to judge."""
    assert classify(answer(body)) is None


def test_the_wait_is_told() -> None:
    """Retry-After is honoured, with and without words."""
    for body in (b"No data now", b""):
        failure = classify(answer(body, 503, Retry_After="9"))
        assert failure is not None
        assert failure.retry_after_s == 9.0
