"""Permanent names do not depend on when, where or in which order they are made."""

from __future__ import annotations

from datetime import date

import pytest

from truetape.domain.identity import instrument_id, payload_key, round_id

DAY, LATER = date(2024, 6, 3), date(2024, 6, 10)


def test_an_instrument_id_is_permanent() -> None:
    """The ids were made with sha256sum and base32: others would orphan every stored row."""
    assert instrument_id(mic="XNAS", symbol="AAPL", valid_from=date(1980, 12, 12)) == "ins_ei425s3rnxga"
    assert instrument_id(mic="XNAS", symbol="AAPL", valid_from=None) == "ins_jdknlqycqvrl"


@pytest.mark.parametrize(
    ("mic", "symbol", "valid_from"),
    [("XNYS", "AAPL", DAY), ("XNAS", "MSFT", DAY), ("XNAS", "AAPL", LATER), ("XNAS", "AAPL", None)],
)
def test_another_first_listing_is_another_instrument(mic: str, symbol: str, valid_from: date | None) -> None:
    """Venue, symbol and first day all belong to the name."""
    assert instrument_id(mic=mic, symbol=symbol, valid_from=valid_from) != instrument_id(
        mic="XNAS", symbol="AAPL", valid_from=DAY
    )


def test_the_same_question_is_the_same_round() -> None:
    """Any other instrument, kind, timeframe or range is another round."""
    asked = round_id(instrument="ins_a", kind="bars", timeframe="1d", start=DAY, end=LATER)
    others = {
        round_id(instrument="ins_b", kind="bars", timeframe="1d", start=DAY, end=LATER),
        round_id(instrument="ins_a", kind="quotes", timeframe="1d", start=DAY, end=LATER),
        round_id(instrument="ins_a", kind="bars", timeframe="1h", start=DAY, end=LATER),
        round_id(instrument="ins_a", kind="bars", timeframe="1d", start=LATER, end=LATER),
        round_id(instrument="ins_a", kind="bars", timeframe="1d", start=DAY, end=DAY),
    }

    assert asked == round_id(instrument="ins_a", kind="bars", timeframe="1d", start=DAY, end=LATER)
    assert len(others - {asked}) == 5


def test_a_payload_key_is_the_sha256_of_the_bytes() -> None:
    """The value for the empty body is the one that every sha256 tool prints."""
    assert payload_key(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
