"""Fault scripts: how they are written, and which request meets which fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetape.app.sandbox.faults import KINDS, Fault, due_faults, read_script, unmet
from truetape.domain.errors import BadInput

SCRIPT = """
[[faults]]
provider = "yahoo"
symbol = "AAA"
kind = "rate_limit"
first = 2
times = 3
retry_after_s = 7

[[faults]]
provider = "*"
kind = "stale"
sessions = 9
"""


def test_a_script_is_read_from_toml(tmp_path: Path) -> None:
    """Every table is a fault; what it does not say has its default."""
    (tmp_path / "faults.toml").write_text(SCRIPT)

    expected = (
        Fault(provider="yahoo", symbol="AAA", kind="rate_limit", first=2, times=3, retry_after_s=7),
        Fault(provider="*", symbol="*", kind="stale", first=1, times=None, sessions=9),
    )
    assert expected == read_script(tmp_path / "faults.toml")


def entry(line: str) -> str:
    return f'[[faults]]\nprovider = "yahoo"\nkind = "stale"\n{line}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(None, "could not be read: No such file", id="missing"),
        pytest.param("[[faults", "could not be understood", id="no TOML"),
        pytest.param("[[faults]]\nkind = 'stale'", "missing required field `provider`", id="no provider"),
        pytest.param(entry("").replace("stale", "gremlin"), "gremlin", id="unknown kind"),
        pytest.param(entry("").replace("yahoo", "yahu"), "yahu", id="unknown provider"),
        pytest.param(entry("sesions = 3"), "sesions", id="misspelt key"),
        pytest.param(entry("first = 0"), "first was 0; it must lie between 1", id="first too small"),
        pytest.param(entry("times = -1"), "times was -1", id="negative times"),
        pytest.param(entry("seconds = 3600"), "between 0 and 60", id="hangs for an hour"),
        pytest.param(entry("status = 404"), "between 500 and 599", id="no server error"),
        pytest.param(entry("rows = 0"), "rows was 0", id="no rows"),
        pytest.param("x = '" + "a" * 4_000_000 + "'", "larger than 4 MB", id="too large"),
        pytest.param(entry("") * 10_001, "At most 10,000", id="too many"),
    ],
)
def test_a_script_that_is_not_understood_says_why(tmp_path: Path, text: str | None, said: str) -> None:
    """Each defect of a script gets an error that names it, and the option it came from."""
    path = tmp_path / "faults.toml"
    if text is not None:
        path.write_text(text)

    with pytest.raises(BadInput, match=said) as raised:
        read_script(path)
    assert raised.value.parameter == "--faults"


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        pytest.param(Fault(provider="yahoo", kind="rate_limit"), [1], id="transport faults pass after one request"),
        pytest.param(Fault(provider="yahoo", kind="rate_limit", times=2), [1, 2], id="or after so many"),
        pytest.param(Fault(provider="yahoo", kind="rate_limit", first=3, times=2), [3, 4], id="from a later one on"),
        pytest.param(Fault(provider="yahoo", kind="server_error", times=0), [1, 2, 3, 4, 5], id="or never"),
        pytest.param(Fault(provider="yahoo", kind="stale"), [1, 2, 3, 4, 5], id="data faults last"),
        pytest.param(Fault(provider="yahoo", kind="stale", first=2, times=1), [2], id="unless they say otherwise"),
    ],
)
def test_a_fault_is_due_for_some_requests(fault: Fault, requests: list[int]) -> None:
    """`first` and `times` say which of five requests meet the fault."""
    assert requests == [number for number in range(1, 6) if fault.due(number)]


@pytest.mark.parametrize(
    ("provider", "symbol", "expected"),
    [("yahoo", "AAA", True), ("*", "*", True), ("finnhub", "AAA", False), ("yahoo", "BBB", False)],
)
def test_a_fault_concerns_a_provider_and_a_symbol(provider: str, symbol: str, expected: bool) -> None:
    """A star stands for all of them."""
    fault = Fault(provider=provider, symbol=symbol, kind="stale")

    assert expected is fault.concerns("yahoo", "AAA")


@pytest.mark.parametrize(("request_number", "expected"), [(1, (1,)), (2, (2,)), (3, (0, 3)), (4, (0, 3))])
def test_transport_faults_come_first_and_alone(request_number: int, expected: tuple[int, ...]) -> None:
    """While a transport fault is due there is no data to spoil; after it all data faults apply at once."""
    script = (
        Fault(provider="yahoo", kind="stale"),
        Fault(provider="yahoo", kind="rate_limit"),
        Fault(provider="yahoo", kind="time_out", times=2),
        Fault(provider="*", kind="hundredfold"),
        Fault(provider="finnhub", kind="drift"),
    )

    assert expected == due_faults(script, provider="yahoo", symbol="AAA", request=request_number)


def test_faults_of_unknown_symbols_are_found() -> None:
    """A fault for a symbol that nobody serves could never be met."""
    script = tuple(Fault(provider="yahoo", kind=kind, symbol=name) for kind, name in zip(KINDS, "ABC*", strict=False))

    assert ["B", "C"] == [fault.symbol for fault in unmet(script, ("A",))]
