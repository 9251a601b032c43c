"""What trades count for, by flags instead of codes."""

from __future__ import annotations

from truetape.domain.sales import ALL, VOLUME_ONLY, flagged, sale_of


def test_a_flag_restricts_the_trades_that_bear_it() -> None:
    """Among others or alone; without it, and where the conditions are no number, a trade counts for everything."""
    sales = flagged(["20000000", "20000001", "1", "0", "@", ""], bit=0x20000000, sale=VOLUME_ONLY)

    assert {"20000000": VOLUME_ONLY, "20000001": VOLUME_ONLY} == sales
    assert ALL == sale_of("@", sales)
