"""The OpenAPI document keeps its word: whatever is asked within it is answered within it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from small_market import filled_folder, serving
from truetape.services.api.config import ApiConfig
from truetape.services.api.endpoints import endpoints
from truetape.services.api.openapi import document


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(asyncio.run(filled_folder(tmp_path_factory.mktemp("schema") / "data"))) as address:
        yield address


schema = schemathesis.openapi.from_dict(document(endpoints(ApiConfig()).values(), version="0"))


@schema.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_stay_within_the_document(case: schemathesis.Case[Any], address: str) -> None:
    """Status, form and shape of every answer are documented, and nothing makes the server fail."""
    # A document cannot say that start is not later than end, or which symbols exist.
    case.call_and_validate(base_url=address, excluded_checks=[positive_data_acceptance])
