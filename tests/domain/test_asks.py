"""Values that clients and decoders share: what they show of themselves."""

from __future__ import annotations

import pytest
from rich.pretty import pretty_repr

from truetape.domain.asks import Request

REQUEST = Request(
    url="https://host/q",
    params={"symbol": "IBM"},
    secrets={"apikey": "k3y", "other": ""},
    secret_headers={"Authorization": "Token k3y"},
)


@pytest.mark.parametrize("shown", [repr(REQUEST), str(REQUEST), f"{[REQUEST]}", pretty_repr(REQUEST)])
def test_a_request_shows_no_secrets(shown: str) -> None:
    """The names of the secrets and all the rest, with stars for their values."""
    assert "k3y" not in shown
    assert "'apikey': '***', 'other': ''" in shown
    assert "'Authorization': '***'" in shown
    assert "url='https://host/q'" in shown
    assert "params={'symbol': 'IBM'}" in shown
