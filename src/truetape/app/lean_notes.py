"""What a user should know after an import of LEAN's data: what was left out, skipped, doubted or has no effect yet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl

from truetape.domain.factor_files import skipped
from truetape.ports.store import Selection, Store
from truetape.providers.lean.folder import Folder, Security

MOST_NAMED: Final = 100  # of securities that one note is about
_LINES: Final = 5


def of_files(found: Folder, securities: Iterable[Security], timeframes: Sequence[str]) -> Iterator[str]:
    """Yield what the files of `securities` told and what of the folder was not read, given the timeframes asked for."""
    own = list(securities)
    yield from found.unread
    yield from _of_finer_bars(found, own, timeframes)
    for name, one in found.securities.items():
        if not one.claims:
            yield f"{name}: other securities have its tickers on all its days; it was left out"
    for one in own:
        lines = skipped(one.factor_file.read_text(errors="replace")) if one.factor_file is not None else []
        if lines:
            where = ", ".join(map(str, lines[:_LINES]))
            yield f"factor_files/{one.name}.csv: LEAN could not write the factors of line {where}; they were skipped"
    for ticker in sorted({claim.ticker for one in own for claim in one.claims}):
        begins, bars_begin = found.first_claim(ticker), first_day(found, ticker)
        if bars_begin is not None and bars_begin < begins:
            words = f"bars from {bars_begin} until {begins} were left out: no map file has the ticker then"
            yield f"daily/{ticker}.zip: {words}"


def _of_finer_bars(found: Folder, securities: list[Security], timeframes: Sequence[str]) -> Iterator[str]:
    """Yield which securities have bars, but none of the timeframes that were asked for."""
    for timeframe in ("1h", "1m"):
        without = [
            one.name
            for one in securities
            if any(found.has(claim.ticker, timeframe) for claim in one.claims)
            and not any(found.has(claim.ticker, other) for claim in one.claims for other in {"1d", *timeframes})
        ]
        if without:
            more = f" and {len(without) - _LINES} more" if len(without) > _LINES else ""
            yield f"{', '.join(without[:_LINES])}{more}: no bars of a day; --timeframe 1d,{timeframe} brings theirs"


async def of_store(store: Store, names: Mapping[str, str]) -> list[str]:
    """Return which actions have no effect on prices, since their ex-dates lie behind the last bar.

    Args:
        store: Where the import was stored.
        names: Of map files, by instrument id.
    """
    columns = ("instrument_id", "ex_date")
    actions = await store.read("actions", Selection(equal={"provider": ("lean",)}, columns=columns))
    factors = await store.read("factors", Selection(columns=columns))
    idle = actions.unique().join(factors, on=columns, how="anti").sort(columns)
    notes = []
    for instrument in islice((one for one in idle["instrument_id"].unique().sort() if one in names), MOST_NAMED):
        equal = {"instrument_id": (instrument,), "timeframe": ("1d",)}
        bars = await store.read("bars", Selection(equal=equal, columns=("ts_event",)))
        days = bars["ts_event"].dt.date().sort()
        last = days[-1] if len(days) else date.max
        late = idle.filter(pl.col("instrument_id") == instrument, pl.col("ex_date") > last).height
        if late:
            words = f"its bars end on {last}, and {late} later ex-dates change no price until more bars come"
            notes.append(f"factor_files/{names[instrument]}.csv: {words}")
    return notes


def of_quarantine(count: int, data: Path) -> Iterator[str]:
    """Yield how many bars were kept out, and how to see them."""
    if count:
        yield f"truetape quarantine list --data {data} shows {count:,} bars that broke a rule and were kept out"


def first_day(found: Folder, ticker: str) -> date | None:
    """Return the date of the first daily bar of a ticker; None where there is none."""
    path = found.prices["daily"].get(ticker)
    try:
        with zipfile.ZipFile(path or "") as packed, packed.open(packed.namelist()[0]) as file:
            return datetime.strptime(file.read(256).lstrip()[:8].decode(), "%Y%m%d").date()  # noqa: DTZ007  a date
    except (OSError, ValueError, IndexError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return None  # reading it will say why
