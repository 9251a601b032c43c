"""Permanent names do not depend on when, where or in which order they are made."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from truetape.domain.identity import claim_id, decision_id, instrument_id, payload_key, repair_id, round_id

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


def test_the_same_words_about_a_bar_are_the_same_claim() -> None:
    """Whatever payload they came in; another number, provider, bar or timeframe is another claim."""
    said: dict[str, Any] = {
        "instrument": "ins_a",
        "timeframe": "1d",
        "ts_event": 5,
        "provider": "p",
        "values": (1.0, None),
    }
    others: list[dict[str, Any]] = [
        {"values": (1.0, 0.0)},
        {"values": (None, 1.0)},
        {"provider": "q"},
        {"ts_event": 6},
        {"timeframe": "1m"},
    ]

    assert claim_id(**said) == claim_id(**said)
    assert claim_id(**said).startswith("qua_a_")
    assert len({claim_id(**said), *(claim_id(**{**said, **other}) for other in others)}) == 6


def test_the_same_change_is_the_same_repair() -> None:
    """A change of other values, or in another series, is another repair."""
    found = {
        repair_id(instrument="ins_a", series=series, kind="unit", edits=edits)
        for series, edits in (("p:1d", b"[]"), ("p:1d", b"[1]"), ("q:1d", b"[]"), ("p:1d", b"[]"))
    }

    assert len(found) == 3
    assert all(one.startswith("rep_a_") for one in found)


def test_every_decision_has_an_id_of_its_own() -> None:
    """Also the second of one person about one thing."""
    first, second = (decision_id(target="qua_1", action="accept", actor="ann", ts_known=known) for known in (1, 2))

    assert first.startswith("dec_")
    assert first != second
