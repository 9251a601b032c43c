"""The command line. Heavy parts are imported where a command uses them, so that help comes at once."""

from truetape.app.cli.commands import app, main

__all__ = ["app", "main"]
