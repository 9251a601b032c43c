"""truetape holdings: files of positions and actions in, positions and every change out."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app

# Time Warner's holders got 1.437 shares of AT&T and 53.75 in cash for each share: 200 x 1.437 = 287.4, 10,750.00.
POSITIONS = "symbol,quantity\nAAPL,10\nTWX,200\n"
ACTIONS = """symbol,ex_date,type,value,price,currency,new_symbol,pay_date,option
AAPL,2014-06-09,split,7,,,,,
AAPL,2014-08-07,dividend,0.47,,USD,,2014-08-14,
TWX,2018-06-15,merger,1.437,53.75,USD,T,2018-06-20,
XYZ,2019-01-02,merger,,20,USD,,,cash
XYZ,2019-01-02,merger,0.5,,USD,T,,stock
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "positions.csv").write_text(POSITIONS)
    (tmp_path / "actions.csv").write_text(ACTIONS)
    return tmp_path


def run(folder: Path, *options: str | Path) -> Result:
    files = ["--positions", folder / "positions.csv", "--actions", folder / "actions.csv"]
    return CliRunner().invoke(app, [str(one) for one in ("holdings", *files, *options)])


def test_positions_after_all_actions(folder: Path) -> None:
    """Shares, cash and every change, as JSON, on the last ex-date: what was due before it is paid."""
    done = json.loads(run(folder, "--json").stdout)
    held = [(one["kind"], one["symbol"], one["quantity"]) for one in done["positions"]]
    assert [("shares", "AAPL", 70.0), ("shares", "T", 287.4), ("cash", "USD", 10782.9)] == held
    assert (3, 5) == (done["actions"], len(done["entries"]))


def test_cash_is_owed_until_its_day(folder: Path) -> None:
    """--until leaves out later actions and pays what is due by then."""
    before = json.loads(run(folder, "--until", "2014-08-13", "--json").stdout)["positions"]
    assert [("owed", "USD", 32.9, "2014-08-14")] == [tuple(one.values()) for one in before if one["kind"] == "owed"]
    after = json.loads(run(folder, "--until", "2018-06-20", "--json").stdout)["positions"]
    assert [10782.9] == [one["quantity"] for one in after if one["kind"] == "cash"]


def test_fractions_are_paid_at_the_close_that_a_file_gives(folder: Path) -> None:
    """0.4 of a share at 32.00 are 12.80, beside 10,750.00 and the dividend of 32.90."""
    (folder / "prices.csv").write_text("symbol,date,close\nT,2018-06-15,32\n")
    done = run(folder, "--fractions", "cash", "--prices", folder / "prices.csv", "--json")
    held = {(one["kind"], one["symbol"]): one["quantity"] for one in json.loads(done.stdout)["positions"]}
    assert (287.0, 10795.7) == (held["shares", "T"], held["cash", "USD"])


def test_a_choice_is_made(folder: Path) -> None:
    """Without one the first option counts; an unknown one is refused with those that there are."""
    (folder / "positions.csv").write_text("symbol,quantity\nXYZ,10\n")
    assert "200" in run(folder).stdout
    chosen = json.loads(run(folder, "--choose", "XYZ:2019-01-02=stock", "--json").stdout)
    assert [("T", 5.0)] == [(one["symbol"], one["quantity"]) for one in chosen["positions"]]
    refused = run(folder, "--choose", "XYZ:2019-01-02=gold", "--json")
    assert (2, "Options are cash, stock.") == (refused.exit_code, json.loads(refused.stdout)["error"][-24:])
    assert "Write it as SYMBOL:DATE=OPTION" in run(folder, "--choose", "gold", "--json").stdout


def test_files_are_written_and_can_be_gone_on_from(folder: Path) -> None:
    """The positions that were written are positions again; the ledger holds every change."""
    held, ledger = folder / "held.csv", folder / "ledger.parquet"
    assert run(folder, "--until", "2014-06-09", "-o", held, "--ledger", ledger).exit_code == 0
    assert [("2014-06-09", "AAPL", 60.0)] == [
        (str(day), what, change) for day, what, change in pl.read_parquet(ledger)["date", "what", "change"].iter_rows()
    ]
    (folder / "actions.csv").write_text("symbol,ex_date,type,value\nAAPL,2020-08-31,split,4\n")
    again = CliRunner().invoke(
        app, ["holdings", "--positions", str(held), "--actions", str(folder / "actions.csv"), "--json"]
    )
    assert {"AAPL": 280.0, "TWX": 200.0} == {
        one["symbol"]: one["quantity"] for one in json.loads(again.stdout)["positions"]
    }


def test_a_rule_that_is_none_is_refused(folder: Path) -> None:
    """The rules are named."""
    assert "keep, cash, down, up" in run(folder, "--fractions", "sell", "--json").stdout
