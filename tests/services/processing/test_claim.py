"""Claims: decoded rows with identity and origin, one for each thing that is claimed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import FRIDAY, MONDAY, NOW, capture, instants
from truetape.domain.errors import SchemaMismatch
from truetape.domain.schema import DECODED, TABLES, check
from truetape.services.processing.claim import CLAIM_TABLES, claim, origin_of


def decoded(kind: str, length: int, **given: Any) -> pl.DataFrame:
    values = {name: given.get(name) for name in DECODED[kind]}
    return pl.DataFrame(
        [
            pl.Series(
                name, value if isinstance(value, list | pl.Series) else [value] * length, dtype=DECODED[kind][name]
            )
            for name, value in values.items()
        ]
    )


def bars(days: list[date], closes: list[float]) -> pl.DataFrame:
    return decoded("bars", len(days), ts_event=instants(days), close=closes, symbol="a", timeframe="1d", basis="split")


def test_a_claim_has_identity_and_origin() -> None:
    """The provider's spelling of the symbol is gone; who said it, from which bytes and when has come."""
    captured = capture("p", simulated=True)

    claims = claim(bars([MONDAY], [10.0]), captured, kind="bars", feed="IEX")

    check(claims, TABLES["bar_claims"].columns, kind="bar_claims")
    assert claims.select("instrument_id", "provider", "feed", "payload", "simulated", "close", "basis").rows() == [
        ("ins_a", "p", "IEX", captured.key, True, 10.0, "split")
    ]
    assert claims["ts_known"].cast(pl.Int64).to_list() == [NOW]


def test_bars_outside_the_range_are_left_out() -> None:
    """Both ends belong to the range."""
    days = [MONDAY - timedelta(1), MONDAY, FRIDAY, FRIDAY + timedelta(1)]

    claims = claim(bars(days, [1.0, 2.0, 3.0, 4.0]), capture(), kind="bars", feed="")

    assert claims["close"].to_list() == [2.0, 3.0]


def test_actions_are_kept_whole() -> None:
    """A split after the range is needed to undo the adjustment of the bars in it."""
    later = FRIDAY + timedelta(100)
    rows = decoded("actions", 2, ex_date=[MONDAY, later], type=["dividend", "split"], value=[0.5, 2.0], basis="raw")

    claims = claim(rows, capture(), kind="actions", feed="")

    check(claims, TABLES["action_claims"].columns, kind="action_claims")
    assert claims.select("ex_date", "value").rows() == [(MONDAY, 0.5), (later, 2.0)]


def test_of_two_bars_of_one_session_the_last_is_meant() -> None:
    """Some providers send the running bar after the finished ones, with the same date."""
    claims = claim(bars([MONDAY, FRIDAY, FRIDAY], [1.0, 2.0, 3.0]), capture(), kind="bars", feed="")

    assert claims["close"].to_list() == [1.0, 3.0]


def test_actions_of_one_day_work_together() -> None:
    """A regular and a special dividend add up; two splits of one day multiply."""
    rows = decoded(
        "actions",
        5,
        ex_date=[MONDAY, MONDAY, MONDAY, MONDAY, FRIDAY],
        type=["dividend", "split", "dividend", "split", "dividend"],
        value=[0.5, 2.0, 3.0, 1.5, 0.5],
    )

    claims = claim(rows, capture(), kind="actions", feed="")

    assert sorted(claims.select("ex_date", "type", "value").rows()) == [
        (MONDAY, "dividend", 3.5),
        (MONDAY, "split", 3.0),
        (FRIDAY, "dividend", 0.5),
    ]


def test_quotes_become_claims_too() -> None:
    """They have no feed of their own."""
    rows = decoded("quotes", 1, ts_event=instants([MONDAY]), price=[10.0], symbol="a")

    claims = claim(rows, capture(kind="quotes"), kind="quotes", feed="IEX")

    check(claims, TABLES["quotes"].columns, kind="quotes")
    assert claims["price"].to_list() == [10.0]


@pytest.mark.parametrize("kind", sorted(CLAIM_TABLES))
def test_no_rows_no_claims(kind: str) -> None:
    """The frame is empty and has the table's columns."""
    claims = claim(decoded(kind, 0), capture(kind=kind), kind=kind, feed="")

    assert check(claims, TABLES[CLAIM_TABLES[kind]].columns, kind=kind).is_empty()


def test_a_frame_of_another_kind_is_refused() -> None:
    """A decoder that forgets a column is found here."""
    with pytest.raises(SchemaMismatch, match="missing columns"):
        claim(decoded("quotes", 0), capture(), kind="bars", feed="")


def test_lists_and_observations_are_kept_whole() -> None:
    """Their rows are numbered in the order of the payload: a symbol may be listed twice, a period observed often."""
    listed = decoded("listings", 2, symbol=["FB", "FB"], exchange=["NASDAQ", None])
    observed = decoded("observations", 2, symbol="GDP", period=[date(1950, 1, 1)] * 2, value=[1.0, 2.0])

    for kind, rows in (("listings", listed), ("observations", observed)):
        claims = claim(rows, capture(kind=kind), kind=kind, feed="")

        check(claims, TABLES[CLAIM_TABLES[kind]].columns, kind=kind)
        assert claims["number"].to_list() == [0, 1]


def test_rates_and_levels_of_other_days_are_not_kept() -> None:
    """A history comes whole where one day was asked for."""
    later = FRIDAY + timedelta(days=30)
    for kind, rest in (("fx_rates", {"base": "EUR", "quote": "USD", "rate": 1.1}), ("index_levels", {"level": 5000.0})):
        claims = claim(
            decoded(kind, 2, ts_event=instants([MONDAY, later]), **rest), capture(kind=kind), kind=kind, feed=""
        )

        check(claims, TABLES[CLAIM_TABLES[kind]].columns, kind=kind)
        assert claims["ts_event"].dt.date().to_list() == [MONDAY]


def test_the_origin_of_a_payload_is_a_row() -> None:
    """It says why the provider was asked, and who was tried before, one a line."""
    captured = capture("p", page="2", why="next after a, b", tried=("a: quota: spent", "b: empty: no rows"))

    row = check(origin_of(captured), TABLES["captures"].columns, kind="captures").row(0, named=True)

    assert (captured.key, "p", "rnd_1", "2") == tuple(row[name] for name in TABLES["captures"].key)
    assert ("next after a, b", "a: quota: spent\nb: empty: no rows") == (row["why"], row["tried"])
    assert origin_of(captured)["ts_known"].cast(pl.Int64).to_list() == [NOW]
