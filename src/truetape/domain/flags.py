"""Quality flags of a golden row: bits that may be set together."""

from __future__ import annotations

from enum import IntFlag


class Quality(IntFlag):
    """What a reader should know about a golden row before using it."""

    NONE = 0
    RUNNING = 1  # the session had not ended when the bar was sent
    SINGLE_SOURCE = 2  # one provider only: nobody could contradict it
    DISPUTED = 4  # at least one provider claimed something else
    OUTSIDE_SESSION = 8  # the calendar knows no session on that date
    BELOW_QUORUM = 16  # fewer providers agree, or they weigh less, than the settings ask for
