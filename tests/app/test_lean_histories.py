"""Random folders of LEAN's data: every ticker on its boundaries, every factor and mode, as a plain model has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import polars as pl
import pytest

import truetape as tt
from lean_folder import run
from lean_histories import DAYS, LAST, OPEN, History, histories, write
from lengths import usually
from truetape.app.factor_tables import read_factors, scaled
from truetape.app.plain_files import Sheet, read_sheet
from truetape.domain.adjust import Adjustment
from truetape.domain.naming import Unresolved, resolve
from truetape.domain.scaling import LEAN_MODES
from truetape.services.api.directory import Directory

SEEDS: Final = usually((1,), long=tuple(range(1, 25)))
ADJUSTMENTS: Final[tuple[Adjustment, ...]] = ("raw", "split", "all")


class Imported:
    """A folder of random histories, and a session on what was imported of it."""

    def __init__(self, folder: Path, made: list[History], session: tt.Session) -> None:
        self.folder, self.made, self.session = folder, made, session
        self.listings = session.instruments()
        self.directory = Directory(self.listings)
        self.ids = {one.name: self.directory.find(one.ticker.upper(), end=_last(one)).instrument_id for one in made}

    def near(self) -> Iterator[tuple[date, History]]:
        """Yield the first and the last day of each ticker, and the days beside it."""
        for one in self.made:
            edges = {day for era in one.eras for day in (era.first, era.last) if day != OPEN}
            for day in sorted({edge + timedelta(step) for edge in edges for step in (-1, 0, 1)}):
                yield day, one


def _last(one: History) -> date:
    return min(one.eras[-1].last, LAST)


@pytest.fixture(scope="module", params=SEEDS)
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """One folder, imported."""
    place, made = tmp_path_factory.mktemp("histories"), histories(request.param)
    write(place / "Data", made, seed=request.param)
    done = run("import", "lean", place / "Data", "--into", place / "data", "--json")
    assert (0, {}) == (done.exit_code, json.loads(done.stdout)["broken"]), done.stdout
    with tt.open(place / "data") as session:
        yield Imported(place / "Data" / "equity" / "usa", made, session)


def meant(made: list[History], ticker: str, day: date) -> list[History]:
    """Who had `ticker` on `day`; where nobody had, all that were listed then and had it at another time."""
    holders = [one for one in made if one.ticker_on(day) == ticker]
    others = [one for one in made if one.ticker_on(day) and ticker in {era.ticker for era in one.eras}]
    return holders or others


def test_every_ticker_on_and_beside_every_boundary(imported: Imported) -> None:
    """The one instrument, what it was called then, and what it is called now; nothing where none or several fit."""
    for day, one in imported.near():
        for ticker in sorted({era.ticker for era in one.eras}):
            candidates = meant(imported.made, ticker, day)
            if len(candidates) != 1:
                with pytest.raises(Unresolved):
                    resolve(imported.listings, ticker, on=day)
                continue
            found, expected = resolve(imported.listings, ticker, on=day), candidates[0]
            told = (found.instrument_id, found.ticker_then, found.ticker_now)
            then = expected.ticker_on(day)
            assert then is not None
            assert (imported.ids[expected.name], then.upper(), expected.ticker.upper()) == told, (ticker, day)
            ranged = imported.directory.find(ticker.upper(), start=day, end=day)
            assert imported.ids[expected.name] == ranged.instrument_id, (ticker, day)


def test_a_day_by_its_ticker_is_a_day_of_the_instrument(imported: Imported) -> None:
    """On the first and the last day of each ticker, by each ticker that the security ever had."""
    for one in imported.made[: usually(6, long=len(imported.made))]:
        for day in sorted({day for era in one.eras for day in (era.first, era.last)} & {*DAYS}):
            for ticker in sorted({era.ticker for era in one.eras}):
                if [one] == meant(imported.made, ticker, day):
                    bars = imported.session.bars(ticker.upper(), start=day, end=day)
                    expected = [one.bars[day][3] / 10_000] if day in one.bars else []
                    assert expected == bars["close"].to_list(), (ticker, day)


@pytest.mark.parametrize("adjustment", ADJUSTMENTS)
def test_every_bar_over_all_renames(imported: Imported, adjustment: Adjustment) -> None:
    """Prices times the factors of the first line that is not before the day; volume over the split factor."""
    for one in imported.made:
        found = imported.session.bars(imported.ids[one.name], adjustment=adjustment)
        rows = found.select(pl.col("ts_event").dt.date(), "open", "high", "low", "close", "volume").rows()
        assert [*one.bars] == [row[0] for row in rows], one.name
        for day, *numbers in rows:
            price, split = one.factors_on(day)
            scale = {"raw": 1.0, "split": split, "all": price * split}[adjustment]
            prices = [cell / 10_000 * scale for cell in one.bars[day][:4]]
            expected = [*prices, one.bars[day][4] / (1.0 if adjustment == "raw" else split)]
            assert expected == pytest.approx(numbers, rel=1e-7), (one.name, day)


def test_every_line_of_every_factor_file_follows_from_actions_and_bars(imported: Imported) -> None:
    """Back from the last ex-date: splits multiply, and each dividend takes its part of the close before."""
    for one in imported.made:
        actions = imported.session.corporate_actions(imported.ids[one.name])
        days, kept, split = [*one.bars], 1.0, 1.0
        told = {day: own for (day,), own in actions.partition_by("ex_date", as_dict=True).items()}
        found = {OPEN: (1.0, 1.0)}
        for day in sorted(told, reverse=True):
            values = dict(told[day].select("type", "value").iter_rows())
            before = days[days.index(day) - 1]
            ratio = values.get("split", 1.0)
            kept *= 1.0 - values.get("dividend", 0.0) / (one.bars[before][3] / 10_000 / ratio)
            split /= ratio
            found[before] = (kept, split)
        for until, price, shares, _ in one.lines:
            after = next(own for day, own in sorted(found.items()) if day >= until or _same_gap(days, day, until))
            assert after == pytest.approx((price, shares), rel=1e-7), (one.name, until)


def _same_gap(days: list[date], before: date, until: date) -> bool:
    """Return whether no bar lies between a bar and a later day on which a line of a file stands."""
    return before < until and not any(before < day <= until for day in days)


@pytest.fixture(scope="module")
def sheets(imported: Imported, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Sheet, pl.DataFrame]]:
    """The bars of each security as a file, and its factor file, both read."""
    folder, found = tmp_path_factory.mktemp("bars"), {}
    for one in imported.made:
        path = imported.folder / "factor_files" / f"{one.name}.csv"
        if path.exists():
            rows = [[str(day), *(cell / 10_000 for cell in bar[:4]), bar[4]] for day, bar in one.bars.items()]
            text = "".join(f"{','.join(map(str, row))}\n" for row in rows)
            (folder / f"{one.name}.csv").write_text(f"date,open,high,low,close,volume\n{text}")
            found[one.name] = (read_sheet(str(folder / f"{one.name}.csv")), read_factors(str(path)))
    return found


@pytest.mark.parametrize("mode", sorted(LEAN_MODES))
def test_every_mode_of_leans_on_plain_files(
    imported: Imported, sheets: dict[str, tuple[Sheet, pl.DataFrame]], mode: str
) -> None:
    """With the factor file as it is, on bars of a CSV file."""
    for one in (one for one in imported.made if one.name in sheets):
        sheet, factors = sheets[one.name]

        done = scaled(sheet, factors, file="", mode=LEAN_MODES[mode])

        found = [float(value) for value in done.frame["close"]]
        assert modelled(one, mode) == pytest.approx(found, rel=1e-9, abs=1e-9), (one.name, mode)


@pytest.mark.parametrize("mode", ["BackwardsPanamaCanal", "ForwardPanamaCanal", "ScaledRaw", "TotalReturn"])
def test_modes_of_leans_over_the_import(imported: Imported, mode: str) -> None:
    """Over all renames, from the stored actions and bars."""
    for one in imported.made:
        bars = imported.session.bars(imported.ids[one.name], adjustment=LEAN_MODES[mode])
        assert modelled(one, mode) == pytest.approx(bars["close"].to_list(), rel=1e-7, abs=1e-6), (one.name, mode)


def modelled(one: History, mode: str) -> list[float]:
    """Return the closes of a security in one of LEAN's modes, by the lines of its file."""
    days = [*one.bars]
    close = {day: one.bars[day][3] / 10_000 for day in days}
    factors = {day: one.factors_on(day) for day in days}
    price = {day: kept for day, (kept, _) in factors.items()}
    split = {day: shares for day, (_, shares) in factors.items()}
    end = days[-1]
    cash = dict.fromkeys(days, 0.0)  # paid since the first bar
    moved = dict.fromkeys(days, 0.0)  # taken until the last one, on the shares of the end
    for before, day in pairwise(days):
        taken = close[before] * (1.0 - price[before] / price[day])
        cash[day] = cash[before] + round(taken, 2)
        moved[day] = moved[before] + taken * split[before]
    begin = split[days[0]]
    return {
        "Raw": [close[day] for day in days],
        "SplitAdjusted": [close[day] * split[day] for day in days],
        "Adjusted": [close[day] * price[day] * split[day] for day in days],
        "BackwardsRatio": [close[day] * price[day] * split[day] for day in days],
        "ScaledRaw": [close[day] * price[day] * split[day] / price[end] / split[end] for day in days],
        "TotalReturn": [close[day] * split[day] + cash[day] for day in days],
        "BackwardsPanamaCanal": [close[day] * split[day] - (moved[end] - moved[day]) for day in days],
        "ForwardPanamaCanal": [(close[day] * split[day] + moved[day]) / begin for day in days],
    }[mode]
