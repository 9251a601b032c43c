"""truetape provider: checks told in words, and recorded answers named by their failure class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from truetape.app.classified import classified
from truetape.app.cli.commands import app
from truetape.app.conformance import CHECKS
from truetape.app.conformance.bench import Bench, Broken
from truetape.app.conformance.registry import demand
from truetape.providers import NAMES

RUNNER = CliRunner()
LIMIT = b'{"error":"API limit reached. Please try again later. Remaining Limit: 0"}'
NOTE = b'{"Information": "We have detected your API key and our standard API rate limit is 25 requests per day."}'
CANDLES = b'{"s":"ok","t":[1709251200],"o":[1.5],"h":[1.7],"l":[1.4],"c":[1.6],"v":[100]}'


def run(*arguments: str, body: bytes | None = None) -> Result:
    return RUNNER.invoke(app, ["provider", *arguments], input=body)


def classify(provider: str, body: bytes, *arguments: str) -> dict[str, Any]:
    """What classify says of a body, as JSON."""
    done = run("classify", "--provider", provider, "-", "--json", *arguments, body=body)

    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_check_is_told_in_words() -> None:
    """A check is shown with its number, its outcome and what it demands; all passed is exit code 0."""
    done = run("check", "finnhub", "--number", "23")

    assert 0 == done.exit_code
    assert "values" in done.stdout
    assert "pass" in done.stdout
    assert "finnhub: 1 passed, 0 failed, 0 not applicable" in done.stdout


def test_checks_are_told_as_json() -> None:
    """With --json every check that was asked for is an object."""
    done = run("check", "yahoo", "-n", "21", "-n", "3", "--json")
    told = json.loads(done.stdout)

    assert ("yahoo", 1, 0, 1) == (told["provider"], told["passed"], told["failed"], told["not_applicable"])
    assert [(3, "pass"), (21, "not applicable")] == [(one["number"], one["outcome"]) for one in told["checks"]]
    assert ["", "it wants no key"] == [one["words"] for one in told["checks"]]


def test_all_providers_are_checked_at_once() -> None:
    """With `all` every provider of the catalogue is an object of an array."""
    told = json.loads(run("check", "all", "-n", "3", "--json").stdout)

    assert list(NAMES) == [one["provider"] for one in told]
    assert {0} == {one["failed"] for one in told}


@pytest.fixture
def impossible() -> Iterator[int]:
    """The number of a check that nobody stands, for as long as the test lasts."""
    number = 900

    async def examine(_bench: Bench) -> None:
        raise Broken("nobody [can] do that")

    demand(number, "impossible", "Everybody flies.")(examine)
    yield number
    del CHECKS[number]


def test_a_broken_promise_is_exit_code_one(impossible: int) -> None:
    """A failed check ends with 1 and its words; --failed shows it alone."""
    done = run("check", "binance", "-n", str(impossible), "-n", "3", "--failed")

    assert 1 == done.exit_code
    assert "nobody [can] do that" in done.stdout
    assert "kinds" not in done.stdout
    assert "binance: 1 passed, 1 failed, 0 not applicable" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "nobody"), "provider was 'nobody'. Choose one of alpaca"),
        (("check", "yahoo", "-n", "999"), "--number was 999. Checks have the numbers 1 to"),
        (("classify", "--provider", "nobody", "-"), "--provider was 'nobody'. Choose one of alpaca"),
        (("classify", "--provider", "yahoo", "nowhere.json"), "nowhere.json"),
        (("classify", "--provider", "yahoo", "--header", "no colon", "-"), "--header was 'no colon'. Write it as"),
    ],
)
def test_bad_input_is_exit_code_two(arguments: tuple[str, ...], words: str) -> None:
    """What cannot be meant is refused with what can."""
    done = run(*arguments, body=b"{}")

    assert (2, True) == (done.exit_code, words in done.stderr), done.stderr


@pytest.mark.parametrize(
    ("provider", "body", "arguments", "failure_class", "action"),
    [
        ("finnhub", CANDLES, (), "ok", "Keep it and decode it."),
        ("finnhub", b'{"s":"no_data"}', (), "empty", "Remember that there are no rows"),
        ("finnhub", LIMIT, ("--status", "429", "--header", "Retry-After: 30"), "throttled", "Retry after 30 s."),
        ("finnhub", LIMIT, ("--status", "429"), "throttled", "Wait for the next window, then retry."),
        ("finnhub", b'{"error":"Invalid API key"}', ("--status", "401"), "auth", "Refresh the key or session once"),
        ("finnhub", b'{"error":"You don\'t have access"}', ("--status", "403"), "entitlement", "Route elsewhere"),
        ("finnhub", b"<html>Bad Gateway</html>", ("--status", "502"), "transient", "Retry with growing waits"),
        ("finnhub", b"", ("--status", "503", "--header", "Retry-After: 5"), "transient", "Retry after 5 s."),
        ("finnhub", b"<html>captcha</html>", ("--status", "403"), "blocked", "Stop for long and tell the operator"),
        ("finnhub", b"{}", ("--status", "409"), "conflict", "Close the other session"),
        ("finnhub", b'{"error":"wrong"}', ("--status", "422"), "permanent", "Stop: the same question"),
        ("alpha_vantage", NOTE, ("--header", "Date: Wed, 10 Jan 2024 20:00:00 GMT"), "quota", "Wait for the reset at"),
        ("yahoo", b"<html>Will be right back</html>", (), "transient", "Retry with growing waits"),
    ],
)
def test_answers_are_named(
    provider: str, body: bytes, arguments: tuple[str, ...], failure_class: str, action: str
) -> None:
    """An answer is named by its class, with words and with what would be done about it."""
    told = classify(provider, body, *arguments)

    assert (provider, failure_class) == (told["provider"], told["failure_class"])
    assert told["action"].startswith(action) or action in told["action"]
    assert told["words"]


def test_a_spent_day_is_waited_out() -> None:
    """A spent budget without a wait of its own ends with the plan's window, in that window's zone."""
    told = classify("alpha_vantage", NOTE, "--header", "Date: Wed, 10 Jan 2024 20:00:00 GMT")

    assert "2024-01-11T05:00:00Z" == told["until"]  # midnight in New York


@pytest.mark.parametrize(
    ("provider", "status", "body", "until"),
    [
        ("iex_cloud", 402, b"Over the limit", "2024-02-01T00:00:00Z"),
        (
            "tiingo",
            429,
            b'{"detail": "Error: You have run over your hourly request allocation."}',
            "2024-01-10T21:00:00Z",
        ),
        (
            "tiingo",
            429,
            b'{"detail": "Error: You have run over your daily request allocation."}',
            "2024-01-11T05:00:00Z",
        ),
        ("eodhd", 402, b"You exceeded your daily API requests limit.", "2024-01-11T00:00:00Z"),
    ],
)
def test_windows_end_where_the_plan_has_them(provider: str, status: int, body: bytes, until: str) -> None:
    """The next window of the plan begins at a full hour, at midnight of its zone, or with the month."""
    told = classified(provider, body, status=status, now=datetime(2024, 1, 10, 20, 30, tzinfo=UTC))

    assert ("quota", until) == (told.failure_class, told.until)


def test_a_changed_schema_is_suspected() -> None:
    """An answer that no decoder can read is ok by its outside alone, and said to be undecodable."""
    told = classify("finnhub", b'{"a": 1}')
    words = run("classify", "--provider", "finnhub", "-", body=b'{"a": 1}').stdout

    assert ("ok", False, {}) == (told["failure_class"], told["readable"], told["rows"])
    assert told["action"].endswith("suspect a change of the provider's schema.")
    assert words.startswith("finnhub: ok, but undecodable")


def test_rows_are_counted() -> None:
    """Of an answer that is ok, the rows of each kind are told."""
    assert {"bars": 1} == classify("finnhub", CANDLES)["rows"]


def test_words_without_json() -> None:
    """Without --json class, words and action stand on lines of their own."""
    done = run("classify", "--provider", "finnhub", "--status", "429", "--header", "Retry-After: 30", "-", body=LIMIT)

    assert ["finnhub: throttled", f"  {json.loads(LIMIT)['error']}", "  Retry after 30 s."] == done.stdout.splitlines()


def test_a_file_is_read(tmp_path: Path) -> None:
    """The body may be a file."""
    (tmp_path / "answer.json").write_bytes(CANDLES)
    done = run("classify", "--provider", "finnhub", str(tmp_path / "answer.json"))

    assert (0, "finnhub: ok") == (done.exit_code, done.stdout.splitlines()[0])
