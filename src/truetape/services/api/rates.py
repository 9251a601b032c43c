"""Exchange rates over HTTP: a pair on each day of a fixing, as quoted or made of others, with how it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.currencies import currency
from truetape.domain.errors import BadInput
from truetape.domain.fx import RATES, rates_on
from truetape.domain.pairs import halves
from truetape.domain.schema import TABLES
from truetape.domain.time import to_datetime
from truetape.ports.store import Selection
from truetape.services.api.answers import Page
from truetape.services.api.currency import chosen_fixing, rates_between
from truetape.services.api.endpoint import Endpoint, form_of
from truetape.services.api.formats import TABLE_FORMATS
from truetape.services.api.parameters import Parameter
from truetape.services.api.query import range_of, read_instant
from truetape.services.api.reading import Reading

PATH: Final = "/v1/fx-rates"
EARLIEST: Final = date(1950, 1, 1)
_DECIDED: Final = ("provider", "score", "method", "agreed", "dissented", "version", "ts_known")
RATE: Final[Mapping[str, pl.DataType]] = {
    "pair": pl.String(),
    "date": pl.Date(),  # of the fixing
    "rate": pl.Float64(),
    "fixing": pl.String(),
    "path": pl.String(),
    "fixed": pl.Date(),  # of the older of two rates that it is made of
    **{name: TABLES["fx_rates"].columns[name] for name in _DECIDED},  # null where it is made of others
}


@dataclass(frozen=True, kw_only=True)
class RatesQuery:
    """What one unit of `base` costs in `quote`, on the days of a fixing from `start` to `end`, both inclusive."""

    base: str
    quote: str
    start: date | None = None
    end: date | None = None
    fixing: str = ""
    as_of: int | None = None
    snapshot: str = ""


def rates_query(given: Mapping[str, str]) -> RatesQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    pair = halves(given["pair"].strip())
    if pair is None or not all(map(currency, pair)):
        fix = "Write two currencies of ISO 4217, such as EUR/USD; parts such as GBp will do."
        raise BadInput(parameter="pair", value=given["pair"][:40], fix=fix)
    start, end = range_of(given)
    as_of = read_instant(given["as_of"], parameter="as_of") if "as_of" in given else None
    about = {"fixing": given.get("fixing", ""), "snapshot": given.get("snapshot", "")}
    return RatesQuery(base=pair[0], quote=pair[1], start=start, end=end, as_of=as_of, **about)


async def rates(reading: Reading, query: RatesQuery) -> Page:
    """Return the rates of a pair, columns RATE, ascending.

    Raises:
        BadInput: Nothing at all is known of the rates between the two currencies.
        StoreUnavailable: The store cannot be read now.
    """
    fixing = await chosen_fixing(reading, query.base, query.quote, query.fixing)
    days = (query.start or EARLIEST, query.end or to_datetime(reading.told).date() + timedelta(days=1))
    known = await rates_between(reading, query.base, query.quote, fixing=fixing, days=days)
    plain = known.select("base", "quote", pl.col("ts_event").dt.date().alias("date"), "rate").select(list(RATES))
    each = plain["date"].unique().sort()
    found = rates_on(each.filter(each.is_between(*days)), plain, source=query.base, target=query.quote)
    own = await _decided(reading, query, fixing=fixing, days=days)
    pair = f"{query.base}/{query.quote}"
    dated = found.filter(pl.col("rate").is_not_null()).join(own, on=["date", "path"], how="left", maintain_order="left")
    return Page(dated.with_columns(pair=pl.lit(pair), fixing=pl.lit(fixing)).select(list(RATE)))


async def _decided(reading: Reading, query: RatesQuery, *, fixing: str, days: tuple[date, date]) -> pl.DataFrame:
    """Return how the golden rates of the pair, in either direction, were decided, by date and path."""
    pair = (query.base, query.quote)
    wanted = Selection(
        equal={"base": pair, "quote": pair, "fixing": (fixing,)}, start=days[0], end=days[1], as_of=reading.as_of
    )
    rows = await reading.read("fx_rates", wanted)
    straight = pl.concat_str("base", "quote", separator="/")
    path = pl.when(pl.col("base") == query.base).then(straight).otherwise(pl.format("1/({})", straight))
    return rows.select(pl.col("ts_event").dt.date().alias("date"), path.alias("path"), *_DECIDED)


def rates_endpoint(*, days: tuple[Parameter, ...], fixing: Parameter, known: tuple[Parameter, ...]) -> Endpoint:
    """Return the endpoint of exchange rates; `known` are parameters of knowledge times."""
    pair = Parameter("pair", "What one unit of the first costs in the second.", example="EUR/USD", required=True)
    return Endpoint(
        name="rates",
        path=PATH,
        title="Exchange rates",
        about=(
            "The rates of a pair on the days of one fixing, as known at `as_of`: as quoted, turned round, or across a "
            "third currency, which `path` tells; those that were quoted also tell who agreed."
        ),
        example=f"{PATH}?pair=EUR/USD&start=2024-03-01&end=2024-03-08",
        parameters=(pair, *days, fixing, *known, form_of(TABLE_FORMATS)),
        formats=TABLE_FORMATS,
        columns=RATE,
    )
