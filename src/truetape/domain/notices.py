"""What somebody is told of an alert, and which findings end by one of their own."""

from __future__ import annotations

from typing import Final

import msgspec

ENDED_BY: Final = {  # the check that ends what the other one found
    "arrived": "late",
    "resumed": "stale_feed",
    "store_well": "store_trouble",
    "archive_well": "archive_trouble",
    "disk_roomy": "disk_low",
    "backup_made": "backup_trouble",
    "backup_verified": "backup_damaged",
}
STANDING: Final = frozenset(ENDED_BY.values())  # such a finding holds until it is ended; others pass by themselves
SEVERITIES: Final = {"note": 0, "warning": 1, "quarantine": 1, "error": 2}  # the greater the graver


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as a channel is told of it: that it fires, that it goes on firing, or that it is over."""

    fingerprint: str  # the same as long as rule and labels are
    rule: str
    state: str  # firing or resolved
    severity: str  # note, warning, quarantine or error
    words: str  # the explanation of the last finding
    labels: dict[str, str]  # what the rule groups by
    count: int  # findings since it began
    started_ns: int  # UTC nanoseconds, as are the next two
    seen_ns: int  # the last finding, or when it was over
    until_ns: int  # when it is over by itself unless something is found again; of a resolved one, when it was
    simulated: bool = False

    @property
    def title(self) -> str:
        """One line: the rule, the state and what it is about."""
        about = ", ".join(f"{name} {value}" for name, value in self.labels.items() if value)
        return f"{self.rule} {self.state}{f': {about}' if about else ''}"
