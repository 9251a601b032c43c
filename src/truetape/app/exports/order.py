"""What is to be exported, and whether its form can hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from truetape.domain.adjust import ADJUSTMENTS
from truetape.domain.adjustments import ANY_ADJUSTMENT, AnyAdjustment, check_anchor
from truetape.domain.errors import BadInput
from truetape.domain.time import TIMEFRAMES, parse_day, parse_instant, to_datetime

FORMS: Final = ("parquet", "arrow", "csv", "dbn", "lean", "nautilus", "zipline")
FOLDERS: Final = ("lean", "nautilus", "zipline")  # forms that are folders; the others are one file
LENGTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "dbn": ("1m", "1h", "1d"),
    "lean": ("1m", "1h", "1d"),
    "zipline": ("1m", "1d"),
}
KINDS: Final = ("bars", "trades", "quotes")
TICKS: Final[Mapping[str, tuple[str, ...]]] = {  # forms that have a place for them
    "trades": ("parquet", "arrow", "csv", "dbn", "nautilus"),
    "quotes": ("parquet", "arrow", "csv", "nautilus"),
}
_ADJUSTS_ITSELF: Final = ("lean", "zipline")
_SUFFIXES: Final = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".dbn": "dbn",
    ".dbn.zst": "dbn",
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be exported, and where to.

    `start` and `end` are session dates, both inclusive; of trades and quotes they may be instants, and an end that is
    one is exclusive. `as_of` is a date or an instant in ISO 8601 with a zone. No symbols mean every instrument.
    """

    symbols: tuple[str, ...]
    form: str  # of FORMS
    output: Path
    start: str | None = None
    end: str | None = None
    timeframe: str = "1d"
    adjustment: AnyAdjustment = "raw"
    anchor: str | None = None  # the day whose prices stay as traded; None: the one that the adjustment names
    as_of: str | None = None
    kind: str = "bars"  # of KINDS
    provider: str | None = None  # who told trades or quotes; None: anybody
    force: bool = False  # what stands at `output` is replaced

    def __post_init__(self) -> None:
        """Refuse what the form cannot hold.

        Raises:
            BadInput: There is no such form or timeframe, or the form has no place for it.
        """
        _choose("--format", self.form, FORMS)
        _choose("--kind", self.kind, KINDS)
        _choose("--timeframe", self.timeframe, TIMEFRAMES)
        _choose("--adjustment", self.adjustment, ANY_ADJUSTMENT)
        check_anchor(self.adjustment, self.anchored(), parameter="--anchor")
        if self.kind != "bars":
            return self._check_ticks()
        lengths = LENGTHS.get(self.form, TIMEFRAMES)
        if self.timeframe not in lengths:
            fix = f"A file of {self.form} holds bars of {', '.join(lengths)}."
            raise BadInput(parameter="--timeframe", value=self.timeframe, fix=fix)
        if self.form in _ADJUSTS_ITSELF and self.adjustment != "raw":
            fix = f"Leave it out: {self.form} takes prices as traded, and the splits and dividends beside them."
            raise BadInput(parameter="--adjustment", value=self.adjustment, fix=fix)
        if self.form == "dbn" and (self.adjustment not in ADJUSTMENTS or self.anchor):
            fix = f"A file of dbn has no place for its name: choose one of {', '.join(ADJUSTMENTS)}, and no anchor."
            raise BadInput(parameter="--adjustment", value=self.adjustment, fix=fix)
        start, end = self.days()
        if start and end and start > end:
            fix = f"It is later than the end, which was {end}. Both are inclusive; swap them."
            raise BadInput(parameter="--start", value=str(start), fix=fix)
        return None

    def _check_ticks(self) -> None:
        if self.form not in TICKS[self.kind]:
            fix = f"Choose one of {', '.join(TICKS[self.kind])} for {self.kind}."
            raise BadInput(parameter="--format", value=self.form, fix=fix)
        for option, value in (("--start", self.start), ("--end", self.end)):
            if not value:
                fix = f"Say from when until when {self.kind} are wanted, as dates or as instants with a zone."
                raise BadInput(parameter=option, value="", fix=fix)
        self.days()

    def anchored(self) -> date | None:
        """Return the day whose prices stay as traded; None where none is named.

        Raises:
            BadInput: It is no date.
        """
        return parse_day(self.anchor, parameter="--anchor") if self.anchor else None

    def days(self) -> tuple[date | None, date | None]:
        """Return the first and the last session date that are wanted, both inclusive; None where there is no bound.

        Raises:
            BadInput: One of them is no date.
        """
        read = parse_day if self.kind == "bars" else _day_of
        start = read(self.start, parameter="--start") if self.start else None
        return start, read(self.end, parameter="--end") if self.end else None


def form_of(output: Path) -> str:
    """Return the form that the name of a file tells.

    Raises:
        BadInput: It tells none.
    """
    name = output.name.lower()
    found = [form for suffix, form in _SUFFIXES.items() if name.endswith(suffix)]
    if not found:
        fix = f"Its name tells no format. Choose one with --format: {', '.join(FORMS)}."
        raise BadInput(parameter="-o", value=str(output), fix=fix)
    return found[-1]


def _day_of(text: str, *, parameter: str) -> date:
    return to_datetime(parse_instant(text, parameter=parameter)).date()


def _choose(option: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(parameter=option, value=value, fix=f"Choose one of {', '.join(known)}.")
