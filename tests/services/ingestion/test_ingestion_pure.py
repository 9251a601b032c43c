"""Small rules of the room: how a question is cut, what it costs, and how far a backfill has come."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from test_routing import declared

from pipeline_doubles import NOW, capture, declaration
from truetape.domain.asks import Ask
from truetape.domain.capability import Offer
from truetape.domain.messages import BackfillRequested
from truetape.domain.plans import Budget, Plan, Spending
from truetape.domain.schema import INSTANT, TABLES, check
from truetape.services.ingestion.chunks import basis_of, page_of, spans
from truetape.services.ingestion.costs import cost_of, endpoint_of, price
from truetape.services.ingestion.intervals import IntervalLedger, Span
from truetape.services.ingestion.jobs import Job
from truetape.services.ingestion.listings import Market, market_of
from truetape.services.ingestion.rounds import Listed, Round, debts_due

TODAY = date(2024, 6, 10)
MINUTES = Offer(kind="bars", timeframes=("1m", "1d"), depth_days={"1m": 30}, span_days={"1m": 7})


@pytest.mark.parametrize(
    ("offer", "timeframe", "start", "end", "expected"),
    [
        pytest.param(None, "1d", date(2020, 1, 1), TODAY, [(date(2020, 1, 1), TODAY)], id="no limits known"),
        pytest.param(MINUTES, "1d", date(2020, 1, 1), TODAY, [(date(2020, 1, 1), TODAY)], id="no limits for days"),
        pytest.param(
            MINUTES,
            "1m",
            date(2024, 5, 27),
            date(2024, 6, 10),
            [
                (date(2024, 5, 27), date(2024, 6, 2)),
                (date(2024, 6, 3), date(2024, 6, 9)),
                (date(2024, 6, 10), date(2024, 6, 10)),
            ],
            id="a week at a time",
        ),
        pytest.param(
            MINUTES,
            "1m",
            date(2020, 1, 1),
            date(2024, 5, 13),
            [(date(2024, 5, 11), date(2024, 5, 13))],
            id="no further back than it keeps",
        ),
        pytest.param(
            MINUTES, "1m", date(2020, 1, 1), date(2020, 1, 2), [(date(2020, 1, 2), date(2020, 1, 2))], id="too old"
        ),
        pytest.param(
            Offer(kind="trades", span_days={"": 1}),
            "1d",
            date(2024, 6, 9),
            TODAY,
            [(date(2024, 6, 9), date(2024, 6, 9)), (TODAY, TODAY)],
            id="trades of one day at a time",
        ),
    ],
)
def test_a_question_is_cut_into_requests(
    offer: Offer | None, timeframe: str, start: date, end: date, expected: list[Span]
) -> None:
    """Oldest first, without holes or overlaps."""
    assert expected == spans(offer, timeframe=timeframe, start=start, end=end, today=TODAY)


def test_a_page_that_is_there_is_found() -> None:
    """By its range and the provider's mark."""
    first, second = capture("p"), capture("p", page="2")
    whole = (first.start, first.end)

    assert [first, second, None] == [page_of([first, second], whole, mark) for mark in ("", "2", "3")]
    assert page_of([first], (first.start, TODAY), "") is None


@pytest.mark.parametrize(
    ("kind", "timeframe", "expected"),
    [
        ("bars", "1d", "split"),
        ("bars", "1mo", "split"),
        ("bars", "1m", "raw"),
        ("bars", "1h", "raw"),
        ("quotes", "1d", "raw"),
        ("trades", "1d", "raw"),
    ],
)
def test_the_basis_of_an_offer(kind: str, timeframe: str, expected: str) -> None:
    """Below a day it may differ, and what an offer does not say the provider says."""
    one = declared(
        offers=(Offer(kind="bars", timeframes=("1d",), basis="split", basis_intraday="raw"), Offer(kind="trades"))
    )

    assert expected == basis_of(one, kind=kind, timeframe=timeframe)


PAID = Plan(weights={"candle": 5.0}, price_per_call=0.01, price_per_credit=0.002, per_symbol=True)


def test_what_a_request_costs() -> None:
    """Credits are the endpoint's weight for each symbol, money is per call and per credit."""
    one = declared(offers=(Offer(kind="bars", endpoint="candle"), Offer(kind="quotes")))
    budget = Budget(account="acc", plan=PAID)

    assert ("candle", "quotes", "trades") == tuple(
        endpoint_of(one, kind, "1d") for kind in ("bars", "quotes", "trades")
    )
    assert (0.0, 0.0) == price(one, None, "bars", "1d")
    assert (0.02, 5.0) == price(one, budget, "bars", "1d")
    assert Spending(
        provider="p", account="acc", endpoint="candle", credits=10.0, symbols=("A", "B"), money=0.03
    ) == cost_of(one, budget, Ask(kind="bars", symbol="A,B"))
    assert () == cost_of(one, budget, Ask(kind="listings", symbol="")).symbols


def test_a_plan_that_counts_calls() -> None:
    """It charges no money, and a credit that nobody limits."""
    assert (0.0, 1.0) == price(declaration("p"), Budget(account="", plan=Plan()), "bars", "1d")


REQUEST = BackfillRequested(
    job_id="job_1", symbols=("A", "B", "ZZZ"), start=date(2020, 1, 1), end=TODAY, ts_known=NOW, timeframe="1d"
)


def test_a_job_knows_how_far_it_has_come() -> None:
    """Done rounds are counted, of them the empty ones; those that nobody could answer wait, and may be done later."""
    job = Job(REQUEST, unknown=("ZZZ",), planned=3)
    states = [job.state]
    for round_id, ending in (
        ("one", "closed"),
        ("two", "unanswered"),
        ("three", "empty"),
        ("two", "unanswered"),
        ("two", "refused"),
    ):
        job.note(round_id, ending)
        states.append(job.state)

    assert ["running", "running", "running", "waiting", "waiting", "done"] == states
    assert (3, 2, set()) == (job.done, job.empty, job.waiting)


def test_a_job_as_a_row() -> None:
    """Each row is the next version."""
    job = Job(REQUEST, unknown=("ZZZ",), planned=1, version=4)

    first = check(job.row(now_ns=NOW + 1), TABLES["jobs"].columns, kind="jobs").row(0, named=True)

    assert ("job_1", 3, "ZZZ", 1, 0, "running", 5) == tuple(
        first[name] for name in ("job_id", "symbols", "unknown", "planned", "done", "state", "version")
    )
    assert NOW == pl.Series([first["requested"]]).cast(INSTANT).to_physical()[0]
    assert job.row(now_ns=NOW)["version"].to_list() == [6]
    assert Job(REQUEST).state == "done"


def test_what_the_room_knows_of_the_market() -> None:
    """The latest listing gives the symbol, the first one the beginning; a delisted one has a last day."""
    listings = pl.DataFrame(
        {
            "instrument_id": ["ins_a", "ins_a", "ins_b"],
            "symbol": ["FB", "META", "GONE"],
            "mic": ["XNAS", "XNAS", "XNYS"],
            "valid_from": [date(2012, 5, 18), date(2022, 6, 9), None],
            "valid_to": [date(2022, 6, 9), None, date(2020, 1, 3)],
        }
    )
    sessions = pl.DataFrame({"mic": ["XNAS", "XNAS"], "session": [date(2024, 1, 3), date(2024, 1, 2)]})
    instruments = pl.DataFrame({"instrument_id": ["ins_a"], "asset_class": ["equity"]})
    market = Market()

    market.update(market_of(listings, sessions, instruments))

    meta = Listed("ins_a", "META", "XNAS", date(2012, 5, 18), None)
    gone = Listed("ins_b", "GONE", "XNYS", None, date(2020, 1, 2))
    assert {"META": meta, "ins_b": gone, "FB": None} == market.find(["META", "ins_b", "FB"])
    assert {"XNAS": [date(2024, 1, 2), date(2024, 1, 3)]} == market.sessions
    assert ({"ins_a": "META", "ins_b": "GONE"}, {"ins_a": "equity"}) == (market.symbols, market.assets)


def test_debts_are_asked_for_after_a_while() -> None:
    """Of the one that owes, for what it owes; who is gone, or unknown, is not asked."""
    from test_intervals import closed, day, failed

    ledger = IntervalLedger()
    ledger.close(closed(0, 4, "p", gave_up=(failed("q"), failed("gone"))))

    def due(after_s: float, symbols: dict[str, str]) -> list[Round]:
        found = debts_due(symbols, ledger, providers=("p", "q"), now_ns=NOW + 60 * 10**9, after_s=after_s)
        return list(found)

    assert [("A", day(0), day(4), ("q",))] == [
        (one.symbol, one.start, one.end, one.only) for one in due(60.0, {"ins_a": "A"})
    ]
    assert [] == due(61.0, {"ins_a": "A"})
    assert [] == due(60.0, {})
