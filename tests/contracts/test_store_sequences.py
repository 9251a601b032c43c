"""Every store against a model: random sequences of all that can be done to one, and random questions as of a time."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from store_model import Model
from store_rows import bar, frame
from store_steps import UPKEEP, Keep, Restart, Step, draw
from stores import STORES, Open

from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection

FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
SEQUENCES = 30 if FUZZ else 2
STEPS = {"duckdb": 120}  # of one sequence; of the others half as many, and all at `make fuzz`


@pytest.mark.parametrize("name", list(STORES))
@given(seed=st.integers(0, 2**32))
@settings(
    max_examples=SEQUENCES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
async def test_a_store_is_as_its_model(request: pytest.FixtureRequest, name: str, seed: int) -> None:
    """Whatever is written, corrected, withdrawn, repeated and kept up: no answer differs, now and of any past state."""
    opened, model, random = STORES[name](request), Model(), Random(seed)
    store = opened()
    done: list[Step] = []
    try:
        for step in (draw(random) for _ in range(120 if FUZZ else STEPS.get(name, 60))):
            done.append(step)
            if isinstance(step, Restart):
                await store.close()
                store = opened()
            elif isinstance(step, Keep):
                for upkeep in UPKEEP.get(name, ())[step.number :][:1]:
                    await upkeep(store)
            else:
                await step.do(store, model)
    except AssertionError as error:
        error.add_note(f"seed {seed}, step {len(done)}: {done[-1]}")
        raise
    finally:
        await store.close()


INSTRUMENTS, DAYS, VERSIONS, SPAN = 100, 8, 5, 1000  # how many of each, and of knowledge times
WANTED = 50  # instruments of one read
QUERIES = {"duckdb": 100_000}  # of the others a twentieth
FEWER = 5_000
Numbers = npt.NDArray[np.int64]


def _history(random: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Return when each version of each bar was known, and in which of ten commits it was written, in no order."""
    shape = (INSTRUMENTS, DAYS, VERSIONS)
    return random.integers(1, SPAN, shape), random.integers(1, 11, shape)


async def _write(open_store: Open, known: Numbers, written: Numbers) -> Any:
    store = open_store()
    one = frame("bars", bar(1))
    who, day, version = (axis.ravel() for axis in np.indices(known.shape))
    rows = one.select(pl.all().gather([0] * known.size)).with_columns(
        instrument_id=pl.format("ins_{}", pl.Series(who).cast(pl.String).str.zfill(3)),
        ts_event=pl.Series(day * DAY_NS).cast(one.schema["ts_event"]),
        ts_known=pl.Series(known.ravel()).cast(one.schema["ts_known"]),
        version=pl.Series(version + 1).cast(pl.UInt32),
    )
    for commit in range(1, 11):
        assert await store.commit({"bars": rows.filter(pl.Series(written.ravel() == commit))}) == commit
    return store


@pytest.mark.parametrize("name", list(STORES))
async def test_nothing_is_seen_before_it_was_known(request: pytest.FixtureRequest, name: str) -> None:
    """One hundred thousand random questions, as of a time and partly of a past state, have no answer from later.

    A question is about one bar (one instrument, one day) at one time in one state. A read answers 400 at once: of 50
    random of 100 instruments, all 8 days. The model's answer is the greatest of the 5 versions that were known at the
    time and written in the state; none if there is none. Every second read is of the present, the others of one of the
    10 states. Times and states of versions are random too, so that later versions may be known or written earlier.
    """
    random = np.random.default_rng(20_240_610)
    known, written = _history(random)
    store = await _write(STORES[name](request), known, written)
    leaks = questions = 0
    while questions < QUERIES.get(name, FEWER):
        as_of, state = int(random.integers(0, SPAN + 1)), int(random.integers(1, 11))
        wanted = np.sort(random.choice(INSTRUMENTS, WANTED, replace=False))
        at_version = None if (questions // (WANTED * DAYS)) % 2 else state
        seen = (known <= as_of) & (written <= (at_version or 10))
        expected = np.where(seen, np.arange(1, VERSIONS + 1), 0).max(axis=2)[wanted]
        selection = Selection(
            equal={"instrument_id": tuple(f"ins_{number:03d}" for number in wanted)},
            as_of=as_of,
            at_version=at_version,
            columns=("instrument_id", "ts_event", "version"),
        )
        rows = await store.read("bars", selection)
        found = np.zeros((INSTRUMENTS, DAYS), dtype=np.int64)
        place = rows["instrument_id"].str.slice(4).cast(pl.Int64).to_numpy(), rows["ts_event"].dt.epoch("d").to_numpy()
        found[place] = rows["version"].to_numpy()
        leaks += int((found[wanted] != expected).sum()) + len(rows) - int((expected > 0).sum())
        questions += expected.size
    await store.close()
    assert leaks == 0
