"""What providers tell of an action beside its value: dates and the new symbol, kept beside the claim."""

from __future__ import annotations

from datetime import date

import polars as pl

from pipeline_doubles import MONDAY, NOW, capture
from truetape.domain.asks import Ask
from truetape.domain.schema import DECODED, TABLES, check
from truetape.services.processing.claim import details
from truetape.services.processing.reading import read

JULY = date(2024, 7, 1)
ACTIONS = [
    {"type": "dividend", "value": 0.5, "pay_date": None, "new_symbol": None},
    {"type": "dividend", "value": 0.1, "pay_date": JULY, "new_symbol": None},
    {"type": "spin_off", "value": 0.5, "pay_date": None, "new_symbol": "NEW"},
    {"type": "split", "value": 2.0, "pay_date": None, "new_symbol": None},
]


def decoded() -> pl.DataFrame:
    columns = DECODED["actions"]
    return pl.DataFrame(
        [{**dict.fromkeys(columns), "ex_date": MONDAY, "symbol": "A", "basis": "raw", **one} for one in ACTIONS],
        schema=columns,
    )


def test_dates_and_new_symbols_are_kept_beside_the_claims() -> None:
    """One row for each claim that has any; of rows that work together the last that tells something."""
    captured = capture("p", simulated=True)

    rows = details(decoded(), captured)

    check(rows, TABLES["action_details"].columns, kind="action_details")
    assert [("dividend", JULY, None), ("spin_off", None, "NEW")] == rows.select("type", "pay_date", "new_symbol").rows()
    assert [("ins_a", "p", captured.key, True)] * 2 == rows.select(
        "instrument_id", "provider", "payload", "simulated"
    ).rows()
    assert [NOW, NOW] == rows["ts_known"].cast(pl.Int64).to_list()


def test_in_a_bulk_answer_each_row_names_its_instrument() -> None:
    """It is kept."""
    rows = details(decoded().with_columns(instrument_id=pl.lit("ins_z")), capture("p"))

    assert ["ins_z"] == rows["instrument_id"].unique().to_list()


def test_a_payload_that_tells_nothing_beside_has_no_details() -> None:
    """The table is not written for it."""

    def silent(_body: bytes, _ask: Ask) -> pl.DataFrame:
        return decoded().filter(pl.col("type") == "split")

    def telling(_body: bytes, _ask: Ask) -> pl.DataFrame:
        return decoded()

    tables = [
        {*read(b"", capture("p"), decode={"actions": one}, kinds=("actions",), feed="").claims}
        for one in (silent, telling)
    ]

    assert [{"action_claims", "captures"}, {"action_claims", "captures", "action_details"}] == tables
