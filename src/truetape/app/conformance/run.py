"""Examine a provider: every check that applies to it, with its outcome in words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from truetape.app.conformance.bench import Bench, Broken, Unshown
from truetape.app.conformance.registry import CHECKS, Check
from truetape.app.conformance.subject import Subject

Outcome = Literal["pass", "fail", "not applicable"]
LONGEST_S: Final = 60.0  # that one check may take


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider stood one check."""

    number: int
    name: str
    demands: str
    outcome: Outcome
    words: str = ""  # what was found, or why it does not apply


async def examine(subject: Subject, *, numbers: Iterable[int] = ()) -> tuple[Result, ...]:
    """Return how `subject` stands the checks `numbers`, or all of them, in their order."""
    chosen = sorted(set(numbers) or CHECKS)
    return tuple([await stand(subject, CHECKS[number]) for number in chosen])


async def stand(subject: Subject, check: Check) -> Result:
    """Return how `subject` stands `check`; an exception that the check does not know is a failure with its words."""
    why_not = check.needs(subject)
    if why_not:
        return _result(check, "not applicable", why_not)
    try:
        async with asyncio.timeout(LONGEST_S):
            await check.examine(Bench(subject))
    except Broken as broken:
        return _result(check, "fail", str(broken))
    except Unshown as unshown:
        return _result(check, "not applicable", str(unshown))
    except TimeoutError:
        return _result(check, "fail", f"it did not end within {LONGEST_S:g} s")
    except Exception as error:  # noqa: BLE001 - whatever a provider raises is told
        return _result(check, "fail", f"raised {type(error).__name__}: {str(error)[:300]}")
    return _result(check, "pass", "")


def _result(check: Check, outcome: Outcome, words: str) -> Result:
    return Result(number=check.number, name=check.name, demands=check.demands, outcome=outcome, words=words)
