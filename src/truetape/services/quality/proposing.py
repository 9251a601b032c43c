"""Propose repairs of providers' series: where a provider is far from the others, its series is searched for faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from truetape.domain.adjust import snap
from truetape.domain.identity import repair_id
from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.domain.messages import BatchNormalized, Edit
from truetape.domain.price_series import PriceSeries
from truetape.domain.schema import TABLES, empty
from truetape.domain.wire import pack, unpack
from truetape.services.quality.decided import OPERATOR, decided_bars, in_force
from truetape.services.quality.grade import Grades
from truetape.services.quality.repairs import KINDS, Repair, find_repairs

FAR: Final = 0.02  # share of the golden close by which a claim is off that makes its series worth a search
APART: Final = 1.5  # ratio of two dividends of one ex-date that makes the series of the odd one worth a search
SEARCHED: Final = "1d"  # timeframe of the series that are searched
_REPAIRS: Final = TABLES["repairs"].columns
_PAID: Final = ("dividend", "special_dividend")


def proposed(batch: BatchNormalized, grades: Grades) -> bytes:
    """Return the repairs that `batch`, graded as `grades`, proposes: packed rows of repairs; b"" for none."""
    quiet = grades.quarantined.is_empty() and not batch.actions and (grades.findings["severity"] == "note").all()
    if batch.timeframe != SEARCHED or batch.kind != "bars" or quiet:
        return b""
    claims = decided_bars(unpack(batch.frame), in_force(batch.decisions))
    actions = unpack(batch.actions) if batch.actions else empty(TABLES["action_claims"].columns)
    rows = proposals(claims, actions, grades, batch)
    return b"" if rows.is_empty() else pack(rows)


def proposals(claims: pl.DataFrame, actions: pl.DataFrame, grades: Grades, batch: BatchNormalized) -> pl.DataFrame:
    """Return repairs of the providers' series, schema repairs, as proposed.

    Only what lies between the dates of `batch` is repaired; what stands before it says what is usual.

    Args:
        claims: The bars as they were graded, schema bar_claims, basis raw, of one instrument.
        actions: The claims about its actions, schema action_claims, basis raw.
        grades: What became of `claims`.
        batch: The batch that they came in.
    """
    rows = [
        row
        for provider in suspects(claims, actions, grades)
        for row in _searched(claims.filter(pl.col("provider") == provider), actions, batch)
    ]
    kept = {name: pl.Int64() if dtype == INSTANT else dtype for name, dtype in _REPAIRS.items()}
    return pl.DataFrame(rows, schema=kept).with_columns(pl.col("ts_known").cast(INSTANT))


def suspects(claims: pl.DataFrame, actions: pl.DataFrame, grades: Grades) -> list[str]:
    """Return the providers whose series are worth a search, in alphabetical order.

    Those are the ones with a claim that was kept out and is far from the golden close or has none beside it, with a
    dividend of quite another size than another provider's, or with no other provider beside them where a check found
    more than a note.
    """
    out = grades.quarantined.join(
        grades.golden.select("ts_event", pl.col("close").alias("won")), on="ts_event", how="left"
    )
    far = ((pl.col("close") / pl.col("won") - 1).abs() > FAR).fill_null(value=True)
    found = set(out.filter(far)["provider"])
    paid = actions.filter(pl.col("type").is_in(_PAID), pl.col("value") > 0)
    usual = pl.col("value").median().over("ex_date", "type")
    ratio = pl.max_horizontal(pl.col("value") / usual, usual / pl.col("value"))
    found |= set(paid.filter(ratio > APART)["provider"])
    everybody = set(claims["provider"]) - {OPERATOR}
    if len(everybody) == 1 and not grades.findings.filter(pl.col("severity") != "note").is_empty():
        found |= everybody
    return sorted(found & everybody)


def _searched(own: pl.DataFrame, actions: pl.DataFrame, batch: BatchNormalized) -> Iterator[dict[str, Any]]:
    """Yield the rows of the repairs that one provider's series needs."""
    own = own.sort("ts_event")
    shares = _shares(own, _splits(actions))
    told = actions.filter(pl.col("provider") == own["provider"][0])
    reached: dict[tuple[int, str], float | None] = {}  # where earlier repairs have brought a value
    for found in find_repairs(_series(own, told, _splits(actions), shares)):
        edits = {"bars": _bar_edits(own, shares, found), "actions": _dividend_edits(own, told, shares, found)}
        for record, made in edits.items():
            following = [_after(edit, reached) for edit in made if _within(edit, batch)]
            if following:
                yield _row(found, record, following, provider=own["provider"][0], batch=batch)


def _after(edit: Edit, reached: dict[tuple[int, str], float | None]) -> Edit:
    """Return `edit` as it begins where earlier repairs of the same value have ended, and note where it ends."""
    place = (edit.ts_event, edit.column)
    following = Edit(edit.ts_event, edit.column, reached.get(place, edit.before), edit.after)
    reached[place] = edit.after
    return following


def _series(own: pl.DataFrame, told: pl.DataFrame, splits: pl.DataFrame, shares: np.ndarray) -> PriceSeries:
    """Return the claims as providers publish them: adjusted for splits, with the actions beside the bars."""
    count = pl.Series(shares)
    columns = [pl.col("ts_event").alias("ts"), pl.col("ts_event").dt.date().alias("date")]
    prices = [pl.col(name) / count for name in OHLCV_COLUMNS if name != "volume"]
    frame = own.select(*columns, *prices, pl.col("volume") * count, "adj_close")
    if frame["adj_close"].null_count() == len(frame):
        frame = frame.drop("adj_close")
    cash = told.filter(pl.col("type").is_in(_PAID)).group_by("ex_date").agg(pl.col("value").sum().alias("dividends"))
    beside = frame.join(cash, left_on="date", right_on="ex_date", how="left", maintain_order="left")
    beside = beside.with_columns(pl.col("dividends").fill_null(0.0) / count)
    ratios = splits.rename({"value": "splits"})
    beside = beside.join(ratios, left_on="date", right_on="ex_date", how="left", maintain_order="left")
    return PriceSeries(beside.with_columns(pl.col("splits").fill_null(0.0)), SEARCHED, own["currency"][0])


def _splits(actions: pl.DataFrame) -> pl.DataFrame:
    """Return `ex_date` (ascending) and `value` of the splits that most providers tell."""
    told = actions.filter(pl.col("type") == "split", pl.col("value") > 0).group_by("ex_date", "value").len()
    ranked = told.sort(["ex_date", "len", "value"], descending=[False, True, False])
    return ranked.unique("ex_date", keep="first", maintain_order=True).select("ex_date", "value")


def _shares(own: pl.DataFrame, splits: pl.DataFrame) -> np.ndarray:
    """Return, for each bar, the shares of today for one of then."""
    later = np.append(np.cumprod(splits["value"].to_numpy()[::-1])[::-1], 1.0)
    places = splits["ex_date"].search_sorted(own["ts_event"].dt.date(), side="right")
    return np.asarray(later[places.to_numpy()])


def _bar_edits(own: pl.DataFrame, shares: np.ndarray, found: Repair) -> Iterator[Edit]:
    stamps = own["ts_event"].cast(pl.Int64)
    for change in found.changes:
        if change.column not in OHLCV_COLUMNS:
            continue
        rows, held = list(change.rows), own[change.column]
        count = 1.0 / shares[rows] if change.column == "volume" else shares[rows]
        for row, after in zip(rows, _as_traded(change.after, count), strict=True):
            yield Edit(stamps[row], change.column, held[row], after)


def _dividend_edits(own: pl.DataFrame, told: pl.DataFrame, shares: np.ndarray, found: Repair) -> Iterator[Edit]:
    """Yield what becomes of the dividends; a day that pays two of them is left alone."""
    stamps, days = own["ts_event"].cast(pl.Int64), own["ts_event"].dt.date()
    for change in (one for one in found.changes if one.column == "dividends"):
        values = _as_traded(change.after, shares[list(change.rows)])
        for row, after in zip(change.rows, values, strict=True):
            before = told.filter(pl.col("ex_date") == days[row], pl.col("type").is_in(_PAID))
            if len(before) <= 1:
                kind = before["type"][0] if len(before) else "dividend"
                yield Edit(stamps[row], kind, before["value"][0] if len(before) else None, after or None)


def _as_traded(values: tuple[float | None, ...], count: np.ndarray) -> list[float | None]:
    """Return split-adjusted `values` times `count`, rounded as far as the way there and back has blurred them."""
    frame = pl.DataFrame({"value": pl.Series(values, dtype=pl.Float64), "count": count})
    back = frame.with_columns(pl.col("value") * pl.col("count"))
    return back.select(snap(pl.col("value")))["value"].to_list()


def _within(edit: Edit, batch: BatchNormalized) -> bool:
    day = np.datetime64(edit.ts_event, "ns").astype("datetime64[D]").item()
    return bool(batch.start <= day <= batch.end)


def _row(found: Repair, record: str, edits: list[Edit], *, provider: str, batch: BatchNormalized) -> dict[str, Any]:
    told = msgspec.json.encode(edits)
    days = [np.datetime64(edit.ts_event, "ns").astype("datetime64[D]").item() for edit in edits]
    series = f"{provider}:{batch.timeframe}:{record}"
    return {
        "repair_id": repair_id(instrument=batch.instrument_id, series=series, kind=found.kind, edits=told),
        "instrument_id": batch.instrument_id,
        "record": record,
        "timeframe": batch.timeframe,
        "provider": provider,
        "start": min(days),
        "end": max(days),
        "columns": ",".join(dict.fromkeys(edit.column for edit in edits)),
        "rows": len({edit.ts_event for edit in edits}),
        "kind": found.kind,
        "factor": found.factor,
        "edits": told.decode(),
        "explanation": f"{provider}: {KINDS[found.kind]}",
        "evidence": found.evidence,
        "confidence": found.confidence,
        "state": "proposed",
        "decision_id": "",
        "decided_by": "",
        "ts_known": batch.ts_known,
        "version": 0,
        "simulated": batch.simulated,
    }
