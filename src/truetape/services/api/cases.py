"""Look into what waits for a decision: lists of quarantined claims and repairs, and the evidence about one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.errors import UnknownTarget
from truetape.domain.kinds import OHLCV_COLUMNS
from truetape.domain.schema import TABLES
from truetape.domain.time import DERIVED_TIMEFRAMES
from truetape.ports.store import Selection
from truetape.services.api.answers import Answers, Page
from truetape.services.api.docket import (
    CLAIM_PREFIX,
    REPAIR_PREFIX,
    instrument_of,
    listed_claims,
    listed_repairs,
    words_of,
)
from truetape.services.api.explain import as_traded
from truetape.services.api.paging import Position
from truetape.services.api.query import DocketQuery
from truetape.services.api.reading import Reading
from truetape.services.api.render import written

MOST_EDITS: Final = 200  # values that a repair is shown with
NEIGHBOURS: Final = 3  # bars shown before and after
_AROUND: Final = timedelta(days=14)
_BAR: Final = ("ts_event", *OHLCV_COLUMNS)
_LIST: Final = {CLAIM_PREFIX: "truetape quarantine list", REPAIR_PREFIX: "truetape repair list"}

Row = dict[str, Any]


class ClaimCase(msgspec.Struct, frozen=True, kw_only=True):
    """A quarantined claim with what speaks for and against it. Instants are ISO 8601, prices as traded."""

    claim: Row
    others: tuple[Row, ...]  # what every provider says about the bar, this one too
    golden: tuple[Row, ...]  # every version of the golden row; a withdrawal has no values
    neighbours: tuple[Row, ...]  # bars before and after: the golden close and the provider's
    findings: tuple[Row, ...]
    decisions: tuple[Row, ...]  # about claims of this bar, the oldest first


class RepairCase(msgspec.Struct, frozen=True, kw_only=True):
    """A repair with every value before and after."""

    repair: Row
    evidence: str
    edits: tuple[Row, ...]  # the first of them
    more_edits: int  # that are not shown
    decisions: tuple[Row, ...]  # about it, the oldest first


class Cases:
    """Answer questions about what is quarantined and repaired."""

    def __init__(self, reading: Reading, answers: Answers) -> None:
        self._store = reading
        self._answers = answers

    async def claims(self, query: DocketQuery, *, limit: int | None = None, position: Position | None = None) -> Page:
        """Return quarantined claims, columns docket.QUARANTINED, the newest first.

        Raises:
            UnknownSymbol, BadInput: A symbol means nothing, or too much.
            StoreUnavailable: The store cannot be read now.
        """
        one = await self._instruments(query)
        wanted = Selection(equal=one, start=query.start, end=query.end, as_of=self._store.as_of)
        found = listed_claims(
            await self._store.read("quarantine", wanted),
            await self._store.read("decisions", Selection(equal=one, as_of=self._store.as_of)),
            await self._symbols(),
            query,
        )
        return _page(found, limit, position)

    async def repairs(self, query: DocketQuery, *, limit: int | None = None, position: Position | None = None) -> Page:
        """Return repairs, columns docket.REPAIR, the newest first.

        Raises:
            UnknownSymbol, BadInput: A symbol means nothing, or too much.
            StoreUnavailable: The store cannot be read now.
        """
        wanted = Selection(equal=await self._instruments(query), as_of=self._store.as_of)
        rows = await self._store.read("repairs", wanted)
        return _page(listed_repairs(rows, await self._symbols(), query), limit, position)

    async def claim(self, target: str) -> Row:
        """Return the row of docket.QUARANTINED that `target` is the id of; its instants are datetimes.

        Raises:
            UnknownTarget: There is none.
        """
        one = {"instrument_id": (_instrument(target, CLAIM_PREFIX),)}
        rows = listed_claims(
            await self._store.read("quarantine", Selection(equal=one)),
            await self._store.read("decisions", Selection(equal=one)),
            await self._symbols(),
            DocketQuery(),
        )
        return _only(rows.filter(pl.col("id") == target), target)

    async def repair(self, target: str) -> Row:
        """Return the current row of the table repairs that `target` is the id of.

        Raises:
            UnknownTarget: There is none.
        """
        one = {"instrument_id": (_instrument(target, REPAIR_PREFIX),)}
        rows = await self._store.read("repairs", Selection(equal=one))
        return _only(rows.filter(pl.col("repair_id") == target), target)

    async def claim_case(self, target: str) -> ClaimCase:
        """Return the quarantined claim `target` with its evidence.

        Raises:
            UnknownTarget: There is none.
        """
        claim = await self.claim(target)
        day, about = claim["ts_event"].date(), pl.col("ts_event") == claim["ts_event"]
        one = {"instrument_id": (claim["instrument_id"],)}
        series = {**one, "timeframe": (claim["timeframe"],)}
        around = _AROUND if claim["timeframe"] in ("1d", *DERIVED_TIMEFRAMES) else timedelta()
        wide = Selection(equal=series, start=day - around, end=day + around)
        claims = await self._store.read("bar_claims", wide)
        actions = await self._store.read("actions", Selection(equal=one))
        splits = actions.filter(pl.col("type") == "split").select("ex_date", "value").sort("ex_date")
        told = Selection(equal=series, start=day, end=day, history=True)
        golden = [await self._store.read("bars", one) for one in (told, replace(told, withdrawn=True))]
        findings = await self._store.read("findings", Selection(equal=series, start=day, end=day))
        own = claims.filter(pl.col("provider") == claim["provider"])
        return ClaimCase(
            claim=_told(pl.DataFrame([claim]))[0],
            others=_others(claims.filter(about), splits),
            golden=_told(pl.concat(golden).filter(about).sort("version")),
            neighbours=_neighbours(await self._store.read("bars", wide), own, splits, about),
            findings=_told(findings.filter(about).drop("round_id")),
            decisions=await self._decisions(claim["instrument_id"], _about(claim)),
        )

    async def repair_case(self, target: str) -> RepairCase:
        """Return the repair `target` with its values before and after.

        Raises:
            UnknownTarget: There is none.
        """
        row = await self.repair(target)
        symbols = await self._symbols()
        listed = listed_repairs(pl.DataFrame([row], schema=TABLES["repairs"].columns), symbols, DocketQuery())
        edits = msgspec.json.decode(row["edits"])
        shown = pl.DataFrame(
            edits[:MOST_EDITS],
            schema={"ts_event": pl.Int64(), "column": pl.String(), "before": pl.Float64(), "after": pl.Float64()},
            orient="row",
        ).with_columns(pl.col("ts_event").cast(pl.Datetime("ns", "UTC")))
        return RepairCase(
            repair=_told(listed)[0],
            evidence=row["evidence"],
            edits=_told(shown),
            more_edits=max(0, len(edits) - MOST_EDITS),
            decisions=await self._decisions(row["instrument_id"], pl.col("target") == target),
        )

    async def _decisions(self, instrument: str, about: pl.Expr) -> tuple[Row, ...]:
        rows = await self._store.read("decisions", Selection(equal={"instrument_id": (instrument,)}))
        return tuple(words_of(one) for one in _told(rows.filter(about).sort("ts_known", "decision_id")))

    async def _instruments(self, query: DocketQuery) -> dict[str, tuple[str, ...]]:
        found = [
            (await self._answers.listing(symbol, start=query.start, end=query.end)).instrument_id
            for symbol in query.symbols
        ]
        return {"instrument_id": tuple(found)} if found else {}

    async def _symbols(self) -> pl.DataFrame:
        """Return the newest symbol of each instrument."""
        listings = await self._store.read("listings", Selection(columns=("instrument_id", "symbol", "valid_to")))
        newest = listings.sort("valid_to", "symbol", nulls_last=True)
        return newest.unique("instrument_id", keep="last", maintain_order=True).select("instrument_id", "symbol")


def _page(rows: pl.DataFrame, limit: int | None, position: Position | None) -> Page:
    begin = position.place if position is not None else 0
    following = None if limit is None or begin + limit >= len(rows) else Position(place=begin + limit)
    return Page(rows.slice(begin, limit), following)


def _instrument(target: str, prefix: str) -> str:
    if not target.startswith(prefix) or not instrument_of(target):
        example = f"{prefix}ei425s3rnxga_..."
        fix = f"Such an id looks like {example}; list them with `{_LIST[prefix]}`."
        raise UnknownTarget(target=target[:80], fix=fix)
    return instrument_of(target)


def _only(rows: pl.DataFrame, target: str) -> Row:
    if rows.is_empty():
        command = next(words for prefix, words in _LIST.items() if target.startswith(prefix))
        raise UnknownTarget(target=target[:80], fix=f"List what there is with `{command}`.")
    return rows.row(0, named=True)


def _told(rows: pl.DataFrame) -> tuple[Row, ...]:
    return tuple(written(rows).iter_rows(named=True))


def _about(claim: Row) -> pl.Expr:
    day = pl.lit(claim["ts_event"].date())
    return pl.all_horizontal(pl.col("timeframe") == claim["timeframe"], pl.col("start") <= day, pl.col("end") >= day)


def _others(claims: pl.DataFrame, splits: pl.DataFrame) -> tuple[Row, ...]:
    """Return each provider's newest claim about one bar, as it said it, with its prices as traded."""
    newest = claims.sort("ts_known", "payload").unique("provider", keep="last", maintain_order=True).sort("provider")
    told = _told(newest.drop("instrument_id", "timeframe", "running", "simulated"))
    traded = [as_traded(newest[number], splits) for number in range(len(newest))]
    return tuple(
        {**row, "as_traded": prices and msgspec.to_builtins(prices)} for row, prices in zip(told, traded, strict=True)
    )


def _neighbours(golden: pl.DataFrame, own: pl.DataFrame, splits: pl.DataFrame, about: pl.Expr) -> tuple[Row, ...]:
    """Return the bars around one, and itself: the golden close, and what the provider said, as traded."""
    newest = own.sort("ts_known", "payload").unique("ts_event", keep="last", maintain_order=True)
    said = [as_traded(newest[number], splits) for number in range(len(newest))]
    closes = newest.select("ts_event").with_columns(
        pl.Series("claimed", [prices.close if prices else None for prices in said], dtype=pl.Float64)
    )
    both = golden.select("ts_event", pl.col("close").alias("golden")).join(
        closes, on="ts_event", how="full", coalesce=True
    )
    rows = both.sort("ts_event").with_row_index("row")
    place = rows.filter(about)["row"]
    near = rows.filter((pl.col("row").cast(pl.Int64) - place.cast(pl.Int64).first()).abs() <= NEIGHBOURS)
    return _told(near.drop("row"))
