"""Take a decision: by the platform that runs on the data folder, or here if none does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from truetape.adapters.data_folder import ARCHIVE, read_marker
from truetape.adapters.file_archive import FileArchive
from truetape.app.owner import at, by_owner
from truetape.app.repair_policies import declared_repairing
from truetape.app.run import Platform, asked_providers
from truetape.app.settings import Settings, load
from truetape.domain.errors import WrongFolder
from truetape.domain.time import iso, to_datetime
from truetape.services.api.decisions import Taken
from truetape.services.api.ruling import Ruling, actions_for, sound_ruling


async def decide(data: Path, target: str, ruling: Ruling, *, file: Path | None = None) -> Taken:
    """Return the decision that was taken about `target` in the data folder `data`; without a platform it has acted too.

    `file` is the settings file, if there may be one.

    Raises:
        UnknownTarget: Nothing has this id.
        BadInput: The ruling cannot be made about it.
        FolderInUse: A process without an API owns the data folder.
        WrongFolder: It is no data folder.
        StoreUnavailable: The running platform did not answer, or the disk is full.
    """
    ruling = sound_ruling(ruling, actions=actions_for(target))
    return await by_owner(
        data,
        file=file,
        command="truetape quarantine",
        there=lambda server: server.decide(target, ruling),
        here=lambda platform: _here(platform, target, ruling),
    )


def decide_at(url: str, target: str, ruling: Ruling) -> Taken:
    """Ask the server at `url` to take a decision, and return it.

    Raises:
        UnknownTarget, BadInput, StoreUnavailable: As the server says.
    """
    return at(url, lambda server: server.decide(target, ruling))


async def _here(platform: Platform, target: str, ruling: Ruling) -> Taken:
    await platform.parts.bus.drain()
    made = await platform.decide(target, ruling)
    await platform.settle()
    return Taken(
        decision_id=made.decision_id,
        target=target,
        action=made.action,
        actor=made.actor,
        why=made.why,
        decided=iso(made.ts_known),
    )


def settings_of(data: Path, *, file: Path | None = None) -> Settings:
    """Return settings by which nobody is asked anything, and everything that was heard can be read and judged.

    Args:
        data: The data folder.
        file: The settings file, if there may be one; it counts if it is about this folder.

    Raises:
        WrongFolder: It is no data folder.
        BadInput: The settings file is not usable.
    """
    marker = read_marker(data)
    if marker is None:
        raise WrongFolder(path=str(data), reason="it is no data folder. Choose another one with --data.")
    today = to_datetime(time.time_ns()).date()
    archive = FileArchive(data / ARCHIVE, read_only=True)
    settings = Settings(
        data=data,
        simulated=marker.simulated,
        start=today,
        end=today,
        providers=asked_providers(archive),
        repairing=declared_repairing(archive.journal()),
    )
    if file is None or not file.is_file():
        return settings
    own = load(file, os.environ)
    if own.data.resolve() != data.resolve():
        return settings
    judged = {name: getattr(own, name) for name in ("instruments", "checking", "consensus", "repairing")}
    return msgspec.structs.replace(settings, providers={**settings.providers, **own.providers}, **judged)
