"""What three witnesses say about each payment of a series: its declared amount, the adjusted close, and the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.noise import FLOOR, local_scale, pauses, surprise
from truetape.services.quality.repairs.splits import as_traded, splits_of

# How a payment shows in the price: parts of it that the open and the session fall by, and how often that is so.
_FALLS: Final = ((1.0, 0.0, 0.55), (0.75, 0.0, 0.15), (0.0, 1.0, 0.15), (0.5, 0.5, 0.1), (0.0, 0.75, 0.05))
_MOST: Final = 0.97  # of the price: a larger payment is judged like this one, and is refuted by any price that is left
_NEAR: Final = 5  # rows whose adjusted closes tell a step, unless another payment lies between
_SMALLEST: Final = 2e-6  # a step of the adjusted close below this is rounding


@dataclass(frozen=True, kw_only=True)
class Move:
    """How the price moved over an ex-date, in logarithms, and how much it usually does."""

    open: float
    session: float
    open_scale: float
    session_scale: float

    def likelihood(self, part: float) -> float:
        """Return the log-likelihood of the move if `part` of the price before it, from 0 on, was paid out."""
        fall = float(np.log1p(-min(part, _MOST)))
        ways = [
            np.log(weight)
            - surprise(np.array(self.open - to_open * fall), self.open_scale)
            - surprise(np.array(self.session - to_session * fall), self.session_scale)
            for to_open, to_session, weight in _FALLS
        ]
        return float(np.logaddexp.reduce(ways))


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A row with a dividend, or with a step of the adjusted close that none explains.

    `worth` is the close before and `part` the declared amount as a part of it; `implied` is the part that the adjusted
    close knows, NaN where it tells nothing, and `rounding` how exact that is. `before` and `after` are the rows of the
    last bar before the ex-date and the first from it on; `before` is None for a payment on the first bar.
    """

    row: int
    amount: float
    gain: float
    worth: float
    part: float
    implied: float
    rounding: float
    before: int | None
    after: int
    move: Move | None

    def likelihood(self, part: float) -> float:
        """Return the log-likelihood of the price if `part` of it was paid; 0 where the price tells nothing."""
        return 0.0 if self.move is None else self.move.likelihood(part)


@dataclass(frozen=True, eq=False)
class Ground:
    """The bars of a series that have a close, and what is known of each."""

    rows: np.ndarray  # indices in the series
    close: np.ndarray
    stand: np.ndarray  # adjusted close by close, NaN where it tells nothing
    open_move: np.ndarray  # logarithm of the open by the close before
    session_move: np.ndarray
    open_scale: np.ndarray
    session_scale: np.ndarray
    traded_split: np.ndarray  # the ratio of a split that prices show as traded, else 1


def ground_of(series: PriceSeries) -> Ground:
    """Return the bars of `series` that have a close above zero."""
    close, opened, adjusted = (series.values(name) for name in ("close", "open", "adj_close"))
    rows = np.flatnonzero(np.isfinite(close) & (close > 0))
    close, opened, adjusted = close[rows], opened[rows], adjusted[rows]
    split = np.ones(len(rows))
    for one in as_traded(series):
        at = np.searchsorted(rows, one.row)
        split[at : at + 1] *= one.ratio
    opened = np.where(np.isfinite(opened) & (opened > 0), opened, close)
    before = np.concatenate([close[:1], close[:-1]]) / split
    open_move, session_move = np.log(opened / before), np.log(close / opened)
    wait = pauses(series, rows) if len(rows) else np.ones(0)
    return Ground(
        rows=rows,
        close=close,
        stand=np.where(np.isfinite(adjusted) & (adjusted != 0), adjusted / close, np.nan),
        open_move=open_move,
        session_move=session_move,
        open_scale=np.maximum(local_scale(open_move), FLOOR) * wait if len(rows) else wait,
        session_scale=np.maximum(local_scale(session_move), FLOOR) if len(rows) else wait,
        traded_split=split,
    )


def payments_of(series: PriceSeries, *, at: np.ndarray | None = None) -> list[Payment]:
    """Return the payments of `series`, the oldest first.

    Args:
        series: The series.
        at: Rows to look at; None for those with a dividend.
    """
    ground = ground_of(series)
    amounts, gains = series.values("dividends"), series.values("capital_gains")
    paid = np.flatnonzero(np.isfinite(amounts) & (amounts > 0))
    steps, rounding = _steps(ground, np.searchsorted(ground.rows, paid))
    wanted = paid if at is None else at
    result = []
    for row in wanted[wanted <= ground.rows[-1]] if len(ground.rows) else []:
        place = int(np.searchsorted(ground.rows, row))
        amount = float(np.nan_to_num(amounts[row]))
        worth = ground.close[place - 1] / ground.traded_split[place] if place else ground.close[place]
        result.append(
            Payment(
                row=int(row),
                amount=amount,
                gain=float(np.nan_to_num(gains[row])),
                worth=float(worth),
                part=float(amount / worth),
                implied=float(steps[place]),
                rounding=rounding,
                before=int(ground.rows[place - 1]) if place else None,
                after=int(ground.rows[place]),
                move=_move(ground, place) if place else None,
            )
        )
    return result


def unexplained_steps(series: PriceSeries) -> np.ndarray:
    """Return the rows at which the adjusted close steps for good as by a payment, and there is none."""
    ground = ground_of(series)
    amounts = series.values("dividends") + 0.0
    paid = np.searchsorted(ground.rows, np.flatnonzero(np.isfinite(amounts) & (amounts > 0)))
    steps, rounding = _steps(ground, paid)
    split = np.searchsorted(ground.rows, [one.row for one in splits_of(series)])
    known = np.isfinite(steps) & (np.abs(steps) > np.maximum(10 * rounding, 2e-4))
    near = np.zeros(len(steps), dtype=bool)
    for place in (*paid.tolist(), *split.tolist()):
        near[max(place - _NEAR, 0) : place + _NEAR + 1] = True
    return np.asarray(ground.rows[known & ~near])


def _move(ground: Ground, place: int) -> Move:
    return Move(
        open=float(ground.open_move[place]),
        session=float(ground.session_move[place]),
        open_scale=float(ground.open_scale[place]),
        session_scale=float(ground.session_scale[place]),
    )


def _steps(ground: Ground, paid: np.ndarray) -> tuple[np.ndarray, float]:
    """Return by which part each bar's adjusted close steps against the bar before, and how exact that is.

    The rows on either side up to the next payment tell it, by their median.
    """
    count = len(ground.rows)
    single = np.full(count, np.nan)
    single[1:] = 1 - ground.stand[:-1] / ground.stand[1:] * ground.traded_split[1:]
    ordinary = np.ones(count, dtype=bool)
    ordinary[paid[paid < count]] = False
    known = np.abs(single[ordinary & np.isfinite(single)])
    rounding = max(float(np.quantile(known, 0.9)) if len(known) else 0.0, _SMALLEST)
    edges = np.unique(np.concatenate([[0], paid[paid < count], np.flatnonzero(ground.traded_split != 1), [count]]))
    steps = single.copy()
    for place in np.flatnonzero(np.abs(single) > 5 * rounding).tolist() + paid[paid < count].tolist():
        start = max(int(edges[edges < place].max(initial=0)), place - _NEAR)
        end = min(int(edges[edges > place].min(initial=count)), place + _NEAR)
        if place and place > start:
            before, after = ground.stand[start:place], ground.stand[place:end]
            if np.isfinite(before).any() and np.isfinite(after).any():
                steps[place] = 1 - np.nanmedian(before) / np.nanmedian(after) * ground.traded_split[place]
    return steps, rounding
