"""`truetape late`: which series are late by the objectives of the settings, and by how much."""

from __future__ import annotations

import typer

from truetape.app.cli.terminal import DEFAULT_PATH, FINDINGS, Config, Json, call, out, run, write_json


def late(*, config: Config = DEFAULT_PATH, as_json: Json = False) -> None:
    """Say which series are late by the settings' objectives, and by how much; leave with 1 if any is.

    It reads the data folder, or asks the platform that runs on it, whose /metrics and alerts tell the same.
    """
    import os
    import time

    from truetape.app.late_report import late_report
    from truetape.app.settings import load

    settings = call(lambda: load(config, os.environ), as_json=as_json)
    found = run(late_report(settings, now_ns=time.time_ns()), as_json=as_json)
    if as_json:
        write_json(found)
    else:
        console = out()
        for one in found:
            console.print(one.words, markup=False, highlight=False, soft_wrap=True)
        console.print(f"{len(found)} series are late." if found else "Nothing is late.", highlight=False)
    if found:
        raise typer.Exit(FINDINGS)
