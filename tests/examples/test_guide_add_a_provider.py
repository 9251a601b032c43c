"""The guide builds a provider: its code is put where it says, and held to the whole conformance kit."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import truetape.app.sandbox.desks
import truetape.providers
from truetape.app.conformance import CHECKS, Subject, of_module, stand
from truetape.app.sandbox.desks import desk

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guides" / "add-a-provider.md"
FILE = re.compile(r"^<!-- file: src/truetape/(\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CATALOGUE = re.compile(r'^ *"acme": \((.*)\),$', re.MULTILINE)
MOST_LINES = 60
NEW = ("truetape.providers.acme", "truetape.app.sandbox.desks.acme")


def code() -> dict[str, str]:
    """The files of the guide by their paths below the package."""
    return dict(FILE.findall(GUIDE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """The guide's provider, built beside the package."""
    folder = tmp_path_factory.mktemp("guide")
    for path, text in code().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    places = (
        (truetape.providers.__path__, folder / "providers"),
        (truetape.app.sandbox.desks.__path__, folder / "app" / "sandbox" / "desks"),
    )
    for package, place in places:
        package.append(str(place))
    importlib.invalidate_caches()
    plans = (folder / "providers" / "acme" / "plans.toml").read_bytes()
    variables = tuple(re.findall(r'"(\w+)"', CATALOGUE.findall(GUIDE.read_text(encoding="utf-8"))[0]))
    module = importlib.import_module("truetape.providers.acme")
    yield of_module(module, desk=desk("acme"), plans=plans, variables=variables)
    for package, place in places:
        package.remove(str(place))
    for name in [name for name in sys.modules if name.startswith(NEW)]:
        del sys.modules[name]


def test_a_provider_takes_at_most_sixty_lines() -> None:
    """Declaration, client, classification, decoder, plans, desk and catalogue: blank lines are not counted."""
    lines = [line for text in code().values() for line in text.splitlines() if line.strip()]

    assert ["__init__.py", "acme.py", "classify.py", "client.py", "decode.py", "plans.toml"] == sorted(
        Path(path).name for path in code()
    )
    assert MOST_LINES >= len(lines) + len(CATALOGUE.findall(GUIDE.read_text(encoding="utf-8")))
    assert [] == [line for line in lines if len(line) > 120]


@pytest.mark.parametrize("number", sorted(CHECKS))
async def test_the_guides_provider_stands_every_check(acme: Subject, number: int) -> None:
    """The provider built from the guide alone keeps every promise that its declaration selects."""
    result = await stand(acme, CHECKS[number])
    if result.outcome == "not applicable":
        pytest.skip(result.words)

    assert ("pass", "") == (result.outcome, result.words), result.demands


async def test_the_kit_looks_closely_at_the_guides_provider(acme: Subject) -> None:
    """At least forty checks apply to a provider of daily bars."""
    results = [await stand(acme, check) for check in CHECKS.values()]

    assert sum(one.outcome == "pass" for one in results) >= 40
