"""Corporate actions as they are announced now, or were at any time: from what providers claim and operators state.

Nothing but what is given counts, in whatever order it came: claims and statements that were known at an instant give
the announcements as they were known then.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.action_fields import OPERATOR, Announcement, due, reconciled
from truetape.domain.action_matching import Group, matched
from truetape.domain.announced_messages import ActionStated
from truetape.domain.announced_terms import DATES, FIELDS, written
from truetape.domain.announcements import SAID, Life, Statement, life
from truetape.domain.distributions import CASH
from truetape.domain.entitlements import ratio
from truetape.domain.kinds import INSTANT
from truetape.domain.schema import TABLES
from truetape.domain.time import to_datetime
from truetape.domain.units import in_whole_units

LAPSED: Final = "lapsed"  # the basis of a claim that says that its provider no longer tells the action
IN_CASH: Final = ("merger", "redemption")  # types whose value is cash per share where no new symbol is named
DETAILS: Final = ("declared_date", "record_date", "pay_date", "new_symbol")
_CLAIM: Final = ("payload", "ex_date", "type", "provider")
_PLACES: Final = 6  # decimals of cash per share
_DIGITS: Final = 12


def announcement_id(*, instrument: str, source: str, kind: str, day: date | str) -> str:
    """Return the id of the action of `instrument` that `source` was the first to tell, as `kind` on `day`."""
    digest = hashlib.sha256(f"{instrument}:{source}:{kind}:{day}".encode()).hexdigest()[:_DIGITS]
    return f"ann_{instrument.removeprefix('ins_')}_{digest}"


def statement_id(*, announcement: str, said: str, fields: Mapping[str, str], actor: str, ts_known: int) -> str:
    """Return the id of what `actor` stated at `ts_known`, UTC nanoseconds."""
    told = msgspec.json.encode([announcement, said, sorted(fields.items()), actor, ts_known])
    return f"sta_{hashlib.sha256(told).hexdigest()[: 2 * _DIGITS]}"


def announcements(
    claims: pl.DataFrame, details: pl.DataFrame, stated: pl.DataFrame, *, trust: Mapping[str, float] = {}
) -> list[Announcement]:
    """Return the announcements about one instrument, by the date on which they take effect, those without one last.

    Args:
        claims: What providers claimed, schema action_claims.
        details: What they told beside, schema action_details.
        stated: What operators stated, schema action_statements.
        trust: The weight by provider; 1.0 where none is given.
    """
    return [one for one, _ in with_sources(claims, details, stated, trust=trust)]


def with_sources(
    claims: pl.DataFrame, details: pl.DataFrame, stated: pl.DataFrame, *, trust: Mapping[str, float] = {}
) -> list[tuple[Announcement, Group]]:
    """Return `announcements` with what each source says of them."""
    by_life: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for one in (*spoken(claims, details), *statements(stated)):
        by_life[one.source, one.announcement_id].append(one)
    lives = [one for one in map(life, by_life.values()) if one.status]
    sums = _sums(lives)
    groups = matched(lives)
    found = [(reconciled(one, together=_of_the_day(one, sums), trust=trust), one) for one in groups]
    return sorted(found, key=lambda one: (due(one[0], "effective_date") or date.max, one[0].announcement_id))


def spoken(claims: pl.DataFrame, details: pl.DataFrame) -> list[Statement]:
    """Return what providers' claims say, as statements: a first word, what they changed later, and that they lapsed.

    Cash that is told per share of a later count is brought back to the count of its ex-date, by the splits that most
    providers tell.
    """
    if claims.is_empty():
        return []
    rows = told_rows(claims, details)
    splits = _splits(claims)
    before: tuple[object, ...] = ()
    told: dict[str, str] = {}
    found = []
    for row in rows.iter_rows(named=True):
        which = (row["provider"], row["ex_date"], row["type"])
        told = told if which == before else {}
        lapsed = row["basis"] == LAPSED
        fields = {} if lapsed else _claimed(row, splits)
        changed = {name: text for name, text in fields.items() if told.get(name) != text}
        said = "withdrawn" if lapsed else "amended" if told else "announced"
        if changed or lapsed:
            found.append(_statement(row, said, fields if not told else changed))
        before, told = which, {} if lapsed else {**told, **fields}
    return found


def told_rows(claims: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """Return the claims that say something else than the one before them of their source and action, with details.

    Most claims repeat what their source said before in other bytes: while only such ones come, this stays the same.

    Args:
        claims: What providers claimed about one instrument, schema action_claims.
        details: What they told beside, schema action_details.
    """
    beside = details.select(*_CLAIM, *DETAILS).unique(_CLAIM, keep="last", maintain_order=True)
    whole = in_whole_units(claims, amounts=("value",)) if (claims["type"].is_in(CASH)).any() else claims
    joined = whole.join(beside, on=list(_CLAIM), how="left")
    ordered = joined.sort("provider", "ex_date", "type", "ts_known", "payload")
    return ordered.filter(_changes(ordered.columns)).with_columns(pl.col("ts_known").cast(pl.Int64))


def statements(rows: pl.DataFrame) -> list[Statement]:
    """Return what operators stated about announcements, of rows of action_statements."""
    told = rows.filter(pl.col("said").is_in(SAID)).with_columns(pl.col("ts_known").cast(pl.Int64))
    return [
        Statement(
            statement_id=row["statement_id"],
            announcement_id=row["announcement_id"],
            instrument_id=row["instrument_id"],
            source=OPERATOR,
            said=row["said"],
            fields=msgspec.json.decode(row["fields"], type=dict[str, str]),
            ts_known=row["ts_known"],
        )
        for row in told.iter_rows(named=True)
    ]


def statement_rows(told: Iterable[ActionStated]) -> pl.DataFrame:
    """Return what was `told` as rows of the table action_statements."""
    columns = TABLES["action_statements"].columns
    rows = [
        {
            **{name: getattr(one, name) for name in columns if name != "fields"},
            "fields": msgspec.json.encode(one.fields).decode(),
        }
        for one in told
    ]
    frame = pl.DataFrame(rows, schema={**columns, "ts_known": pl.Int64()})
    return frame.with_columns(pl.col("ts_known").cast(INSTANT))


def elected(rows: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Return the option that was chosen last, by account and announcement, of rows of action_statements."""
    chosen = rows.filter(pl.col("said") == "elected").sort("ts_known", "statement_id")
    found: dict[tuple[str, str], str] = {}
    for announcement, told in chosen.select("announcement_id", "fields").iter_rows():
        fields = msgspec.json.decode(told, type=dict[str, str])
        found[fields.get("account", ""), announcement] = fields.get("option", "")
    return found


def announcement_rows(found: Sequence[Announcement], *, ts_known: int, simulated: bool) -> pl.DataFrame:
    """Return `found` as rows of the table announcements, known since `ts_known`, UTC nanoseconds."""
    columns = TABLES["announcements"].columns
    rows = [
        {
            **{name: one.fields.get(name, "") for name in FIELDS},
            **{name: due(one, name) for name in DATES},
            "announcement_id": one.announcement_id,
            "instrument_id": one.instrument_id,
            "status": one.status,
            "sources": ",".join(one.sources),
            "dissented": ",".join(one.dissented),
            "made_of": msgspec.json.encode(one.made_of).decode(),
            "ts_known": ts_known,
            "version": 0,
            "simulated": simulated,
        }
        for one in found
    ]
    frame = pl.DataFrame(rows, schema={**columns, "ts_known": pl.Int64()})
    return frame.with_columns(pl.col("ts_known").cast(INSTANT))


def _changes(columns: Sequence[str]) -> pl.Expr:
    """Whether a claim says something else than the one before it: most repeat it in other bytes."""
    said = [name for name in columns if name not in ("payload", "ts_known", "simulated")]
    return pl.any_horizontal([pl.col(name).ne_missing(pl.col(name).shift(1)) for name in said]) | (
        pl.int_range(pl.len()) == 0
    )


def _claimed(row: Mapping[str, Any], splits: Mapping[date, Fraction]) -> dict[str, str]:
    fields = {"type": row["type"], "effective_date": row["ex_date"].isoformat(), "currency": row["currency"] or ""}
    value = row["value"]
    if value is not None and 0 < value < float("inf"):
        in_cash = row["type"] in IN_CASH and row["new_symbol"] is None
        name = "price" if in_cash else "value"
        fields[name] = _amount(row, splits) if in_cash or row["type"] in CASH else written(ratio(value))
    fields |= {name: str(row[name]) for name in DETAILS if row[name] is not None}
    return {name: text for name, text in fields.items() if text}


def _amount(row: Mapping[str, Any], splits: Mapping[date, Fraction]) -> str:
    """Return cash per share of the count on its ex-date: an answer counts every split before it was sent."""
    number = Fraction(repr(row["value"]))
    if row["basis"] != "raw":
        known = to_datetime(row["ts_known"]).date()
        for day, shares in splits.items():
            if row["ex_date"] < day <= known:
                number *= shares
        number = Fraction(round(number * 10**_PLACES), 10**_PLACES) or number
    return written(number)


def _splits(claims: pl.DataFrame) -> dict[date, Fraction]:
    """Return the ratio of each split that most providers tell; of ratios told by as many, the smaller."""
    told = claims.filter(pl.col("type") == "split", pl.col("value") > 0, pl.col("value").is_finite())
    counted = told.group_by("ex_date", "value").agg(pl.col("provider").n_unique().alias("providers"))
    ranked = counted.sort("ex_date", "providers", "value", descending=[False, True, False])
    return {day: ratio(value) for day, value, _ in ranked.unique("ex_date", keep="first").iter_rows()}


def _statement(row: Mapping[str, Any], said: str, fields: Mapping[str, str]) -> Statement:
    provider, day, kind = row["provider"], row["ex_date"], row["type"]
    return Statement(
        statement_id=f"{row['ts_known']}:{row['payload']}:{provider}:{day}:{kind}",
        announcement_id=announcement_id(instrument=row["instrument_id"], source=provider, kind=kind, day=day),
        instrument_id=row["instrument_id"],
        source=provider,
        said=said,
        fields=fields,
        ts_known=row["ts_known"],
    )


def _sums(lives: Sequence[Life]) -> dict[date, dict[str, Fraction]]:
    """Return, by day, what each source that tells several payments of that day tells together."""
    parts: dict[tuple[date, str], list[Fraction]] = defaultdict(list)
    for one in lives:
        day = one.effective_date
        if day is not None and one.fields.get("type") in CASH and one.fields.get("value"):
            parts[day, one.source].append(Fraction(one.fields["value"]))
    found: dict[date, dict[str, Fraction]] = defaultdict(dict)
    for (day, source), amounts in parts.items():
        if len(amounts) > 1:
            found[day][source] = sum(amounts, Fraction(0))
    return found


def _of_the_day(group: Group, sums: Mapping[date, Mapping[str, Fraction]]) -> dict[str, tuple[Fraction, ...]]:
    found: dict[str, tuple[Fraction, ...]] = {}
    for day in _days(group):
        for source, total in sums.get(day, {}).items():
            found[source] = (*found.get(source, ()), total)
    return found


def _days(group: Group) -> Iterator[date]:
    yield from sorted({day for one in group for day in one.days})
