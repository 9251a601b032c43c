"""The settings of a replay: those of a new data folder, of the kind of the old one."""

from __future__ import annotations

import time
from pathlib import Path

from truetape.adapters.data_folder import read_marker
from truetape.app.settings import Settings
from truetape.domain.errors import BadInput
from truetape.domain.time import to_datetime


def replay_settings(source: Path, target: Path) -> Settings:
    """Return settings without providers: nothing is asked of any.

    Raises:
        BadInput: `source` is no data folder, or `target` is not empty.
    """
    marker = read_marker(source)
    if marker is None:
        raise BadInput(
            parameter="--data", value=str(source), fix="It is no data folder; name one that holds an archive."
        )
    if target.exists() and not target.is_dir():
        raise BadInput(parameter="--into", value=str(target), fix="It is no folder; name a new or empty one.")
    if target.exists() and any(target.iterdir()):
        raise BadInput(parameter="--into", value=str(target), fix="The folder is not empty; name a new or empty one.")
    today = to_datetime(time.time_ns()).date()
    return Settings(data=target, simulated=marker.simulated, start=today, end=today)
