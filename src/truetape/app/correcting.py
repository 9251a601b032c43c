"""Tell the running rooms what somebody says of days of calendars: by command, over HTTP, or by the operator's file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import structlog

from truetape.app.owner import by_owner
from truetape.domain.calendar_corrections import CORRECTION
from truetape.domain.errors import BadInput
from truetape.domain.messages import CalendarsCorrected
from truetape.domain.time import iso
from truetape.domain.wire import pack
from truetape.services.api.calendars import Corrected, NewCorrection
from truetape.services.reference.calendars import keeper_of, zone_of
from truetape.services.reference.corrections import correction, read_corrections

if TYPE_CHECKING:
    from truetape.app.run import Platform

log = structlog.get_logger()


async def correct(data: Path, mic: str, wanted: NewCorrection, *, file: Path | None = None) -> Corrected:
    """Say what `wanted` says of a day of `mic` in the data folder `data`, and return what was told.

    `file` is the settings file, if there may be one.

    Raises:
        BadInput: A value is not usable, or the venue has no calendar.
        FolderInUse: A process without an API owns the data folder.
        WrongFolder: It is no data folder.
        StoreUnavailable: The running platform did not answer, or the disk is full.
    """
    return await by_owner(
        data,
        file=file,
        command="truetape correct",
        there=lambda server: server.correct(mic, wanted),
        here=lambda platform: correct_here(platform, mic, wanted),
    )


async def correct_here(platform: Platform, mic: str, wanted: NewCorrection) -> Corrected:
    """Tell `platform` what `wanted` says; return when whoever asks reads it so.

    Without `known` it is known since now.

    Raises:
        BadInput: A value is not usable, or the venue has no calendar.
        StoreUnavailable: The journal cannot be written now; nothing was told.
    """
    now = platform.parts.clock.now_ns()
    row: dict[str, Any] = {**{name: getattr(wanted, name) for name in wanted.__struct_fields__}, "mic": mic}
    row["known"] = wanted.known or iso(now)
    told = correction(row, zone_of=_clock, place=f"The correction of {mic}")
    frame = pl.DataFrame([told], schema=CORRECTION)
    _not_ahead(frame, now_ns=now)
    await _tell(platform, frame, now_ns=now)
    return Corrected(mic=mic, session=str(told["session"]), what=told["what"], known=iso(told["known"]), told=iso(now))


async def tell_file(platform: Platform) -> None:
    """Tell what the operator's file of corrections says that was not told before.

    Once the platform runs, a file that cannot be read is told to the log, and nothing else happens.

    Raises:
        BadInput: It cannot be read, at the start.
        StoreUnavailable: The store cannot be read, or the journal not written now.
    """
    file = platform.settings.calendars.corrections
    if not file:
        return
    now = platform.parts.clock.now_ns()
    try:
        said = await asyncio.to_thread(read_file, file)
        _not_ahead(said, now_ns=now)
    except BadInput as problem:
        if not platform.ready:
            raise
        log.warning("calendars.corrections_unreadable", file=file, reason=str(problem))
        return
    stored = (await platform.parts.store.read("calendar_corrections")).select(list(CORRECTION))
    fresh = said.join(stored, on=list(CORRECTION), how="anti", nulls_equal=True)
    if not fresh.is_empty():
        await _tell(platform, fresh, now_ns=now)


def read_file(file: str) -> pl.DataFrame:
    """Return the corrections of the CSV or Parquet file `file`, CORRECTION.

    Raises:
        BadInput: It cannot be read, or says what cannot be.
    """
    from truetape.app.plain_files import read_sheet

    sheet = read_sheet(file)
    return read_corrections(sheet.frame, zone_of=_clock, place=lambda row: f"{file}, {sheet.place(row)}")


def _clock(mic: str) -> str:
    return zone_of(keeper_of(mic))


def _not_ahead(said: pl.DataFrame, *, now_ns: int) -> None:
    """Accept corrections that were known by now.

    Raises:
        BadInput: One was not.
    """
    ahead = said.filter(pl.col("known").cast(pl.Int64) > now_ns)
    if len(ahead):
        mic, session, known = ahead.select("mic", "session", pl.col("known").cast(pl.Int64)).row(0)
        fix = "It lies ahead: write an instant such as 2024-06-10T20:00Z; a date stands for its end."
        raise BadInput(parameter=f"known of {mic} on {session}", value=iso(known), fix=fix)


async def _tell(platform: Platform, said: pl.DataFrame, *, now_ns: int) -> None:
    """Tell corrections once they are in the journal, and return when their sessions are stored."""
    parts = platform.parts
    message = CalendarsCorrected(corrections=pack(said), ts_known=now_ns, simulated=platform.settings.simulated)
    async with platform.rooms.ingestion.turn:
        await asyncio.to_thread(parts.archive.record, message)
        await parts.bus.publish(message)
        await parts.bus.drain()
