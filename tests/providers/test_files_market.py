"""A folder that anybody's tools may have written: the same market in many formats is read back as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from truetape.app.conformance.market import DIVIDENDS, SPLIT, STOCK, market, truth
from truetape.app.sandbox.truth import View
from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import FailureClass
from truetape.ports.provider import Provider
from truetape.providers import files, stooq

DAYS = (date(2024, 1, 17), date(2024, 1, 24))  # around the split
WINTER, SUMMER = date(2024, 3, 7), date(2024, 3, 13)
VALUES = ["open", "high", "low", "close", "volume"]
Write = Callable[[View, Path], None]


def own(view: View, folder: Path) -> None:
    """Our own files: typed columns, which say their basis themselves."""
    view.split.write_parquet(folder / "AAA.parquet")


def own_csv(view: View, folder: Path) -> None:
    view.split.write_csv(folder / "aaa_1d.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")


def plain(view: View, folder: Path) -> None:
    frame = view.raw.select(pl.col("ts_event").dt.date().alias("date"), *VALUES)
    frame.reverse().write_csv(folder / "AAA.txt")


def yahoo(view: View, folder: Path) -> None:
    names = [pl.col(name).alias(name.capitalize()) for name in VALUES]
    dates = pl.col("ts_event").dt.date().alias("Date")
    view.split.select(dates, *names[:4], pl.col("adj_close").alias("Adj Close"), names[4]).write_csv(folder / "AAA.csv")


def alpaca(view: View, folder: Path) -> None:
    """One file of several symbols, stamped at midnight in New York."""
    frames = [
        one.select("symbol", pl.col("ts_event").dt.offset_by("5h").dt.strftime("%FT%TZ").alias("timestamp"), *VALUES)
        for one in (view.raw, truth("BRK.B").raw)
    ]
    pl.concat(frames).sort("timestamp").write_csv(folder / "bars.csv")


def bulk(view: View, folder: Path) -> None:
    """Stooq's layout: in subfolders by timeframe and market."""
    daily = folder / "daily" / "us" / "nasdaq stocks"
    daily.mkdir(parents=True)
    stamps = [pl.lit("AAA.US").alias("<TICKER>"), pl.lit("D").alias("<PER>"),
              pl.col("ts_event").dt.strftime("%Y%m%d").alias("<DATE>"), pl.lit("000000").alias("<TIME>")]  # fmt: skip
    values = [pl.col(name).alias(f"<{name.upper()}>") for name in VALUES]
    view.full.select(*stamps, *values, pl.lit(0).alias("<OPENINT>")).write_csv(daily / "aaa.us.txt")
    minutes = folder / "5 min" / "us"
    minutes.mkdir(parents=True)
    local = view.minutes("5m").with_columns(pl.col("ts_event").dt.convert_time_zone("Europe/Warsaw"))
    dates = [pl.lit("AAA.US").alias("<TICKER>"), pl.lit("5").alias("<PER>"),
             pl.col("ts_event").dt.strftime("%Y%m%d").alias("<DATE>"),
             pl.col("ts_event").dt.strftime("%H%M%S").alias("<TIME>")]  # fmt: skip
    local.select(*dates, *values).write_csv(minutes / "aaa.us.txt")


async def read(provider: Provider, kind: str = "bars", timeframe: str = "1d") -> pl.DataFrame:
    """What the provider reads of AAA."""
    ask = Ask(kind=kind, symbol=provider.spell(STOCK), timeframe=timeframe)
    answer = await provider.client.fetch(ask)
    assert provider.classify(answer) is None, answer.body
    return provider.decode[kind](answer.body, ask)


async def refused(provider: Provider) -> FailureClass:
    """What a symbol that nobody has is refused as: by the client, or on reading a file of several symbols."""
    ask = Ask(kind="bars", symbol=provider.spell("ZZZZQ"))
    answer = await provider.client.fetch(ask)
    failure = provider.classify(answer)
    if failure is not None:
        return failure.failure_class
    with pytest.raises(ProviderRefused) as caught:
        provider.decode["bars"](answer.body, ask)
    return caught.value.failure.failure_class


@pytest.mark.parametrize(
    ("write", "basis"),
    [(own, "split"), (own_csv, "split"), (plain, "raw"), (yahoo, "split"), (alpaca, "raw"), (bulk, "all")],
)
async def test_a_market_in_files(tmp_path: Path, write: Write, basis: str) -> None:
    """Every day, in the basis of the maker, to the last decimal; a symbol that nobody has is permanent."""
    view = truth(STOCK)
    write(view, tmp_path)
    provider = (stooq if write is bulk else files).provider(None, base_url=tmp_path.as_uri())
    frame = await read(provider)
    true = {"raw": view.raw, "split": view.split, "all": view.full}[basis]
    assert frame.select("ts_event", *VALUES).equals(true.select("ts_event", *VALUES))
    assert frame["basis"].unique().to_list() == [basis]
    assert await refused(provider) is FailureClass.PERMANENT


async def test_bulk_minutes_keep_their_instants_over_the_clocks(tmp_path: Path) -> None:
    """America changes its clocks three weeks before Europe: Warsaw's 15:30 and 14:30 are both an opening."""
    view = truth(STOCK).between(WINTER, SUMMER)
    bulk(view, tmp_path)
    frame = await read(stooq.provider(None, base_url=str(tmp_path)), timeframe="5m")  # type: ignore[arg-type]
    assert frame.select("ts_event", *VALUES).equals(view.minutes("5m").select("ts_event", *VALUES))


async def test_minutes_and_actions_beside_days(tmp_path: Path) -> None:
    """Each in a file of its own, told apart by its name."""
    view = truth(STOCK).between(*DAYS)
    plain(view, tmp_path)
    view.minutes().write_parquet(tmp_path / "AAA_1m.parquet")
    truth(STOCK).actions.select("ex_date", "type", "value", "currency").write_csv(tmp_path / "AAA_actions.csv")
    provider = files.provider(None, base_url=tmp_path.as_uri())  # type: ignore[arg-type]
    assert (
        (await read(provider, timeframe="1m"))
        .select("ts_event", *VALUES)
        .equals(view.minutes().select("ts_event", *VALUES))
    )
    actions = await read(provider, "actions")
    expected = sorted([*((day, "dividend", cash) for day, cash in DIVIDENDS.items()), (SPLIT, "split", 2.0)])
    assert actions.select("ex_date", "type", "value").rows() == expected
    assert (await read(provider, "listings"))["symbol"].to_list() == ["AAA"]


def test_the_market_has_what_is_written() -> None:
    """The split lies between the days that are compared."""
    assert DAYS[0] < SPLIT < DAYS[1]
    assert STOCK in market().symbols
