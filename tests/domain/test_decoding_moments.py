"""Moments with a zone, read by value: whatever zone and precision a provider writes."""

from __future__ import annotations

import pytest

from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.schema import INSTANT

PAYLOAD = Payload(provider="p", kind="k", body=b"")
EARLY = 1_634_097_600_000_000_000  # 2021-10-13T04:00:00Z


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2021-10-13T04:00:00Z"], [EARLY]),
        (["2021-10-13T04:00:00Z", "2021-10-13T04:00:00.08960768Z"], [EARLY, EARLY + 89_607_680]),
        (["2021-10-13T04:00:00.123456789Z"], [EARLY + 123_456_789]),
        (["2021-10-13T04:00:00.000+00:00", "2021-10-13T00:00:00-0400"], [EARLY, EARLY]),
        (["1800-01-01T00:00:00Z"], [-5_364_662_400_000_000_000]),
        ([], []),
    ],
)
def test_moments(texts: list[str], expected: list[int]) -> None:
    """Zones are taken into account and no decimal of a second is lost."""
    read = PAYLOAD.moments(texts, field="t")
    assert (read.dtype, read.to_physical().to_list()) == (INSTANT, expected)


@pytest.mark.parametrize(
    "text",
    ["2021-10-13T04:00:00", "2021-10-13", "1799-12-31T00:00:00Z", "9999-01-01T00:00:00Z", "2021-10-13T25:00:00Z", ""],
)
def test_other_texts_are_named(text: str) -> None:
    """A moment without a zone, outside of four centuries or of no clock is a defect."""
    with pytest.raises(UndecodablePayload) as caught:
        PAYLOAD.moments(["2021-10-13T04:00:00Z", text], field="t")
    assert f"a value of t was {text!r}, no moment" in caught.value.reason


@pytest.mark.parametrize(("value", "named"), [(None, "was 'None'"), (5, "no String")])
def test_other_values_are_named(value: object, named: str) -> None:
    """Null and numbers are no moments."""
    with pytest.raises(UndecodablePayload, match=named):
        PAYLOAD.moments([value], field="t")
