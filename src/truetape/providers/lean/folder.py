"""A folder of LEAN's data, looked through: securities, their tickers, and where their files are."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Final

from truetape.providers.lean.tickers import OPEN, SINCE_EVER, Claim, claims, holder, settled

MOST_FILES: Final = 500_000
MOST_TEXT: Final = 1 << 20  # bytes of a map file; honest ones have some hundred
BELOW: Final = ("equity/usa", "usa", ".")  # where the folders of US equities may be, below the folder that is named
PARTS: Final = ("map_files", "factor_files", "daily", "hour", "minute")
SERIES: Final = {"daily": "daily", "hour": "hour"}
OTHERS: Final = (  # folders beside equity, of other kinds of securities
    *("cfd", "crypto", "cryptofuture", "forex", "future", "futureoption", "index", "indexoption", "option"),
)
FINER: Final = ("second", "tick")

_TRADES: Final = re.compile(r"(\d{8})_trade\.zip")


@dataclass(frozen=True)
class Security:
    """One security: its tickers, and its own files."""

    name: str  # of its map file, in small letters; a ticker where it has none
    claims: tuple[Claim, ...]  # ascending, settled against those of all others; empty if others have all its days
    map_file: Path | None = None
    factor_file: Path | None = None

    @property
    def first(self) -> date:
        """The first day on which it had a ticker."""
        return self.claims[0].first

    @property
    def last(self) -> date:
        """The last day on which it had one; OPEN while it is traded."""
        return max(one.last for one in self.claims)

    @property
    def ticker(self) -> str:
        """Its newest ticker, in small letters."""
        return max(self.claims, key=lambda one: one.last).ticker


@dataclass
class Folder:
    """What a folder holds, as of its last look."""

    root: Path
    max_files: int = MOST_FILES
    securities: dict[str, Security] = field(default_factory=dict)  # by name
    broken: dict[str, str] = field(default_factory=dict)  # map files that could not be read, and why
    unread: tuple[str, ...] = ()  # what it holds beside, in words
    prices: dict[str, dict[str, Path]] = field(default_factory=dict)  # zips of daily and hour, by ticker
    _by_ticker: dict[str, list[Claim]] = field(default_factory=dict)
    _minutes: dict[str, Path] = field(default_factory=dict)  # folders of minutes, by ticker

    def look(self) -> None:
        """Look through it: names of files, and every map file. Links are not followed.

        Raises:
            OSError: It cannot be read, or holds no data of US equities.
        """
        base = self._base()
        maps, factors = self._files(base / "map_files", ".csv"), self._files(base / "factor_files", ".csv")
        self.prices = {part: self._files(base / part, ".zip") for part in SERIES}
        self._minutes = {path.name.lower(): path for path in _folders(base / "minute")}
        self.broken = {}
        self.unread = tuple(_unread(self.root, base))
        found: dict[str, list[Claim]] = {}
        for name, path in sorted(maps.items()):
            try:
                found[name] = claims(name, _text(path))
            except (ValueError, OSError) as error:
                self.broken[f"map_files/{path.name}"] = str(error)
        known = {one.ticker for own in found.values() for one in own} | {name for name in maps if name not in found}
        traded = {ticker for tickers in self.prices.values() for ticker in tickers} | {*self._minutes}
        for ticker in sorted(traded - known - {*found}):
            found[ticker] = [Claim(ticker, ticker, "", SINCE_EVER, OPEN)]
        self._settle(found, maps, factors)

    def _settle(self, found: dict[str, list[Claim]], maps: dict[str, Path], factors: dict[str, Path]) -> None:
        by_ticker: dict[str, list[Claim]] = defaultdict(list)
        own: dict[str, list[Claim]] = defaultdict(list)
        for one in settled(one for each in found.values() for one in each):
            by_ticker[one.ticker].append(one)
            own[one.security].append(one)
        self._by_ticker = dict(by_ticker)
        self.securities = {
            name: Security(name, tuple(sorted(own[name], key=lambda one: one.first)), maps.get(name), factors.get(name))
            for name in found
        }

    def find(self, ticker: str, day: date) -> Security | None:
        """Return the security that `ticker`, in any case, means on `day`; None if nothing has it."""
        claim = holder(self._by_ticker.get(ticker.lower(), ()), day)
        return self.securities[claim.security] if claim is not None else None

    def first_claim(self, ticker: str) -> date:
        """Return the first day on which any security had `ticker`, in small letters; OPEN if none ever did."""
        return min((one.first for one in self._by_ticker.get(ticker, ())), default=OPEN)

    def minutes(self, ticker: str, first: date, last: date) -> dict[str, Path]:
        """Return the files of a ticker's minutes from `first` to `last`, both inclusive, by yyyymmdd."""
        folder = self._minutes.get(ticker)
        if folder is None:
            return {}
        found = ((_TRADES.fullmatch(path.name.lower()), path) for path in _entries(folder))
        begins, ends = f"{first:%Y%m%d}", f"{last:%Y%m%d}"
        return {match[1]: path for match, path in found if match and begins <= match[1] <= ends}

    def has(self, ticker: str, timeframe: str) -> bool:
        """Return whether there are bars of a ticker, in small letters, of a timeframe: 1d, 1h or 1m."""
        folders = {"1d": self.prices["daily"], "1h": self.prices["hour"], "1m": self._minutes}
        return ticker in folders[timeframe]

    def _base(self) -> Path:
        with os.scandir(self.root):  # says so if there is no such folder
            pass
        for below in BELOW:
            base = self.root / below
            if any((base / part).is_dir() for part in PARTS):
                return of_the_usa(base)
        raise OSError(f"it has none of the folders {', '.join(PARTS)}, in itself or below equity/usa")

    def _files(self, folder: Path, suffix: str) -> dict[str, Path]:
        named = (path for path in _entries(folder) if path.name.lower().endswith(suffix))
        return {path.name[: -len(suffix)].lower(): path for path in islice(named, self.max_files)}


def of_the_usa(base: Path) -> Path:
    """Return `base` unless its place among LEAN's folders says that it holds something else.

    Raises:
        OSError: It does: prices there are written in another way, or in another currency.
    """
    place = base.absolute()
    kind, market = place.parent.name.lower(), place.name.lower()
    if kind in OTHERS or (kind == "equity" and market != "usa"):
        raise OSError(f"it is LEAN's folder of {kind}/{market}; only equities of the USA are read")
    return base


def _unread(root: Path, base: Path) -> Iterator[str]:
    """Yield what `root` holds beside the parts of `base` that are read."""
    others = sorted(path.name for path in _folders(root) if path.name.lower() in OTHERS) if root != base else []
    equity = root / "equity"
    others += sorted(f"equity/{path.name}" for path in _folders(equity) if path.name != "usa") if root != base else []
    if others:
        yield f"{', '.join(others)}: only equities of the USA are read"
    finer = sorted(path.name for path in _folders(base) if path.name.lower() in FINER)
    if finer:
        yield f"{', '.join(finer)}: bars of a day, an hour and a minute are read, nothing finer"
    for part in ("map_files", "factor_files"):
        packed = sorted(path.name for path in _entries(base / part) if path.name.lower().endswith(".zip"))
        if packed:
            yield f"{part}/{packed[-1]}: files of this folder are read only where they are not packed; unpack it"


def _entries(folder: Path) -> Iterator[Path]:
    """Yield the files in `folder`; none where there is no such folder."""
    if folder.is_dir() and not folder.is_symlink():
        with os.scandir(folder) as entries:
            yield from (Path(one.path) for one in entries if one.is_file(follow_symlinks=False))


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        with os.scandir(folder) as entries:
            yield from (Path(one.path) for one in entries if one.is_dir(follow_symlinks=False))


def _text(path: Path) -> str:
    with path.open("rb") as file:
        body = file.read(MOST_TEXT + 1)
    if len(body) > MOST_TEXT:
        raise ValueError(f"it has more than {MOST_TEXT} bytes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8") from None
