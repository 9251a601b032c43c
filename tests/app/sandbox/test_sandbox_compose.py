"""The script of every fault: everything happens, and the truth can still be found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tape import small_dataset

from truetape.app.sandbox.compose import all_faults, choose_script
from truetape.app.sandbox.faults import DATA, TRANSPORT, Fault, Script

PROVIDERS = ("alpha_vantage", "yahoo", "finnhub", "iex_cloud")
SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
WRONG_VALUES = {"hundredfold", "missed_split", "stale"}

tapes = st.lists(st.sampled_from("ABCDEFGHIJ"), min_size=1, max_size=10, unique=True)
seeds = st.integers(0, 10_000)


def of(script: Script, symbol: str) -> list[Fault]:
    return [fault for fault in script if fault.symbol == symbol]


def for_ever(fault: Fault) -> bool:
    return fault.times == 0 or (fault.kind in DATA and fault.times is None)


@given(tapes, seeds)
def test_every_kind_occurs_and_every_provider_fails(symbols: list[str], seed: int) -> None:
    """Whatever the symbols and the seed, no provider is spared, and from three symbols on no kind is left out."""
    script = all_faults(symbols, PROVIDERS, seed=seed)

    kinds = {fault.kind for fault in script}
    assert kinds >= DATA
    assert kinds >= (TRANSPORT if len(symbols) > 2 else {"note"})
    assert set(PROVIDERS) == {fault.provider for fault in script}
    if len(symbols) > 2:
        assert {"right", "long"} == {fault.length for fault in script if fault.kind == "truncated"}


@given(tapes, seeds)
def test_two_honest_providers_remain_for_every_symbol(symbols: list[str], seed: int) -> None:
    """One provider at most says wrong values, and one more at most is absent or unreadable for good."""
    script = all_faults(symbols, PROVIDERS, seed=seed)

    for symbol in symbols:
        wrong = {fault.provider for fault in of(script, symbol) if fault.kind in WRONG_VALUES}
        for_good = {fault.provider for fault in of(script, symbol) if for_ever(fault)}
        assert len(wrong) == 1
        assert len(for_good) <= 2
        assert not {"yahoo", "alpha_vantage"} <= for_good  # they alone tell of actions


@given(tapes, seeds)
def test_whoever_is_not_absent_answers_the_fourth_request(symbols: list[str], seed: int) -> None:
    """Passing faults come at the first requests, one after the other, and at most three times."""
    passing = [fault for fault in all_faults(symbols, PROVIDERS, seed=seed) if not for_ever(fault)]
    numbers: dict[tuple[str, str], list[int]] = {}
    for fault in passing:
        assert fault.kind in TRANSPORT
        numbers.setdefault((fault.provider, fault.symbol), []).append(fault.first)

    for firsts in numbers.values():
        assert list(range(1, len(firsts) + 1)) == sorted(firsts)
        assert len(firsts) <= 3


def test_retries_and_failovers_happen_in_the_demo() -> None:
    """With the demo's five stocks every series is asked again or given up, and two series have a gap."""
    script = all_faults(SYMBOLS, PROVIDERS, seed=7)
    transport = {(fault.provider, fault.symbol) for fault in script if fault.kind in TRANSPORT}
    drifted = {(fault.provider, fault.symbol) for fault in script if fault.kind == "drift"}
    refused = Counter(fault.symbol for fault in script if fault.kind in TRANSPORT and for_ever(fault))

    assert {(name, symbol) for name in PROVIDERS for symbol in SYMBOLS} == transport | drifted
    assert Counter({"FB": 1, "MSFT": 1}) == refused


def test_the_same_seed_gives_the_same_script() -> None:
    """Scripts are repeatable, do not depend on the order of the providers, and differ between seeds."""
    backwards = tuple(reversed(PROVIDERS))

    assert all_faults(SYMBOLS, PROVIDERS, seed=1) == all_faults(SYMBOLS, backwards, seed=1)
    assert len({all_faults(SYMBOLS, PROVIDERS, seed=seed) for seed in range(20)}) > 10


@pytest.mark.parametrize(
    ("providers", "data_kinds"),
    [((), False), (PROVIDERS[:1], False), (PROVIDERS[:2], False), (PROVIDERS[:3], True)],
)
def test_fewer_providers_are_spared_what_nobody_could_outvote(providers: tuple[str, ...], data_kinds: bool) -> None:
    """One or two providers only fail and recover; with three one may be wrong, and nobody is absent."""
    script = all_faults(SYMBOLS, providers, seed=7)

    assert data_kinds is any(fault.kind in WRONG_VALUES for fault in script)
    assert not [fault for fault in script if fault.kind == "drift" or (fault.kind in TRANSPORT and for_ever(fault))]


def test_only_splits_can_be_missed() -> None:
    """Symbols that never split are spared; by default nothing is known of splits, and every symbol may have one."""

    def missed(script: Script) -> list[str]:
        return [fault.symbol for fault in script if fault.kind == "missed_split"]

    assert ["AAPL", "MSFT"] == missed(all_faults(SYMBOLS, PROVIDERS, seed=7, with_splits={"AAPL", "MSFT"}))
    assert list(SYMBOLS) == missed(all_faults(SYMBOLS, PROVIDERS, seed=7))


def test_the_option_names_a_script(tmp_path: Path) -> None:
    """None is empty, all is the script above, and anything else is a file."""
    (tmp_path / "one.toml").write_text('[[faults]]\nprovider = "yahoo"\nkind = "drift"\n')
    dataset = small_dataset(tmp_path)

    def chosen(text: str) -> Script:
        return choose_script(text, dataset=dataset, providers=PROVIDERS, seed=3)

    assert () == chosen("none")
    assert all_faults(("AAA", "BBB"), PROVIDERS, seed=3, with_splits={"AAA"}) == chosen("all")
    assert (Fault(provider="yahoo", kind="drift"),) == chosen(str(tmp_path / "one.toml"))
