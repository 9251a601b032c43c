"""Trust: learnt from votes, aged, fixed by the operator, and the same in every replay."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import (
    FRIDAY,
    INSTRUMENT,
    MONDAY,
    NOW,
    BothTimes,
    Heard,
    action_claims,
    bar_claims,
    filled,
)
from truetape.domain.messages import BatchGraded, BatchNormalized, InstrumentsDeclared, TrustSettled
from truetape.domain.schema import INSTANT, TABLES, check
from truetape.domain.time import DAY_NS, NANOSECONDS, to_datetime
from truetape.domain.wire import pack, unpack
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.service import QualityService
from truetape.services.quality.trust import cut_off, fixed_at, fixed_rows, learnt, remembered_from, votes, weights

CLOSES = [10.0, 11.0, 12.0, 13.0, 14.0]
WRONG = [10.0, 11.0, 15.0, 13.0, 14.0]
HOUR_NS = 3600 * NANOSECONDS


def batch(frame: pl.DataFrame, *, kind: str = "bars", **changes: Any) -> BatchNormalized:
    given: dict[str, Any] = {
        "kind": kind,
        "round_id": "rnd_1",
        "instrument_id": INSTRUMENT,
        "timeframe": "1d",
        "start": MONDAY,
        "end": FRIDAY,
        "ts_known": NOW,
        "providers": ("alpha", "bravo"),
        "frame": pack(frame),
        **changes,
    }
    return BatchNormalized(**given)


async def heard(store: BothTimes, *messages: BatchNormalized | InstrumentsDeclared, **config: Any) -> Heard:
    bus = Heard()
    QualityService(bus=bus, store=store, config=QualityConfig(**config)).subscribe()
    for message in messages:
        await bus.handlers[f"quality hears {type(message).__name__}"](message)
    return bus


def three(**odd: Any) -> pl.DataFrame:
    claims = {"alpha": CLOSES, "bravo": CLOSES, "charlie": WRONG}
    return pl.concat([bar_claims(name, closes, **odd) for name, closes in claims.items()])


async def told(store: BothTimes, message: BatchNormalized, **config: Any) -> BatchGraded:
    return (await heard(store, message, **config)).of(BatchGraded)[0]


async def test_votes_say_who_was_right_how_often() -> None:
    """Four of the wrong provider's bars agree, one does not; the votes carry the round and the venue."""
    venue = filled("listings", 1, dict.fromkeys(TABLES["listings"].columns) | {
        "instrument_id": INSTRUMENT, "symbol": "A", "mic": "XNAS", "ts_known": NOW, "version": 1, "simulated": False
    })  # fmt: skip

    cast = unpack((await told(BothTimes(listings=venue), batch(three()))).votes)

    assert check(cast, TABLES["votes"].columns, kind="votes").rows() == [
        ("rnd_1", "bars", "XNAS", name, date(2024, 6, 10), agreed, dissented, cast["ts_known"][0], False)
        for name, agreed, dissented in (("alpha", 5.0, 0.0), ("bravo", 5.0, 0.0), ("charlie", 4.0, 1.0))
    ]
    assert cast["ts_known"].cast(pl.Int64).unique().to_list() == [NOW]


async def test_a_claim_that_breaks_a_rule_was_wrong_too() -> None:
    """It had no vote; others knew better."""
    broken = bar_claims("charlie", CLOSES, low=[0.0] * 5)
    claims = pl.concat([bar_claims("alpha", CLOSES), bar_claims("bravo", CLOSES), broken])

    cast = unpack((await told(BothTimes(), batch(claims))).votes)

    assert cast.select("provider", "agreed", "dissented").rows()[2] == ("charlie", 0.0, 5.0)


async def test_a_bar_that_the_operator_decided_judges_by_its_names() -> None:
    """Nobody is quarantined for such a bar; who said otherwise was wrong all the same."""
    graded = await told(BothTimes(), batch(three()))
    decided = pl.col("dissented") == "charlie"
    golden = unpack(graded.golden).with_columns(
        pl.when(decided).then(pl.lit("operator")).otherwise("method").alias("method"),
        pl.when(decided).then(pl.lit("alpha,operator")).otherwise("agreed").alias("agreed"),
        pl.when(decided).then(pl.lit("bravo,charlie")).otherwise("dissented").alias("dissented"),
    )

    cast = votes(golden, unpack(graded.quarantined).clear(), batch=batch(three()), venue="")

    assert cast.select("provider", "agreed", "dissented").rows() == [
        ("alpha", 5.0, 0.0),
        ("bravo", 4.0, 1.0),
        ("charlie", 4.0, 1.0),
    ]


async def test_where_nobody_is_sure_nobody_is_judged() -> None:
    """One provider alone and two that contradict each other teach nothing."""
    two = pl.concat([bar_claims("alpha", CLOSES), bar_claims("bravo", [close + 2 for close in CLOSES])])

    assert unpack((await told(BothTimes(), batch(two))).votes).is_empty()
    assert unpack((await told(BothTimes(), batch(bar_claims("alpha", CLOSES)))).votes).is_empty()


async def test_a_fault_of_many_bars_is_one_mistake() -> None:
    """A batch counts for twenty-five votes at most, whatever its length."""
    closes = [10.0 + day for day in range(100)]
    claims = pl.concat(
        [
            *(bar_claims(name, closes) for name in ("alpha", "bravo")),
            bar_claims("charlie", [3 * close for close in closes[:50]] + closes[50:]),
        ]
    )

    cast = unpack((await told(BothTimes(), batch(claims, end=claims["ts_event"].max().date()))).votes)  # type: ignore[union-attr]

    assert cast.select("agreed", "dissented").rows() == [(25.0, 0.0), (25.0, 0.0), (12.5, 12.5)]


async def test_silence_about_an_action_is_a_vote() -> None:
    """Two know the split, the third tells of actions and not of this one."""
    split = (MONDAY, "split", 2.0)
    claims = pl.concat(
        [
            action_claims("alpha", split),
            action_claims("bravo", split),
            action_claims("charlie", (FRIDAY, "dividend", 0.1)),
        ]
    )

    cast = unpack((await told(BothTimes(), batch(claims, kind="actions"))).votes)

    assert cast.select("provider", "kind", "agreed", "dissented").rows() == [
        ("alpha", "actions", 1.0, 0.0),
        ("bravo", "actions", 1.0, 0.0),
        ("charlie", "actions", 0.0, 1.0),
    ]


def cast(provider: str, agreed: float, dissented: float, *, at: int = NOW, **changes: Any) -> pl.DataFrame:
    given = {
        "round_id": f"rnd_{at}",
        "kind": "bars",
        "venue": "",
        "provider": provider,
        "session": to_datetime(at).date(),
        "agreed": agreed,
        "dissented": dissented,
        "ts_known": at,
        "simulated": False,
    }
    return filled("votes", 1, given | changes)


@pytest.mark.parametrize(
    ("agreed", "dissented", "weight"),
    [
        (0.0, 0.0, 1.0),
        (950.0, 50.0, 1.0),  # as expected
        (50.0, 0.0, 1.0263),  # (47.5 + 50) / 100 / 0.95
        (0.0, 50.0, 0.5),  # 47.5 / 100 / 0.95
        (500.0, 500.0, 0.5489),  # 547.5 / 1050 / 0.95
        (0.0, 1e6, 0.01),
    ],
)
def test_the_weight_is_the_share_of_right_claims_drawn_to_what_is_expected(
    agreed: float, dissented: float, weight: float
) -> None:
    """Fifty votes at 95 % stand for what is expected; whoever is so good has the weight 1."""
    rows = learnt(cast("alpha", agreed, dissented), ts_known=NOW, simulated=False)

    assert check(rows, TABLES["trust"].columns, kind="trust")["weight"].to_list() == [weight]


def test_votes_age() -> None:
    """After ninety days a vote counts half."""
    rows = learnt(cast("alpha", 0.0, 100.0), ts_known=NOW + 90 * DAY_NS, simulated=True)

    assert rows.select("dissented", "weight", "rounds", "simulated").rows() == [(50.0, 0.5, 1, True)]
    assert rows["since"].cast(pl.Int64).to_list() == [NOW + 90 * DAY_NS]


def test_a_day_is_weighed_by_what_was_stored_before_its_midnight() -> None:
    """An hour is left for rounds that are still being stored; votes of two years count."""
    noon = NOW + 12 * HOUR_NS

    assert cut_off(noon) == NOW - HOUR_NS
    assert cut_off(NOW) == NOW - HOUR_NS
    assert str(remembered_from(noon)) == "2022-06-11"


def test_what_is_fixed_stands_above_what_is_learnt_and_declared() -> None:
    """What is declared is where learning starts."""
    learned = pl.concat(
        learnt(cast(name, 0.0, 50.0), ts_known=NOW, simulated=False) for name in ("alpha", "bravo", "charlie")
    )

    assert weights({"alpha": 0.8, "delta": 0.5}, learned, {"bravo": 3.0, "echo": 2.0}) == {
        "alpha": 0.4,
        "bravo": 3.0,
        "charlie": 0.5,
        "delta": 0.5,
        "echo": 2.0,
    }


def test_what_is_fixed_holds_until_it_is_fixed_anew_or_set_free() -> None:
    """Each is a row that says since when; nothing is told twice."""
    first = fixed_rows({"alpha": 2.0, "bravo": 0.5}, {}, ts_known=NOW, simulated=False)
    then = fixed_rows({"alpha": 3.0}, fixed_at(first, NOW), ts_known=NOW + 5, simulated=False)
    rows = pl.concat([first, then])

    assert check(rows, TABLES["trust"].columns, kind="trust").select("provider", "weight", "fixed").rows() == [
        ("alpha", 2.0, True),
        ("bravo", 0.5, True),
        ("alpha", 3.0, True),
        ("bravo", None, True),
    ]
    assert fixed_at(rows, NOW - 1) == {}
    assert fixed_at(rows, NOW + 4) == {"alpha": 2.0, "bravo": 0.5}
    assert fixed_at(rows, NOW + 5) == {"alpha": 3.0}
    assert fixed_rows({"alpha": 3.0}, fixed_at(rows, NOW + 5), ts_known=NOW + 6, simulated=False).is_empty()


def taught(days_ago: int, **changes: Any) -> pl.DataFrame:
    """Return votes by which alpha was wrong two hundred times."""
    at = NOW - days_ago * DAY_NS
    rounds = [cast("alpha", 0.0, 25.0, at=at + number, **changes) for number in range(8)]
    return pl.concat(rounds)


AGAINST = pl.concat([bar_claims("alpha", CLOSES), bar_claims("bravo", [close + 2 for close in CLOSES])])


@pytest.mark.parametrize(
    ("votes", "winner"),
    [
        pytest.param(taught(1), "bravo", id="of the day before"),
        pytest.param(taught(0), "alpha", id="of the same day"),
        pytest.param(taught(800), "alpha", id="of long ago"),
        pytest.param(taught(1, kind="actions"), "alpha", id="about something else"),
        pytest.param(taught(1, venue="XNAS"), "alpha", id="at another venue"),
    ],
)
async def test_who_was_wrong_before_loses_a_tie(votes: pl.DataFrame, winner: str) -> None:
    """Votes weigh from the next day on, for their record kind and venue."""
    graded = await told(BothTimes(votes=votes), batch(AGAINST, ts_known=NOW + HOUR_NS))

    assert set(unpack(graded.golden)["provider"]) == {winner}


async def test_what_was_learnt_is_told_once_a_day() -> None:
    """The rows say what the weights of the day are made of."""
    again = batch(AGAINST, round_id="rnd_2", ts_known=NOW + 2 * HOUR_NS)
    next_day = batch(AGAINST, round_id="rnd_3", ts_known=NOW + DAY_NS)

    bus = await heard(BothTimes(votes=taught(1)), batch(AGAINST), again, next_day)

    settled = [unpack(one.rows) for one in bus.of(TrustSettled)]
    assert [rows["since"].cast(pl.Int64).to_list() for rows in settled] == [[NOW], [NOW + DAY_NS]]
    aged = [200 * 0.5 ** (days / 90) for days in (1, 2)]
    assert [rows["dissented"][0] for rows in settled] == pytest.approx(aged, rel=1e-6)


async def test_the_operator_wins_from_the_declaration_on() -> None:
    """A round that was closed before it is weighed as it was known then, also when it is told later."""
    declared = InstrumentsDeclared(
        listings=(), start=MONDAY, end=FRIDAY, ts_known=NOW + HOUR_NS, trust={"alpha": 1.0, "bravo": 4.0}
    )
    before, after = batch(AGAINST), batch(AGAINST, ts_known=NOW + 2 * HOUR_NS)

    bus = await heard(BothTimes(), declared, declared, before, after, trust={"alpha": 2.0})

    assert [set(unpack(one.golden)["provider"]) for one in bus.of(BatchGraded)] == [{"alpha"}, {"bravo"}]
    assert [unpack(one.rows)["weight"].to_list() for one in bus.of(TrustSettled)] == [[1.0, 4.0]]


async def test_what_was_fixed_before_a_restart_still_is() -> None:
    """The room reads it from the store."""
    rows = fixed_rows({"bravo": 4.0}, {}, ts_known=NOW - 5, simulated=False)

    graded = await told(BothTimes(trust=rows), batch(AGAINST))

    assert set(unpack(graded.golden)["provider"]) == {"bravo"}


async def test_days_and_venues_that_are_remembered_are_few() -> None:
    """A long replay does not fill the memory."""
    nothing = bar_claims("alpha", [])
    many = [batch(nothing, round_id=f"rnd_{day}", ts_known=NOW + day * DAY_NS) for day in range(70)]
    bus = Heard()
    room = QualityService(bus=bus, store=BothTimes(), config=QualityConfig())
    room.subscribe()
    for one in many:
        await bus.handlers["quality hears BatchNormalized"](one)

    assert len(room._learnt) == 64


async def test_a_bar_below_the_quorum_is_withheld_where_it_is_set() -> None:
    """The quorum and what becomes of bars below it are settings; an increment may be known."""
    flagged = await told(BothTimes(), batch(AGAINST), quorum=2)
    withheld = await told(BothTimes(), batch(AGAINST), quorum=2, below_quorum="withhold")
    agreed = await told(BothTimes(), batch(AGAINST), quorum=2, below_quorum="withhold", increments={"USD": 2.0})

    assert [len(unpack(one.golden)) for one in (flagged, withheld, agreed)] == [5, 0, 5]


async def test_a_correction_is_explained_by_what_was_said_before() -> None:
    """What the provider told in an earlier payload is read from the store when a claim has lost."""
    claims = three()
    older = bar_claims("charlie", CLOSES, payload="an older one", ts_known=NOW - DAY_NS)

    graded = await told(BothTimes(bar_claims=pl.concat([claims, older])), batch(claims))

    assert unpack(graded.quarantined)["reason"].to_list() == ["late_correction"]
    assert claims["ts_event"].dtype == INSTANT
