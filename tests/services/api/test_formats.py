"""Forms of an answer: what a caller's header asks for."""

from __future__ import annotations

import pytest

from truetape.services.api.formats import TABLE_FORMATS, NotAcceptable, choose_format


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", "json"),
        ("TEXT/CSV", "csv"),
        ("application/*;q=0.5, text/csv;q=0.4", "json"),
        ("application/*, application/json;q=0", "arrow"),
        ("text/html;level=1, */*;q=0.1", "json"),
    ],
)
def test_the_most_specific_range_counts(accept: str, expected: str) -> None:
    """A form's weight is that of the range that names it most closely."""
    assert expected == choose_format({}, accept, TABLE_FORMATS)


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "text/csv;q=much", ",,,", "x" * 5000])
def test_nothing_acceptable(accept: str) -> None:
    """A header that allows none of the forms is refused with their list."""
    with pytest.raises(NotAcceptable, match="text/csv"):
        choose_format({}, accept, TABLE_FORMATS)
