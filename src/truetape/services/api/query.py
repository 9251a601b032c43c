"""Questions: what is asked of the api, read from parameters and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final, cast

from truetape.domain.adjustments import AnyAdjustment, check_anchor, plain
from truetape.domain.currencies import codes, currency
from truetape.domain.errors import BadInput
from truetape.domain.time import DAY_NS, parse_day, parse_instant
from truetape.services.api.config import ApiConfig

LONGEST_SYMBOL: Final = 40
LONGEST_SEARCH: Final = 100
_FARTHEST_NS: Final = 2**63 - 2


@dataclass(frozen=True, kw_only=True)
class BarsQuery:
    """Bars of some symbols. `start` and `end` are session dates, both inclusive; `as_of` is in UTC nanoseconds.

    `anchor` is the day whose prices stay as traded; None stands for the one that the adjustment names.
    `snapshot` names the state of the store that is asked about; "" stands for the present one, here as in the others.
    """

    symbols: tuple[str, ...]
    timeframe: str = "1d"
    start: date | None = None
    end: date | None = None
    adjustment: AnyAdjustment = "raw"
    anchor: date | None = None
    as_of: int | None = None
    snapshot: str = ""
    currency: str = ""  # that prices are told in; "": that of each bar
    fixing: str = ""  # by whose rates, a key of FIXINGS; "": the first that has some


@dataclass(frozen=True, kw_only=True)
class TicksQuery:
    """Trades or quotes of some symbols, from `start` (inclusive) until `end` (exclusive), both in UTC nanoseconds.

    `table` is trades or quotes, and `provider` who told them; "" stands for anybody.
    """

    table: str
    symbols: tuple[str, ...]
    start: int
    end: int
    provider: str = ""
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class ActionsQuery:
    """Splits and dividends of some symbols by ex-date, both dates inclusive."""

    symbols: tuple[str, ...]
    start: date | None = None
    end: date | None = None
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class InstrumentsQuery:
    """Listings of some symbols, or those whose symbol or name contains `q`, or all; `within` a class, if one is named.

    `within` is a taxonomy, a colon, and a class of it by code or name.
    """

    symbols: tuple[str, ...] = ()
    q: str = ""
    within: str = ""
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class LevelsQuery:
    """Levels of one index."""

    index: str
    start: date | None = None
    end: date | None = None
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class ExplainQuery:
    """Everything known about one symbol's daily bar of one session."""

    symbol: str
    day: date
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class DocketQuery:
    """Quarantined claims or repairs: of some symbols, "" for any provider, reason and state; both dates inclusive."""

    symbols: tuple[str, ...] = ()
    provider: str = ""
    reason: str = ""
    state: str = ""
    start: date | None = None
    end: date | None = None


def bars_query(given: Mapping[str, str], config: ApiConfig) -> BarsQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    start, end = range_of(given)
    adjustment = plain(cast("AnyAdjustment", given.get("adjustment", "raw")))
    anchor = parse_day(given["anchor"], parameter="anchor") if "anchor" in given else None
    check_anchor(adjustment, anchor)
    return BarsQuery(
        symbols=symbols_of(given, config),
        timeframe=given.get("timeframe", "1d"),
        start=start,
        end=end,
        adjustment=adjustment,
        anchor=anchor,
        as_of=_as_of(given),
        snapshot=given.get("snapshot", ""),
        currency=_currency(given),
        fixing=given.get("fixing", ""),
    )


def ticks_query(table: str, given: Mapping[str, str], config: ApiConfig) -> TicksQuery:
    """Return the question about `table` that `given` asks; an end that is a date includes its day.

    Raises:
        BadInput: A value is not usable.
    """
    start, end = (read_instant(given[name], parameter=name) for name in ("start", "end"))
    end += DAY_NS if len(given["end"]) == len("2005-02-28") else 0
    if start >= end:
        fix = f"It is not before the end, which was {given['end'][:40]}."
        raise BadInput(parameter="start", value=_cut(given["start"]), fix=fix)
    return TicksQuery(
        table=table,
        symbols=symbols_of(given, config),
        start=start,
        end=end,
        provider=given.get("provider", ""),
        as_of=_as_of(given),
        snapshot=given.get("snapshot", ""),
    )


def actions_query(given: Mapping[str, str], config: ApiConfig) -> ActionsQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    start, end = range_of(given)
    return ActionsQuery(
        symbols=symbols_of(given, config),
        start=start,
        end=end,
        as_of=_as_of(given),
        snapshot=given.get("snapshot", ""),
    )


def instruments_query(given: Mapping[str, str], config: ApiConfig) -> InstrumentsQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    q = given.get("q", "").strip()
    if len(q) > LONGEST_SEARCH:
        raise BadInput(parameter="q", value=_cut(q), fix=f"Write at most {LONGEST_SEARCH} characters.")
    within = given.get("within", "").strip()
    if within and (":" not in within or len(within) > LONGEST_SEARCH):
        fix = "Write a taxonomy, a colon and a class, such as gics:45 or gics:Energy."
        raise BadInput(parameter="within", value=_cut(within), fix=fix)
    symbols = symbols_of(given, config) if "symbols" in given else ()
    return InstrumentsQuery(symbols=symbols, q=q, within=within, snapshot=given.get("snapshot", ""))


def docket_query(given: Mapping[str, str], config: ApiConfig) -> DocketQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    start, end = range_of(given)
    words = {name: given.get(name, "").strip() for name in ("provider", "reason", "state")}
    for name, word in words.items():
        if len(word) > LONGEST_SEARCH:
            raise BadInput(parameter=name, value=_cut(word), fix=f"Write at most {LONGEST_SEARCH} characters.")
    return DocketQuery(symbols=symbols_of(given, config) if "symbols" in given else (), start=start, end=end, **words)


def levels_query(given: Mapping[str, str]) -> LevelsQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    start, end = range_of(given)
    snapshot = given.get("snapshot", "")
    return LevelsQuery(index=given["index"], start=start, end=end, as_of=_as_of(given), snapshot=snapshot)


def explain_query(symbol: str, ts: str, given: Mapping[str, str]) -> ExplainQuery:
    """Return the question about `symbol` at `ts`: a session date, or an instant, which counts by its UTC date.

    Raises:
        BadInput: A value is not usable.
    """
    if len(symbol) > LONGEST_SYMBOL:
        raise BadInput(parameter="symbol", value=_cut(symbol), fix="Write one symbol, for example AAPL.")
    if "T" in ts:
        read_instant(ts, parameter="ts")
        ts = ts.partition("T")[0]
    day = parse_day(ts, parameter="ts")
    return ExplainQuery(symbol=symbol, day=day, as_of=_as_of(given), snapshot=given.get("snapshot", ""))


def read_limit(given: Mapping[str, str], config: ApiConfig) -> int:
    """Return the rows wanted on one page.

    Raises:
        BadInput: It is no whole number between 1 and the greatest allowed.
    """
    text = given.get("limit", str(config.default_limit))
    most = config.max_limit
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        fix = f"Write a whole number from 1 to {most}; follow `next` for more."
        raise BadInput(parameter="limit", value=_cut(text), fix=fix)
    return int(text)


def read_instant(text: str, *, parameter: str) -> int:
    """Return the UTC nanoseconds of an instant in ISO 8601 with a zone, or of the 00:00 UTC of a date.

    Raises:
        BadInput: It is none, or none that can be counted.
    """
    try:
        instant = parse_instant(text, parameter=parameter)
    except OverflowError:
        fix = "Write an instant between the years 1678 and 2262."
        raise BadInput(parameter=parameter, value=_cut(text), fix=fix) from None
    return max(-_FARTHEST_NS, min(_FARTHEST_NS, instant))


def _currency(given: Mapping[str, str]) -> str:
    code = given.get("currency", "")
    if code and currency(code) is None:
        near = get_close_matches(code.upper()[:8], codes(), n=3, cutoff=0.5)
        meant = f" The nearest are {', '.join(near)}." if near else ""
        fix = f"Write a code of ISO 4217 such as USD, or a part of one such as GBp.{meant}"
        raise BadInput(parameter="currency", value=_cut(code), fix=fix)
    if "fixing" in given and not code:
        fix = "It says by whose rates prices are told in another currency; name that with currency, too."
        raise BadInput(parameter="fixing", value=given["fixing"], fix=fix)
    return code


def symbols_of(given: Mapping[str, str], config: ApiConfig) -> tuple[str, ...]:
    """Return the symbols that `given` names, each once, in its order.

    Raises:
        BadInput: They are too many, or one is too long or empty.
    """
    symbols = tuple(dict.fromkeys(symbol.strip() for symbol in given["symbols"].split(",")))
    if len(symbols) > config.max_symbols:
        fix = f"At most {config.max_symbols} are answered at once. Ask several times."
        raise BadInput(parameter="symbols", value=f"{len(symbols)} symbols", fix=fix)
    for symbol in symbols:
        if not 1 <= len(symbol) <= LONGEST_SYMBOL:
            fix = "Write symbols separated by single commas, for example AAPL,MSFT."
            raise BadInput(parameter="symbols", value=_cut(given["symbols"]), fix=fix)
    return symbols


def range_of(given: Mapping[str, str]) -> tuple[date | None, date | None]:
    """Return the first and the last date that `given` names, both inclusive.

    Raises:
        BadInput: One is no date, or the first lies after the last.
    """
    start, end = (parse_day(given[name], parameter=name) if name in given else None for name in ("start", "end"))
    if start is not None and end is not None and start > end:
        fix = f"It is later than end, which was {end}. Both are inclusive; swap them."
        raise BadInput(parameter="start", value=str(start), fix=fix)
    return start, end


def _as_of(given: Mapping[str, str]) -> int | None:
    return read_instant(given["as_of"], parameter="as_of") if "as_of" in given else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SEARCH else f"{text[:LONGEST_SEARCH]}..."
