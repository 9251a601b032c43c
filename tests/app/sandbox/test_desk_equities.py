"""Alpha Vantage, Yahoo, Finnhub and IEX Cloud at their desks: asked by their clients, read back as the truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_tape import ACTIONS, small_dataset, weekdays

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks import desk
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.longer import longer
from truetape.app.sandbox.truth import View, view
from truetape.domain.asks import Ask
from truetape.domain.failures import FailureClass
from truetape.ports.provider import Provider
from truetape.providers import alpha_vantage, finnhub, iex_cloud, yahoo

TODAY = date(2012, 3, 23)
LAST = date(2012, 3, 22)
VALUES = ("ts_event", "open", "high", "low", "close", "volume")
SHORT = ("1m", "5m", "15m", "30m", "1h")
MAKERS: dict[str, Callable[..., Provider]] = {
    "alpha_vantage": alpha_vantage.provider,
    "finnhub": finnhub.provider,
    "iex_cloud": iex_cloud.provider,
    "yahoo": yahoo.provider,
}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


@pytest.fixture
def truth(dataset: Dataset) -> View:
    return view(dataset.series["AAA"])


def made(name: str, dataset: Dataset) -> Provider:
    more = {"today": lambda: TODAY} if name in ("alpha_vantage", "iex_cloud") else {}
    return MAKERS[name](InMemoryHttp(dataset), base_url=f"{ROOT}/{name}", key="a-long-enough-key", **more)


async def rows(provider: Provider, ask: Ask) -> pl.DataFrame:
    """The rows of all pages of the answer."""
    frames, following = [], ask
    while True:
        answer = await provider.client.fetch(following)
        failure = provider.classify(answer)
        assert failure is None, failure
        frames.append(provider.decode[ask.kind](answer.body, following))
        after = provider.follow(answer, following)
        if after is None:
            return pl.concat(frames)
        following = after


@pytest.mark.parametrize(
    ("name", "timeframe"),
    [("iex_cloud", "1m"), *((name, short) for name in ("alpha_vantage", "finnhub", "yahoo") for short in SHORT)],
)
async def test_minutes(dataset: Dataset, truth: View, name: str, timeframe: str) -> None:
    """The minutes of a day add up to it, as traded, whoever is asked."""
    provider = made(name, dataset)
    read = await rows(provider, Ask(kind="bars", symbol="AAA", timeframe=timeframe, start=LAST, end=LAST))
    expected = truth.between(LAST, LAST).minutes(timeframe)
    found = read.filter(pl.col("ts_event").dt.date() == LAST)
    assert_frame_equal(found.select(VALUES), expected.select(VALUES))
    assert set(found["timeframe"]) == {timeframe}


@pytest.mark.parametrize("name", ["alpha_vantage", "finnhub", "yahoo"])
@pytest.mark.parametrize("timeframe", ["1w", "1mo"])
async def test_weeks_and_months(dataset: Dataset, truth: View, name: str, timeframe: str) -> None:
    """Longer bars begin with their first day and are made of the days in the provider's basis."""
    provider = made(name, dataset)
    first, last = weekdays()[0], weekdays()[-1]
    read = await rows(provider, Ask(kind="bars", symbol="AAA", timeframe=timeframe, start=first, end=last))
    basis = truth.raw if provider.declaration.basis == "raw" else truth.split
    columns = VALUES if name != "yahoo" else ("ts_event", "close", "volume")
    assert_frame_equal(read.select(columns), longer(basis, timeframe)[0].select(columns))


@pytest.mark.parametrize("name", ["alpha_vantage", "finnhub", "iex_cloud"])
async def test_actions(dataset: Dataset, name: str) -> None:
    """Dividends and splits that are asked for by themselves tell the cash as it was paid."""
    ask = Ask(kind="actions", symbol="AAA", start=date(2012, 1, 1), end=TODAY)
    read = (await rows(made(name, dataset), ask)).sort("ex_date")
    found = [(day.isoformat(), kind, value) for day, kind, value in read.select("ex_date", "type", "value").rows()]
    assert found == [row[1:] for row in ACTIONS]


@pytest.mark.parametrize("name", sorted(MAKERS))
async def test_quotes(dataset: Dataset, name: str) -> None:
    """The last session closed at 40.59 after 40.58, at 20:00 UTC."""
    read = await rows(made(name, dataset), Ask(kind="quotes", symbol="AAA"))
    told = read.select("symbol", "ts_event", "price", "previous_close").rows()
    assert told == [("AAA", datetime(2012, 3, 23, 20, tzinfo=UTC), 40.59, 40.58)]


@pytest.mark.parametrize("name", ["alpha_vantage", "finnhub", "iex_cloud"])
async def test_listings(dataset: Dataset, name: str) -> None:
    """Both shares are listed, each once."""
    read = await rows(made(name, dataset), Ask(kind="listings", symbol=""))
    assert read.select("symbol", "asset_class", "currency", "status").rows() == [
        ("AAA", "equity", "USD", "active"),
        ("BBB", "equity", "USD", "active"),
    ]


async def test_finnhubs_ticks(dataset: Dataset, truth: View) -> None:
    """Days follow one another, and their ticks add up to the volume."""
    read = await rows(made("finnhub", dataset), Ask(kind="trades", symbol="AAA", start=LAST, end=TODAY))
    expected = truth.between(LAST, TODAY).raw["volume"].sum()
    assert read["size"].sum() == expected
    assert read["ts_event"].is_sorted()


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_what_a_desk_says_is_what_its_provider_understands(dataset: Dataset, name: str) -> None:
    """Each failure that a desk can say has its class, and every desk can say the most usual ones."""
    assert {"throttled", "auth", "permanent", "transient"} <= {one.value for one in desk(name).refusals}


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("alpha_vantage", "BRK-B", "BRK.B"),
        ("yahoo", "BRK-B", "BRK.B"),
        ("yahoo", "BTC-USD", "BTC/USD"),
        ("yahoo", "EURUSD=X", "EUR/USD"),
        ("yahoo", "^GSPC", "^GSPC"),
        ("finnhub", "OANDA:EUR_USD", "EUR/USD"),
        ("finnhub", "COINBASE:BTC-USD", "BTC/USD"),
        ("finnhub", "BINANCE:BTCUSDT", "BTC/USDT"),
        ("finnhub", "BINANCE:ETHBTC", "ETH/BTC"),
        ("iex_cloud", "EURUSD", "EUR/USD"),
        ("iex_cloud", "GOOGLE", "GOOGLE"),
    ],
)
def test_symbols_are_read(name: str, theirs: str, ours: str) -> None:
    """A desk knows which of the dataset's symbols is meant."""
    assert desk(name).ours(theirs) == ours


def query(symbol: str = "AAA", *, endpoint: str = "", day: str = "", **params: str) -> Query:
    given = {name.rstrip("_"): value for name, value in params.items()}
    return Query(
        symbol=symbol, today=TODAY, parts={"endpoint": endpoint, "range": "1m", "day": day}, params=given, keyed=True
    )


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("alpha_vantage", query(function="TIME_SERIES_INTRADAY", interval="7min"), "Invalid API call"),
        ("alpha_vantage", query(function="TIME_SERIES_INTRADAY", interval="5min", month="2012"), "Invalid API call"),
        ("finnhub", query(endpoint="tick"), "Wrong value for date"),
        ("finnhub", query(endpoint="split", from_="2012-01-01"), "Wrong value for to"),
        ("iex_cloud", query(endpoint="date", day="20120230"), "Invalid values"),
    ],
)
def test_wrong_questions_of_other_kinds(name: str, asked: Query, said: str) -> None:
    """Each is refused in the provider's own words."""
    reply = desk(name).refusal(asked)
    assert reply is not None
    assert said in reply.body.decode()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("alpha_vantage", "quotes"), ("iex_cloud", "quotes"), ("iex_cloud", "actions"), ("yahoo", "quotes")],
)
async def test_an_unknown_symbol_of_other_kinds(dataset: Dataset, name: str, kind: str) -> None:
    """The provider's answer is understood as permanent."""
    provider = made(name, dataset)
    failure = provider.classify(await provider.client.fetch(Ask(kind=kind, symbol="ZZZ")))
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT


async def test_finnhub_answers_unknown_symbols_with_nothing(dataset: Dataset) -> None:
    """No ticks and no actions are no failure."""
    provider = made("finnhub", dataset)
    for kind in ("trades", "actions"):
        assert (await rows(provider, Ask(kind=kind, symbol="ZZZ", start=LAST, end=LAST))).is_empty()
