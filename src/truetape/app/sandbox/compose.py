"""A script in which everything goes wrong that can, while the truth can still be found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.faults import Fault, Script, read_script

_PASSING: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "rate_limit"},
    {"kind": "server_error", "status": 502},
    {"kind": "time_out"},
    {"kind": "truncated", "length": "right"},
    {"kind": "truncated", "length": "long"},
    {"kind": "kill"},
    {"kind": "garbage"},
    {"kind": "wrong_type"},
    {"kind": "bomb"},
    {"kind": "redirect_loop"},
    {"kind": "mute"},
    {"kind": "slow"},
)
_WRONG: Final = ("hundredfold", "stale", "missing_rows")
_SOFT: Final = ("alpha_vantage", "yahoo")  # whose errors come with status 200
_MOST_FAILURES: Final = 3  # of one series
_FOR_A_VOTE: Final = 3  # with a wrong provider, two more are needed
_FOR_A_GAP: Final = 4  # with a wrong provider and an absent one, two more are needed


def choose_script(text: str, *, dataset: Dataset, providers: Sequence[str], seed: int) -> Script:
    """Return the script that the option --faults names: "all", "none" or a TOML file.

    Raises:
        BadInput: The file is missing or not understood.
    """
    if text == "none":
        return ()
    if text == "all":
        return all_faults(dataset.symbols, providers, seed=seed, with_splits=dataset.with_splits)
    return read_script(Path(text))


def all_faults(
    symbols: Sequence[str], providers: Sequence[str], *, seed: int, with_splits: Collection[str] | None = None
) -> Script:
    """Return a script of every kind of fault; the same seed gives the same script.

    - For each symbol one provider is wrong: it missed the last split of a symbol in `with_splits` (by default of every
      symbol), and has prices 100 times too high, a stale end or holes. These last for ever.
    - For two symbols of three another provider is absent for good: its fields have drifted, or it refuses.
    - Every other provider fails at its first requests, and then answers. No series fails more than three times, so a
      client that tries four times gets all of them.

    So for every symbol at least two of four providers are honest and answer in the end. With fewer providers nobody is
    absent, and with fewer than three nobody is wrong.
    """
    providers = sorted(providers)  # so that Yahoo and Alpha Vantage, who alone tell of actions, are never both hit
    turn = random.Random(f"{seed}:turn").randrange(max(len(providers), 1))  # noqa: S311 - a rehearsal, no secret
    wrong, absent = {}, {}
    for number, symbol in enumerate(symbols):
        if len(providers) >= _FOR_A_VOTE:
            wrong[symbol] = providers[(turn + number) % len(providers)]
        if len(providers) >= _FOR_A_GAP and number % 3 != 2:  # noqa: PLR2004 - two of three
            absent[symbol] = providers[(turn + number + 2) % len(providers)]
    script: list[Fault] = []
    for number, symbol in enumerate(symbols):
        if symbol in wrong:
            if with_splits is None or symbol in with_splits:
                how = "twice" if number % 2 else "missed"
                script.append(_fault(wrong[symbol], symbol, kind="missed_split", how=how))
            kinds = _WRONG if len(symbols) < len(_WRONG) else (_WRONG[number % len(_WRONG)],)
            script += [_fault(wrong[symbol], symbol, kind=kind) for kind in kinds]
        if symbol in absent:
            script.append(_absent(absent[symbol], symbol, number))
    cells = [(name, symbol) for symbol in symbols for name in providers if absent.get(symbol) != name]
    return (*script, *_passing(cells, seed=seed))


def _absent(provider: str, symbol: str, number: int) -> Fault:
    if number % 3 == 0:
        return _fault(provider, symbol, kind="drift", change="type" if number % 2 else "rename")
    if provider == "alpha_vantage":
        return _fault(provider, symbol, kind="note", quota=True, times=0)
    return _fault(provider, symbol, kind="server_error", times=0)


def _passing(cells: list[tuple[str, str]], *, seed: int) -> list[Fault]:
    """Return faults of the first requests, all kinds in turn; a provider known for errors in the body begins."""
    met: Counter[tuple[str, str]] = Counter()
    faults = []
    for cell in sorted(cells, key=lambda cell: _SOFT.index(cell[0]) if cell[0] in _SOFT else len(_SOFT))[:1]:
        faults.append(_fault(*cell, kind="note"))
        met[cell] += 1
    order = list(_PASSING)
    random.Random(f"{seed}:order").shuffle(order)  # noqa: S311 - a rehearsal, no secret
    rounds = max(len(cells), min(len(order), (_MOST_FAILURES - 1) * len(cells)))
    for number in range(rounds):
        cell = cells[number % len(cells)]
        met[cell] += 1
        faults.append(_fault(*cell, first=met[cell], **order[number % len(order)]))
    return faults


def _fault(provider: str, symbol: str, **rest: Any) -> Fault:
    return msgspec.convert({"provider": provider, "symbol": symbol, **rest}, Fault)
