"""Quarantine, repairs and decisions over HTTP: lists, evidence, what is taken and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from small_market import PAYLOAD, asking
from truetape.domain.identity import claim_id

Client = TestClient[Any]
CLAIM = claim_id(
    instrument="ins_apple",
    timeframe="1d",
    ts_event=1_109_289_600_000_000_000,  # 2005-02-25
    provider="finnhub",
    values=(None, None, None, 9000.0, None),
)
REPAIR = "rep_apple_unit"
GOOD = {"action": "reject", "why": "the venue printed no such trade", "actor": "ann"}
BAR = {"open": 89.0, "high": 91.0, "low": 88.0, "close": 90.0}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with asking(tmp_path_factory.mktemp("decisions")) as client:
        yield client


def decide(client: Client, target: str, given: dict[str, Any]) -> Any:
    place = "repairs" if target.startswith("rep_") else "quarantine"
    return client.post(f"/v1/{place}/{target}/decision", json=given)


def test_the_quarantine_is_listed(client: Client) -> None:
    """Each claim has an id of its own, its symbol, its reason, and a state."""
    told = client.get("/v1/quarantine").json()

    assert [
        {
            "id": CLAIM,
            "symbol": "AAPL",
            "instrument_id": "ins_apple",
            "timeframe": "1d",
            "ts_event": "2005-02-25T00:00:00Z",
            "provider": "finnhub",
            "reason": "hundredfold",
            "explanation": "finnhub said 9000.0 where iex_cloud, yahoo said 90.0: the price is 100 times off",
            "open": None,
            "high": None,
            "low": None,
            "close": 9000.0,
            "volume": None,
            "state": "open",
            "decided_by": "",
            "payload": "f" * 64,
            "ts_known": "2024-01-10T00:00:00Z",
            "simulated": True,
        }
    ] == told["quarantine"]
    assert (None, 1) == (told["next"], told["receipt"]["count"])


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"symbols": "AAPL"}, 1),
        ({"symbols": "META"}, 0),
        ({"provider": "finnhub", "reason": "hundredfold", "state": "open"}, 1),
        ({"provider": "yahoo"}, 0),
        ({"reason": "stale"}, 0),
        ({"state": "accepted"}, 0),
        ({"start": "2005-02-25", "end": "2005-02-25"}, 1),
        ({"start": "2005-02-26"}, 0),
    ],
)
def test_the_quarantine_is_narrowed(client: Client, parameters: dict[str, str], count: int) -> None:
    """By symbol, provider, reason, state and date."""
    assert count == len(client.get("/v1/quarantine", params=parameters).json()["quarantine"])


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({}, 1),
        ({"symbols": "AAPL", "provider": "finnhub", "reason": "unit_flip", "state": "proposed"}, 1),
        ({"reason": "dividend_unit"}, 0),
        ({"state": "applied"}, 0),
        ({"start": "2005-02-26"}, 0),
        ({"end": "2005-02-24"}, 0),
        ({"start": "2005-02-25", "end": "2005-02-25"}, 1),
    ],
)
def test_repairs_are_listed_and_narrowed(client: Client, parameters: dict[str, str], count: int) -> None:
    """A repair belongs to a range of dates if it changes one of them."""
    told = client.get("/v1/repairs", params=parameters).json()["repairs"]

    assert count == len(told)
    assert [(REPAIR, "AAPL", "unit_flip", 0.01, "proposed")] * count == [
        (one["id"], one["symbol"], one["kind"], one["factor"], one["state"]) for one in told
    ]


def test_a_claim_is_shown_with_its_evidence(client: Client) -> None:
    """Every provider's claim as traded, the versions of the golden row, the bars around it, and what was found."""
    case = client.get(f"/v1/quarantine/{CLAIM}").json()

    assert [("finnhub", 9000.0), ("iex_cloud", 90.0), ("yahoo", 90.0)] == [
        (one["provider"], one["as_traded"]["close"]) for one in case["others"]
    ]
    assert [(1, 90.0)] == [(one["version"], one["close"]) for one in case["golden"]]
    assert [("2005-02-24", 88.0, None), ("2005-02-25", 90.0, 9000.0), ("2005-02-28", 44.0, None)] == [
        (one["ts_event"][:10], one["golden"], one["claimed"]) for one in case["neighbours"][:3]
    ]
    assert ["missing_row"] == [one["check"] for one in case["findings"]]
    assert ([], CLAIM) == (case["decisions"], case["claim"]["id"])


def test_cases_are_told_in_words(client: Client) -> None:
    """For reading, with what matters first."""
    claim = client.get(f"/v1/quarantine/{CLAIM}", params={"format": "text"}).text
    repair = client.get(f"/v1/repairs/{REPAIR}", params={"format": "text"}).text

    assert claim.startswith(f"{CLAIM}  open\nAAPL 2005-02-25 1d by finnhub\n")
    assert f"yahoo         open 89, high 91, low 88, close 90, volume 110, payload {PAYLOAD[:12]}" in claim
    assert "2005-02-25  golden 90, finnhub 9000  <" in claim
    assert repair.startswith(f"{REPAIR}  proposed\nAAPL 2005-02-25 1d by finnhub\n")
    assert "unit_flip, factor 0.01, confidence 99%" in repair
    assert "2005-02-25 close: 9000 becomes 90" in repair


@pytest.mark.parametrize(
    ("target", "given"),
    [
        (CLAIM, GOOD),
        (CLAIM, {**GOOD, "action": "correct", "values": BAR}),
        (REPAIR, {**GOOD, "action": "apply"}),
        (REPAIR, GOOD),
    ],
)
def test_a_decision_is_taken(client: Client, target: str, given: dict[str, Any]) -> None:
    """With 202, its id, and where what it is about stands."""
    answer = decide(client, target, given)

    told = answer.json()
    place = "repairs" if target == REPAIR else "quarantine"
    assert (202, f"/v1/{place}/{target}") == (answer.status_code, answer.headers["location"])
    assert told["decision_id"].startswith("dec_")
    assert (target, given["action"], "ann", given["why"], "2024-01-15T00:00:00Z") == tuple(
        told[name] for name in ("target", "action", "actor", "why", "decided")
    )


@pytest.mark.parametrize(
    ("target", "change", "parameter", "words"),
    [
        (CLAIM, {"action": "apply"}, "action", "Write one of accept, correct, reject, undo."),
        (REPAIR, {"action": "accept"}, "action", "Write one of apply, undo, reject."),
        (CLAIM, {"why": " "}, "why", "Write 1 to 1000 characters"),
        (CLAIM, {"why": "x" * 1001}, "why", "Write 1 to 1000 characters"),
        (CLAIM, {"actor": ""}, "actor", "Write 1 to 100 characters"),
        (CLAIM, {"actor": "a\nb"}, "actor", "Write a name on one line."),
        (CLAIM, {"colour": "red"}, "body", "Send JSON such as"),
        (CLAIM, {"values": {"close": 1.0}}, "values", "with a correction, and with nothing else"),
        (CLAIM, {"action": "correct"}, "values", "with a correction, and with nothing else"),
        (CLAIM, {"action": "correct", "values": {"price": 1.0}}, "values", "Columns are open, high, low"),
        (CLAIM, {"action": "correct", "values": {**BAR, "close": 0.0}}, "close", "It must be a number above 0."),
        (CLAIM, {"action": "correct", "values": {**BAR, "volume": -1.0}}, "volume", "It must be a number 0 or more."),
        (CLAIM, {"action": "correct", "values": {**BAR, "high": 89.5}}, "high", "It must be the greatest"),
        (CLAIM, {"action": "correct", "values": {**BAR, "low": 89.5}}, "low", "It must be the least"),
        (CLAIM, {"action": "undo"}, "action", "Nobody has decided about it"),
        (REPAIR, {"action": "undo"}, "action", "The repair is proposed: it can take apply or reject."),
    ],
)
def test_what_cannot_be_decided_is_refused(
    client: Client, target: str, change: dict[str, Any], parameter: str, words: str
) -> None:
    """With the value that was wrong and what to do."""
    answer = decide(client, target, {**GOOD, **change})

    told = answer.json()
    assert (400, parameter) == (answer.status_code, told["parameter"])
    assert words in told["fix"]


@pytest.mark.parametrize("target", ["qua_apple_nothing", "qua_", "nothing", "rep_apple_other", "rep_1"])
def test_an_unknown_id_is_told(client: Client, target: str) -> None:
    """Whether somebody looks or decides: 404, and how to find what there is."""
    place = "repairs" if target.startswith("rep_") else "quarantine"
    for answer in (client.get(f"/v1/{place}/{target}"), decide(client, target, GOOD)):
        told = answer.json()
        assert (404, "urn:truetape:problem:unknown-id", target) == (answer.status_code, told["type"], told["value"])
        assert f"truetape {'repair' if place == 'repairs' else place} list" in told["fix"]


def test_a_form_of_another_site_is_refused(client: Client) -> None:
    """Only JSON is read, so that a page elsewhere cannot decide in somebody's name; and not without end."""
    form = client.post(f"/v1/quarantine/{CLAIM}/decision", content=b"{}", headers={"content-type": "text/plain"})
    large = client.post(
        f"/v1/quarantine/{CLAIM}/decision", content=b" " * 70_000, headers={"content-type": "application/json"}
    )

    assert (400, "content-type") == (form.status_code, form.json()["parameter"])
    assert (400, "body", "Write less.") == (large.status_code, large.json()["parameter"], large.json()["fix"])


def test_the_path_of_decisions_takes_nothing_else(client: Client) -> None:
    """It says which method it takes."""
    answer = client.get(f"/v1/quarantine/{CLAIM}/decision")

    assert (405, "POST") == (answer.status_code, answer.headers["allow"])


def test_a_server_that_only_reads_decides_nothing(tmp_path: Path) -> None:
    """It says who does."""
    with asking(tmp_path, decides=False) as client:
        answer = decide(client, CLAIM, GOOD)

    assert (503, "urn:truetape:problem:reads-only") == (answer.status_code, answer.json()["type"])
