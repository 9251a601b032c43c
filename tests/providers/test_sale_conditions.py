"""What trades count for by their conditions, as Massive's reference of them says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from truetape.domain.sales import ALL, Sale, sale_of
from truetape.providers.alpaca.sales import SALES as LETTERS
from truetape.providers.massive.sales import SALES as NUMBERS

REFERENCE = "polygon/mocks/v3_reference_conditions_asset_class=stocks.json"


def test_numbers_mean_what_the_reference_says(recordings: Path) -> None:
    """Of each recorded condition."""
    said = {
        str(one["id"]): Sale(
            range=one["update_rules"]["consolidated"]["updates_high_low"],
            ends=one["update_rules"]["consolidated"]["updates_open_close"],
            volume=one["update_rules"]["consolidated"]["updates_volume"],
        )
        for one in msgspec.json.decode((recordings / REFERENCE).read_bytes())["results"]
    }

    assert len(said) == 10
    assert said == {code: NUMBERS.get(code, ALL) for code in said}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("@", Sale()),
        ("@,T", Sale()),
        ("@,F,I", Sale(range=False, ends=False)),
        ("Z", Sale(ends=False)),
        ("Q", Sale(range=False, ends=False, volume=False)),
        ("9", Sale(volume=False)),
    ],
)
def test_letters_mean_what_the_tapes_say(conditions: str, expected: Sale) -> None:
    """Regular, extended hours, odd lot, out of sequence, official open, corrected close."""
    assert expected == sale_of(conditions, LETTERS)
