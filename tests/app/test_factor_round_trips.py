"""Factors made of bars and actions, written in either form and applied: the same prices as by the actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

import pytest

from lean_folder import weekdays
from lengths import usually
from truetape.app.factor_tables import made, read_factors, scaled
from truetape.app.plain_files import adjusted, read_sheet, write_bytes, write_frame

DAYS: Final = weekdays(date(2024, 1, 2), date(2024, 4, 30))
NAN: Final = float("nan")
CASH: Final = ("dividend", "special_dividend", "capital_gain", "return_of_capital")


@dataclass(frozen=True)
class Action:
    """One row of a file of actions; of rights and spin-offs `price` is what one costs, or is worth."""

    ex_date: date
    kind: str
    value: float
    price: float | None = None


def invented(random: Random) -> tuple[dict[date, float | None], list[Action]]:
    """Closes on most weekdays, some of them missing, and actions on any days, before and after the bars too."""
    traded = [day for day in DAYS[5:-5] if random.random() < 0.9]
    price = 100.0
    closes: dict[date, float | None] = {}
    for day in traded:
        price *= random.uniform(0.95, 1.05)
        closes[day] = round(price, 2) if random.random() < 0.95 else None
    actions = []
    for _ in range(random.randrange(1, 9)):
        day = DAYS[0] + timedelta(random.randrange((DAYS[-1] - DAYS[0]).days))
        kind = random.choice(("split", "stock_dividend", "dividend", "special_dividend", "spin_off", "rights"))
        price_of = {"spin_off": 2.0, "rights": random.choice((1.0, 5.0, 2000.0))}.get(kind)
        value = {"split": random.choice((2.0, 0.5, 1.5)), "stock_dividend": 0.05, "rights": 0.25, "spin_off": 0.5}
        actions.append(Action(day, kind, value.get(kind, random.choice((0.25, 1.0, 2.5))), price_of))
    keys = {(one.ex_date, one.kind, one.value): one for one in actions}
    return closes, list(keys.values())


def modelled(closes: dict[date, float | None], actions: list[Action]) -> list[float]:
    """Return the closes on the share count and value of the last bar, by CRSP's two factors, worked out plainly."""
    days = [*closes]
    factor = dict.fromkeys(days, 1.0)
    for ex_date in {one.ex_date for one in actions}:
        before = [day for day in days if day < ex_date]
        known = [close for day in before if (close := closes[day]) is not None]
        if not before or ex_date > days[-1]:
            continue
        own = [one for one in actions if one.ex_date == ex_date]
        shares = 1.0
        for one in own:
            shares *= {"split": one.value, "stock_dividend": 1 + one.value}.get(one.kind, 1.0)
        worth = known[-1] / shares if known else float("inf")  # where no close is known, nothing can be measured
        cash = sum(one.value * (one.price or 1.0) for one in own if one.kind in (*CASH, "spin_off"))
        new = sum(one.value for one in own if one.kind == "rights")
        cost = sum(one.value * (one.price or 0.0) for one in own if one.kind == "rights")
        diluted = min((worth + cost) / ((1 + new) * worth), 1.0) if known else 1.0
        for day in before:
            factor[day] *= (1 - cash / worth) * diluted / shares
    return [NAN if (close := closes[day]) is None else close * factor[day] for day in days]


@pytest.mark.parametrize("seed", range(usually(8, long=300)))
def test_a_table_in_either_form_does_what_the_actions_do(tmp_path: Path, seed: int) -> None:
    """And both what plain arithmetic gives; LEAN's form as near as its seven decimals."""
    closes, actions = invented(Random(seed))
    rows = [
        f"{day},9,9,9,{'' if close is None else close},{1 + number}"
        for number, (day, close) in enumerate(closes.items())
    ]
    told = [f"{one.ex_date},{one.kind},{one.value},{one.price or ''}" for one in actions]
    bars, file = str(tmp_path / "bars.csv"), str(tmp_path / "actions.csv")
    Path(bars).write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n")
    Path(file).write_text("\n".join(["ex_date,type,value,price", *told]) + "\n")
    expected = pytest.approx(modelled(closes, actions), rel=1e-11, nan_ok=True)

    direct = adjusted(read_sheet(bars), read_sheet(file), adjustment="all", basis="raw").frame
    table = made(bars, file, basis="raw")
    write_frame(table.frame.drop("symbol"), tmp_path / "crsp.csv")
    write_bytes(table.lean().encode(), tmp_path / "lean.csv")

    assert expected == direct["close"].fill_null(NAN).to_list()
    for form, near in (("crsp", 1e-11), ("lean", 3e-6)):
        factors = read_factors(str(tmp_path / f"{form}.csv"))
        again = scaled(read_sheet(bars), factors, file=form, mode="total_return").frame
        for column in ("open", "close", "volume"):
            found = pytest.approx(again[column].fill_null(NAN).to_list(), rel=near, nan_ok=True)
            assert direct[column].fill_null(NAN).to_list() == found, (form, column)
