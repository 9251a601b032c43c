"""What the crypto exchanges' refusals mean: by body, by status and by headers."""

from __future__ import annotations

import json

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import FailureClass
from truetape.ports.provider import Classify, Decode
from truetape.providers.binance.classify import classify as binance
from truetape.providers.binance.decode import bars as binance_bars
from truetape.providers.coinbase.classify import classify as coinbase
from truetape.providers.coinbase.decode import bars as coinbase_bars
from truetape.providers.kraken.classify import classify as kraken
from truetape.providers.kraken.decode import bars as kraken_bars

ASK = Ask(kind="bars", symbol="ACME")
THROTTLED, ENTITLEMENT = FailureClass.THROTTLED, FailureClass.ENTITLEMENT
AUTH, PERMANENT, TRANSIENT = FailureClass.AUTH, FailureClass.PERMANENT, FailureClass.TRANSIENT
BLOCKED = FailureClass.BLOCKED
READERS: dict[Classify, Decode] = {coinbase: coinbase_bars, kraken: kraken_bars, binance: binance_bars}
NOON = "Fri, 08 Mar 2024 12:00:00 GMT"  # Unix second 1709899200


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="https://example.com", status=status, content_type="", headers=named, body=body)


def message(words: str) -> bytes:
    return json.dumps({"message": words}).encode()


def errors(*words: str) -> bytes:
    return json.dumps({"error": list(words)}).encode()


def code(number: int, words: str = "") -> bytes:
    return json.dumps({"code": number, "msg": words}).encode()


BODIES = [
    (coinbase, message("NotFound"), PERMANENT, "NotFound"),
    (coinbase, message("Public rate limit exceeded"), THROTTLED, "Public rate limit exceeded"),
    (coinbase, message("Slow rate limit exceeded"), THROTTLED, "Slow rate limit exceeded"),
    (coinbase, message("Too many requests"), THROTTLED, "Too many requests"),
    (coinbase, message("Unsupported granularity"), PERMANENT, "Unsupported granularity"),
    (coinbase, message("granularity too small for the requested time range. Count of aggregations requested exceeds "
                       "300"), PERMANENT,
     "granularity too small for the requested time range. Count of aggregations requested exceeds 300"),
    (coinbase, message("User-Agent header is required."), PERMANENT, "User-Agent header is required."),
    (coinbase, message("Unauthorized."), AUTH, "Unauthorized."),
    (coinbase, message("Invalid API Key"), AUTH, "Invalid API Key"),
    (coinbase, message("Forbidden"), ENTITLEMENT, "Forbidden"),
    (coinbase, message("Internal server error"), TRANSIENT, "Internal server error"),
    (coinbase, message("Service Unavailable"), TRANSIENT, "Service Unavailable"),
    (coinbase, message("The site is in maintenance mode"), TRANSIENT, "The site is in maintenance mode"),
    (coinbase, message(""), PERMANENT, "no words"),
    (coinbase, b"<html>502 Bad Gateway</html>", TRANSIENT, "502 Bad Gateway"),
    (kraken, errors("EQuery:Unknown asset pair"), PERMANENT, "EQuery:Unknown asset pair"),
    (kraken, errors("EGeneral:Invalid arguments"), PERMANENT, "EGeneral:Invalid arguments"),
    (kraken, errors("EGeneral:Unknown method"), PERMANENT, "EGeneral:Unknown method"),
    (kraken, errors("EGeneral:Too many requests"), THROTTLED, "EGeneral:Too many requests"),
    (kraken, errors("EAPI:Rate limit exceeded"), THROTTLED, "EAPI:Rate limit exceeded"),
    (kraken, errors("EService: Throttled: 1709899260"), THROTTLED, "EService: Throttled: 1709899260"),
    (kraken, errors("EGeneral:Temporary lockout"), BLOCKED, "EGeneral:Temporary lockout"),
    (kraken, errors("EGeneral:Permission denied"), ENTITLEMENT, "EGeneral:Permission denied"),
    (kraken, errors("EAPI:Feature disabled"), ENTITLEMENT, "EAPI:Feature disabled"),
    (kraken, errors("EAPI:Invalid key"), AUTH, "EAPI:Invalid key"),
    (kraken, errors("EService:Unavailable"), TRANSIENT, "EService:Unavailable"),
    (kraken, errors("EService:Busy"), TRANSIENT, "EService:Busy"),
    (kraken, errors("EGeneral:Internal error"), TRANSIENT, "EGeneral:Internal error"),
    (kraken, errors("WGeneral:Danger", "EGeneral:Invalid arguments:interval", "EService:Busy"), TRANSIENT,
     "EGeneral:Invalid arguments:interval, EService:Busy"),
    (kraken, errors(""), PERMANENT, "no words"),
    (kraken, b"<html>Attention Required!</html>", BLOCKED, "Attention Required!"),
    (binance, code(-1121, "Invalid symbol."), PERMANENT, "Invalid symbol."),
    (binance, code(-1100, "Illegal characters found in parameter 'symbol'."), PERMANENT,
     "Illegal characters found in parameter 'symbol'."),
    (binance, code(-1127, "More than 24 hours between startTime and endTime."), PERMANENT,
     "More than 24 hours between startTime and endTime."),
    (binance, code(-1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
     THROTTLED, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
    (binance, code(-1003, "Way too much request weight used; IP banned until soon."), BLOCKED,
     "Way too much request weight used; IP banned until soon."),
    (binance, code(-1000), TRANSIENT, "code -1000"),
    (binance, code(-1001, "Internal error"), TRANSIENT, "Internal error"),
    (binance, code(-1008, "Server is currently overloaded with other requests."), TRANSIENT,
     "Server is currently overloaded with other requests."),
    (binance, code(-2014, "API-key format invalid."), AUTH, "API-key format invalid."),
    (binance, code(0, "Service unavailable from a restricted location."), ENTITLEMENT,
     "Service unavailable from a restricted location."),
    (binance, b"<html>Service Unavailable</html>", TRANSIENT, "Service Unavailable"),
]  # fmt: skip


@pytest.mark.parametrize(("classify", "body", "failure_class", "words"), BODIES)
def test_the_body_alone_decides(classify: Classify, body: bytes, failure_class: FailureClass, words: str) -> None:
    """The class is the same with status 200 and 429, and a decoder that sees only the bytes finds it too."""
    failure = classify(answer(body))
    assert failure is not None
    assert (failure_class, words, None) == (failure.failure_class, failure.words, failure.retry_after_s)
    with pytest.raises(ProviderRefused) as caught:
        READERS[classify](body, ASK)
    assert failure == caught.value.failure
    waiting = classify(answer(body, 429, Retry_After="5"))
    assert waiting is not None
    assert (failure_class, 5.0) == (waiting.failure_class, waiting.retry_after_s)


@pytest.mark.parametrize(
    ("classify", "body"),
    [
        (coinbase, b"[[1709856000,1,2,1,2,5]]"),
        (coinbase, b"[]"),
        (coinbase, b'{"price":"1","time":"2024-03-08T00:00:00Z"}'),
        (coinbase, b"[" + b"0," * 40_000 + b"0]"),
        (kraken, b'{"error":[],"result":{"X":[[1]],"last":1}}'),
        (kraken, b'{"error":["WGeneral:Danger"],"result":{"X":{"altname":"X"}}}'),
        (kraken, b'{"error":[],"result":{"X":[' + b"0," * 40_000 + b'0],"last":1}}'),
        (kraken, b'{"error":[]}'),
        (kraken, b'{"error":[],"result":{"XXBTZUSD":[],"last":"1709942400000000000"}}'),
        (kraken, b'{"error":[],"result":{}}'),
        (kraken, b'{"status":"online"}'),
        (binance, b'[[1709856000000,"1"]]'),
        (binance, b"[]"),
        (binance, b'{"symbol":"ACMEUSDT"}'),
        (binance, b"[" + b"0," * 40_000 + b"0]"),
    ],
)
def test_data_is_no_failure(classify: Classify, body: bytes) -> None:
    """A whole body without an error in it is for the decoder to judge; a quiet hour ends no range."""
    assert classify(answer(body)) is None


@pytest.mark.parametrize(
    ("classify", "body"),
    [
        (coinbase, b"[[170985"),
        (coinbase, b""),
        (coinbase, b"[" * 50_000),
        (kraken, b'{"error":[],"result":{"X":[['),
        (kraken, b"[]"),
        (kraken, b'{"error":' + b"[" * 50_000),
        (binance, b"[[170985"),
        (binance, b"<html>hello</html>"),
        (binance, b"[" * 50_000),
    ],
)
def test_a_cut_or_foreign_body_is_transient(classify: Classify, body: bytes) -> None:
    """With status 200, what does not end as it began may come whole the next time."""
    failure = classify(answer(body))
    assert failure is not None
    assert TRANSIENT is failure.failure_class


@pytest.mark.parametrize(
    ("classify", "status", "failure_class"),
    [
        (coinbase, 404, PERMANENT),
        (coinbase, 429, THROTTLED),
        (coinbase, 503, TRANSIENT),
        (kraken, 429, THROTTLED),
        (kraken, 520, TRANSIENT),
        (binance, 400, PERMANENT),
        (binance, 403, BLOCKED),
        (binance, 418, BLOCKED),
        (binance, 429, THROTTLED),
        (binance, 451, ENTITLEMENT),
        (binance, 504, TRANSIENT),
    ],
)
def test_the_status_decides_where_the_body_says_nothing(
    classify: Classify, status: int, failure_class: FailureClass
) -> None:
    """Binance bans with 418, and its firewall with 403."""
    failure = classify(answer(b"{}", status, retry_after="7"))
    assert failure is not None
    assert (failure_class, 7.0) == (failure.failure_class, failure.retry_after_s)


TOO_MUCH = code(-1003, "Way too much request weight used; IP banned until 1709899320500.")


@pytest.mark.parametrize(
    ("body", "status", "headers", "wait"),
    [
        pytest.param(TOO_MUCH, 418, {"date": NOON, "retry_after": "121"}, 121.0, id="Retry-After comes first"),
        pytest.param(TOO_MUCH, 418, {"date": NOON}, 120.5, id="until the moment that is named"),
        pytest.param(TOO_MUCH, 200, {"date": NOON}, 120.5, id="whatever the status"),
        pytest.param(TOO_MUCH, 418, {"date": "Fri, 08 Mar 2024 13:00:00 GMT"}, 0.0, id="that moment has passed"),
        pytest.param(TOO_MUCH, 418, {"date": "noon"}, None, id="without a date it is not known"),
        pytest.param(TOO_MUCH, 418, {}, None, id="nor without the header"),
        pytest.param(code(-1003, "Too many requests."), 418, {"retry_after": "60"}, 60.0, id="by the status"),
    ],
)
def test_a_ban_of_binance(body: bytes, status: int, headers: dict[str, str], wait: float | None) -> None:
    """A ban lasts as long as the header or the words say, from the answer's own date on."""
    failure = binance(answer(body, status, **headers))
    assert failure is not None
    assert (BLOCKED, wait) == (failure.failure_class, failure.retry_after_s)
