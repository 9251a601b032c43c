"""`truetape init`: write a commented settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, err, refuse
from truetape.app.settings_template import TEMPLATE
from truetape.domain.errors import BadInput


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = DEFAULT_PATH,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented settings file."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        refuse(BadInput(parameter="path", value=str(path), fix="The file is there already; replace it with --force."))
    except OSError as error:
        refuse(BadInput(parameter="path", value=str(path), fix=f"It cannot be written: {error.strerror}."))
    err().print(
        f"Wrote {path}. Set your keys in the environment, look it over, and start with: truetape up",
        markup=False,
        soft_wrap=True,
    )
