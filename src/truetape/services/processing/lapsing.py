"""Actions that a provider used to tell and no longer does: its newest answer about their dates is without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.messages import RawCaptured, RoundClosed
from truetape.domain.schema import INSTANT
from truetape.services.processing.normalize import latest_claims

LAPSED: Final = "lapsed"  # the basis of a claim that says that the provider no longer tells the action
WHAT: Final = ("ex_date", "type")
Claims = Mapping[str, pl.DataFrame]
Answer = list[tuple[RawCaptured, Claims]]  # the pages of one provider, with what they say by table


def lapsed(older: pl.DataFrame, message: RoundClosed, parts: Sequence[Claims]) -> pl.DataFrame:
    """Return, for each action that an answer of the round is without, a claim that says so: its basis is LAPSED.

    An answer counts if all of its pages could be read and it is not empty; of actions that come with bars, only those
    within the days of the bars that came. What a provider never told in an answer of the same kind is the caller's to
    sort out.

    Args:
        older: What was claimed before, schema action_claims, of the round's instrument.
        message: The round.
        parts: What each of its captures says, by table, in their order; no table of actions: it could not be read.
    """
    if older.is_empty() or message.partial:
        return older.clear()
    newest = latest_claims(older, key=WHAT).filter(pl.col("basis") != LAPSED)
    found = [_missing(newest, answer, reach) for answer, reach in _answers(message, parts)]
    return pl.concat([older.clear(), *found])


def _missing(newest: pl.DataFrame, answer: Answer, reach: tuple[date, date]) -> pl.DataFrame:
    last = answer[-1][0]
    fresh = pl.concat([part["action_claims"] for _, part in answer])
    gone = newest.filter(pl.col("provider") == last.provider, pl.col("ex_date").is_between(*reach))
    return gone.join(fresh, on=WHAT, how="anti", maintain_order="left").with_columns(
        pl.lit(LAPSED).alias("basis"),
        pl.lit(last.key).alias("payload"),
        pl.lit(last.ts_known).cast(INSTANT).alias("ts_known"),
        pl.lit(last.simulated).alias("simulated"),
    )


def _answers(message: RoundClosed, parts: Sequence[Claims]) -> Iterator[tuple[Answer, tuple[date, date]]]:
    """Yield the whole answers of the round that tell of actions, with the first and last day that they speak of."""
    answers: dict[tuple[str, str], Answer] = {}
    for capture, part in zip(message.captures, parts, strict=True):
        answers.setdefault((capture.provider, capture.kind), []).append((capture, part))
    for (_, kind), answer in answers.items():
        is_whole = not answer[0][0].page and not answer[-1][0].more
        if is_whole and all("action_claims" in part for _, part in answer):
            days = _days(answer, kind)
            if days:
                within = (message.start, message.end) if kind == "actions" else (min(days), max(days))
                yield answer, (max(message.start, within[0]), min(message.end, within[1]))


def _days(answer: Answer, kind: str) -> list[date]:
    """Return the days of the rows of an answer: ex-dates of actions, sessions of bars."""
    if kind == "actions":
        return [day for _, part in answer for day in part["action_claims"]["ex_date"]]
    bars = [part["bar_claims"]["ts_event"].dt.date() for _, part in answer if "bar_claims" in part]
    return [day for days in bars if len(days) for day in (days.min(), days.max())]  # type: ignore[misc]


def of_the_same_kind(gone: pl.DataFrame, older: pl.DataFrame, captures: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `gone` that their provider told before in an answer of the kind that is now without them.

    Args:
        gone: As `lapsed` returns them.
        older: What was claimed before, schema action_claims.
        captures: The rows of the table captures about the same instrument, those of the round included.
    """
    kinds = captures.select("payload", "provider", "kind").unique()
    told = latest_claims(older, key=WHAT).join(kinds, on=["payload", "provider"])
    now = gone.join(kinds, on=["payload", "provider"])
    met = now.join(told, on=[*WHAT, "provider", "kind"], how="semi")
    return gone.join(met, on=[*WHAT, "provider"], how="semi", maintain_order="left")


def still_told(actions: pl.DataFrame) -> pl.DataFrame:
    """Return of claims that are each their provider's newest those that it still makes."""
    return actions.filter(pl.col("basis") != LAPSED)
