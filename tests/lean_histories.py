"""Random histories of securities, written as a folder of LEAN's, with what its own rules say of every day.

Securities are renamed, split, pay, spin off and end; tickers are used again, one security at a time. Of the model only
plain arithmetic is taken: the line of a file that counts on a day is the first whose date is not before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from lean_folder import LeanFolder, weekdays

FIRST, LAST = date(2019, 1, 2), date(2020, 3, 31)
DAYS: Final = weekdays(FIRST, LAST)
TICKERS: Final = ("aa", "bb", "c.c", "d1", "e")
OPEN: Final = date(2050, 12, 31)
SPLITS: Final = (2.0, 3.0, 7.0, 1.5, 0.5, 0.1, 0.01)
_DAY: Final = timedelta(days=1)


@dataclass
class Era:
    """A ticker of a security, from `first` to `last`, both inclusive."""

    ticker: str
    first: date
    last: date  # OPEN while it is traded


@dataclass
class History:
    """One security: its tickers, its bars in ten-thousandths, and the lines of its factor file."""

    eras: list[Era]
    name: str = ""  # of its files
    bars: dict[date, tuple[int, int, int, int, int]] = field(default_factory=dict)
    lines: list[tuple[date, float, float, float]] = field(default_factory=list)

    @property
    def ticker(self) -> str:
        """The newest."""
        return self.eras[-1].ticker

    def ticker_on(self, day: date) -> str | None:
        """The ticker on a day; None where it was not listed."""
        return next((one.ticker for one in self.eras if one.first <= day <= one.last), None)

    def factors_on(self, day: date) -> tuple[float, float]:
        """The price and the split factor of a day."""
        return next(((price, split) for until, price, split, _ in self.lines if until >= day), (1.0, 1.0))


def histories(seed: int, *, count: int = 9) -> list[History]:
    """Return securities whose tickers never overlap; of those with one newest ticker the latest has the plain name."""
    random = Random(seed)
    made: list[History] = []
    for number in range(count):
        made.append(History(_eras(random, number, [era for one in made for era in one.eras])))
    for ticker in {one.ticker for one in made}:
        same = sorted((one for one in made if one.ticker == ticker), key=lambda one: one.eras[-1].last, reverse=True)
        for place, one in enumerate(same):
            one.name = f"{ticker}.{place}" if place else ticker
    for one in made:
        _trade(random, one)
    return made


def _eras(random: Random, number: int, taken: list[Era]) -> list[Era]:
    begins = random.choice(DAYS[:200])
    ends = OPEN if random.random() < 0.5 else random.choice(DAYS[DAYS.index(begins) + 5 : -30])
    inner = [day for day in DAYS if begins < day < min(ends, LAST)]
    edges = sorted(random.sample(inner, random.choice((0, 0, 1, 2, 3)) if len(inner) > 9 else 0))
    made: list[Era] = []
    for first, last in zip([begins, *(day + _DAY for day in edges)], [*edges, ends], strict=True):
        free = [
            ticker
            for ticker in TICKERS
            if not any(one.ticker == ticker and one.first <= last and first <= one.last for one in taken)
            and not (made and made[-1].ticker == ticker)
        ]
        made.append(Era(random.choice(free) if free else f"u{number}x{len(made)}", first, last))
    return made


def _trade(random: Random, one: History) -> None:
    """Give `one` bars on most of its days, and a factor file with the actions that moved them."""
    span = [day for day in DAYS if one.eras[0].first <= day <= one.eras[-1].last]
    days = [day for day in span if random.random() < 0.95]
    price, steps = random.uniform(5, 200), []
    for number, day in enumerate(days):
        price *= random.uniform(0.9, 1.1)
        if number and random.random() < 0.03:
            split = random.choice(SPLITS) if random.random() < 0.5 else 1.0
            split = split if 1 < price / split < 2000 else 1.0
            kept = random.choice((0.999, 0.98, 0.8, 0.5, 1.0))
            steps.append((number, split, kept))
            price *= kept / split
        ends = [round(price * random.uniform(0.97, 1.03) * 10_000) for _ in range(2)]
        high, low = max(ends) + random.randrange(500), min(ends) - random.randrange(50)
        one.bars[day] = (ends[0], high, max(low, 1), ends[1], 1000 + number)
    kept_all, split_all = 1.0, 1.0
    lines = [(OPEN, 1.0, 1.0, 0.0)]
    for number, split, kept in reversed(steps):
        before = days[number - 1]
        kept_all, split_all = round(kept_all * kept, 7), round(split_all / split, 8)
        between = [day for day in span if before <= day < days[number]]  # days of the exchange without a trade
        lines.insert(0, (random.choice(between), kept_all, split_all, one.bars[before][3] / 10_000))
    if lines[0][0] > one.eras[0].first:
        lines.insert(0, (one.eras[0].first, kept_all, split_all, 1.0))
    one.lines = lines if steps or random.random() < 0.7 else []


def write(root: Path, made: list[History], *, seed: int) -> None:
    """Write `made` as LEAN's folder, in any of the ways that such files are found: order, cases, ends of lines."""
    random, folder = Random(seed), LeanFolder(root)
    for one in made:
        venue = random.choice(("", ",N", ",Q", ",A"))
        rows = [f"{one.eras[0].first:%Y%m%d},{one.eras[0].ticker}{venue}"]
        rows += [f"{era.last:%Y%m%d},{_case(random, era.ticker)}{venue}" for era in one.eras]
        _text(random, folder.base / "map_files" / f"{_case(random, one.name)}.csv", rows)
        factors = [f"{day:%Y%m%d},{kept:.7f},{split:.8f},{close:.4f}" for day, kept, split, close in one.lines]
        if factors:
            _text(random, folder.base / "factor_files" / f"{one.name}.csv", factors)
    for ticker in sorted({era.ticker for one in made for era in one.eras}):
        held = {day: bar for one in made for day, bar in one.bars.items() if one.ticker_on(day) == ticker}
        for day in DAYS:  # bars of nobody's, as LEAN's own files hold them
            if random.random() < 0.1 and not any(one.ticker_on(day) == ticker for one in made):
                held[day] = (10_000, 10_000, 10_000, 10_000, 7)
        rows = [f"{day:%Y%m%d} 00:00,{','.join(map(str, bar))}" for day, bar in sorted(held.items())]
        folder.zip(f"daily/{_case(random, ticker)}.zip", f"{ticker}.csv", "".join(f"{row}\n" for row in rows))


def _case(random: Random, name: str) -> str:
    return name.upper() if random.random() < 0.2 else name


def _text(random: Random, path: Path, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if random.random() < 0.3:
        random.shuffle(rows)
    end = random.choice(("\n", "\r\n", "\n\n"))
    path.write_bytes((end.join(rows) + random.choice(("", end))).encode())
