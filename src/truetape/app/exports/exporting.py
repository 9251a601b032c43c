"""Read one instrument after another as of one moment, and write each to the form that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from truetape.app.exports.dbn import SCHEMAS, DbnSink
from truetape.app.exports.landing import MARK, check_place, landing
from truetape.app.exports.lean import LeanSink
from truetape.app.exports.nautilus import NautilusSink
from truetape.app.exports.order import FOLDERS, Order
from truetape.app.exports.plain_tables import TableSink
from truetape.app.exports.receipts import Origin, program
from truetape.app.exports.series import Member, Series, Sink, members
from truetape.app.exports.ticks import DbnTradeSink, NautilusTickSink, tick_series
from truetape.app.exports.zipline_csv import ZiplineSink
from truetape.domain.adjustments import basis_of
from truetape.domain.time import iso, parse_instant
from truetape.services.api.directory import Directory

if TYPE_CHECKING:
    from truetape.app.library import Session

BESIDE: Final = ("csv", "dbn")  # forms without a place for the origin: it stands in a file beside


@dataclass(frozen=True)
class Progress:
    """How far an export has come, in instruments."""

    planned: int
    done: int


@dataclass(frozen=True)
class Written:
    """What was written of one instrument; `first` and `last` are the labels of its rows, "" if it has none."""

    symbol: str
    instrument_id: str
    rows: int
    first: str
    last: str


@dataclass(frozen=True)
class Exported:
    """What an export wrote, where, and what it was made of."""

    output: str
    form: str
    instruments: tuple[Written, ...]
    rows: int
    files: int
    bytes: int
    origin: Origin
    notes: tuple[str, ...] = ()


def export(session: Session, order: Order, *, on_progress: Callable[[Progress], None] = lambda _: None) -> Exported:
    """Write what `order` wants, all of it as known at one moment, and say what was written.

    Raises:
        UnknownSymbol: A symbol is not listed.
        BadInput: The place is taken, the form cannot hold what is asked for, or a parameter is not usable.
    """
    check_place(order.output, is_folder=order.form in FOLDERS, force=order.force)
    origin = _origin(session, order)
    chosen = _members(session, order)
    with landing(order.output) as draft:
        written, notes = _written(session, order, origin, chosen, draft, on_progress)
        files = [one for one in draft.rglob("*") if one.is_file()] if draft.is_dir() else [draft]
        size = sum(one.stat().st_size for one in files)
    if order.form in BESIDE:
        with landing(order.output.with_name(f"{order.output.name}.json")) as draft:
            draft.write_bytes(msgspec.json.encode(origin))
    return Exported(
        output=str(order.output),
        form=order.form,
        instruments=tuple(written),
        rows=sum(one.rows for one in written),
        files=len(files),
        bytes=size,
        origin=origin,
        notes=tuple(notes),
    )


def _origin(session: Session, order: Order) -> Origin:
    receipt = session.receipt()
    now = parse_instant(receipt.as_of, parameter="as_of")
    as_of = min(parse_instant(order.as_of, parameter="--as-of"), now) if order.as_of else now
    return Origin(
        source=program(),
        kind=order.kind,
        basis=basis_of(order.adjustment, order.anchored()),
        timeframe=order.timeframe if order.kind == "bars" else None,
        as_of=iso(as_of),
        store_version=receipt.store_version,
        start=order.start,
        end=order.end,
    )


def _members(session: Session, order: Order) -> list[Member]:
    """Return the instruments that are wanted, each once, in the order in which they were asked for."""
    known = session.instruments()
    if not order.symbols:
        return list(members(known))
    directory, (start, end) = Directory(known), order.days()
    named = {directory.find(symbol, start=start, end=end).instrument_id: symbol for symbol in reversed(order.symbols)}
    return list(members(known, dict(reversed(named.items()))))


def _written(
    session: Session,
    order: Order,
    origin: Origin,
    chosen: Sequence[Member],
    draft: Path,
    on_progress: Callable[[Progress], None],
) -> tuple[list[Written], list[str]]:
    """Write all of it to `draft`, and return what was written, and what the form could not hold."""
    written = []
    with closing(_sink(order, origin, chosen, draft)) as sink:
        for number, member in enumerate(chosen):
            on_progress(Progress(planned=len(chosen), done=number))
            parts = [_part(sink, series) for series in _series(session, order, member, origin)]
            written.append(_one(member, parts, with_time=_has_time(order)))
        sink.finish()
    on_progress(Progress(planned=len(chosen), done=len(chosen)))
    if order.form in FOLDERS:
        (draft / MARK).write_bytes(msgspec.json.encode(origin))
    return written, sink.notes


def _sink(order: Order, origin: Origin, chosen: Sequence[Member], draft: Path) -> Sink:
    match order.form:
        case "dbn":
            schema = SCHEMAS[order.timeframe if order.kind == "bars" else order.kind]
            packed = order.output.name.lower().endswith(".zst")
            make = DbnSink if order.kind == "bars" else DbnTradeSink
            return make(draft, members=chosen, schema=schema, basis=order.adjustment, packed=packed)
        case "lean":
            return LeanSink(draft, members=chosen, timeframe=order.timeframe)
        case "nautilus":
            return NautilusSink(draft) if order.kind == "bars" else NautilusTickSink(draft)
        case "zipline":
            return ZiplineSink(draft, timeframe=order.timeframe)
    return TableSink(draft, form=order.form, origin=origin)


def _series(session: Session, order: Order, member: Member, origin: Origin) -> Iterator[Series]:
    if order.kind == "bars":
        yield _bars(session, order, member, origin)
    else:
        yield from tick_series(session, order, member, origin)


def _bars(session: Session, order: Order, member: Member, origin: Origin) -> Series:
    one, start, end, as_of = member.instrument_id, order.start, order.end, origin.as_of
    bars = session.bars(
        one,
        start=start,
        end=end,
        timeframe=order.timeframe,
        adjustment=order.adjustment,
        anchor=order.anchor,
        as_of=as_of,
    )
    closes = pl.DataFrame(schema={"date": pl.Date, "close": pl.Float64})
    is_adjusting = order.form in {"lean", "zipline"}
    actions = session.corporate_actions(one, start=start, end=end, as_of=as_of) if is_adjusting else pl.DataFrame()
    if order.form == "lean":
        daily = bars if order.timeframe == "1d" else session.bars(one, start=start, end=end, as_of=as_of)
        closes = daily.select(pl.col("ts_event").dt.date().alias("date"), "close").drop_nulls()
    return Series(
        member=member,
        timeframe=order.timeframe,
        basis=order.adjustment,
        bars=bars.with_columns(pl.lit(member.asked).alias("symbol")),
        actions=actions,
        closes=closes,
    )


def _part(sink: Sink, series: Series) -> tuple[int, pl.Series]:
    """Write a series, and return how many of its rows were written, and its first and last label."""
    written, labels = sink.add(series), series.bars["ts_event"]
    return written, pl.concat([labels.head(1), labels.tail(1)])


def _has_time(order: Order) -> bool:
    return order.kind != "bars" or order.timeframe not in {"1d", "1w", "1mo"}


def _one(member: Member, parts: Sequence[tuple[int, pl.Series]], *, with_time: bool) -> Written:
    rows = sum(written for written, _ in parts)
    labels = pl.concat([one for _, one in parts]).dt.strftime("%FT%RZ" if with_time else "%Y-%m-%d")
    first, last = (labels[0], labels[-1]) if rows else ("", "")
    return Written(symbol=member.asked, instrument_id=member.instrument_id, rows=rows, first=first, last=last)
