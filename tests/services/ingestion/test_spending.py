"""What a request costs under a plan."""

from __future__ import annotations

import pytest

from truetape.domain.plans import Plan, Spending
from truetape.services.ingestion.spending import account_of, spending_of

WEIGHTED = Plan(weights={"chart": 10.0, "free": 0.0}, price_per_call=0.01, price_per_credit=0.002)
PER_SYMBOL = Plan(weights={"chart": 2.0}, per_symbol=True, price_per_credit=0.5)


@pytest.mark.parametrize(
    ("plan", "endpoint", "symbols", "credits_", "money"),
    [
        (Plan(), "chart", ("A",), 1.0, 0.0),
        (WEIGHTED, "chart", ("A",), 10.0, 0.03),
        (WEIGHTED, "quote", ("A", "B"), 1.0, 0.012),
        (WEIGHTED, "free", (), 0.0, 0.01),
        (PER_SYMBOL, "chart", ("A", "B", "A"), 4.0, 2.0),
        (PER_SYMBOL, "quote", ("A", "B", "C"), 3.0, 1.5),
        (PER_SYMBOL, "listings", (), 1.0, 0.5),
    ],
)
def test_what_a_request_costs(
    plan: Plan, endpoint: str, symbols: tuple[str, ...], credits_: float, money: float
) -> None:
    """One call, the endpoint's weight (for each distinct symbol where the plan says so), and both prices."""
    spending = spending_of(plan, provider="acme", account="k", endpoint=endpoint, symbols=symbols, expected_bytes=9.0)
    assert spending.money == pytest.approx(money)
    assert spending == Spending(
        provider="acme",
        account="k",
        endpoint=endpoint,
        calls=1.0,
        credits=credits_,
        symbols=tuple(sorted(set(symbols))),
        bytes=9.0,
        money=spending.money,
    )


def test_an_account_does_not_show_its_key() -> None:
    """The same key is the same account; other keys are others; without a key there is none."""
    names = [account_of(key) for key in ("demo-key-1", "demo-key-1", "demo-key-2", "")]
    assert (names[0], 12, "") == (names[1], len(names[0]), names[3])
    assert names[0] != names[2]
    assert "demo" not in names[0]
