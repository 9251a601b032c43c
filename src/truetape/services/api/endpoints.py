"""What can be asked at which path: the one table that requests are checked by and the documents are written from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from truetape.domain.adjustments import ABOUT, ANCHORED, ANY_ADJUSTMENT
from truetape.domain.fixings import FIXINGS
from truetape.domain.schema import TABLES
from truetape.domain.time import TIMEFRAMES
from truetape.services.api.announced import announced_endpoints
from truetape.services.api.answers import ACTION, BAR, DERIVED_FROM, LEVEL, LISTING
from truetape.services.api.calendars import calendar_endpoints
from truetape.services.api.class_endpoints import class_endpoints
from truetape.services.api.config import ApiConfig
from truetape.services.api.docket import (
    CLAIM_PREFIX,
    CLAIM_STATES,
    QUARANTINED,
    REPAIR,
    REPAIR_PREFIX,
    REPAIR_STATES,
)
from truetape.services.api.endpoint import Endpoint, form_of, kept_endpoints, stream_of
from truetape.services.api.factors import factors_endpoint
from truetape.services.api.formats import PAGE_FORMATS, TABLE_FORMATS
from truetape.services.api.master import master_endpoints
from truetape.services.api.parameters import Parameter
from truetape.services.api.rates import rates_endpoint
from truetape.services.api.ticks import TICKS

_DATE: Final = {"type": "string", "format": "date"}

SYMBOLS = Parameter(
    "symbols",
    "Symbols or instrument ids, separated by commas; answered in this order. An old ticker means what it meant then.",
    example="AAPL,MSFT",
    required=True,
)
START = Parameter("start", "First session date, inclusive (YYYY-MM-DD).", example="2005-02-25", schema=_DATE)
END = Parameter("end", "Last session date, inclusive (YYYY-MM-DD).", example="2005-03-01", schema=_DATE)
AS_OF = Parameter(
    "as_of",
    "Answer as known at this instant (ISO 8601 with a zone), or at 00:00 UTC of this date. Left out: as known now.",
    example="2024-06-10T20:00:00Z",
    schema={"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]},
)
SNAPSHOT = Parameter(
    "snapshot",
    "Answer from the state of the store that has this name, see /v1/snapshots; what it returns never changes.",
    example="eod-2026-11-20",
)
CURRENCY = Parameter(
    "currency",
    "Prices in this currency (ISO 4217, or a part of one such as GBp), each bar by the newest fixing that was out when "
    "it ended; the rate, its path, date and age stand in columns of their own. Volumes stay. Left out: as traded.",
    example="EUR",
)
FIXING = Parameter(
    "fixing",
    "By whose rates: " + "; ".join(f"{name}: {one.title}" for name, one in FIXINGS.items()) + ". Left out: the first "
    "of these that has rates.",
    choices=tuple(FIXINGS),
)
FROM = Parameter(
    "start",
    "From this instant (ISO 8601 with a zone, to the nanosecond), inclusive; a date means its 00:00 UTC.",
    example="2024-06-10T13:30:00Z",
    required=True,
    schema=AS_OF.schema,
)
UNTIL = Parameter(
    "end",
    "Until this instant, exclusive; a date includes its day.",
    example="2024-06-10T20:00:00Z",
    required=True,
    schema=AS_OF.schema,
)
PROVIDER = Parameter("provider", "Who told them; left out: anybody.", example="alpaca")
CURSOR = Parameter("cursor", "The `next` of the page before, as it is.")


def endpoints(config: ApiConfig) -> dict[str, Endpoint]:
    """Return every endpoint of data, by name."""
    limit = Parameter(
        "limit",
        f"The most rows on one page, from 1 to {config.max_limit}.",
        default=str(config.default_limit),
        schema={"type": "integer", "minimum": 1, "maximum": config.max_limit},
    )
    found = [
        _bars(limit),
        stream_of(_bars(limit)),
        _instruments(limit),
        *master_endpoints(limit=limit, known=(AS_OF, SNAPSHOT)),
        *_ticks(limit),
        _actions(),
        factors_endpoint(symbols=SYMBOLS, days=(START, END), known=(AS_OF, SNAPSHOT)),
        _levels(),
        _explanation(),
        *_cases(limit),
        *kept_endpoints(),
        *announced_endpoints(symbols=SYMBOLS, days=(START, END), known=(AS_OF, SNAPSHOT)),
        *calendar_endpoints(days=(START, END), known=(AS_OF, SNAPSHOT)),
        *class_endpoints(limit, known=(AS_OF, SNAPSHOT), cursor=CURSOR),
        rates_endpoint(days=(START, END), fixing=FIXING, known=(AS_OF, SNAPSHOT)),
    ]
    return {endpoint.name: endpoint for endpoint in found}


def _bars(limit: Parameter) -> Endpoint:
    return Endpoint(
        name="bars",
        path="/v1/bars",
        title="Bars",
        about=(
            "Golden bars: the prices that the providers agree on, with the verdict on each. Stored prices are as "
            "traded; `adjustment` applies the factors known at `as_of`. Bars of a timeframe that was not acquired are "
            "made of finer ones, which `derived_from` names. A weekly bar carries its Monday, a monthly one the first "
            "of its month; both are always whole."
        ),
        example="/v1/bars?symbols=AAPL&start=2005-02-25&end=2005-03-01&adjustment=all",
        parameters=(
            SYMBOLS,
            Parameter(
                "timeframe",
                "Length of a bar, as it was acquired, or else made of finer ones.",
                choices=TIMEFRAMES,
                default="1d",
            ),
            START,
            END,
            Parameter("adjustment", ABOUT, choices=ANY_ADJUSTMENT, default="raw"),
            Parameter("anchor", ANCHORED, example="2005-02-28", schema=_DATE),
            CURRENCY,
            FIXING,
            AS_OF,
            SNAPSHOT,
            form_of(TABLE_FORMATS),
            limit,
            CURSOR,
        ),
        formats=TABLE_FORMATS,
        columns={"symbol": pl.String(), **_typed("bars", BAR), DERIVED_FROM: pl.String()},
    )


def _ticks(limit: Parameter) -> list[Endpoint]:
    told = {
        "trades": "Every trade as it was told, to the nanosecond; corrections and cancels are rows of their own.",
        "quotes": "Every quote as it was told, to the nanosecond.",
    }
    parameters = (SYMBOLS, FROM, UNTIL, PROVIDER, AS_OF, SNAPSHOT, form_of(TABLE_FORMATS), limit, CURSOR)
    return [
        Endpoint(
            name=name,
            path=f"/v1/{name}",
            title=name.capitalize(),
            about=f"{about} Symbol by symbol, each in the order of time; at one instant, by provider.",
            example=f"/v1/{name}?symbols=AAPL&start=2024-06-10T13:30:00Z&end=2024-06-10T13:31:00Z",
            parameters=parameters,
            formats=TABLE_FORMATS,
            columns={"symbol": pl.String(), **_typed(name, TICKS[name])},
        )
        for name, about in told.items()
    ]


def _instruments(limit: Parameter) -> Endpoint:
    typed = {**_typed("instruments", LISTING), **_typed("listings", (*LISTING, "simulated"))}
    return Endpoint(
        name="instruments",
        path="/v1/instruments",
        title="Instruments",
        about="Listings and their instruments. An instrument keeps its id whatever its ticker does.",
        example="/v1/instruments?q=apple",
        parameters=(
            Parameter("q", "Part of a symbol or a name, in either case.", example="apple"),
            Parameter("symbols", "Symbols or instrument ids, separated by commas.", example="AAPL,MSFT"),
            Parameter("within", "Only of this class today: a taxonomy, a colon, its code or name.", example="gics:45"),
            SNAPSHOT,
            form_of(TABLE_FORMATS),
            limit,
            CURSOR,
        ),
        formats=TABLE_FORMATS,
        columns={name: typed[name] for name in (*LISTING, "simulated")},
    )


def _actions() -> Endpoint:
    return Endpoint(
        name="actions",
        path="/v1/corporate-actions",
        title="Corporate actions",
        about="Splits (new shares for one old) and dividends (cash per share, as paid then) by ex-date.",
        example="/v1/corporate-actions?symbols=AAPL",
        parameters=(SYMBOLS, START, END, AS_OF, SNAPSHOT, form_of(TABLE_FORMATS)),
        formats=TABLE_FORMATS,
        columns={"symbol": pl.String(), **_typed("actions", ACTION)},
    )


def _levels() -> Endpoint:
    index = Parameter("index", "Id of the index.", example="EW5", required=True)
    return Endpoint(
        name="levels",
        path="/v1/index-levels",
        title="Index levels",
        about="Daily levels of an index that truetape computes.",
        example="/v1/index-levels?index=EW5",
        parameters=(index, START, END, AS_OF, SNAPSHOT, form_of(TABLE_FORMATS)),
        formats=TABLE_FORMATS,
        columns=_typed("index_levels", LEVEL),
    )


def _explanation() -> Endpoint:
    return Endpoint(
        name="explanation",
        path="/v1/explain/{symbol}/{ts}",
        title="Explain a price",
        about=(
            "Why a daily bar is what it is: every provider's claim, the vote, what was kept out, the versions, and "
            "the splits and dividends that adjust it. `format=text` is for reading."
        ),
        example="/v1/explain/AAPL/2005-02-28?format=text",
        parameters=(AS_OF, SNAPSHOT, form_of(PAGE_FORMATS)),
        formats=PAGE_FORMATS,
        columns={},
        path_parameters=(
            Parameter("symbol", "A symbol or an instrument id.", example="AAPL", required=True),
            Parameter("ts", "A session date, or an instant on it.", example="2005-02-28", required=True),
        ),
    )


def _cases(limit: Parameter) -> list[Endpoint]:
    return [
        _docket(
            "quarantine",
            title="Quarantine",
            about=(
                "Claims that were kept out of the vote or lost it, the newest first, with why and what was decided. "
                "POST to /v1/quarantine/{id}/decision to accept, correct or reject one."
            ),
            reason=Parameter("reason", "Why a claim was kept out.", example="hundredfold"),
            states=CLAIM_STATES,
            columns=QUARANTINED,
            limit=limit,
        ),
        _case("quarantine", "A quarantined claim with its evidence: all claims about the bar, neighbours, versions."),
        _docket(
            "repairs",
            title="Repairs",
            about=(
                "Corrections of providers' series that were found, the newest first. POST to /v1/repairs/{id}/decision "
                "to apply, undo or reject one."
            ),
            reason=Parameter("reason", "The kind of fault.", example="unit_flip"),
            states=REPAIR_STATES,
            columns=REPAIR,
            limit=limit,
        ),
        _case("repairs", "A repair with every value before and after, and the decisions about it."),
    ]


def _docket(
    name: str,
    *,
    title: str,
    about: str,
    reason: Parameter,
    states: tuple[str, ...],
    columns: Mapping[str, pl.DataType],
    limit: Parameter,
) -> Endpoint:
    return Endpoint(
        name=name,
        path=f"/v1/{name}",
        title=title,
        about=about,
        example=f"/v1/{name}?state={states[0]}",
        parameters=(
            Parameter("symbols", "Symbols or instrument ids, separated by commas.", example="AAPL,MSFT"),
            Parameter("provider", "Whose claims.", example="yahoo"),
            reason,
            Parameter("state", "What was decided about it.", choices=states),
            START,
            END,
            form_of(TABLE_FORMATS),
            limit,
            CURSOR,
        ),
        formats=TABLE_FORMATS,
        columns=columns,
    )


def _case(name: str, about: str) -> Endpoint:
    prefix = {"quarantine": CLAIM_PREFIX, "repairs": REPAIR_PREFIX}[name]
    example = f"{prefix}ei425s3rnxga_jdknlqycqvrl"
    return Endpoint(
        name=f"{name}_case",
        path=f"/v1/{name}/{{target}}",
        title=f"One of {name}",
        about=f"{about} `format=text` is for reading.",
        example=f"/v1/{name}/{example}?format=text",
        parameters=(form_of(PAGE_FORMATS),),
        formats=PAGE_FORMATS,
        columns={},
        path_parameters=(Parameter("target", f"An id of /v1/{name}.", example=example, required=True),),
    )


def _typed(table: str, names: tuple[str, ...]) -> dict[str, Any]:
    columns = TABLES[table].columns
    return {name: columns[name] for name in names if name in columns}
