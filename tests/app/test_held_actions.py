"""Holdings by the actions that the platform keeps: cases worked by hand, each stated as an operator would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from announced_market import stated, statement
from room_doubles import rows
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app import library
from truetape.app.held_actions import stored_actions
from truetape.domain.errors import UnknownSymbol
from truetape.domain.holdings import Portfolio, apply_all

DAY = "2024-06-10"
ELECTED = '[{"label": "cash", "value": "0.5"}, {"label": "shares", "type": "stock_dividend", "value": "1/40"}]'
UNIT = (
    '[{"label": "parts", "value": "1", "new_symbol": "SHA"}, {"label": "parts", "value": "1/2", "new_symbol": "WAR"}]'
)
MIXED = '[{"label": "cash", "price": "25"}, {"label": "stock", "value": "0.5", "new_symbol": "BUY"}]'
TERMS: dict[str, dict[str, str]] = {
    "FWD": {"type": "split", "value": "7"},
    "REV": {"type": "split", "value": "1/8"},
    "STK": {"type": "stock_dividend", "value": "0.05"},
    "DIV": {"type": "dividend", "value": "0.24", "currency": "USD"},
    "SPN": {"type": "spin_off", "value": "1/3", "new_symbol": "FWD"},
    "CSH": {"type": "merger", "price": "54.2", "currency": "USD"},
    "STM": {"type": "merger", "value": "0.6531", "new_symbol": "BUY"},
    "MIX": {"type": "merger", "value": "0.5", "price": "12.5", "currency": "USD", "new_symbol": "BUY"},
    "UNT": {"type": "unit_split", "options": UNIT},
    "RED": {"type": "redemption", "price": "10.15", "currency": "USD"},
    "WTH": {"type": "worthless"},
    "RGT": {"type": "rights", "value": "1/4", "price": "8", "currency": "USD"},
    "ELE": {"type": "dividend", "currency": "USD", "options": ELECTED},
    "CHO": {"type": "merger", "currency": "USD", "options": MIXED},
    "OFF": {"type": "split", "value": "2"},
    "LAC": {"type": "spin_off", "value": "2"},
    "WAI": {"type": "merger", "price": "30", "currency": "USD"},
}


def _statements() -> pl.DataFrame:
    told = []
    for symbol, fields in TERMS.items():
        said = "confirmed" if fields["type"] in ("merger", "redemption", "worthless", "rights") else "announced"
        said = "announced" if symbol == "WAI" else said
        one = statement(f"ann_{symbol}_1", said, effective_date=DAY, **fields)
        told.append({**one, "instrument_id": f"ins_{symbol}"})
    told.append({**statement("ann_OFF_1", "cancelled", known="2024-05-03"), "instrument_id": "ins_OFF"})
    for symbol, option in (("ELE", "shares"), ("RGT", "exercise")):
        chosen = statement(f"ann_{symbol}_1", "elected", known="2024-05-04", account="main", option=option)
        told.append({**chosen, "instrument_id": f"ins_{symbol}"})
    return stated(*told)


async def _fill(path: Path) -> None:
    folder = DataFolder.open(path, simulated=False)
    store = DuckdbStore(folder.store)
    symbols = [*TERMS]
    ids = [f"ins_{one}" for one in symbols]
    origin = {"ts_known": 1, "version": 1, "simulated": False}
    await store.commit(
        {
            "instruments": rows(
                "instruments", instrument_id=ids, name=symbols, asset_class="equity", currency="USD", **origin
            ),
            "listings": rows("listings", instrument_id=ids, symbol=symbols, mic="XNYS", **origin),
            "action_statements": _statements(),
        }
    )
    await store.close()
    folder.close()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[library.Session]:
    path = tmp_path_factory.mktemp("held") / "data"
    asyncio.run(_fill(path))
    with library.open(path) as opened:
        yield opened


def held(session: library.Session, symbol: str, number: int, *, account: str = "main") -> dict[str, float]:
    """Return what `number` shares of a symbol become, shares and cash by name."""
    found = stored_actions(session, [symbol], account=account)
    start = Portfolio(shares={symbol: Fraction(number)})
    after = apply_all(start, found.actions, choices=found.choices).portfolio
    return {name: round(float(value), 9) for name, value in (*after.shares.items(), *after.cash.items())}


@pytest.mark.parametrize(
    ("symbol", "number", "expected"),
    [
        pytest.param("FWD", 100, {"FWD": 700.0}, id="7 for 1: 100 x 7"),
        pytest.param("REV", 1000, {"REV": 125.0}, id="1 for 8: 1000 / 8"),
        pytest.param("STK", 200, {"STK": 210.0}, id="5 percent: 200 x 1.05"),
        pytest.param("DIV", 350, {"DIV": 350.0, "USD": 84.0}, id="350 x 0.24"),
        pytest.param("SPN", 90, {"SPN": 90.0, "FWD": 30.0}, id="one for three: 90 / 3, after that share's own split"),
        pytest.param("CSH", 40, {"USD": 2168.0}, id="cash merger: 40 x 54.20"),
        pytest.param("STM", 1000, {"BUY": 653.1}, id="stock merger: 1000 x 0.6531"),
        pytest.param("MIX", 200, {"BUY": 100.0, "USD": 2500.0}, id="mixed merger: 200 x 0.5, 200 x 12.50"),
        pytest.param("UNT", 60, {"SHA": 60.0, "WAR": 30.0}, id="unit: a share and half a warrant"),
        pytest.param("RED", 300, {"USD": 3045.0}, id="redeemed: 300 x 10.15"),
        pytest.param("WTH", 300, {}, id="worthless"),
        pytest.param("RGT", 100, {"RGT": 125.0, "USD": -200.0}, id="rights used: 25 new for 8.00 each"),
        pytest.param("ELE", 400, {"ELE": 410.0}, id="shares chosen: 400 / 40 more"),
        pytest.param("CHO", 10, {"USD": 250.0}, id="nothing chosen: the first, 10 x 25"),
        pytest.param("OFF", 10, {"OFF": 10.0}, id="cancelled before its day"),
        pytest.param("WAI", 10, {"WAI": 10.0}, id="a merger that nobody has confirmed"),
    ],
)
def test_cases_worked_by_hand_come_out_of_the_store(
    session: library.Session, symbol: str, number: int, expected: dict[str, float]
) -> None:
    """Announced, confirmed, elected and cancelled as an operator says it."""
    assert expected == held(session, symbol, number)


def test_an_election_is_of_one_account(session: library.Session) -> None:
    """Of others the first option counts, here 400 x 0.50; rights lapse."""
    assert {"ELE": 400.0, "USD": 200.0} == held(session, "ELE", 400, account="other")
    assert {"RGT": 100.0} == held(session, "RGT", 100, account="other")


def test_what_is_not_complete_is_left_out_and_told(session: library.Session) -> None:
    """And so is what is handed out and not listed; what is held must be listed."""
    found = stored_actions(session, ["LAC", "STM"], account="main")

    assert ["merger"] == [one.type for one in found.actions]
    assert "LAC: the spin_off of 2024-06-10 (ann_LAC_1) is incomplete." in found.left_out[0]
    assert "BUY: it is not listed here" in found.left_out[1]
    with pytest.raises(UnknownSymbol):
        stored_actions(session, ["NOP"], account="main")


def test_actions_count_up_to_a_day_and_as_they_were_known(session: library.Session) -> None:
    """Before it was cancelled a split was to come; before its ex-date nothing has happened."""
    day = date(2024, 6, 9)
    assert [] == stored_actions(session, ["FWD"], account="main", until=day).actions
    known = stored_actions(session, ["OFF"], account="main", as_of="2024-05-02T12:00:00Z", until=date(2024, 6, 10))
    assert ["split"] == [one.type for one in known.actions]
