"""The sandbox: a local server that speaks four providers' wire formats over any bars, with faults to rehearse."""

from truetape.app.sandbox.compose import all_faults
from truetape.app.sandbox.dataset import Dataset, Series, bokeh, read
from truetape.app.sandbox.faults import Fault, Script, read_script
from truetape.app.sandbox.run import run_sandbox
from truetape.app.sandbox.server import Sandbox

__all__ = [
    "Dataset",
    "Fault",
    "Sandbox",
    "Script",
    "Series",
    "all_faults",
    "bokeh",
    "read",
    "read_script",
    "run_sandbox",
]
