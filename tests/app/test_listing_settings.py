"""What is wrong with the listings of the settings, beyond single values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from truetape.app.listing_settings import listing_problems

APPLE = {"symbol": "AAPL", "mic": "XNAS"}


@pytest.mark.parametrize(
    ("listing", "problem"),
    [
        ({"isin": "US0378331005", "cik": "320193", "figi": "BBG000B9XRY4"}, None),
        (
            {"isin": "US0378331006"},
            "instruments[0].isin was 'US0378331006'. Its check digits are wrong (the last had to be 5)",
        ),
        ({"lei": "HWUPKR0MPOU8FGXBT39"}, "instruments[0].lei was 'HWUPKR0MPOU8FGXBT39'. Its check digits are wrong"),
        (
            {"valid_from": date(2020, 1, 2), "valid_to": date(2020, 1, 2)},
            "instruments[0].valid_to was 2020-01-02; write a date after valid_from (2020-01-02)",
        ),
    ],
)
def test_wrong_listings_are_named_with_their_fix(listing: dict[str, Any], problem: str | None) -> None:
    """Identifiers by their check digits, dates by their order."""
    found = list(listing_problems([{**APPLE, **listing}]))

    assert ([] if problem is None else [problem]) == [words[: len(problem or "")] for words in found]
