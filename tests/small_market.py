"""A market of four instruments and a handful of sessions, small enough to check by hand.

AAPL closed at 90 on Friday 2005-02-25, split two for one on Monday 2005-02-28, and paid 0.5 on 2005-03-03, the session
after a close of 50: its factors are 2 and 0.99. The bar of 2005-03-01 was corrected a day after it became known.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from litestar.testing import TestClient

from room_doubles import rows
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.app.deciding import decision, subject_of
from truetape.app.merging import answer_of, merge_of
from truetape.domain.messages import SnapshotNamed
from truetape.domain.schema import TABLES
from truetape.domain.snapshots import NameTaken
from truetape.domain.time import iso
from truetape.domain.versions import decide as decide_rows
from truetape.ports.store import Selection
from truetape.services.api.backfills import Accept, Wanted
from truetape.services.api.calendars import Corrected, NewCorrection
from truetape.services.api.config import ApiConfig
from truetape.services.api.decisions import Decide
from truetape.services.api.merging import Merge, Merged, Wish
from truetape.services.api.query import read_instant
from truetape.services.api.rest import Readiness, build
from truetape.services.api.ruling import Ruling
from truetape.services.api.serve import Served
from truetape.services.api.snapshots import Name, NewSnapshot, Snapshot, snapshot_named
from truetape.services.reference import corrections
from truetape.services.reference.calendars import keeper_of, zone_of
from truetape.services.reference.merges import merge_row
from truetape.services.storage.naming import snapshot_row

APPLE, META, SHOP_US, SHOP_CA = "ins_apple", "ins_meta", "ins_shop_us", "ins_shop_ca"
KNOWN = datetime(2024, 1, 10, tzinfo=UTC)
CORRECTED = datetime(2024, 1, 11, tzinfo=UTC)
NOW_NS = 1_705_276_800_000_000_000  # 2024-01-15
BODY = b'{"chart": "as it came"}'
PAYLOAD = hashlib.sha256(BODY).hexdigest()
DAYS = [date(2005, 2, 24), date(2005, 2, 25), date(2005, 2, 28), date(2005, 3, 1), date(2005, 3, 2), date(2005, 3, 3)]
CLOSES = [88.0, 90.0, 44.0, 46.5, 50.0, 49.0]
VOLUMES = [100.0, 110.0, 240.0, 200.0, 220.0, None]
ORIGIN = {"ts_known": KNOWN, "simulated": True}
VERDICT = {"score": 1.0, "method": "consensus", "agreed": "iex_cloud,yahoo", "dissented": ""}


def golden(
    instrument: str, days: list[date], closes: list[float], volumes: list[float | None], **more: object
) -> pl.DataFrame:
    """Bars that open one below their close, and reach one above and two below it."""
    given = {
        "instrument_id": instrument,
        "timeframe": "1d",
        "ts_event": list(days),
        "open": [close - 1 for close in closes],
        "high": [close + 1 for close in closes],
        "low": [close - 2 for close in closes],
        "close": list(closes),
        "volume": list(volumes),
        "currency": "USD",
        "basis": "raw",
        "feed": "sip",
        "provider": "yahoo",
        "payload": PAYLOAD,
        "flags": 0,
        **VERDICT,
        **ORIGIN,
    }
    return rows("bars", **{**given, **more})


def listings() -> pl.DataFrame:
    return rows(
        "listings",
        instrument_id=[APPLE, META, META, SHOP_US, SHOP_CA],
        symbol=["AAPL", "FB", "META", "SHOP", "SHOP"],
        mic=["XNAS", "XNAS", "XNAS", "XNYS", "XTSE"],
        valid_from=[None, date(2012, 5, 18), date(2022, 6, 9), None, None],
        valid_to=[None, date(2022, 6, 9), None, None, None],
        **ORIGIN,
    )


def claims() -> pl.DataFrame:
    """Three claims about AAPL on 2005-02-25: one as traded, one split-adjusted, one a hundred times too high."""
    return rows(
        "bar_claims",
        instrument_id=APPLE,
        timeframe="1d",
        ts_event=[date(2005, 2, 25)] * 3,
        provider=["iex_cloud", "yahoo", "finnhub"],
        open=[89.0, 44.5, 8900.0],
        high=[91.0, 45.5, 9100.0],
        low=[88.0, 44.0, 8800.0],
        close=[90.0, 45.0, 9000.0],
        volume=[110.0, 220.0, 110.0],
        adj_close=[None, 44.55, None],
        currency="USD",
        basis=["raw", "split", "raw"],
        running=False,
        feed="sip",
        payload=["a" * 64, PAYLOAD, "f" * 64],
        **ORIGIN,
    )


def quarantine() -> pl.DataFrame:
    return rows(
        "quarantine",
        instrument_id=APPLE,
        timeframe="1d",
        ts_event=[date(2005, 2, 25)],
        provider="finnhub",
        reason="hundredfold",
        explanation="finnhub said 9000.0 where iex_cloud, yahoo said 90.0: the price is 100 times off",
        close=9000.0,
        payload="f" * 64,
        **ORIGIN,
    )


def findings() -> pl.DataFrame:
    return rows(
        "findings",
        instrument_id=APPLE,
        timeframe="1d",
        ts_event=[date(2005, 2, 25)],
        provider="alpha_vantage",
        check="missing_row",
        severity="note",
        explanation="alpha_vantage had no row for a session that others have",
        round_id="rnd_1",
        **ORIGIN,
    )


def repairs() -> pl.DataFrame:
    """A repair of what finnhub said, proposed."""
    return rows(
        "repairs",
        repair_id=["rep_apple_unit"],
        instrument_id=APPLE,
        record="bars",
        timeframe="1d",
        provider="finnhub",
        start=date(2005, 2, 25),
        end=date(2005, 2, 25),
        columns="close",
        rows=1,
        kind="unit_flip",
        factor=0.01,
        edits='[[1109289600000000000,"close",9000.0,90.0]]',
        explanation="the close is 100 times off",
        evidence="the neighbours closed at 88 and 88",
        confidence=0.99,
        state="proposed",
        decision_id="",
        decided_by="",
        **ORIGIN,
    )


def sessions() -> pl.DataFrame:
    opens = [datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC) for day in DAYS]
    closes = [datetime(day.year, day.month, day.day, 21, tzinfo=UTC) for day in DAYS]
    return rows("sessions", mic="XNAS", session=DAYS, open=opens, close=closes, **ORIGIN)


def tables() -> dict[str, pl.DataFrame]:
    """Every table as first known."""
    first = [46.0 if day == date(2005, 3, 1) else close for day, close in zip(DAYS, CLOSES, strict=True)]
    ex_dates = [date(2005, 2, 28), date(2005, 3, 3)]
    apple = golden(APPLE, DAYS, first, VOLUMES, dissented=["", "finnhub", "", "", "", ""], flags=[0, 4, 0, 0, 0, 0])
    meta = golden(META, [date(2022, 6, 8), date(2022, 6, 9)], [196.0, 184.0], [10.0, 11.0])
    return {
        "instruments": rows(
            "instruments",
            instrument_id=[APPLE, META, SHOP_US, SHOP_CA],
            name=["Apple Inc.", "Meta Platforms", "Shopify US", "Shopify Toronto"],
            asset_class="equity",
            currency=["USD", "USD", "USD", "CAD"],
            **ORIGIN,
        ),
        "listings": listings(),
        "sessions": sessions(),
        "bars": pl.concat([apple, meta]),
        "bar_claims": claims(),
        "quarantine": quarantine(),
        "findings": findings(),
        "repairs": repairs(),
        "actions": rows(
            "actions",
            instrument_id=APPLE,
            ex_date=ex_dates,
            type=["split", "dividend"],
            value=[2.0, 0.5],
            currency="USD",
            provider="yahoo",
            payload=PAYLOAD,
            **VERDICT,
            **ORIGIN,
        ),
        "factors": rows(
            "factors", instrument_id=APPLE, ex_date=ex_dates, split=[2.0, 1.0], dividend=[1.0, 0.99], **ORIGIN
        ),
        "index_levels": rows(
            "index_levels", index_id="EW5", ts_event=DAYS[:3], level=[100.0, 102.0, 101.0], members=1, **ORIGIN
        ),
    }


def correction() -> pl.DataFrame:
    """The bar of 2005-03-01 as known a day later."""
    return golden(APPLE, [date(2005, 3, 1)], [46.5], [200.0], version=2, ts_known=CORRECTED)


async def fill(store: DuckdbStore) -> DuckdbStore:
    """Write the market, and then its correction."""
    await store.commit(tables())
    await store.commit({"bars": correction()})
    return store


async def filled_folder(path: Path) -> Path:
    """Make a data folder of the market and return its path."""
    folder = DataFolder.open(path, simulated=True)
    archive = FileArchive(folder.archive)
    assert archive.put(BODY) == PAYLOAD
    archive.close()
    store = await fill(DuckdbStore(folder.store))
    await store.close()
    folder.close()
    return path


async def _accept(wanted: Wanted) -> tuple[str, int]:
    return f"job_{len(wanted.symbols)}", NOW_NS


def _decide(store: DuckdbStore, clock: SetClock) -> Decide:
    """Return what takes every decision that can be made, and tells nobody."""

    async def decide(target: str, ruling: Ruling) -> tuple[str, int]:
        subject = await subject_of(store, clock, target, ruling)
        made = decision(subject, ruling, ts_known=NOW_NS, simulated=True)
        return made.decision_id, made.ts_known

    return decide


def _name(store: DuckdbStore) -> Name:
    """Return what names every state, at once, without a journal."""

    async def name(wanted: NewSnapshot) -> Snapshot:
        held = await store.read("snapshots", Selection(equal={"name": (wanted.name,)}))
        if len(held):
            raise NameTaken(parameter="name", value=wanted.name, fix="It is taken.")
        named = SnapshotNamed(
            name=wanted.name,
            as_of=NOW_NS if wanted.as_of is None else read_instant(wanted.as_of, parameter="as_of"),
            store_version=store.version(),
            ts_known=NOW_NS,
            actor=wanted.actor,
            note=wanted.note,
            simulated=True,
        )
        await store.commit({"snapshots": snapshot_row(named)})
        return await snapshot_named(store, named.name)

    return name


async def _correct(mic: str, wanted: NewCorrection) -> Corrected:
    """Take every correction that can be read, and tell nobody."""
    row = {**{name: getattr(wanted, name) for name in wanted.__struct_fields__}, "mic": mic}
    row["known"] = wanted.known or iso(NOW_NS)
    told = corrections.correction(row, zone_of=lambda one: zone_of(keeper_of(one)), place=f"The correction of {mic}")
    return Corrected(
        mic=mic, session=str(told["session"]), what=told["what"], known=iso(told["known"]), told=iso(NOW_NS)
    )


def _merge(store: DuckdbStore) -> Merge:
    """Return what merges every pair of records that can be, without a journal."""

    async def merge(wish: Wish) -> Merged:
        told = await merge_of(store, wish, ts_known=NOW_NS, simulated=True)
        row = merge_row(told)
        before = await store.read("merges", Selection(equal={"instrument_id": (told.instrument_id,)}))
        await store.commit({"merges": decide_rows(before, row, TABLES["merges"]).write})
        return answer_of(told)

    return merge


@contextmanager
def serving(path: Path) -> Iterator[str]:
    """Serve the data folder at `path` from another thread; the value is the address."""
    started, stop = threading.Event(), threading.Event()
    found: list[str] = []

    async def serve() -> None:
        owned = DataFolder.open(path, simulated=True)
        store, archive, clock = DuckdbStore(owned.store), FileArchive(owned.archive), SetClock(NOW_NS)
        cache = MemoryCache(max_bytes=1 << 20, clock=clock)
        app = build(
            store=store,
            archive=archive,
            cache=cache,
            clock=clock,
            config=ApiConfig(),
            readiness=dict,
            accept=_accept,
            decide=_decide(store, clock),
            name=_name(store),
            merge=_merge(store),
            correct=_correct,
        )
        async with Served(app, "127.0.0.1", 0) as server:
            owned.announce(server.address)
            found.append(server.address)
            started.set()
            await asyncio.to_thread(stop.wait)
        await store.close()
        archive.close()
        owned.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(20)
        yield found[0]
    finally:
        stop.set()
        thread.join()


@contextmanager
def asking(
    folder: Path, *, readiness: Readiness = dict, accept: Accept | None = None, decides: bool = True
) -> Iterator[TestClient[Any]]:
    """Ask the api about the market without a network. At most 3 symbols and 50 rows are answered at once."""
    store = asyncio.run(fill(DuckdbStore(folder / "store.duckdb")))
    archive, clock = FileArchive(folder / "archive"), SetClock(NOW_NS)
    archive.put(BODY)
    app = build(
        store=store,
        archive=archive,
        cache=MemoryCache(max_bytes=1 << 20, clock=clock),
        clock=clock,
        config=ApiConfig(max_symbols=3, max_limit=50, default_limit=20),
        readiness=readiness,
        accept=accept,
        decide=_decide(store, clock) if decides else None,
        name=_name(store) if decides else None,
        merge=_merge(store) if decides else None,
    )
    with TestClient(app) as client:
        yield client
    asyncio.run(store.close())
    archive.close()
