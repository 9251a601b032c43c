"""What every provider promises: the numbered checks of the conformance kit, over every provider of the catalogue.

A new provider is found by itself: a name in the catalogue, a folder, and a desk in the sandbox are enough.
"""

from __future__ import annotations

import pytest

from truetape.app.conformance import CHECKS, Subject, registered, stand
from truetape.domain.errors import BadInput
from truetape.providers import NAMES

pytestmark = pytest.mark.no_cover  # long, and of code that its own tests cover


def subject(name: str) -> Subject | None:
    """The provider, or None where its folder is not there yet."""
    try:
        return registered(name)
    except BadInput:
        return None


SUBJECTS = {name: subject(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_provider_of_the_catalogue_is_there(name: str) -> None:
    """A name of the catalogue has a folder that declares a provider."""
    if SUBJECTS[name] is None:
        pytest.skip(f"providers/{name} is not there yet")

    assert SUBJECTS[name] is not None


@pytest.mark.parametrize(
    ("name", "number"),
    [(name, number) for name, one in SUBJECTS.items() if one is not None for number in sorted(CHECKS)],
)
async def test_provider(name: str, number: int) -> None:
    """The provider keeps what the check demands, where its declaration selects it."""
    one = SUBJECTS[name]
    assert one is not None
    result = await stand(one, CHECKS[number])
    if result.outcome == "not applicable":
        pytest.skip(result.words)

    assert ("pass", "") == (result.outcome, result.words), result.demands


@pytest.mark.parametrize("name", [name for name, one in SUBJECTS.items() if one is not None])
def test_every_provider_is_held_to_forty_checks(name: str) -> None:
    """The declaration of every provider selects at least forty checks."""
    one = SUBJECTS[name]
    assert one is not None

    assert sum(not check.needs(one) for check in CHECKS.values()) >= 40


def test_the_kit_has_at_least_forty_checks() -> None:
    """Checks are numbered from 1 without a gap, each with a name of its own and what it demands."""
    assert list(range(1, len(CHECKS) + 1)) == sorted(CHECKS)
    assert len(CHECKS) >= 40
    assert len({check.name for check in CHECKS.values()}) == len(CHECKS)
    assert [] == [check.number for check in CHECKS.values() if not check.demands.endswith(".")]
