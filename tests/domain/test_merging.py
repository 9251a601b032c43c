"""Which permanent id stands for which."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.errors import BadInput
from truetape.domain.merging import members, redirected, redirects, refuse_cycle, together


def merges(*pairs: tuple[str, str, bool]) -> pl.DataFrame:
    schema = {"instrument_id": pl.String, "into": pl.String, "stands": pl.Boolean}
    return pl.DataFrame(list(pairs), schema=schema, orient="row")


def test_the_last_of_a_row_of_merges_stands_for_all() -> None:
    """a into b, b into c: a and b are c; d was taken back."""
    told = merges(("a", "b", True), ("b", "c", True), ("d", "c", False))

    assert redirects(told) == {"a": "c", "b": "c"}
    assert ["c", "c", "d", "e"] == redirected(pl.DataFrame({"instrument_id": ["a", "b", "d", "e"]}), told)[
        "instrument_id"
    ].to_list()
    assert members("a", told) == ("c", ("c", "a", "b"))
    assert members("d", told) == ("d", ("d",))
    assert together(("b", "d"), told) == (("c", "d"), ("a", "b", "c", "d"))


def test_without_merges_nothing_is_touched() -> None:
    """The very same frame comes back."""
    frame = pl.DataFrame({"instrument_id": ["a"]})

    assert redirected(frame, merges(("a", "b", False))) is frame


@pytest.mark.parametrize(
    ("one", "into", "known", "words"),
    [
        ("a", "a", {}, "cannot be merged into itself"),
        ("c", "a", {"a": "c"}, "a stands for c"),
        ("a", "d", {"a": "c"}, "merged into c already"),
    ],
)
def test_a_record_never_comes_to_stand_for_itself(one: str, into: str, known: dict[str, str], words: str) -> None:
    """Directly, by way of others, or twice."""
    with pytest.raises(BadInput, match=words):
        refuse_cycle(one, into, known=known)


IDS = st.sampled_from([f"i{number}" for number in range(6)])


@given(st.lists(st.tuples(IDS, IDS), max_size=12))
def test_accepted_merges_never_go_round(pairs: list[tuple[str, str]]) -> None:
    """Whatever is asked for in whatever order, every record ends with one that is merged into none."""
    accepted: dict[str, str] = {}
    for one, into in pairs:
        told = merges(*((a, b, True) for a, b in accepted.items()))
        try:
            refuse_cycle(one, into, known=redirects(told))
        except BadInput:
            continue
        accepted[one] = into

    final = redirects(merges(*((a, b, True) for a, b in accepted.items())))
    assert set(final) == set(accepted)
    assert not set(final.values()) & set(accepted)


def test_rows_that_go_round_all_the_same_end() -> None:
    """A damaged table is read, and no record is looked for for ever."""
    assert set(redirects(merges(("a", "b", True), ("b", "a", True)))) == {"a", "b"}
