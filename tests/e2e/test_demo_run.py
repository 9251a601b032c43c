"""The main job, whole: faults on and off, replayed, and checked against the dataset itself."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from store_contents import TIMES, contents, differences

from truetape.adapters.file_archive import FileArchive
from truetape.app.demo import TOLERANCE, Outcome, run_demo
from truetape.app.sandbox.faults import TRANSPORT
from truetape.domain.messages import RawCaptured
from truetape.ports.archive import Attempted

FOUND_AS = {
    "drift": "rejected",
    "hundredfold": "hundredfold",
    "missed_split": "split_ratio",
    "missing_rows": "missing_row",
    "stale": "stale",
}
VALUES = ["instrument_id", "timeframe", "ts_event", "open", "high", "low", "close", "volume", "currency", "basis"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def faulty(folder: Path) -> Outcome:
    return asyncio.run(run_demo(data=folder / "faulty", port=0, stay=False, console=Console(file=io.StringIO())))


@pytest.fixture(scope="module")
def clean(folder: Path) -> Outcome:
    quiet = Console(file=io.StringIO())
    return asyncio.run(run_demo(data=folder / "clean", port=0, faults=False, stay=False, console=quiet))


def test_faults_change_no_golden_row(folder: Path, faulty: Outcome, clean: Outcome) -> None:
    """With every fault on, nothing is lost, nothing is doubled, and every value is the same as without."""
    with_faults, without = contents(folder / "faulty"), contents(folder / "clean")

    assert faulty.faults_served > 0
    assert clean.faults_served == 0
    assert len(without["bars"]) > 12_000
    assert {"consensus"} == set(without["bars"]["method"]) == set(with_faults["bars"]["method"])
    assert without["bars"].select(VALUES).equals(with_faults["bars"].select(VALUES))
    for table in ("actions", "factors"):
        names = [
            name for name in without[table].columns if name in {"instrument_id", "ex_date", "type", "value", "split"}
        ]
        assert without[table].select(names).equals(with_faults[table].select(names))


def test_golden_rows_are_the_datasets_own(folder: Path, clean: Outcome) -> None:
    """Every raw bar of the dataset comes out as it is in the file, and no other."""
    import bokeh_sampledata

    path = Path(bokeh_sampledata.__file__).parent / "_data" / "stocks.csv.gz"
    truth = pl.read_csv(path, try_parse_dates=True).select(
        pl.col("Ticker").alias("symbol"),
        pl.col("Date").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").alias("ts_event"),
        *(pl.col(name).cast(pl.Float64).alias(name.lower()) for name in ("Open", "High", "Low", "Close", "Volume")),
    )
    store = contents(folder / "clean")
    golden = store["bars"].join(store["listings"].select("instrument_id", "symbol"), on="instrument_id")

    assert truth.sort("symbol", "ts_event").equals(golden.select(truth.columns).sort("symbol", "ts_event"))


def test_adjusted_closes_agree_with_the_dataset(faulty: Outcome, clean: Outcome) -> None:
    """Splits and dividends, told by the providers and voted on, give the dataset's adjusted closes."""
    for outcome in (faulty, clean):
        assert len(outcome.worst_adjusted) == 5
        assert all(error <= TOLERANCE for error in outcome.worst_adjusted.values()), outcome.worst_adjusted


def test_every_row_is_marked_simulated(folder: Path, faulty: Outcome) -> None:
    """Not one row of the demo could be taken for live data."""
    for name, frame in contents(folder / "faulty").items():
        assert frame["simulated"].all(), name


def test_every_payload_is_in_the_archive(folder: Path, faulty: Outcome) -> None:
    """Each claim's bytes, and each failed answer's, can be read back under their hash."""
    archive = FileArchive(folder / "faulty" / "archive", read_only=True)
    entries = list(archive.journal())
    keys = {entry.key for entry in entries if isinstance(entry, RawCaptured | Attempted) and entry.key}
    claimed = set(contents(folder / "faulty")["bar_claims"]["payload"])

    assert claimed <= keys
    assert all(archive.get(key) for key in keys)
    assert "sandbox" not in "".join(str(entry) for entry in entries if isinstance(entry, Attempted))


def test_a_second_run_finds_everything_there(folder: Path, faulty: Outcome) -> None:
    """Starting the demo again on its folder asks no provider and changes no row."""
    before = contents(folder / "faulty")
    again = asyncio.run(run_demo(data=folder / "faulty", port=0, stay=False, console=Console(file=io.StringIO())))

    assert again.faults_served == 0
    assert {} == differences(before, contents(folder / "faulty"))


def test_replay_gives_the_same_rows(folder: Path, faulty: Outcome) -> None:
    """The archive alone rebuilds the store, value for value, with the same versions and knowledge times."""
    from truetape.app.run import replay

    report = asyncio.run(replay(folder / "faulty", folder / "replayed"))
    before, after = contents(folder / "faulty"), contents(folder / "replayed")
    derived = {"index_levels"}  # how often a level was computed in between depends on timing; what it is does not

    assert report.buried == 0
    assert {} == {name: apart for name, apart in differences(before, after).items() if name not in derived}
    assert {} == differences(
        {name: before[name].drop(TIMES) for name in derived}, {name: after[name].drop(TIMES) for name in derived}
    )


def test_every_failed_request_is_journalled(folder: Path, faulty: Outcome) -> None:
    """For each provider and symbol, as many failures are on record as answers were spoilt on the way."""
    archive = FileArchive(folder / "faulty" / "archive", read_only=True)
    journalled = Counter((one.provider, one.symbol) for one in archive.journal() if isinstance(one, Attempted))
    spoilt = Counter(
        (one.provider, one.symbol) for one in faulty.served if any(fault.kind in TRANSPORT for fault in one.injected)
    )

    assert set(TRANSPORT) <= {fault.kind for one in faulty.served for fault in one.injected}
    assert spoilt == journalled


def test_every_wrong_value_is_found(folder: Path, faulty: Outcome) -> None:
    """Each series that was tampered with is in quarantine, among the findings or rejected, under its own reason."""
    store = contents(folder / "faulty")
    archive = FileArchive(folder / "faulty" / "archive", read_only=True)
    symbols = dict(store["listings"].select("instrument_id", "symbol").rows())
    payloads = {one.key: one.symbol for one in archive.journal() if isinstance(one, RawCaptured)}
    found = {(provider, symbols[one], reason) for provider, one, reason in rows(store["quarantine"], "reason")}
    of_providers = store["findings"].filter(pl.col("provider") != "")
    found |= {(provider, symbols[one], check) for provider, one, check in rows(of_providers, "check")}
    rejected = store["rejected_payloads"].select("provider", "payload").rows()
    found |= {(provider, payloads[key], "rejected") for provider, key in rejected}
    tampered = {
        (one.provider, one.symbol, FOUND_AS[fault.kind])
        for one in faulty.served
        for fault in one.injected
        if fault.kind in FOUND_AS and not any(other.kind in TRANSPORT for other in one.injected)
    }

    assert set(FOUND_AS.values()) == {reason for _, _, reason in tampered}
    assert tampered == found


def rows(frame: pl.DataFrame, *about: str) -> list[tuple[str, ...]]:
    """Return the distinct (provider, instrument, ...) of `frame`."""
    return frame.select("provider", "instrument_id", *about).unique().rows()
