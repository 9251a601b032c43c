"""Where the cold files of a data folder lie: kept in the folder, so that whoever opens it reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.tiered_store import ColdFiles, TieredStore
from truetape.app.object_places import objects_at
from truetape.domain.errors import BadInput, WrongFolder
from truetape.ports.objects import Objects

PLACES: Final = "cold.json"  # of the data folder: an address for each tier
RESTORED: Final = "cold"  # of the data folder: where a backup puts them back, a folder for each tier


def with_cold(store: DuckdbStore, data: Path, environ: Mapping[str, str]) -> DuckdbStore | TieredStore:
    """Return `store` with the cold files of the data folder `data`, if it has any.

    Raises:
        BadInput: A place cannot be reached as the environment says.
        WrongFolder: What the folder says of its places is not readable.
    """
    places = places_of(data, environ)
    return TieredStore(store, ColdFiles(places)) if places else store


def places_of(data: Path, environ: Mapping[str, str]) -> dict[str, Objects]:
    """Return where cold files lie, by tier; empty where the folder has none.

    Raises:
        BadInput: A place cannot be reached as the environment says.
        WrongFolder: What the folder says of its places is not readable.
    """
    return {tier: objects_at(address, environ) for tier, address in addresses(data).items()}


def addresses(data: Path) -> dict[str, str]:
    """Return the addresses that the folder keeps, by tier, or the folders of a restored backup.

    Raises:
        WrongFolder: What the folder says of its places is not readable.
    """
    path = data / PLACES
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        folders = sorted((data / RESTORED).glob("*/"))
        return {folder.name: str(folder) for folder in folders if folder.name in ("warm", "archive")}
    except (OSError, msgspec.MsgspecError) as error:
        raise WrongFolder(path=str(data), reason=f"its {PLACES} is not readable ({error}). Restore it.") from None


def keep_addresses(data: Path, named: Mapping[str, str]) -> None:
    """Keep in the folder that its cold files lie at the addresses `named`, by tier; folders become absolute.

    Raises:
        BadInput: It keeps another address of a tier: files may lie there.
    """
    held = addresses(data) if (data / PLACES).exists() else {}
    given = {tier: one if "://" in one else str(Path(one).expanduser().absolute()) for tier, one in named.items()}
    for tier, address in given.items():
        if held.get(tier, address) != address:
            fix = f"Cold files lie at {held[tier]}: copy them to the new place, then remove {data / PLACES}."
            raise BadInput(parameter=f"tiers.{tier}", value=address, fix=fix)
    if {**held, **given} != held:
        draft = data / f".{PLACES}"
        draft.write_bytes(msgspec.json.encode({**held, **given}))
        draft.replace(data / PLACES)
