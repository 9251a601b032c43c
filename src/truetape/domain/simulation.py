"""Simulated and live data never mix: each kind has folders of its own."""

from __future__ import annotations

from truetape.domain.errors import WrongFolder


def refuse_mixing(*, folder_is_simulated: bool, data_are_simulated: bool) -> None:
    """Return if data of this kind may go into a folder of that kind.

    Raises:
        WrongFolder: They are of different kinds.
    """
    if folder_is_simulated != data_are_simulated:
        holds, came = ("simulated", "live") if folder_is_simulated else ("live", "simulated")
        raise WrongFolder(path="of this process", reason=f"it holds {holds} data and {came} data came.")
