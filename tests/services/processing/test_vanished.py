"""A column that a provider used to fill and no longer does is told, with the fields that have changed."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipeline_doubles import (
    NOW,
    BothTimes,
    DictArchive,
    Heard,
    Script,
    bar_claims,
    capture,
    closing,
    decode_bars,
    provider,
    weekdays,
)
from truetape.domain.asks import Ask
from truetape.domain.identity import payload_key
from truetape.domain.messages import BatchNormalized, PayloadDoubted
from truetape.domain.schema import TABLES, check
from truetape.domain.wire import unpack
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.service import ProcessingService
from truetape.services.processing.vanished import Vanished, drift_findings, vanished

BEFORE, LATER = b'[{"close":10,"volume":1000}]', b'[{"close":10,"vol":1000}]'


def earlier(count: int = 5, **changes: Any) -> pl.DataFrame:
    return bar_claims("p", [10.0] * count, payload="old", ts_known=1, **changes)


def without(column: str, *, name: str = "p", payload: str = "new") -> pl.DataFrame:
    return bar_claims(name, [10.0] * 2, payload=payload).with_columns(pl.lit(None, pl.Float64).alias(column))


@pytest.mark.parametrize(
    ("older", "fresh", "expected"),
    [
        (earlier(), without("volume"), [Vanished("p", "volume", 5, 2, "old", "new")]),
        (earlier(), without("open"), [Vanished("p", "open", 5, 2, "old", "new")]),
        (earlier(), bar_claims("p", [1.0], payload="new"), []),
        (earlier(4), without("volume"), []),  # too few to expect anything
        (earlier().clear(), without("volume"), []),
        (earlier(volume=[1.0, 2.0, None, 4.0, 5.0]), without("volume"), []),  # it was missing before now and then
        (earlier(), pl.concat([without("volume"), bar_claims("p", [1.0], payload="new")]), []),
        (earlier(), without("volume", name="q"), []),  # another's habit
        (earlier(), without("volume", payload="old"), []),  # the same bytes again
    ],
)  # fmt: skip
def test_a_column_vanishes_when_it_was_always_there(
    older: pl.DataFrame, fresh: pl.DataFrame, expected: list[Vanished]
) -> None:
    """In enough earlier rows, all of them, and in none of the new ones."""
    assert expected == vanished(older, fresh)


def test_the_finding_names_the_fields() -> None:
    """What is gone, and the name that is spelled most like it."""
    found = [Vanished("p", "volume", 5, 2, "old", "new")]

    findings = drift_findings(found, closing(capture()), body={"old": BEFORE, "new": LATER}.__getitem__)

    check(findings, TABLES["findings"].columns, kind="findings")
    assert [
        (
            "schema_drift",
            "error",
            "volume",
            (
                "p no longer tells the volume: none of 2 rows has one, and all of 5 earlier ones had. Compare payload "
                "new with old; fields: [].volume should be a number and was nothing, [].vol has the nearest name; "
                "[].vol is unknown, with a number."
            ),
        )
    ] == findings.select("check", "severity", "field", "explanation").rows()


def volumes(body: bytes, ask: Ask) -> pl.DataFrame:
    return decode_bars(b"raw,10,11,12,13,14", ask).with_columns(
        pl.lit(1000.0 if b"volume" in body else None, pl.Float64).alias("volume")
    )


async def test_the_room_tells_what_vanished_and_goes_on() -> None:
    """The claims are kept and told as ever; the finding goes its own way."""
    bus, store, archive = Heard(), BothTimes(), DictArchive()
    providers = {"p": provider("p", Script(b""), decode={"bars": volumes})}
    service = ProcessingService(bus=bus, store=store, archive=archive, providers=providers, config=ProcessingConfig())
    for number, body in enumerate((BEFORE, LATER)):
        archive.put(body)
        message = capture(body=body, ts_known=NOW + number, round_id=f"rnd_{number}")
        await service.on_raw_captured(message)
        await service.on_round_closed(closing(message, ts_known=NOW + number))

    (doubted,) = bus.of(PayloadDoubted)
    assert ("p", payload_key(LATER)) == (doubted.provider, doubted.key)
    assert "[].vol has the nearest name" in unpack(doubted.findings)["explanation"][0]
    assert len(weekdays(5)) == len(unpack(bus.of(BatchNormalized)[-1].frame))
