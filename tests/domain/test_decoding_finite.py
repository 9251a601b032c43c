"""Numbers that a lenient decoder read: finite ones stay as they are, others are a stated defect."""

from __future__ import annotations

import pytest

from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload

PAYLOAD = Payload(provider="acme", kind="bars", body=b"")


def test_finite_numbers_and_nulls_stay() -> None:
    """Null is missing, and no number changes."""
    assert [0.1, None, -1e-320, 1e308] == PAYLOAD.finite([0.1, None, -1e-320, 1e308], field="open").to_list()
    assert [] == PAYLOAD.finite([], field="open").to_list()


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_an_endless_number_is_a_defect(odd: float) -> None:
    """The reason names the field."""
    with pytest.raises(UndecodablePayload, match="a value of open was no finite number"):
        PAYLOAD.finite([1.0, odd], field="open")
