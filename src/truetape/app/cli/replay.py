"""`truetape replay`: rebuild a store from its archive."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from truetape.app.cli.terminal import Data, Json, err, run, write_json


def replay(
    *,
    data: Data = Path("data"),
    into: Annotated[Path, typer.Option(help="New or empty folder for the rebuilt data.")],
    as_json: Json = False,
) -> None:
    """Rebuild the store from the archived bytes, value for value, into an empty folder."""
    from truetape.app.run import replay as run_replay

    with err().status("replaying") as status:
        report = run(
            run_replay(data, into, on_progress=lambda entries: status.update(f"replaying: {entries:,} entries")),
            as_json=as_json,
        )
    if as_json:
        write_json(dataclasses.asdict(report))
        return
    err().print(
        f"{report.captures:,} answers of {report.rounds:,} rounds replayed into {into} in {report.seconds:.1f} s; "
        f"{report.rejected} could not be decoded, as before.",
        markup=False,
        soft_wrap=True,
    )
