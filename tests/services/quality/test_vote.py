"""The vote: who wins, by how much, and that no order of the claims can change it."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.services.quality.vote import Tolerance, Voters, vote

TOLERANCE = Tolerance(absolute=0.01001, relative=2e-4)
NAMES = ("delta", "alpha", "charlie", "bravo")  # in no order


def claims(*rows: tuple[str, float | None, float | None], key: int = 1) -> pl.DataFrame:
    return pl.DataFrame(
        [(key, *row) for row in rows],
        schema={"key": pl.Int64, "provider": pl.String, "open": pl.Float64, "close": pl.Float64},
        orient="row",
    )


def cast(ballots: pl.DataFrame, **voters: Any) -> pl.DataFrame:
    return vote(ballots, key=("key",), values=("open", "close"), tolerance=TOLERANCE, voters=Voters(**voters)).won


def outcome(won: pl.DataFrame) -> list[tuple[object, ...]]:
    return won.select("provider", "close", "score", "method", "agreed", "dissented").rows()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [("bravo", 10.0, 10.0)],
            ("bravo", 10.0, 1.0, "single_source", "bravo", ""),
            id="one claim is not contradicted",
        ),
        pytest.param(
            [("bravo", 10.0, 10.0), ("alpha", 10.01, 10.01)],
            ("alpha", 10.01, 1.0, "consensus", "alpha,bravo", ""),
            id="a cent apart is agreed; the alphabet decides whose cent",
        ),
        pytest.param(
            [("bravo", 10.0, 10.0), ("alpha", 10.02, 10.02)],
            ("alpha", 10.02, 0.5, "plurality", "alpha", "bravo"),
            id="two cents apart is a tie; the alphabet decides",
        ),
        pytest.param(
            [("bravo", 1000.0, 1000.0), ("alpha", 1000.19, 1000.19)],
            ("alpha", 1000.19, 1.0, "consensus", "alpha,bravo", ""),
            id="two in ten thousand of a great price is agreed",
        ),
        pytest.param(
            [("alpha", 11.0, 11.0), ("charlie", 10.0, 10.0), ("bravo", 10.0, 10.0)],
            ("bravo", 10.0, 2 / 3, "consensus", "bravo,charlie", "alpha"),
            id="two outvote one",
        ),
        pytest.param(
            [("alpha", 11.0, 11.0), ("bravo", 12.0, 12.0), ("charlie", 13.0, 13.0)],
            ("alpha", 11.0, 1 / 3, "plurality", "alpha", "bravo,charlie"),
            id="three against each other",
        ),
        pytest.param(
            [("alpha", 10.0, 11.0), ("charlie", 10.0, 10.0), ("bravo", 10.0, 10.0)],
            ("bravo", 10.0, 2 / 3, "consensus", "bravo,charlie", "alpha"),
            id="every value must agree",
        ),
        pytest.param(
            [("alpha", None, 10.0), ("bravo", 9.0, 10.0)],
            ("bravo", 10.0, 1.0, "consensus", "alpha,bravo", ""),
            id="a missing value agrees, but the complete claim is taken",
        ),
        pytest.param(
            [("charlie", 10.02, 10.02), ("bravo", 10.01, 10.01), ("alpha", 10.0, 10.0)],
            ("bravo", 10.01, 1.0, "consensus", "alpha,bravo,charlie", ""),
            id="agreeing goes both ways and no further: the middle has the most support",
        ),
    ],
)
def test_the_claim_with_the_most_support_wins(
    rows: list[tuple[str, float | None, float | None]], expected: tuple[object, ...]
) -> None:
    """Ties go to the complete, then the trusted, then the alphabet."""
    assert outcome(cast(claims(*rows))) == [expected]


def test_at_a_tie_the_more_trusted_wins() -> None:
    """Two pairs weigh 2.0 each; the provider of 1.5 is in the second."""
    rows = claims(("alpha", 1.0, 1.0), ("bravo", 1.0, 1.0), ("charlie", 2.0, 2.0), ("delta", 2.0, 2.0))

    won = cast(rows, trust={"charlie": 0.5, "delta": 1.5})

    assert outcome(won) == [("delta", 2.0, 0.5, "plurality", "charlie,delta", "alpha,bravo")]


def test_weight_counts_not_heads() -> None:
    """One provider of weight 3 outvotes two of weight 1; but one alone is no consensus."""
    rows = claims(("alpha", 1.0, 1.0), ("bravo", 1.0, 1.0), ("charlie", 2.0, 2.0))

    assert outcome(cast(rows, trust={"charlie": 3.0})) == [("charlie", 2.0, 0.6, "plurality", "charlie", "alpha,bravo")]


def test_half_of_the_weight_is_no_consensus_whatever_the_rounding() -> None:
    """0.1 + 0.2 is a little more than 0.3 in floats, and not more than half."""
    rows = claims(("alpha", 1.0, 1.0), ("bravo", 1.0, 1.0), ("charlie", 2.0, 2.0))

    assert cast(rows, trust={"alpha": 0.1, "bravo": 0.2, "charlie": 0.3})["method"].to_list() == ["plurality"]


def test_silence_of_the_electorate_is_dissent() -> None:
    """A voter that says nothing about a key counts against it; a provider that is no voter does not."""
    rows = claims(("alpha", 1.0, 1.0))

    won = cast(rows, electorate=("alpha", "bravo"))

    assert outcome(won) == [("alpha", 1.0, 0.5, "plurality", "alpha", "bravo")]


def test_nobody_claims_nothing_wins() -> None:
    """The empty result has the columns of a full one."""
    full = cast(claims(("alpha", 1.0, 1.0)))

    assert cast(claims()).schema == full.schema


CENTS = st.sampled_from([1000, 1001, 1002, 1003, 2000])
BALLOTS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.tuples(st.none() | CENTS, CENTS) for name in NAMES}).filter(bool),
    min_size=1,
    max_size=6,
)
TRUST = st.fixed_dictionaries({name: st.sampled_from([0.5, 1.0, 1.5, 3.0]) for name in NAMES})


def ballot_frame(ballots: list[dict[str, tuple[int | None, int]]]) -> pl.DataFrame:
    return pl.concat(
        claims(
            *(
                (name, None if opening is None else opening / 100, close / 100)
                for name, (opening, close) in one.items()
            ),
            key=key,
        )
        for key, one in enumerate(ballots)
    )


@given(ballots=BALLOTS, trust=TRUST, seed=st.integers(0, 1000))
def test_the_order_of_the_claims_does_not_matter(
    ballots: list[dict[str, tuple[int | None, int]]], trust: dict[str, float], seed: int
) -> None:
    """Any shuffle of the rows gives the same verdicts in the same order."""
    rows = ballot_frame(ballots)
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)

    assert cast(rows[order], trust=trust).equals(cast(rows, trust=trust))


@given(ballots=BALLOTS, trust=TRUST)
def test_no_claim_wins_against_a_heavier_group(
    ballots: list[dict[str, tuple[int | None, int]]], trust: dict[str, float]
) -> None:
    """Counted again by hand: nobody has more support than the winner, and the score is its share."""
    won = cast(ballot_frame(ballots), trust=trust)

    def near(one: int | None, other: int | None) -> bool:
        return one is None or other is None or abs(one - other) <= 1

    def friends(one: dict[str, tuple[int | None, int]], name: str) -> list[str]:
        mine = one[name]
        return sorted(other for other, theirs in one.items() if all(map(near, mine, theirs)))

    def support(one: dict[str, tuple[int | None, int]], name: str) -> float:
        return sum(trust[friend] for friend in friends(one, name))

    assert len(won) == len(ballots)
    for one, row in zip(ballots, won.iter_rows(named=True), strict=True):
        assert support(one, row["provider"]) == max(support(one, name) for name in one)
        assert row["agreed"].split(",") == friends(one, row["provider"])
        assert row["score"] == pytest.approx(support(one, row["provider"]) / sum(trust[name] for name in one))
        assert 0 < row["score"] <= 1
        assert sorted(filter(None, [*row["agreed"].split(","), *row["dissented"].split(",")])) == sorted(one)


def test_a_value_that_the_winner_lacks_comes_from_those_that_agree() -> None:
    """The better supported of two that have it gives it; nobody has what all lack."""
    rows = claims(
        ("alpha", None, 10.0), ("bravo", 9.0, 10.01), ("charlie", 9.5, 10.01), ("delta", 9.5, 10.01), ("echo", 1.0, 3.0)
    )

    won = cast(rows, trust={"alpha": 3.0})

    assert won.select("provider", "open", "close", "agreed").rows() == [
        ("alpha", 9.5, 10.0, "alpha,bravo,charlie,delta")
    ]
    assert cast(claims(("alpha", None, 10.0), ("bravo", None, 10.0)))["open"].to_list() == [None]


def test_two_that_pass_on_one_source_are_no_two_witnesses() -> None:
    """The second of the same source counts half: 1.5 against 1.6."""
    rows = claims(("alpha", 1.0, 1.0), ("bravo", 1.0, 1.0), ("charlie", 2.0, 2.0))
    trust = {"charlie": 1.6}

    kin = cast(rows, trust=trust, sources={"alpha": "somebody", "bravo": "somebody"})

    assert outcome(cast(rows, trust=trust))[0][:2] == ("alpha", 1.0)
    assert outcome(kin) == [("charlie", 2.0, pytest.approx(1.6 / 3.1), "plurality", "charlie", "alpha,bravo")]


def test_a_provider_may_pass_on_anothers_numbers() -> None:
    """The source is a provider too: both are of one kin."""
    rows = claims(("alpha", 1.0, 1.0), ("bravo", 1.0, 1.0), ("charlie", 2.0, 2.0))

    assert cast(rows, sources={"bravo": "alpha"})["score"].to_list() == [pytest.approx(1.5 / 2.5)]


@pytest.mark.parametrize(
    ("voters", "quorate", "method"),
    [
        ({}, True, "consensus"),
        ({"quorum": 2}, True, "consensus"),
        ({"quorum": 3}, False, "plurality"),
        ({"quorum_weight": 2.0}, True, "consensus"),
        ({"quorum_weight": 2.1}, False, "plurality"),
        ({"quorum_weight": 2.1, "trust": {"alpha": 1.1}}, True, "consensus"),
    ],
)
def test_a_quorum_is_of_heads_and_of_weight(voters: dict[str, Any], quorate: bool, method: str) -> None:
    """Two of three agree; both limits must be reached."""
    rows = claims(("alpha", 1.0, 1.0), ("bravo", 1.0, 1.0), ("charlie", 2.0, 2.0))

    assert cast(rows, **voters).select("quorate", "method").rows() == [(quorate, method)]


def test_a_lone_claim_may_be_below_the_quorum() -> None:
    """It stays what it is, of a single source."""
    assert cast(claims(("alpha", 1.0, 1.0)), quorum=2).select("quorate", "method").rows() == [(False, "single_source")]


def test_the_increment_of_a_key_is_its_tolerance() -> None:
    """Where claims carry increments, the greatest of a key counts and the setting does not."""
    coarse = claims(("alpha", 1.0, 1.0), ("bravo", 1.05, 1.05)).with_columns(increment=pl.Series([0.01, 0.05]))
    fine = claims(("alpha", 1.0, 1.0), ("bravo", 1.005, 1.005), key=2).with_columns(increment=pl.lit(0.001))

    assert cast(pl.concat([coarse, fine]))["score"].to_list() == [1.0, 0.5]


@settings(max_examples=50)
@given(ballots=BALLOTS, trust=TRUST, seed=st.integers(0, 1000))
def test_who_votes_last_or_first_does_not_matter(
    ballots: list[dict[str, tuple[int | None, int]]], trust: dict[str, float], seed: int
) -> None:
    """Providers under other names win with the same values, but for the ties that the alphabet decides."""
    others = dict(zip(NAMES, random.Random(seed).sample(NAMES, len(NAMES)), strict=True))
    rows = ballot_frame(ballots)
    renamed = rows.with_columns(pl.col("provider").replace_strict(others))

    won, again = cast(rows, trust=trust), cast(renamed, trust={others[name]: value for name, value in trust.items()})

    assert again["score"].to_list() == pytest.approx(won["score"].to_list())


@settings(max_examples=50)
@given(ballots=BALLOTS, trust=TRUST, kin=st.booleans())
def test_one_more_that_agrees_never_lowers_the_score(
    ballots: list[dict[str, tuple[int | None, int]]], trust: dict[str, float], kin: bool
) -> None:
    """Whoever says what the winner says makes it surer, or as sure as it was."""
    rows, sources = ballot_frame(ballots), dict.fromkeys(NAMES[:3], "one") if kin else {}
    won = cast(rows, trust=trust, sources=sources)
    more = won.select("key", pl.lit("echo").alias("provider"), "open", "close")
    sources |= {"echo": "one"} if kin else {}

    surer = cast(pl.concat([rows, more]), trust=trust, sources=sources)

    assert all(after >= before - 1e-9 for before, after in zip(won["score"], surer["score"], strict=True))


@settings(max_examples=50)
@given(ballots=BALLOTS, trust=TRUST, scale=st.sampled_from([0.01, 0.3, 7.0, 1000.0]))
def test_only_the_proportions_of_trust_count(
    ballots: list[dict[str, tuple[int | None, int]]], trust: dict[str, float], scale: float
) -> None:
    """All weights times one number give the same winners, scores and methods."""
    rows = ballot_frame(ballots)
    scaled = cast(rows, trust={name: value * scale for name, value in trust.items()})

    plain = cast(rows, trust=trust)
    assert scaled.drop("score").equals(plain.drop("score"))
    assert scaled["score"].to_list() == pytest.approx(plain["score"].to_list())


def test_who_lost_is_told_by_its_place() -> None:
    """Each claim that does not agree stands beside the row that it lost to."""
    rows = pl.concat([claims(("alpha", 1.0, 1.0), key=2), claims(("alpha", 1.0, 1.0), ("bravo", 9.0, 9.0), key=1)])

    outcome = vote(rows, key=("key",), values=("close",), tolerance=TOLERANCE, voters=Voters())

    assert outcome.won["key"].to_list() == [1, 2]
    assert outcome.lost.rows() == [(2, 0)]
