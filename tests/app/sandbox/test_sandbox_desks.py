"""The four desks: keys, parameters and ranges as each provider takes them, and its own words for what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.sandbox.desk import Query, Reply, first_day, last_day_before, months_before, whole_number
from truetape.app.sandbox.desks import desk
from truetape.app.sandbox.truth import View, view

TODAY = date(2012, 3, 23)


@pytest.fixture
def truth(tmp_path: Path) -> View:
    return view(small_dataset(tmp_path).series["AAA"])


def ask(symbol: str = "AAA", *, endpoint: str = "", range_: str = "", keyed: bool = True, **params: str) -> Query:
    params = {name.rstrip("_"): value for name, value in params.items()}
    return Query(symbol=symbol, today=TODAY, parts={"endpoint": endpoint, "range": range_}, params=params, keyed=keyed)


def stamp(day: date, hour: int = 0, minute: int = 0) -> str:
    return str(int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp()))


def parsed(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


@pytest.mark.parametrize(
    ("provider", "query", "status", "said"),
    [
        ("alpha_vantage", ask(keyed=False, function="TIME_SERIES_DAILY"), 200, '"Error Message":"the parameter apikey'),
        ("alpha_vantage", ask(), 200, '"Error Message":"Invalid API call'),
        ("alpha_vantage", ask(function="TIME_SERIES_WEEKLY"), 200, "TIME_SERIES_WEEKLY"),
        ("alpha_vantage", ask(function="TIME_SERIES_DAILY", outputsize="huge"), 200, '"Error Message"'),
        ("alpha_vantage", ask(function="TIME_SERIES_DAILY", datatype="csv"), 200, '"Error Message"'),
        ("finnhub", ask(keyed=False, endpoint="quote"), 401, '{"error":"Please use an API key."}'),
        ("finnhub", ask(endpoint="candle", resolution="7", from_="1", to="2"), 422, "one of 1, 5, 15, 30, 60, D, W, M"),
        ("finnhub", ask(endpoint="candle", resolution="D", from_="1"), 422, "Wrong value for to"),
        ("finnhub", ask(endpoint="candle", resolution="D", from_="1.5", to="2"), 422, "Wrong value for from"),
        ("iex_cloud", ask(keyed=False, range_="max"), 401, "no key was provided"),
        ("iex_cloud", ask(range_="9y"), 400, "Invalid values"),
        ("yahoo", ask(keyed=False, interval="90m"), 400, "interval=90m"),
        ("yahoo", ask(keyed=False, interval="2d"), 400, "interval=2d"),
        ("yahoo", ask(keyed=False, range="9y"), 400, "range=9y"),
        ("yahoo", ask(keyed=False, period1="monday"), 400, "period1=monday"),
        ("yahoo", ask(keyed=False, period2="9" * 30), 400, "period2=999"),
    ],
)
def test_a_wrong_question_is_refused_in_its_own_words(provider: str, query: Query, status: int, said: str) -> None:
    """A missing key or a parameter that the provider does not know gets that provider's own error."""
    reply = desk(provider).refusal(query)

    assert reply is not None
    assert status == reply.status
    assert said in reply.body.decode()


@pytest.mark.parametrize(
    ("provider", "query"),
    [
        ("alpha_vantage", ask(function="TIME_SERIES_DAILY")),
        ("alpha_vantage", ask(function="TIME_SERIES_DAILY_ADJUSTED", outputsize="full", datatype="json")),
        ("finnhub", ask(endpoint="quote")),
        ("finnhub", ask(endpoint="candle", resolution="D", from_="0", to="1")),
        ("iex_cloud", ask(range_="ytd")),
        ("yahoo", ask(keyed=False)),
        ("yahoo", ask(keyed=False, interval="1d", period1="-5", period2="9")),
    ],
)
def test_a_sound_question_is_not_refused(provider: str, query: Query) -> None:
    """Optional parameters may be left out."""
    assert desk(provider).refusal(query) is None


@pytest.mark.parametrize(
    ("provider", "query", "status", "said"),
    [
        ("alpha_vantage", ask("ZZZ", function="TIME_SERIES_DAILY"), 200, '"Error Message":"Invalid API call'),
        ("finnhub", ask("ZZZ", endpoint="candle"), 200, '{"s":"no_data"}'),
        ("finnhub", ask("ZZZ", endpoint="quote"), 200, '"c":0,"d":null'),
        ("iex_cloud", ask("ZZZ", range_="max"), 404, "Unknown symbol"),
        ("yahoo", ask("ZZZ"), 404, '"code":"Not Found"'),
    ],
)
def test_an_unknown_symbol_gets_the_providers_answer(provider: str, query: Query, status: int, said: str) -> None:
    """Two providers refuse, one says that there are no data, and one sends zeros."""
    reply = desk(provider).unknown(query)

    assert status == reply.status
    assert said in reply.body.decode()


@pytest.mark.parametrize(
    ("params", "first", "last"),
    [
        pytest.param({}, date(2012, 2, 23), TODAY, id="the last month by default"),
        pytest.param({"range": "max"}, date(2012, 1, 2), TODAY, id="everything"),
        pytest.param({"range": "5d"}, date(2012, 3, 19), TODAY, id="five sessions"),
        pytest.param({"range": "ytd"}, date(2012, 1, 2), TODAY, id="since January"),
        pytest.param(
            {"period1": stamp(SPLIT, 14, 30), "period2": stamp(TODAY, 13, 30)}, SPLIT, date(2012, 3, 22), id="exclusive"
        ),
        pytest.param(
            {"period1": stamp(SPLIT, 14, 31), "period2": stamp(TODAY, 13, 31)},
            date(2012, 2, 14),
            TODAY,
            id="a minute on",
        ),
        pytest.param({"period1": stamp(SPLIT)}, SPLIT, TODAY, id="until today"),
        pytest.param({"period2": stamp(SPLIT)}, date(2012, 1, 2), date(2012, 2, 10), id="from the first"),
        pytest.param({"period1": "-99999999999", "period2": "99999999999999"}, date(2012, 1, 2), TODAY, id="bounded"),
    ],
)
def test_yahoo_counts_periods_by_the_open(truth: View, params: dict[str, str], first: date, last: date) -> None:
    """A bar is stamped 9:30 in New York: 14:30 UTC in winter and 13:30 in summer; period2 is exclusive."""
    result = parsed(desk("yahoo").data(truth, ask(keyed=False, **params)))["chart"]["result"][0]
    days = [datetime.fromtimestamp(seconds, UTC).date() for seconds in result["timestamp"]]

    assert (first, last) == (days[0], days[-1])
    assert "events" not in result


def test_yahoo_tells_the_events_that_were_asked_for(truth: View) -> None:
    """Events are those of the period alone, dividends per share of today's count."""

    def events(**params: str) -> Any:
        return parsed(desk("yahoo").data(truth, ask(keyed=False, **params)))["chart"]["result"][0].get("events", {})

    every = events(range="max", events="div,splits,capitalGains")
    assert [0.25, 0.25] == [one["amount"] for one in every["dividends"].values()]
    assert ["2:1"] == [one["splitRatio"] for one in every["splits"].values()]
    assert {"splits"} == set(events(range="max", events="split"))
    assert {"dividends"} == set(events(range="1mo", events="div|split"))


def test_yahoo_says_when_a_period_is_empty(truth: View) -> None:
    """A period without a bar is an error of its own."""
    reply = desk("yahoo").data(truth, ask(keyed=False, period1="0", period2="86400"))

    assert reply.status == 400
    assert b"startDate = 0, endDate = 86400" in reply.body


def test_alpha_vantage_sends_raw_prices_newest_first(truth: View) -> None:
    """The short answer would be the last 100 bars; the adjusted one has dividends and the split by date."""
    short = parsed(desk("alpha_vantage").data(truth, ask(function="TIME_SERIES_DAILY")))
    full = parsed(desk("alpha_vantage").data(truth, ask(function="TIME_SERIES_DAILY_ADJUSTED", outputsize="full")))
    rows = full["Time Series (Daily)"]

    assert ["2012-03-23", "2012-01-02"] == [list(short["Time Series (Daily)"])[at] for at in (0, -1)]
    assert "80.0000" == rows["2012-01-02"]["4. close"]
    assert "2.0" == rows[SPLIT.isoformat()]["8. split coefficient"]
    assert "0.5000" == rows["2012-01-16"]["7. dividend amount"]


@pytest.mark.parametrize(
    ("begin", "end", "first", "last"),
    [
        pytest.param(stamp(SPLIT), stamp(TODAY), SPLIT, TODAY, id="both ends are inclusive"),
        pytest.param(stamp(SPLIT, 0, 1), stamp(TODAY, 23), date(2012, 2, 14), TODAY, id="a minute after the label"),
        pytest.param("0", str(int(stamp(TODAY)) - 1), date(2012, 1, 2), date(2012, 3, 22), id="a second before it"),
    ],
)
def test_finnhub_counts_by_midnight_utc(truth: View, begin: str, end: str, first: date, last: date) -> None:
    """A daily candle is stamped 00:00 UTC of its session."""
    query = ask(endpoint="candle", resolution="D", from_=begin, to=end)
    stamps = parsed(desk("finnhub").data(truth, query))["t"]

    assert [stamp(first), stamp(last)] == [str(stamps[0]), str(stamps[-1])]


def test_finnhub_has_no_data_outside(truth: View) -> None:
    """A range without bars is an answer, not an error."""
    query = ask(endpoint="candle", resolution="D", from_="0", to="86400")

    assert {"s": "no_data"} == parsed(desk("finnhub").data(truth, query))


def test_finnhubs_quote_is_the_last_close(truth: View) -> None:
    """The last session closed at 40.59 at 20:00 UTC, after 40.58."""
    quote = parsed(desk("finnhub").data(truth, ask(endpoint="quote")))

    expected = {"c": 40.59, "o": 40.49, "h": 40.79, "l": 40.29, "pc": 40.58, "t": int(stamp(TODAY, 20))}
    assert expected == {name: quote[name] for name in expected}


@pytest.mark.parametrize(
    ("range_", "first"),
    [("max", date(2012, 1, 2)), ("1m", date(2012, 2, 23)), ("ytd", date(2012, 1, 2)), ("5d", date(2012, 3, 19))],
)
def test_iex_counts_ranges_back_from_the_last_day(truth: View, range_: str, first: date) -> None:
    """A row costs ten message credits, and has raw, split-adjusted and fully adjusted prices."""
    reply = desk("iex_cloud").data(truth, ask(range_=range_))
    rows = parsed(reply)

    assert (first.isoformat(), TODAY.isoformat()) == (rows[0]["date"], rows[-1]["date"])
    assert {"iexcloud-messages-used": str(10 * len(rows))} == reply.headers
    assert rows[0]["uClose"] == (rows[0]["close"] * 2 if first < SPLIT else rows[0]["close"])
    assert (rows[0]["fClose"] < rows[0]["close"]) is (first < date(2012, 3, 5))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2013, 3, 1), 1, date(2013, 2, 1)),
        (date(2013, 3, 31), 1, date(2013, 2, 28)),
        (date(2012, 3, 31), 1, date(2012, 2, 29)),
        (date(2013, 1, 31), 1, date(2012, 12, 31)),
        (date(2013, 3, 1), 180, date(1998, 3, 1)),
    ],
)
def test_months_are_counted_back(day: date, months: int, expected: date) -> None:
    """A day that the earlier month has not becomes its last."""
    assert expected == months_before(day, months)


@pytest.mark.parametrize(
    ("text", "expected"), [("12", 12), ("-1", -1), ("", None), (None, None), ("1e5", None), ("1" * 20, None)]
)
def test_whole_numbers(text: str | None, expected: int | None) -> None:
    """Anything but a short integer is none."""
    assert expected == whole_number(text)


def test_labels_and_instants() -> None:
    """An instant at the label belongs to its day from the left, and to the day before from the right."""
    from datetime import time

    opening = int(stamp(date(2012, 7, 2), 13, 30))  # 9:30 in New York, in summer
    zone = "America/New_York"

    assert date(2012, 7, 2) == first_day(opening, label=time(9, 30), zone=zone)
    assert date(2012, 7, 3) == first_day(opening + 1, label=time(9, 30), zone=zone)
    assert date(2012, 7, 1) == last_day_before(opening, label=time(9, 30), zone=zone)
    assert weekdays()[-1] == TODAY
