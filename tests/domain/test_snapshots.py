"""Names of snapshots: what may be one, and what is said of one that nothing has."""

from __future__ import annotations

import pytest

from truetape.domain.errors import BadInput
from truetape.domain.snapshots import sound_name, unknown_name


@pytest.mark.parametrize("name", ["eod-2026-11-20", "7", "a.b_c", "x" * 64])
def test_a_name_is_small_letters_digits_and_marks(name: str) -> None:
    """It is returned as it is."""
    assert name == sound_name(name)


@pytest.mark.parametrize("name", ["", "EOD", "-a", ".a", "a b", "a/b", "é", "x" * 65, "a\n"])
def test_another_word_is_refused_with_an_example(name: str) -> None:
    """The error says what may stand in a name."""
    with pytest.raises(BadInput, match=r"small letters.*such as eod-2026-11-20") as caught:
        sound_name(name)

    assert "name" == caught.value.parameter


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    """Those that look like it come first, then the newest."""
    error = unknown_name("eod-2026-11-21", known=["eod-2026-11-20", "aaaa", "zzzz"])

    assert error.fix.endswith("Known names, the nearest first: eod-2026-11-20, zzzz, aaaa.")
    assert unknown_name("a", known=[]).fix.endswith("There is none yet.")
