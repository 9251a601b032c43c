"""The mark of a stored round."""

from __future__ import annotations

from pipeline_doubles import FRIDAY, INSTRUMENT, MONDAY, NOW
from truetape.domain.messages import BatchGraded
from truetape.domain.schema import TABLES, check
from truetape.services.storage.mark import round_mark


def test_a_mark_says_what_the_round_brought() -> None:
    """Which question, who delivered, how many rows."""
    message = BatchGraded(
        kind="bars",
        round_id="rnd_1",
        instrument_id=INSTRUMENT,
        timeframe="1d",
        start=MONDAY,
        end=FRIDAY,
        ts_known=NOW,
        providers=("p", "q"),
        golden=b"",
        quarantined=b"",
        findings=b"",
        simulated=True,
    )

    mark = check(round_mark(message, golden=5, quarantined=1), TABLES["rounds"].columns, kind="rounds")

    (row,) = mark.with_columns(mark["ts_known"].cast(int)).rows()
    assert row == ("rnd_1", INSTRUMENT, "bars", "1d", MONDAY, FRIDAY, "p,q", 5, 1, NOW, True)
