"""Checks 43 to 58 and 101: bars below a day, actions, quotes, trades, lists and rates, row by row."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from truetape.app.conformance.bench import LONG, Bench, Unshown, insist, shown, some
from truetape.app.conformance.market import CALM, CURRENCY, DIVIDENDS, FIRST, HALF_DAY, INDEX, LAST, SPLIT, STOCK, truth
from truetape.app.conformance.registry import always, demand, desk, equities, intraday, network, offers
from truetape.app.conformance.subject import Subject
from truetape.app.sandbox.intraday import MINUTES
from truetape.app.sandbox.truth import CLOSES, OPENS
from truetape.domain.schema import ACTION_TYPES, ASSET_CLASSES, DECODED
from truetape.domain.time import DERIVED_TIMEFRAMES

NEW_YORK: Final = ZoneInfo("America/New_York")
WINTER: Final = date(2024, 3, 7)
SUMMER: Final = date(2024, 3, 13)
_CODE: Final = re.compile(r"[A-Z]{2,10}")
_CIK: Final = re.compile(r"\d{10}")
_CASH: Final = ("dividend", "special_dividend")


@demand(43, "schema", "The rows of every kind have exactly the columns and types of that kind.", always, desk)
async def schema(bench: Bench) -> None:
    """Ask for every kind once."""
    seen = 0
    for offer in bench.declaration.offers:
        if offer.kind not in bench.provider.decode:
            continue
        timeframe = (offer.timeframes or ("1d",))[-1] if "1d" not in offer.timeframes else "1d"
        ask = bench.ask(offer.kind, timeframe=timeframe, start=CALM[0], end=CALM[1])
        page = await bench.page(ask, kind=offer.kind)
        if page.failure is None:
            seen += 1
            wrong = dict(page.frame.schema) != DECODED[offer.kind] or page.frame.columns != list(DECODED[offer.kind])
            insist(not wrong, f"{offer.kind} had other columns than their schema")
    if not seen:
        raise Unshown("the desk answered none of its kinds")


@demand(
    44,
    "all that is offered",
    "The sandbox's desk answers every kind and timeframe that the provider offers.",
    network,
    desk,
)
async def all_offered(bench: Bench) -> None:
    """Ask for everything once."""
    missing = []
    for offer in bench.subject.asked:
        for timeframe in offer.timeframes or ("1d",):
            what = f"{offer.kind} {timeframe}" if offer.timeframes else offer.kind
            ask = bench.ask(offer.kind, timeframe=timeframe, start=CALM[0], end=CALM[1])
            try:
                shown(await bench.page(ask, kind=offer.kind), what)
            except Unshown:
                missing.append(what)
    insist(not missing, f"the desk refuses {some(missing, 12)}")


@demand(
    45, "minutes' stamps", "A bar below a day is labelled with its start; a session's first is at its open.", intraday
)
async def stamps(bench: Bench) -> None:
    """Look at the stamps of a day in winter and of a day in summer."""
    timeframe = short(bench)
    for day in (WINTER, SUMMER):
        found = (await bench.rows("bars", start=day, end=day, timeframe=timeframe))["ts_event"].to_list()
        first, last = _hours(bench, day)
        step = timedelta(minutes=MINUTES[timeframe])
        insist(found, f"there were no bars of {day}")
        early = abs(found[0] - first) < step or found[0] < first
        insist(early and found[-1] < last + step, f"{timeframe} of {day} ran from {found[0]} to {found[-1]}")
        apart = {later - earlier for earlier, later in pairwise(found)}
        insist(
            all(gap >= step and gap % step == timedelta() for gap in apart), f"bars were {some(sorted(apart))} apart"
        )


@demand(46, "minutes add up", "Bars below a day have the day's open, high, low and close.", intraday)
async def add_up(bench: Bench) -> None:
    """Compare a calm day with the bars in it."""
    day, timeframe = date(2024, 2, 27), short(bench)
    frame = await bench.rows("bars", start=day, end=day, timeframe=timeframe)
    first, last = _hours(bench, day)
    inside = frame.filter(pl.col("ts_event").is_between(first - timedelta(minutes=59), last, closed="left"))
    insist(not inside.is_empty(), f"there were no bars of {day}")
    ordered = inside.sort("ts_event")
    found = (ordered["open"][0], inside["high"].max(), inside["low"].min(), ordered["close"][-1])
    true = truth(bench.ours()).between(day, day).raw.select("open", "high", "low", "close").row(0)
    insist(found == true, f"the day was {true}, its {timeframe} bars make {found}")


@demand(47, "minutes of a half day", "On a half day no bar begins after the early close.", intraday, equities)
async def short_day(bench: Bench) -> None:
    """Look at the last bar of the Friday after Thanksgiving."""
    found = (
        (await bench.rows("bars", start=HALF_DAY, end=HALF_DAY, timeframe=short(bench)))["ts_event"].sort().to_list()
    )
    close = datetime.combine(HALF_DAY, time(13), tzinfo=NEW_YORK)
    insist(found, f"there were no bars of {HALF_DAY}")
    insist(found[-1] < close, f"the last bar of {HALF_DAY} began at {found[-1]}")


@demand(
    48, "minutes' facts", "Bars below a day carry their timeframe and the basis that is declared for them.", intraday
)
async def facts(bench: Bench) -> None:
    """Look at timeframe, basis and running of a day's bars."""
    timeframe = short(bench)
    frame = await bench.rows("bars", start=WINTER, end=WINTER, timeframe=timeframe)
    told = frame["timeframe"].unique().to_list(), frame["basis"].unique().to_list()
    insist(told[0] == [timeframe], f"asked for {timeframe}, the bars carry {told[0]}")
    insist(told[1] == [bench.basis(timeframe)], f"basis was {told[1]}, declared is {bench.basis(timeframe)!r}")
    insist(not frame["running"].null_count(), "bars do not say whether they are running")


@demand(
    49,
    "dividends",
    "Dividends have their ex-date and their cash, in the basis that the row says.",
    offers("actions"),
    equities,
)
async def dividends(bench: Bench) -> None:
    """Compare the dividends before and after the split."""
    frame = await _actions(bench)
    rows = frame.filter(pl.col("type").is_in(_CASH)).unique(["ex_date", "type"]).sort("ex_date")
    found = {row["ex_date"]: (row["value"], row["basis"]) for row in rows.iter_rows(named=True)}
    if not found:
        raise Unshown("the desk shows no dividends")
    true = {day: cash / 2 if found.get(day, ("", ""))[1] in ("split", "all") and day < SPLIT else cash
            for day, cash in DIVIDENDS.items()}  # fmt: skip
    insist({day: value for day, (value, _) in found.items()} == true, f"dividends were {found}, true are {true}")


@demand(50, "splits", "A split is told as new shares for one old, on its ex-date.", offers("actions"), equities)
async def splits(bench: Bench) -> None:
    """Compare the split."""
    frame = await _actions(bench)
    found = frame.filter(pl.col("type") == "split").select("ex_date", "value").unique().rows()
    if not found:
        raise Unshown("the desk shows no splits")
    insist(found == [(SPLIT, 2.0)], f"splits were {found}, true is {(SPLIT, 2.0)}")


@demand(
    51, "actions' words", "Types and bases of actions are known words; none is told twice.", offers("actions"), equities
)
async def action_words(bench: Bench) -> None:
    """Look at types and bases, in the order in which they came."""
    frame = await _actions(bench)
    unknown = sorted(set(frame["type"]) - set(ACTION_TYPES))
    insist(not unknown, f"unknown types {unknown}")
    strange = sorted(str(one) for one in set(frame["basis"]) - {"raw", "split", "all", None})
    insist(not strange, f"unknown basis {strange}")
    twice = frame.select("ex_date", "type").is_duplicated()
    insist(not twice.any(), f"told twice: {some(frame.filter(twice)['ex_date'])}")


@demand(
    52,
    "quotes",
    "A quote is of the last session, with a price within that day and the bid below the ask.",
    offers("quotes"),
)
async def quotes(bench: Bench) -> None:
    """Ask for a quote now."""
    frame = await bench.rows("quotes", start=LAST, end=LAST)
    insist(not frame.is_empty(), "there was no quote")
    row = frame.row(-1, named=True)
    day = truth(bench.ours()).between(LAST, LAST).raw.row(0, named=True)
    price = row["price"] if row["price"] is not None else row["bid"] if row["bid"] is not None else row["ask"]
    insist(price is not None, "the quote has neither price nor bid nor ask")
    insist(
        day["low"] * 0.99 <= price <= day["high"] * 1.01,
        f"the price was {price}, the day {day['low']} to {day['high']}",
    )
    insist(
        row["bid"] is None or row["ask"] is None or row["bid"] <= row["ask"], f"{row['bid']} bid, {row['ask']} asked"
    )
    when = row["ts_event"]
    insist(when is not None and abs(when.date() - LAST) <= timedelta(days=1), f"the quote was of {when}")


@demand(53, "trades", "Trades have the venue's prices and sizes; together they are the day's volume.", offers("trades"))
async def trades(bench: Bench) -> None:
    """Compare a day's trades as a whole."""
    day = date(2024, 2, 28)
    frame = (await bench.rows("trades", start=day, end=day)).unique(maintain_order=True)
    insist(not frame.is_empty(), f"there were no trades of {day}")
    true = truth(bench.ours()).between(day, day).raw.row(0, named=True)
    found = tuple(frame["price"].sort(descending=True).gather([0, -1]))
    insist(found == (true["high"], true["low"]), f"prices were from {found[1]} to {found[0]}, true is {true}")
    insist((frame["size"] > 0).all(), "a size was not above 0")
    total = frame["size"].sum()
    insist(
        abs(total - true["volume"]) <= 1e-6 * true["volume"], f"sizes are {total} together, the day {true['volume']}"
    )


@demand(
    54,
    "trades' ids and order",
    "Trades ascend in time; an id is there for each or for none, and never twice.",
    offers("trades"),
)
async def trade_ids(bench: Bench) -> None:
    """Look at the ids and instants of a day's trades."""
    day = date(2024, 2, 29)
    frame = await bench.rows("trades", start=day, end=day)
    insist(not frame.is_empty(), f"there were no trades of {day}")
    insist(frame["ts_event"].is_sorted(), "trades were not in the order of time")
    ids = frame["trade_id"]
    insist(ids.null_count() in (0, len(ids)), f"{ids.null_count()} of {len(ids)} trades had no id")
    insist(ids.null_count() or ids.n_unique() == len(ids), "an id was there twice")
    strange = sorted(str(side) for side in set(frame["side"]) - {"buy", "sell", None})
    insist(not strange, f"sides were {strange}")


@demand(
    55,
    "listings",
    "A list of symbols has our symbol, each once, with known words for class and status.",
    offers("listings"),
)
async def listings(bench: Bench) -> None:
    """Read the whole list."""
    frame = await bench.rows("listings", start=FIRST, end=LAST)
    insist(not frame.is_empty(), "the list was empty")
    wanted = bench.provider.spell(bench.ours())
    insist(wanted in set(frame["symbol"]), f"{wanted} was not among {some(frame['symbol'])}")
    insist(not frame["symbol"].null_count(), "a listing had no symbol")
    unknown = sorted(set(frame["asset_class"].drop_nulls()) - set(ASSET_CLASSES))
    insist(not unknown, f"unknown asset classes {unknown}")
    strange = sorted(set(frame["status"].drop_nulls()) - {"active", "delisted"})
    insist(not strange, f"unknown status {strange}")
    wrong = [cik for cik in frame["cik"].drop_nulls() if not _CIK.fullmatch(cik)]
    insist(not wrong, f"cik was {some(wrong)}, not ten digits")


@demand(56, "rates", "A rate says how much of one currency a unit of another costs, on its day.", offers("fx_rates"))
async def rates(bench: Bench) -> None:
    """Compare rates of two calm weeks, whatever pair of the market they are of."""
    frame = await bench.rows("fx_rates", start=CALM[0], end=CALM[1])
    insist(not frame.is_empty(), "there were no rates")
    codes = {*frame["base"], *frame["quote"]}
    wrong = [code for code in codes if code is None or not _CODE.fullmatch(code)]
    insist(not wrong, f"currencies were {wrong}")
    insist((frame["rate"].drop_nulls() > 0).all(), "a rate was not above 0")
    for pair, rows in frame.group_by("base", "quote"):
        insist(rows["ts_event"].n_unique() == len(rows), f"a day of {pair} was there twice")
    _as_closed(frame.filter(base="EUR", quote="USD"), "rate", CURRENCY)


@demand(57, "index levels", "A level is the index's close of its day.", offers("index_levels"))
async def index_levels(bench: Bench) -> None:
    """Compare two calm weeks."""
    frame = await bench.rows("index_levels", start=CALM[0], end=CALM[1])
    insist(not frame.is_empty(), "there were no levels")
    insist(frame["ts_event"].is_sorted(), "levels did not ascend")
    insist((frame["level"] > 0).all(), "a level was not above 0")
    _as_closed(frame, "level", INDEX)


@demand(
    58,
    "observations",
    "An observation has its period, and stands from a day on to a later one or still.",
    offers("observations"),
)
async def observations(bench: Bench) -> None:
    """Look at the periods and vintages."""
    frame = await bench.rows("observations", start=FIRST, end=LAST)
    insist(not frame.is_empty(), "there were no observations")
    insist(not frame["period"].null_count(), "an observation had no period")
    wrong = frame.filter(pl.col("known_to") < pl.col("known_from"))
    insist(wrong.is_empty(), f"known to a day before known from: {some(wrong['period'])}")


def _long(subject: Subject) -> str:
    named = set(DERIVED_TIMEFRAMES) & set(subject.declaration.timeframes)
    return desk(subject) if named else "it offers no bars of weeks or months"


@demand(
    101, "weeks and months", "A longer bar is labelled with the begin of what it covers, and ends as that does.", _long
)
async def weeks_and_months(bench: Bench) -> None:
    """Compare the closes of weeks and months after the last action."""
    true = truth(bench.ours()).raw.select(pl.col("ts_event").dt.date().alias("day"), "close")
    for timeframe, start in (("1w", date(2024, 2, 12)), ("1mo", date(2024, 2, 1))):
        if timeframe not in bench.declaration.timeframes:
            continue
        frame = await bench.rows("bars", start=start, end=LAST, timeframe=timeframe)
        begin = pl.col("day").dt.truncate(timeframe)
        closes = true.group_by(begin.alias("begin"), maintain_order=True).agg(pl.col("close", "day").last())
        found = frame.select(pl.col("ts_event").dt.date().dt.truncate(timeframe).alias("begin"), "close").rows()
        wanted = closes.filter(pl.col("begin") >= start).select("begin", "close").rows()
        insist(found == wanted, f"{timeframe} ended at {some(found)}, true are {some(wanted)}")
        late = frame.filter(pl.col("ts_event") != pl.col("ts_event").dt.truncate("1d"))["ts_event"]
        insist(late.is_empty(), f"{timeframe} were labelled {some(late)}")
        first = true.group_by(begin.alias("begin")).agg(pl.col("day").first())
        allowed = {*first["begin"], *first["day"]}
        strange = sorted(set(frame["ts_event"].dt.date()) - allowed)
        insist(not strange, f"{timeframe} were labelled {some(strange)}, which begins none")


def _as_closed(frame: pl.DataFrame, name: str, ours: str) -> None:
    """Check that the column `name` holds the true closes of `ours` on the days that are there."""
    day = pl.col("ts_event").dt.date().alias("day")
    true = truth(ours).raw.select(day, pl.col("close").alias("true"))
    pairs = frame.select(day, pl.col(name).alias("read")).join(true, on="day").rows()
    wrong = [pair for pair in pairs if pair[1] != pair[2]]
    insist(not wrong, f"{name} of {ours} was (date, read, true): {some(wrong)}")


async def _actions(bench: Bench) -> pl.DataFrame:
    frame = await bench.rows("actions", start=FIRST, end=LAST)
    insist(frame.is_empty() or bench.ours("actions") == STOCK, "actions were of another symbol")
    return frame


def short(bench: Bench) -> str:
    """Return the shortest timeframe below a day that is offered and that the market has."""
    return next(one for one in bench.declaration.timeframes if one not in LONG)


def _hours(bench: Bench, day: date) -> tuple[datetime, datetime]:
    """Return when the market of the bench's symbol opens and closes on `day`."""
    if bench.ours() == STOCK:
        opens, closes = (datetime.combine(day, at, tzinfo=NEW_YORK).astimezone(UTC) for at in (OPENS, CLOSES))
        return opens, closes
    midnight = datetime.combine(day, time(), tzinfo=UTC)
    return midnight, midnight + timedelta(days=1)
