"""Even spending: a patient request waits for its share of the day; by its end everything can be used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.plans import Window
from truetape.domain.time import DAY_NS, NANOSECONDS
from truetape.services.ingestion.evenness import may_go_ns

MIDNIGHT = 1_717_977_600 * NANOSECONDS  # 2024-06-10T00:00:00Z
HOUR = 3600 * NANOSECONDS
DAY = Window(limit=24, period="day")


@pytest.mark.parametrize(
    ("window", "used", "hours"),
    [
        pytest.param(DAY, 0.0, 0.0, id="the first goes at once: 1 of 24 is within the head start"),
        pytest.param(DAY, 1.0, 0.0, id="2 of 24 too"),
        pytest.param(DAY, 11.0, 9.6, id="the twelfth is half of the day, less a tenth of it"),
        pytest.param(DAY, 23.0, 21.6, id="the last goes before the evening ends"),
        pytest.param(DAY, 40.0, 24.0, id="what is overspent waits for the next day"),
        pytest.param(Window(limit=24, period="day", rolling=True), 23.0, 0.0, id="a rolling window renews itself"),
        pytest.param(Window(limit=24, period="minute"), 23.0, 0.0, id="a minute is not worth evenness"),
        pytest.param(Window(limit=0, period="day"), 0.0, 0.0, id="no limit to share out"),
        pytest.param(Window(limit=10, period="month"), 5.0, -216.0 + 0.5 * 720, id="a month: six of ten on the 16th"),
    ],
)
def test_when_a_patient_request_may_go(window: Window, used: float, hours: float) -> None:
    """At midnight of 10 June, which is 216 hours into a month of 720."""
    assert MIDNIGHT + round(hours * HOUR) == pytest.approx(may_go_ns([(window, used)], now_ns=MIDNIGHT), abs=10)


def test_the_narrowest_window_decides() -> None:
    """Of a day and a month the later moment."""
    month = Window(limit=10, period="month")

    assert may_go_ns([(DAY, 11.0), (month, 5.0)], now_ns=MIDNIGHT) == may_go_ns([(month, 5.0)], now_ns=MIDNIGHT)
    assert MIDNIGHT == may_go_ns([], now_ns=MIDNIGHT)


@given(st.integers(20, 400))
def test_a_whole_day_can_be_spent_and_never_ahead_of_time(limit: int) -> None:
    """Asking whenever it may go uses the whole limit within the day, and at no time more than the share that passed."""
    now, used, window = MIDNIGHT, 0, Window(limit=limit, period="day")
    while (now := max(now, may_go_ns([(window, float(used))], now_ns=now))) < MIDNIGHT + DAY_NS:
        used += 1
        assert used / limit <= (now - MIDNIGHT) / DAY_NS + 0.1 + 1e-6
        if used == limit:
            break

    assert used == limit
