"""Which instruments a commit changes, as they are told."""

from __future__ import annotations

from room_doubles import rows
from truetape.domain.messages import InstrumentChanged
from truetape.services.reference.changed import MOST_NAMED, changed_instruments


def test_each_instrument_is_told_with_the_tables_that_say_something_else() -> None:
    """Tables that are no part of the master count for nothing; of a merge both records change."""
    writes = {
        "listings": rows("listings", instrument_id=["ins_b", "ins_a", "ins_a"]),
        "instruments": rows("instruments", instrument_id=["ins_a"]),
        "merges": rows("merges", instrument_id=["ins_c"], into="ins_b"),
        "sessions": rows("sessions", mic=["XNYS"]),
    }

    assert [
        InstrumentChanged(instrument_id="ins_a", ts_known=7, changes=("instruments", "listings")),
        InstrumentChanged(instrument_id="ins_b", ts_known=7, changes=("listings", "merges")),
        InstrumentChanged(instrument_id="ins_c", ts_known=7, changes=("merges",)),
    ] == list(changed_instruments(writes, ts_known=7))
    assert [] == list(changed_instruments({"sessions": writes["sessions"]}, ts_known=7))


def test_very_many_are_told_at_once() -> None:
    """One message says how many; up to the limit each has its own."""
    many = {"listings": rows("listings", instrument_id=[f"ins_{number}" for number in range(MOST_NAMED + 1)])}
    fewer = {"listings": many["listings"].head(MOST_NAMED)}

    told = InstrumentChanged(instrument_id="", ts_known=7, changes=("listings",), count=MOST_NAMED + 1)
    assert [told] == list(changed_instruments(many, ts_known=7))
    assert MOST_NAMED == len(list(changed_instruments(fewer, ts_known=7)))
