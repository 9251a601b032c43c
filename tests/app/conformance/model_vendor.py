"""A provider of our own making that has every record kind, comes in pages and can fail in every way.

Its bodies are columns as arrays, in the names of our schema: `{"rows": {"close": [1.5]}, "next": "200"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import msgspec
import polars as pl
from model_feed import ModelFeed

from truetape.app.conformance import Subject
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Desk, Query, Reply
from truetape.app.sandbox.truth import View, last_quote
from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.capability import Declaration, Offer
from truetape.domain.decoding import Payload, decoded, levels
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Allowance
from truetape.domain.refusals import by_page, by_status, cut, plain, with_headers
from truetape.domain.schema import DECODED, INSTANT
from truetape.ports.http import Http
from truetape.ports.provider import Provider

ROWS = 700  # of one page
STAMP = pl.col("ts_event")
NEEDED = {
    "bars": "close",
    "actions": "ex_date",
    "quotes": "price",
    "trades": "price",
    "listings": "symbol",
    "fx_rates": "rate",
    "index_levels": "level",
    "observations": "period",
}
SAID = {
    "slow down": FailureClass.THROTTLED,
    "budget": FailureClass.QUOTA,
    "not in your plan": FailureClass.ENTITLEMENT,
    "key": FailureClass.AUTH,
    "wrong": FailureClass.PERMANENT,
    "hiccup": FailureClass.TRANSIENT,
    "banned": FailureClass.BLOCKED,
    "session": FailureClass.CONFLICT,
    "nothing": FailureClass.EMPTY,
}
DECLARATION = Declaration(
    name="model",
    title="A model of a provider",
    offers=(
        Offer(kind="bars", timeframes=("1m", "1h", "1d", "1w"), depth_days={"1m": 30}, rows=ROWS, basis_intraday="raw"),
        *(Offer(kind=kind) for kind in NEEDED if kind != "bars"),
    ),
    basis="split",
    zone="America/New_York",
    feed="model",
    needs_key=True,
    key_variable="MODEL_KEY",
    calls_per_second=1.0,
)
PLANS = b'as_of = "2026-11"\ndefault = "free"\n[plans.free]\nwindows = [{ limit = 5, period = "minute" }]\n'


class Body(msgspec.Struct):
    """What it sends."""

    rows: dict[str, list[Any]]
    next: str = ""


class Error(msgspec.Struct):
    """What it says where it sends no rows."""

    error: str


def spell(symbol: str) -> str:
    return symbol.replace(".", "-").replace("/", "_")


class Client:
    """Ask the model."""

    def __init__(self, http: Http, *, base_url: str, key: str) -> None:
        self._http, self._base_url, self._key = http, base_url, key

    async def fetch(self, ask: Ask) -> Answer:
        asked = {"symbol": ask.symbol, "timeframe": ask.timeframe, "page": ask.page}
        days = {"from": str(ask.start or ""), "to": str(ask.end or "")}
        url = f"{self._base_url.rstrip('/')}/{ask.kind}"
        return await self._http.send(Request(url=url, params={**asked, **days}, secret_headers={"X-Key": self._key}))


def classify(answer: Answer) -> Failure | None:
    failure = by_body(answer.body)
    if failure is not None:
        return with_headers(until_reset(failure, answer), answer)
    return by_status(answer) or cut(answer, ends={b"{": b"}"})


def until_reset(failure: Failure, answer: Answer) -> Failure:
    reset, dated = (answer.headers.get(name, "") for name in ("x-reset", "date"))
    if not (reset and dated):
        return failure
    return msgspec.structs.replace(failure, retry_after_s=float(reset) - parsedate_to_datetime(dated).timestamp())


def by_body(body: bytes) -> Failure | None:
    page = by_page(body)
    if page is not None:
        return page
    try:
        said = msgspec.json.decode(body, type=Error).error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    found = next((one for words, one in SAID.items() if words in said), FailureClass.PERMANENT)
    return Failure(failure_class=found, words=plain(said.encode()) or "an error without words")


def reader(kind: str) -> Callable[[bytes, Ask], pl.DataFrame]:
    def decode(body: bytes, _ask: Ask) -> pl.DataFrame:
        payload = Payload(provider="model", kind=kind, body=body)
        rows = payload.parse_or_refuse(msgspec.json.Decoder(Body), by_body).rows
        if not rows:
            return decoded(kind, {NEEDED[kind]: []})
        schema = DECODED[kind]
        payload.aligned({NEEDED[kind]: rows.get(NEEDED[kind])}, length=len(next(iter(rows.values()))))
        payload.aligned(dict(rows), length=len(rows[NEEDED[kind]]))
        known = {name: column(payload, name, values, schema[name]) for name, values in rows.items() if name in schema}
        return decoded(kind, known)

    return decode


def column(payload: Payload, name: str, values: list[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.Date:
        return payload.series(values, pl.String(), field=name).str.to_date(strict=False)
    if dtype == INSTANT:
        return payload.series(values, pl.Int64(), field=name).cast(INSTANT)
    read = payload.series(values, dtype, field=name)
    if dtype == pl.Float64() and not read.drop_nulls().is_finite().all():
        raise payload.defect(f"a value of {name} was not finite")
    return read


def follow(answer: Answer, ask: Ask) -> Ask | None:
    try:
        mark = msgspec.json.decode(answer.body, type=Body).next
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return msgspec.structs.replace(ask, page=mark) if mark and mark != ask.page else None


def allowances(headers: Mapping[str, str]) -> tuple[Allowance, ...]:
    left = headers.get("x-ratelimit-remaining", "")
    return (
        (Allowance(unit="calls", period="minute", left=float(left)),)
        if left.isascii() and left.isdigit() and len(left) < 10
        else ()
    )


def provider(http: Http, *, base_url: str = "", key: str = "") -> Provider:
    return Provider(
        declaration=DECLARATION,
        client=Client(http, base_url=base_url, key=key),
        classify=classify,
        decode={kind: reader(kind) for kind in NEEDED},
        spell=spell,
        follow=follow,
        allowances=allowances,
        feed=partial(ModelFeed, key),
    )


def error(words: str, status: int = 200, **headers: str) -> Reply:
    return Reply(status, msgspec.json.encode({"error": words}), headers=headers)


class ModelDesk(Desk):
    """The model's desk."""

    routes = ("/{kind}",)
    key_header = "X-Key"
    throttled = Reply(429, error("slow down").body, headers={"X-RateLimit-Remaining": "0"})
    soft = error("slow down, please")
    spent = error("the budget is spent")
    reset_header = "X-Reset"
    drifting = "close"
    refusals = {failure_class: error(words) for words, failure_class in SAID.items()}  # noqa: RUF012

    def ours(self, symbol: str) -> str:
        return symbol.replace("-", ".").replace("_", "/")

    def refusal(self, query: Query) -> Reply | None:
        return None if query.keyed else error("an api key is needed", 401)

    def unknown(self, query: Query) -> Reply:
        return error(f"wrong symbol {query.symbol[:20]}", 404)

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        if query.parts["kind"] not in ("listings", "observations"):
            return None
        names = [spell(symbol) for symbol in dataset.symbols]
        if query.parts["kind"] == "listings":
            return written(pl.DataFrame({"symbol": names, "status": "active", "cik": "0000000001"}), "")
        return written(
            pl.DataFrame({"period": [date(2024, 1, 1)], "value": [3.0], "known_from": [date(2024, 2, 1)]}), ""
        )

    def data(self, truth: View, query: Query) -> Reply:
        first, last = (date.fromisoformat(query.params[name] or "2024-03-01") for name in ("from", "to"))
        frame = self.rows(truth.between(first, last), truth, query)
        if "symbol" in frame.columns:
            frame = frame.with_columns(pl.lit(spell(query.symbol)).alias("symbol"))
        return written(frame, query.params.get("page", ""))

    def rows(self, part: View, whole: View, query: Query) -> pl.DataFrame:
        kind, timeframe = query.parts["kind"], query.params["timeframe"]
        close = pl.col("close")
        rate = part.raw.select(
            pl.lit("EUR").alias("base"), pl.lit("USD").alias("quote"), "ts_event", close.alias("rate")
        )
        made: dict[str, Callable[[], pl.DataFrame]] = {
            "bars": lambda: bars(part, timeframe),
            "actions": lambda: part.split_actions,
            "quotes": lambda: last_quote(whole),
            "trades": part.trades,
            "fx_rates": lambda: rate,
            "index_levels": lambda: levels(part.raw),
        }
        return made[kind]()


def bars(part: View, timeframe: str) -> pl.DataFrame:
    if timeframe == "1d":
        return part.split
    if timeframe != "1w":
        return part.minutes(timeframe)
    week = part.split.group_by(STAMP.dt.truncate("1w"), maintain_order=True).agg(pl.all().exclude("ts_event").last())
    return week.with_columns(pl.lit("1w").alias("timeframe"))


def written(frame: pl.DataFrame, page: str) -> Reply:
    first = int(page or 0)
    part = frame.slice(first, ROWS)
    rows = {
        name: part[name].cast(pl.Int64 if dtype == INSTANT else pl.String if dtype == pl.Date else dtype).to_list()
        for name, dtype in part.schema.items()
    }
    following = str(first + ROWS) if first + ROWS < len(frame) else ""
    return Reply(200, msgspec.json.encode({"rows": rows if len(part) else {}, "next": following}))


def build(http: Http, base_url: str, key: str) -> Provider:
    return provider(http, base_url=base_url, key=key)


MODEL = Subject(name="model", declaration=DECLARATION, build=build, desk=ModelDesk(), plans=PLANS)
